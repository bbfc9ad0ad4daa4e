//! What stands around a draft: the workspace's files, settings and some of its customers, read once when something is
//! edited; and the drafts that the disk keeps, so that neither a crash nor `q` loses one.

use super::{Named, Unusable, Workspace, private_file, state_dir};
use crate::config::Config;
use crate::model::{Customer, Phone};
use crate::rules::content::{Content, ContentFile, file_name};
use crate::rules::{Draft, Judged, Problem, check_draft, parse};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Files by their path in a workspace, `rules/cascade.json`, and their text.
pub type Texts = Vec<(String, String)>;

/// Customers that a check fills the texts in for: enough to see gaps, few enough for every key.
const SAMPLE: usize = 100;
/// Rows that are looked at for segments.
const LOOKED_AT: usize = 2_000;
const DRAFTS: &str = "drafts";
const SCHEMA: &str = "cascade.draft/1";

/// The files around a draft.
#[derive(Debug)]
pub struct Bench {
    /// Further columns of the customer list; `None` if it could not be read.
    pub columns: Option<Vec<String>>,
    /// Segments of the list's first rows, in order of their names.
    pub segments: Vec<String>,
    /// The list's first customers.
    pub sample: Vec<Customer>,
    workspace: Workspace,
    config: Config,
}

impl Bench {
    /// Reads the workspace.
    pub fn open(dir: &Path) -> Result<Self, Unusable> {
        let workspace = Workspace::open(dir, &Named::default(), &|name| std::env::var(name).ok())?;
        let config = workspace.config.clone().unwrap_or_else(Config::rehearsal_defaults);
        let mut bench = Self { columns: None, segments: Vec::new(), sample: Vec::new(), workspace, config };
        // A list with faults in it is `cascade check`'s to complain about: a draft is judged without it.
        if let Ok(list) = bench.workspace.list(&bench.config) {
            bench.columns = Some(list.extra_columns());
            let mut segments = BTreeSet::new();
            for customer in list.flatten().take(LOOKED_AT) {
                segments.insert(customer.segment.0.clone());
                if bench.sample.len() < SAMPLE {
                    bench.sample.push(customer);
                }
            }
            bench.segments = segments.into_iter().collect();
        }
        Ok(bench)
    }

    /// What stands here otherwise than it is on disk: settings that are wrong, for which those of a rehearsal stand in,
    /// and bytes that are no text.
    pub fn misread(&self) -> Vec<Problem> {
        let rules = Path::new(super::RULES);
        let (_, of_rules) = parse(rules, &self.workspace.rules.bytes);
        let (_, of_texts) = Content::parse(self.workspace.content_files());
        let no_text = of_rules.into_iter().chain(of_texts).filter(|problem| problem.code == "not-utf8");
        // What the environment lacks stands in no file; whoever runs the campaign has its own.
        let on_disk =
            self.workspace.config_problems.iter().filter(|problem| problem.code != "unset-variable");
        on_disk.cloned().chain(no_text).collect()
    }

    /// A file's text, by its path in the workspace; the built-in one where it is missing.
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = if path == super::RULES {
            &self.workspace.rules.bytes
        } else {
            let own = |name: &str| path.strip_prefix(super::CONTENT).is_some_and(|rest| rest[1..] == *name);
            &self.workspace.content.iter().find(|(name, _)| own(name))?.1.bytes
        };
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Whether a file is built in, and not the workspace's own yet.
    pub fn is_built_in(&self, path: &str) -> bool {
        !self.workspace.dir.join(path).exists()
    }

    /// The customer with this number, with every column of the list. Reads the list until they are found.
    pub fn customer(&self, phone: &Phone) -> Option<Customer> {
        let known = self.sample.iter().find(|customer| customer.phone == *phone);
        known.cloned().or_else(|| {
            let list = self.workspace.list(&self.config).ok()?;
            list.flatten().find(|customer| customer.phone == *phone)
        })
    }

