//! `cascade init`: a workspace to begin with, or the workflow that checks pull requests on it. Nothing is ever
//! overwritten: either every file is new, or none is written.

use super::{Exit, Failure, output};
use crate::cli::{Init, Place};
use crate::model::{Channel, clean};
use crate::rules::schema::json_schema;
use crate::workspace::built_in;
use git2::Repository;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const SETTINGS: &str = include_str!("../../assets/init/cascade.toml");
const RULES: &str = include_str!("../../assets/init/cascade.json");
const EXAMPLE: &str = include_str!("../../assets/init/customers.example.csv");
const IGNORED: &str = include_str!("../../assets/init/gitignore");
const WORKFLOW: &str = include_str!("../../assets/init/workflow.yml");
const WORKFLOW_FILE: &str = ".github/workflows/cascade-check.yml";
const IGNORE_FILE: &str = ".gitignore";

/// Writes the files and says what to do next.
pub(super) fn run(place: &Place, args: &Init) -> Result<Exit, Failure> {
    let dir = args.dir.as_ref().unwrap_or(&place.workspace);
    if args.workflow {
        return workflow(dir, args.json);
    }
    let files = files();
    refuse_what_is_there(dir, files.iter().map(|file| file.0))?;
    for (name, text) in &files {
        write_new(&dir.join(name), text)?;
    }
    let mut written: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    if ignore(dir)? {
        written.push(IGNORE_FILE.to_owned());
    }
    let steps = next_steps(dir);
    say(dir, &written, &steps, args.json)
}

/// Every file of a new workspace.
fn files() -> Vec<(&'static str, String)> {
    let content = Channel::ALL.iter().filter_map(|channel| built_in::content(*channel));
    [("cascade.toml", SETTINGS.to_owned()), ("rules/cascade.json", RULES.to_owned())]
        .into_iter()
        .chain([("rules/cascade.schema.json", json_schema())])
        .chain(content.map(|(name, text)| (name, text.to_owned())))
        .chain([("customers.example.csv", EXAMPLE.to_owned())])
        .collect()
}

fn refuse_what_is_there<'a>(dir: &Path, names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
    let there: Vec<&str> = names.filter(|name| is_there(&dir.join(name))).collect();
    if !there.is_empty() {
        let message = format!(
            "{} already holds {}; nothing was written. Name an empty directory: cascade init DIR",
            shown(dir),
            there.join(", ")
        );
        return Err(Failure::usage(message));
    }
    // What is written there must land there.
    for name in ["rules", "rules/content", ".github", ".github/workflows"] {
        if dir.join(name).is_symlink() {
            let message = format!(
                "{} is a link, and what is written there could land anywhere; remove it",
                shown(&dir.join(name))
            );
            return Err(Failure::usage(message));
        }
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    });
    written.map_err(|why| cannot(path, &why))
}

fn cannot(path: &Path, why: &io::Error) -> Failure {
    Failure::usage(format!(
        "{} cannot be written: {why}; name another directory: cascade init DIR",
        shown(path)
    ))
}

/// Adds what git must not take in to `.gitignore`, after whatever stands there. Whether that changed it.
fn ignore(dir: &Path) -> Result<bool, Failure> {
    let path = dir.join(IGNORE_FILE);
    let before = match fs::read_to_string(&path) {
        Ok(before) => before,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return write_new(&path, IGNORED).map(|()| true),
        Err(why) => return Err(cannot(&path, &why)),
    };
    let has = |line: &str| before.lines().any(|old| old.trim().trim_matches('/') == line.trim_matches('/'));
    let missing: Vec<&str> = IGNORED.lines().filter(|line| !has(line)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let joint = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let added = format!("{joint}{}\n", missing.join("\n"));
    let appended =
        OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(added.as_bytes()));
    appended.map_err(|why| cannot(&path, &why)).map(|()| true)
}

fn next_steps(dir: &Path) -> Vec<String> {
    let mut steps = Vec::new();
    if dir != Path::new(".") {
        steps.push(format!("cd {}", shown(dir)));
    }
    steps
        .push("cascade                 rehearses with made-up customers; nothing leaves this machine".into());
    steps.push("customers.csv           put your list there; customers.example.csv shows the columns".into());
    steps.push("cascade check           says what is wrong with rules, content and list".into());
    if Repository::discover(dir).is_err() {
        steps.push("git init && git add .   .cascade/ and customers.csv stay out".into());
    } else {
        steps.push("git add .               .cascade/ and customers.csv stay out".into());
    }
    steps.push("cascade init --workflow checks pull requests on rules on GitHub".into());
    steps
}

/// Writes the workflow at the root of the repository, or of the directory where there is none.
fn workflow(dir: &Path, as_json: bool) -> Result<Exit, Failure> {
    if !dir.is_dir() {
        let message =
            format!("{} is not a directory; name the workspace: cascade init --workflow DIR", shown(dir));
        return Err(Failure::usage(message));
    }
    let full = dir.canonicalize().map_err(|why| cannot(dir, &why))?;
    let root = Repository::discover(&full).ok().and_then(|repo| repo.workdir().map(Path::to_owned));
    let root = root.and_then(|root| root.canonicalize().ok()).unwrap_or_else(|| full.clone());
    let inside = full.strip_prefix(&root).map(Path::to_owned).unwrap_or_default();
    let Some(workspace) = yaml_path(&inside) else {
        let message = format!(
            "{} cannot stand in a workflow; give it a name of letters, digits, - _ and .",
            shown(&inside)
        );
        return Err(Failure::usage(message));
    };
    let (workspace, prefix) = match workspace.as_str() {
        "" => (".".to_owned(), String::new()),
        some => (some.to_owned(), format!("{some}/")),
    };
    let text = WORKFLOW.replace("{{paths}}", &prefix).replace("{{workspace}}", &workspace);
    refuse_what_is_there(&root, [WORKFLOW_FILE].into_iter())?;
    write_new(&root.join(WORKFLOW_FILE), &text)?;
    let steps = [
        "set the repository variable CASCADE_SOURCE to the git URL from which cascade is installed"
            .to_owned(),
        format!("git add {WORKFLOW_FILE} && git commit"),
    ];
    say(&root, &[WORKFLOW_FILE.to_owned()], &steps, as_json)
}

/// A path as it can stand between double quotes and as a pattern of GitHub's: plain signs alone.
fn yaml_path(path: &Path) -> Option<String> {
    let path = path.to_str()?.to_owned();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ' ');
    path.chars().all(is_plain).then_some(path)
}

fn say(dir: &Path, written: &[String], next: &[String], as_json: bool) -> Result<Exit, Failure> {
    if as_json {
        let dir = dir.display().to_string();
        output::json(&json!({ "schema": "cascade.init/1", "dir": dir, "written": written, "next": next }))?;
        return Ok(Exit::Done);
    }
    let mut out = output::Results::open();
    out.line(&format!("Written in {}:", shown(dir)))?;
    for name in written {
        out.line(&format!("  {name}"))?;
    }
    out.line("Next:")?;
    for step in next {
        out.line(&format!("  {step}"))?;
    }
    out.close()?;
    Ok(Exit::Done)
}

fn shown(path: &Path) -> String {
    let path: PathBuf = path.components().collect();
    clean(&path.to_string_lossy())
}
