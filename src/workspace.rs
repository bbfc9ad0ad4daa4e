//! Finds a workspace's files and reads them; in a rehearsal, what is missing is taken from the files built into
//! the program, and each says where it came from. Live never falls back on those.

pub mod bench;
pub(crate) mod built_in;
pub mod forge;
pub mod on_disk;
mod ready;
mod settings;

use crate::config::{self, Config};
use crate::model::{Channel, Mode};
use crate::rules::content::{ContentFile, file_name};
use crate::rules::lints::one_line;
use crate::rules::{ListError, Problem, Severity};
use crate::trail;
use settings::Settings;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const RULES: &str = "rules/cascade.json";
const CONTENT: &str = "rules/content";
const CUSTOMERS: &str = "customers.csv";

/// Largest rules or content file that is read; a larger one is a mistake.
const MAX_BYTES: u64 = 1024 * 1024;

pub use ready::{List, Ready};
pub use settings::{asks, forge_settings, settings};

/// Where something came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, as people know it: relative to the workspace, or as named on the command line.
    File(PathBuf),
    /// Built into the program.
    BuiltIn(&'static str),
    /// Neither; every default holds.
    Nothing,
}

impl Source {
    /// The name to put into a [`Problem`].
    pub fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::BuiltIn(name) => Path::new("built-in").join(name),
            Self::Nothing => PathBuf::new(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&crate::model::clean(&path.to_string_lossy())),
            Self::BuiltIn(_) => f.write_str("built-in"),
            Self::Nothing => f.write_str("none"),
        }
    }
}

/// A file's bytes and where they came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where from.
    pub source: Source,
    /// As they are.
    pub bytes: Vec<u8>,
}

/// Why a workspace cannot be used; each says what to do. Exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// `--workspace` names no directory.
    #[error("{} is not a directory; name one with --workspace", .0.display())]
    NoDirectory(PathBuf),
    /// A file is there, or was named, and cannot be read.
    #[error("{} cannot be read: {why}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// Larger than any such file.
    #[error("{} is larger than {} KiB; is it the right file?", .0.display(), MAX_BYTES / 1024)]
    TooLarge(PathBuf),
    /// Live never falls back on what is built in.
    #[error("{} is missing, and live does not use the built-in one; write it, or set mode = \"rehearsal\"", .0.display())]
    MissingInLive(PathBuf),
    /// The store's directory cannot be made or written.
    #[error("{} cannot be written: {why}; name another workspace with --workspace, or a store with --db", .path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// Something of ours is a link.
    #[error("{} is a link, and what is written there could land anywhere; remove it", .0.display())]
    Link(PathBuf),
    /// A customer list without usable rows or header.
    #[error(transparent)]
    List(#[from] ListError),
    /// Files that can be read, with errors in them.
    #[error("{}", list(.0))]
    Problems(Vec<Problem>),
    /// `--segment` names nobody.
    #[error("no customer of the list is in the segment {0}; look at the column `segment` of the list")]
    NobodyIn(String),
    /// A fault of this program.
    #[error("reading the workspace ended badly; the log in .cascade/log says how")]
    Panicked,
}

fn list(problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error);
    let lines: Vec<String> = errors.map(one_line).collect();
    format!("{} to mend first (`cascade check` lists everything):\n{}", count(lines.len()), lines.join("\n"))
}

fn count(errors: usize) -> String {
    if errors == 1 { "one error".into() } else { format!("{errors} errors") }
}

/// Files named on the command line, in place of the workspace's.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// `--rules`
    pub rules: Option<PathBuf>,
    /// `--customers`
    pub customers: Option<PathBuf>,
}