    /// The address that short links begin with.
    pub fn links_base(&self) -> String {
        let mut listen = self.config.webhooks.listen;
        if listen.port() == 0 {
            // Still to be picked: as long as it can be.
            listen.set_port(u16::MAX);
        }
        self.config.webhooks.links_base(listen)
    }
}

/// Judges texts as `cascade check` would judge them saved; without a bench by themselves alone.
pub fn check(bench: Option<&Bench>, texts: &Texts) -> Judged {
    let defaults = Config::rehearsal_defaults();
    let text = |path: &str| texts.iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str());
    let content = crate::model::Channel::ALL.iter().filter_map(|channel| {
        let path = format!("{}/{}", super::CONTENT, file_name(*channel));
        let bytes = text(&path)?.as_bytes().to_vec();
        Some(ContentFile { name: file_name(*channel).to_owned(), path: PathBuf::from(path), bytes })
    });
    check_draft(&Draft {
        rules_file: Path::new(super::RULES),
        rules: text(super::RULES).unwrap_or_default(),
        content: &content.collect::<Vec<_>>(),
        config: bench.map_or(&defaults, |bench| &bench.config),
        columns: bench.and_then(|bench| bench.columns.as_deref()),
        sample: bench.map_or(&[], |bench| &bench.sample),
    })
}

/// A draft that the disk keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its path in the workspace.
    pub file: String,
    /// The text that it started from.
    pub base: String,
    /// The draft.
    pub text: String,
    /// What the record said for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct OnDisk<K> {
    schema: String,
    #[serde(flatten)]
    draft: K,
}

fn place(dir: &Path, file: &str) -> PathBuf {
    dir.join(".cascade").join(DRAFTS).join(format!("{}.json", file.replace('/', "-")))
}

/// What came of keeping a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// The disk has it, or, of one that is none any more, nothing.
    Done,
    /// Another console keeps a draft of this file, which is left as it is.
    Another(Kept),
}

/// Keeps a draft, or takes it off the disk where it is none (`is_changed`). `known` is what this console kept or read there
/// last: another one's draft is not written over.
pub fn put(dir: &Path, draft: &Kept, is_changed: bool, known: Option<&Kept>) -> io::Result<Keeping> {
    let stands = read_draft(&place(dir, &draft.file));
    match stands.filter(|stands| Some(stands) != known && stands != draft) {
        Some(other) => return Ok(Keeping::Another(other)),
        None if is_changed => keep(dir, draft)?,
        None => forget(dir, &draft.file)?,
    }
    Ok(Keeping::Done)
}

/// Keeps a draft: 0600, and whole or not at all.
fn keep(dir: &Path, draft: &Kept) -> io::Result<()> {
    let drafts = state_dir(dir).map_err(io::Error::other)?.join(DRAFTS);
    match DirBuilder::new().mode(0o700).create(&drafts) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
        Ok(()) | Err(_) => {}
    }
    let path = place(dir, &draft.file);
    let half = path.with_extension(format!("{}.half", std::process::id()));
    let mut file = private_file(&half)?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(&OnDisk { schema: SCHEMA.to_owned(), draft })?)?;
    file.sync_data()?;
    fs::rename(&half, &path)
}

/// Takes a draft off the disk: it was saved or given up.
fn forget(dir: &Path, file: &str) -> io::Result<()> {
    match fs::remove_file(place(dir, file)) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The drafts that an earlier run left. What cannot be read is no draft.
pub fn kept(dir: &Path) -> Vec<Kept> {
    let Ok(entries) = fs::read_dir(dir.join(".cascade").join(DRAFTS)) else { return Vec::new() };
    let drafts = entries.flatten().filter_map(|entry| {
        let is_plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        is_plain.then(|| read_draft(&entry.path())).flatten()
    });
    let mut drafts: Vec<Kept> = drafts.collect();
    drafts.sort_by(|a, b| a.file.cmp(&b.file));
    drafts
}

fn read_draft(path: &Path) -> Option<Kept> {
    let found: OnDisk<Kept> = serde_json::from_slice(&super::read(path).ok().flatten()?).ok()?;
    (found.schema == SCHEMA).then_some(found.draft)
}
