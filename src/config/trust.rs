//! What this machine lets live do beyond the providers' own hosts and the usual variables. Kept per workspace, by its
//! real path, outside of it: whoever can change a `cascade.toml` must not be able to have secrets carried away.

use super::load::Env;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Variables that say where it is kept.
pub const PLACES: [&str; 2] = ["XDG_STATE_HOME", "HOME"];

const SCHEMA: &str = "cascade.trusted/1";

/// Where a section's secrets go, and which they are. Trust in one says nothing about any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Scheme, host and port: `https://gateway.example:8443`.
    pub host: String,
    /// Names of environment variables, by the keys that name them.
    pub secrets: BTreeMap<String, String>,
}

/// What a section of a live `cascade.toml` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// `whatsapp`, `phone`, `sms`.
    pub section: &'static str,
    /// Where to, and what.
    pub grant: Grant,
    /// Of the keys, those whose secret leaves; the others prove that a webhook is the provider's.
    pub sent: &'static [&'static str],
    /// The provider's own host, and no other variable than usual: needs no trust.
    pub usual: bool,
    /// Nothing of it leaves this machine.
    pub loopback: bool,
}

/// Why the record of what is trusted cannot be used; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Nowhere to keep it.
    #[error("there is no place to keep what this machine trusts: set HOME, or XDG_STATE_HOME to a directory")]
    NoHome,
    /// The workspace could bring its own.
    #[error("{} lies in the workspace, which could bring its own trust along; set XDG_STATE_HOME to a directory outside", .0.display())]
    Inside(PathBuf),
    /// The workspace's path is not UTF-8.
    #[error("{} is no readable name; move the workspace to one", .0.display())]
    Unnameable(PathBuf),
    /// The system refused.
    #[error("{} cannot be {doing}: {source}", .path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Anybody could have written it.
    #[error("{} can be written by others, and so proves nothing; remove it, and trust again", .0.display())]
    Open(PathBuf),
    /// Not as we write it.
    #[error("{} is not a record of trust of this version ({why}); remove it, and trust again", .path.display())]
    Garbled {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    schema: String,
    workspaces: BTreeMap<String, BTreeMap<String, Grant>>,
}

/// This machine's record, seen from one workspace.
#[derive(Debug)]
pub struct Trust {
    file: PathBuf,
    workspace: String,
}

impl Trust {
    /// The record of this user for the workspace in `dir`. Nothing is made yet.
    pub fn of(dir: &Path, env: Env<'_>) -> Result<Self, TrustError> {
        let home = state_home(env).ok_or(TrustError::NoHome)?.join("cascade");
        let real = fs::canonicalize(dir).map_err(|source| io_error(dir, "found", source))?;
        let inside = |place: &Path| place.starts_with(&real);
        // The directory may not be there yet; its nearest parent that is says where it would be.
        let parent = home.ancestors().find_map(|place| fs::canonicalize(place).ok());
        if inside(&home) || parent.is_some_and(|parent| inside(&parent)) {
            return Err(TrustError::Inside(home));
        }
        let workspace = real.to_str().map(str::to_owned).ok_or(TrustError::Unnameable(real))?;
        Ok(Self { file: home.join("trusted.json"), workspace })
    }

    /// Where it is kept.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The workspace's real path.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// What is trusted here, by section.
    pub fn grants(&self) -> Result<BTreeMap<String, Grant>, TrustError> {
        Ok(self.read()?.workspaces.remove(&self.workspace).unwrap_or_default())
    }

    /// Whether exactly this was trusted; a record that cannot be used trusts nothing.
    pub fn covers(&self, ask: &Ask) -> bool {
        self.grants().is_ok_and(|grants| grants.get(ask.section) == Some(&ask.grant))
    }

    /// From now on trusts these, and nothing else, in this workspace; none: forgets it.
    pub fn keep(&self, asks: &[Ask]) -> Result<(), TrustError> {
        let dir = self.file.parent().unwrap_or(&self.file);
        let io = |doing: &'static str| move |source| io_error(dir, doing, source);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io("made"))?;
        // Two commands at once write one after the other, and neither loses the other's.
        let lock = private(&dir.join("trusted.lock")).map_err(io("written"))?;
        lock.lock().map_err(io("locked"))?;
        let mut record = self.read()?;
        let grants: BTreeMap<_, _> =
            asks.iter().map(|ask| (ask.section.to_owned(), ask.grant.clone())).collect();
        if grants.is_empty() {
            record.workspaces.remove(&self.workspace);
        } else {
            record.workspaces.insert(self.workspace.clone(), grants);
        }
        let new = dir.join("trusted.new");
        self.write(&record, &new).map_err(|source| io_error(&self.file, "written", source))
    }

    fn write(&self, record: &Record, new: &Path) -> io::Result<()> {
        // A crash leaves the old record or the new one, never half of one.
        match fs::remove_file(new) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            Ok(()) | Err(_) => {}
        }
        let mut file = private(new)?;
        serde_json::to_writer_pretty(&mut file, record)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(new, &self.file)?;
        File::open(self.file.parent().unwrap_or(&self.file))?.sync_all()
    }

    fn read(&self) -> Result<Record, TrustError> {
        let path = &self.file;
        let unreadable = |source| io_error(path, "read", source);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                return Ok(Record { schema: SCHEMA.to_owned(), workspaces: BTreeMap::new() });
            }
            Err(why) => return Err(unreadable(why)),
        };
        for place in path.ancestors().take(2) {
            let mode = fs::metadata(place).map_err(unreadable)?.mode();
            if mode & 0o022 != 0 {
                return Err(TrustError::Open(place.to_owned()));
            }
        }
        let garbled = |why: String| TrustError::Garbled { path: path.clone(), why };
        let record: Record = serde_json::from_str(&text).map_err(|why| garbled(why.to_string()))?;
        if record.schema == SCHEMA { Ok(record) } else { Err(garbled("another schema".into())) }
    }
}

fn io_error(path: &Path, doing: &'static str, source: io::Error) -> TrustError {
    TrustError::Io { path: path.to_owned(), doing, source }
}

/// The user's directory for what a program remembers on this machine (XDG base directories: a relative one counts
/// as none).
fn state_home(env: Env<'_>) -> Option<PathBuf> {
    let [state, home] = PLACES.map(|name| env(name).map(PathBuf::from).filter(|path| path.is_absolute()));
    state.or_else(|| Some(home?.join(".local/state")))
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}
