//! `cascade check`: rules, content, settings and customer list, looked at together. Problems are printed as they
//! are found, so that a list of any length needs no more memory than a short one.

use super::output::Results;
use super::{Exit, Failure};
use crate::cli::{Check, Format, Place};
use crate::config::Config;
use crate::rules::content::Content;
use crate::rules::lints::{self, Survey, Together};
use crate::rules::{Problem, Severity};
use crate::workspace::{Named, Unusable, Workspace};

/// Unusable rows of the list that are printed for people; the other formats have them all.
const REJECTS_SHOWN: u64 = 20;

/// Checks everything and prints it.
pub(super) fn run(place: &Place, args: &Check) -> Result<Exit, Failure> {
    let format = if args.json { Format::Json } else { args.format };
    let named = Named { rules: args.rules.clone(), customers: args.customers.clone() };
    let opened = Workspace::open(&place.workspace, &named, &|name| std::env::var(name).ok());
    let mut printer = Printer { format, out: Results::open(), errors: 0, warnings: 0, rejects: 0 };
    match opened {
        Ok(workspace) => {
            printer.begin()?;
            let about = look(&workspace, &mut printer)?;
            printer.end(&about)
        }
        // The settings are readable and wrong: a finding, not a failure to look.
        Err(Unusable::Problems(problems)) => {
            printer.begin()?;
            printer.all(&problems)?;
            printer.end("the settings alone; mend them first")
        }
        Err(unusable) => Err(unusable.into()),
    }
}

/// Looks at everything; says in one line what that was.
fn look(workspace: &Workspace, printer: &mut Printer) -> Result<String, Failure> {
    printer.all(&workspace.config_problems)?;
    let (content, problems) = Content::parse(workspace.content_files());
    printer.all(&problems)?;
    let config = workspace.config.clone().unwrap_or_else(Config::rehearsal_defaults);
    // SEAM
    let rules = None;
    let rules_file = workspace.rules.source.path();
    let all = Together { rules, rules_file: &rules_file, content: &content, config: &config, columns: None };
    printer.all(&lints::together(&all))?;
    let survey = Survey::new(&all);
    let total = survey.total();
    printer.all(&survey.finish())?;
    Ok(format!(
        "rules: {}; content: {}; customers: {} ({total} usable)",
        workspace.rules.source,
        workspace.content_source(),
        workspace.customers,
    ))
}

/// Prints problems in one of the three formats, and counts them.
struct Printer {
    format: Format,
    out: Results,
    errors: u64,
    warnings: u64,
    rejects: u64,
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

    /// A row of the list that cannot be used: people see the first ones alone.
    fn reject(&mut self, problem: &Problem) -> Result<(), Failure> {
        self.rejects += 1;
        if self.format == Format::Human && self.rejects > REJECTS_SHOWN {
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
                let object = serde_json::to_string(problem);
                self.out.text(&object.map_err(|fault| Failure::failed(fault.to_string()))?)
            }
            Format::Github => self.out.line(&annotation(problem)),
        }
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
                if self.rejects > REJECTS_SHOWN {
                    let more = self.rejects - REJECTS_SHOWN;
                    self.out.line(&format!("… and {more} more rows that cannot be used"))?;
                }
                let (errors, warnings) = (plural(self.errors, "error"), plural(self.warnings, "warning"));
                self.out.line(&format!("{errors}, {warnings} · {about}"))?;
            }
            Format::Json => self.out.line(&format!(r#"],"ok":{ok}}}"#))?,
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
fn annotation(problem: &Problem) -> String {
    let Problem { severity, file, line, column, message, hint, .. } = problem;
    let level = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let file = data(&file.to_string_lossy()).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} file={file},line={line},col={column}::{}", data(&format!("{message}; {hint}")))
}