/// A workspace's files, read and not yet judged; the settings are judged, since they say what may be missing.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The directory.
    pub dir: PathBuf,
    /// What the settings say, with errors in them or not: live must not be taken for a rehearsal.
    pub mode: Mode,
    /// The settings; `None` if they have errors.
    pub config: Option<Config>,
    /// Where they came from.
    pub config_source: Source,
    /// What is wrong with them, warnings too.
    pub config_problems: Vec<Problem>,
    /// The rules file.
    pub rules: Found,
    /// The content files, by name.
    pub content: Vec<(&'static str, Found)>,
    /// Where the customer list is.
    pub customers: Source,
    customers_path: PathBuf,
}

impl Workspace {
    /// Reads the files of `dir`; secrets come through `env`, in live alone.
    pub fn open(dir: &Path, named: &Named, env: config::Env<'_>) -> Result<Self, Unusable> {
        if !dir.is_dir() {
            return Err(Unusable::NoDirectory(dir.to_owned()));
        }
        let Settings { mode: said, config, source: config_source, problems: config_problems } =
            Settings::read(dir, env)?;
        // With faulty settings nothing can be launched, and the rest is looked at as a rehearsal would.
        let mode = config.as_ref().map_or(Mode::Rehearsal, |c| c.mode);
        let rules = match &named.rules {
            Some(path) => {
                let bytes = read(path)?.ok_or_else(|| missing(path))?;
                Found { source: Source::File(path.clone()), bytes }
            }
            None => match read(&dir.join(RULES))? {
                Some(bytes) => Found { source: Source::File(RULES.into()), bytes },
                None => Self::fallback(mode, RULES, built_in::RULES)?,
            },
        };
        let mut content = Vec::new();
        for channel in Channel::ALL {
            let name = file_name(*channel);
            let path = Path::new(CONTENT).join(name);
            if let Some(bytes) = read(&dir.join(&path))? {
                content.push((name, Found { source: Source::File(path), bytes }));
            } else if let (Mode::Rehearsal, Some((built_in, bytes))) = (mode, built_in::content(*channel)) {
                content.push((name, Found { source: Source::BuiltIn(built_in), bytes: bytes.into() }));
            }
        }
        let (customers, customers_path) = find_customers(dir, named, mode)?;
        let dir = dir.to_owned();
        Ok(Self {
            dir,
            mode: said,
            config,
            config_source,
            config_problems,
            rules,
            content,
            customers,
            customers_path,
        })
    }

    fn fallback(mode: Mode, name: &'static str, bytes: &str) -> Result<Found, Unusable> {
        match mode {
            Mode::Rehearsal => Ok(Found { source: Source::BuiltIn(name), bytes: bytes.into() }),
            Mode::Live => Err(Unusable::MissingInLive(name.into())),
        }
    }

    /// The content files as [`crate::rules::content::Content::parse`] takes them.
    pub fn content_files(&self) -> Vec<ContentFile> {
        let file = |(name, found): &(&str, Found)| ContentFile {
            name: (*name).to_owned(),
            path: found.source.path(),
            bytes: found.bytes.clone(),
        };
        self.content.iter().map(file).collect()
    }

    /// Where the content came from, in one word or two.
    pub fn content_source(&self) -> String {
        let own = self.content.iter().filter(|(_, f)| matches!(f.source, Source::File(_))).count();
        match own {
            0 if self.content.is_empty() => "none".into(),
            0 => "built-in".into(),
            n if n == self.content.len() => CONTENT.into(),
            n => format!("{CONTENT} ({n} of {}, the others built-in)", self.content.len()),
        }
    }

    /// Opens the customer list, for reading from the beginning.
    pub fn open_customers(&self) -> Result<Box<dyn Read + Send>, Unusable> {
        match self.customers {
            Source::BuiltIn(_) | Source::Nothing => Ok(Box::new(built_in::CUSTOMERS.as_bytes())),
            Source::File(_) => {
                let unreadable = |why| Unusable::Unreadable { path: self.customers_path.clone(), why };
                Ok(Box::new(BufReader::new(File::open(&self.customers_path).map_err(unreadable)?)))
            }
        }
    }

