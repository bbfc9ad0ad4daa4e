//! `cascade check`: rules, content, settings and customer list, looked at together. Problems are printed as they
//! are found, so that a list of any length needs no more memory than a short one.

use super::output::Results;
use super::{Exit, Failure, age};
use crate::cli::{Check, Format, Place};
use crate::config::Config;
use crate::rules::content::Content;
use crate::rules::lints::{self, Survey, Together};
use crate::rules::{CustomerList, ListError, Problem, Severity, parse};
use crate::workspace::{List, Named, Unusable, Workspace};
use std::path::{Component, Path, PathBuf};

/// Rows of the list that are printed for people; the other formats have them all.
const ROWS_SHOWN: u64 = 20;

/// Checks everything and prints it.
pub(super) fn run(place: &Place, args: &Check) -> Result<Exit, Failure> {
    let format = if args.json { Format::Json } else { args.format };
    let named = Named { rules: args.rules.clone(), customers: args.customers.clone() };
    let stand_in = || args.without_secrets.then(|| "not asked for".to_owned());
    let workspace =
        Workspace::open(&place.workspace, &named, &|name| std::env::var(name).ok().or_else(stand_in))?;
    let root = place.workspace.clone();
    let mut printer = Printer { format, root, named, out: Results::open(), errors: 0, warnings: 0, rows: 0 };
    printer.begin()?;
    let about = look(place, &workspace, &mut printer)?;
    printer.end(&about)
}

/// Looks at everything; says in one line what that was.
fn look(place: &Place, workspace: &Workspace, printer: &mut Printer) -> Result<String, Failure> {
    printer.all(&workspace.config_problems)?;
    let (content, problems) = Content::parse(workspace.content_files());
    printer.all(&problems)?;
    let config = workspace.config.clone().unwrap_or_else(Config::rehearsal_defaults);
    let rules_file = workspace.rules.source.path();
    let (rules, problems) = parse(&rules_file, &workspace.rules.bytes);
    printer.all(&problems)?;
    let mut list = open_list(workspace, &config, printer)?;
    let columns = list.as_ref().map(CustomerList::columns);
    let (rules, columns) = (rules.as_ref(), columns.as_deref());
    let all = Together { rules, rules_file: &rules_file, content: &content, config: &config, columns };
    printer.all(&lints::together(&all))?;
    let age = rules.map(|rules| age::of(place, workspace, rules)).unwrap_or_default();
    lints::stale(&rules_file, age).iter().try_for_each(|old| printer.problem(old))?;
    let mut survey = Survey::new(&all);
    if let Some(list) = &mut list {
        survey_list(list, workspace, &mut survey, printer)?;
    }
    let total = survey.total();
    printer.all(&survey.unused_segments())?;
    printer.all(&survey.finish())?;
    Ok(format!(
        "rules: {}; content: {}; customers: {} ({total} usable)",
        workspace.rules.source,
        workspace.content_source(),
        workspace.customers,
    ))
}

/// Opens the customer list; what is wrong with it as a whole is printed.
fn open_list(workspace: &Workspace, config: &Config, printer: &mut Printer) -> Result<Option<List>, Failure> {
    match workspace.list(config) {
        Ok(list) => Ok(Some(list)),
        Err(Unusable::List(ListError::Unusable(problems))) => printer.all(&problems).map(|()| None),
        Err(unreadable) => Err(unreadable.into()),
    }
}

fn survey_list(
    list: &mut List,
    workspace: &Workspace,
    survey: &mut Survey<'_>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let file = workspace.customers.path();
    for row in &mut *list {
        match row {
            Ok(customer) => survey.see(&customer),
            Err(reject) => printer.row(&reject.problem(&file))?,
        }
    }
    list.warnings().iter().try_for_each(|warning| printer.row(warning))?;
    printer.left_out(list.warnings_left_out());
    Ok(())
}

/// Prints problems in one of the three formats, and counts them.
struct Printer {
    format: Format,
    /// The workspace as it was named, for whoever looks from outside it.
    root: PathBuf,
    named: Named,
    out: Results,
    errors: u64,
    warnings: u64,
    rows: u64,
}

impl Printer {
    fn begin(&mut self) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.out.text(r#"{"schema":"cascade.check/1","problems":["#),
            Format::Human | Format::Github => Ok(()),
        }
    }

    fn all(&mut self, problems: &[Problem]) -> Result<(), Failure> {
        problems.iter().try_for_each(|problem| self.problem(problem))
    }

    /// Something about a row of the list: people see the first ones alone.
    fn row(&mut self, problem: &Problem) -> Result<(), Failure> {
        self.rows += 1;
        if self.format == Format::Human && self.rows > ROWS_SHOWN {
            self.count(problem.severity);
            return Ok(());
        }
        self.problem(problem)
    }

    fn problem(&mut self, problem: &Problem) -> Result<(), Failure> {
        let first = self.errors + self.warnings == 0;
        self.count(problem.severity);
        match self.format {
            Format::Human => self.out.line(&lints::one_line(problem)),
            Format::Json => {
                if !first {
                    self.out.text(",")?;
                }
                self.out.json(problem)
            }
            Format::Github => self.out.line(&annotation(problem, &self.seen_from_here(&problem.file))),
        }
    }

    /// A file as it is called here: a pull request's files are known by their place in the repository, not in the workspace.
    fn seen_from_here(&self, file: &Path) -> PathBuf {
        let is_named = [&self.named.rules, &self.named.customers].iter().any(|f| f.as_deref() == Some(file));
        if is_named || file.starts_with("built-in") {
            return file.to_owned();
        }
        let here = std::env::current_dir().unwrap_or_default();
        let root = match self.root.strip_prefix(&here) {
            Ok(inside) => inside,
            // A workspace that lies elsewhere is in no pull request from here.
            Err(_) if self.root.is_absolute() => return file.to_owned(),
            Err(_) => &self.root,
        };
        root.join(file).components().filter(|part| *part != Component::CurDir).collect()
    }

    /// Warnings about rows that nobody kept.
    fn left_out(&mut self, warnings: u64) {
        self.rows += warnings;
        self.warnings += warnings;
    }

    fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
    }

    fn end(mut self, about: &str) -> Result<Exit, Failure> {
        let ok = self.errors == 0;
        match self.format {
            Format::Human => {
                if self.rows > ROWS_SHOWN {
                    let more = self.rows - ROWS_SHOWN;
                    self.out.line(&format!("… and {more} more problems with rows"))?;
                }
                let (errors, warnings) = (plural(self.errors, "error"), plural(self.warnings, "warning"));
                self.out.line(&format!("{errors}, {warnings} · {about}"))?;
            }
            Format::Json => self.out.text(&format!("],\"ok\":{ok}}}\n"))?,
            Format::Github => {}
        }
        self.out.close()?;
        Ok(if ok { Exit::Done } else { Exit::DidNotHold })
    }
}

fn plural(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A workflow command of GitHub Actions.
fn annotation(problem: &Problem, file: &Path) -> String {
    let Problem { severity, line, column, code, message, hint, .. } = problem;
    let level = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let file = data(&file.to_string_lossy()).replace(':', "%3A").replace(',', "%2C");
    let words = data(&format!("{message}; {hint}"));
    format!("::{level} file={file},line={line},col={column},title=cascade {code}::{words}")
}