    /// The git commit that brought the rules file's bytes; `None` while no commit has them, and where there is no
    /// repository, or none that can be read. Blocks.
    pub fn rules_commit(&self) -> Option<String> {
        self.rules_standing()?.commit
    }

    /// Where the rules file's bytes stand in git's history.
    pub fn rules_standing(&self) -> Option<trail::Standing> {
        let Source::File(path) = &self.rules.source else { return None };
        let path = path.strip_prefix(&self.dir).unwrap_or(path);
        let git = self.config.as_ref().map(|config| config.git.clone()).unwrap_or_default();
        trail::standing(&self.dir, path, &self.rules.bytes, &git).ok().flatten()
    }
}

fn find_customers(dir: &Path, named: &Named, mode: Mode) -> Result<(Source, PathBuf), Unusable> {
    if let Some(path) = &named.customers {
        File::open(path).map_err(|why| Unusable::Unreadable { path: path.clone(), why })?;
        return Ok((Source::File(path.clone()), path.clone()));
    }
    let path = dir.join(CUSTOMERS);
    match File::open(&path) {
        Ok(_) => Ok((Source::File(CUSTOMERS.into()), path)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => match mode {
            Mode::Rehearsal => Ok((Source::BuiltIn("assets/customers.csv"), path)),
            Mode::Live => Err(Unusable::MissingInLive(CUSTOMERS.into())),
        },
        Err(why) => Err(Unusable::Unreadable { path, why }),
    }
}

fn missing(path: &Path) -> Unusable {
    Unusable::Unreadable { path: path.to_owned(), why: io::ErrorKind::NotFound.into() }
}

/// A small file's bytes; `None` if it does not exist.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Unusable> {
    let unreadable = |why| Unusable::Unreadable { path: path.to_owned(), why };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(unreadable(why)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Unusable::TooLarge(path.to_owned()));
    }
    Ok(Some(bytes))
}

/// Makes `dir/.cascade` for this user alone, proves that it can be written, and returns it. A link in it is refused:
/// whoever made the workspace could have our own writing lead anywhere.
pub fn state_dir(dir: &Path) -> Result<PathBuf, Unusable> {
    let path = dir.join(".cascade");
    let unwritable = |why| Unusable::Unwritable { path: path.clone(), why };
    if path.is_symlink() {
        return Err(Unusable::Link(path));
    }
    match DirBuilder::new().mode(0o700).create(&path) {
        Ok(()) => {}
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            fs::set_permissions(&path, Permissions::from_mode(0o700)).map_err(unwritable)?;
        }
        Err(why) => return Err(unwritable(why)),
    }
    if let Some(link) = link_in(&path).map_err(unwritable)? {
        return Err(Unusable::Link(link));
    }
    // One of its own for each process: another's may be taken away any time.
    let probe = path.join(format!(".probe-{}", std::process::id()));
    private_file(&probe).and_then(|_| fs::remove_file(&probe)).map_err(unwritable)?;
    Ok(path)
}

/// The first link at `place` or, in a directory, below it.
fn link_in(place: &Path) -> io::Result<Option<PathBuf>> {
    let kind = match fs::symlink_metadata(place) {
        Ok(found) => found.file_type(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why),
    };
    if kind.is_symlink() {
        return Ok(Some(place.to_owned()));
    }
    if kind.is_dir() {
        for entry in fs::read_dir(place)? {
            if let Some(link) = link_in(&entry?.path())? {
                return Ok(Some(link));
            }
        }
    }
    Ok(None)
}

/// Opens a file for reading and writing, made if need be, that only this user can read: 0600.
pub fn private_file(path: &Path) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Where the store of a mode lies: `--db`, or the workspace's own.
pub fn store_path(dir: &Path, db: Option<&Path>, mode: Mode) -> Result<PathBuf, Unusable> {
    match db {
        Some(path) => Ok(path.to_owned()),
        None => Ok(state_dir(dir)?.join(format!("{mode}.db"))),
    }
}
