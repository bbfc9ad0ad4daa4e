//! `cascade.toml` of a workspace: read, with what this machine trusts.

use super::{Source, Unusable, read};
use crate::config::trust::{Ask, Trust};
use crate::config::{self, Config};
use crate::model::Mode;
use crate::rules::Problem;
use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const CONFIG: &str = "cascade.toml";

/// The section whose trust is no provider's.
const FORGE: &str = "github";

/// A workspace's settings, as far as they could be read.
pub(super) struct Settings {
    pub mode: Mode,
    pub config: Option<Config>,
    pub source: Source,
    pub problems: Vec<Problem>,
}

impl Settings {
    /// Those of `dir`; secrets come through `env`, in live alone.
    pub fn read(dir: &Path, env: config::Env<'_>) -> Result<Self, Unusable> {
        let path = dir.join(CONFIG);
        let Some(bytes) = read(&path)? else {
            let (mode, config) = (Mode::Rehearsal, Some(Config::rehearsal_defaults()));
            return Ok(Self { mode, config, source: Source::Nothing, problems: Vec::new() });
        };
        let text = utf8(path, bytes)?;
        // A record that cannot be used trusts nothing; `cascade trust` says what is wrong with it.
        let trusted = |ask: &Ask| !ask.usual && Trust::of(dir, env).is_ok_and(|trust| trust.covers(ask));
        let (config, problems) = config::load_trusting(Path::new(CONFIG), &text, env, &trusted);
        let mode = config::mode(&text);
        Ok(Self { mode, config, source: Source::File(CONFIG.into()), problems })
    }
}

/// The settings of a workspace alone, for commands that only look after its stores: they need neither rules nor
/// secrets nor trust, send nothing, and must not take a live workspace for a rehearsal because one of those is missing.
pub fn settings(dir: &Path) -> Result<Config, Unusable> {
    if !dir.is_dir() {
        return Err(Unusable::NoDirectory(dir.to_owned()));
    }
    let path = dir.join(CONFIG);
    let Some(bytes) = read(&path)? else { return Ok(Config::rehearsal_defaults()) };
    let (config, problems) = unasked(path, bytes, &|ask| ask.section != FORGE)?;
    config.ok_or(Unusable::Problems(problems))
}

/// [`settings`] for whoever goes to the forge: with what this machine trusts about it.
pub fn forge_settings(dir: &Path, env: config::Env<'_>) -> Result<Config, Unusable> {
    let path = dir.join(CONFIG);
    let Some(bytes) = read(&path)? else { return settings(dir) };
    let covers = |ask: &Ask| Trust::of(dir, env).is_ok_and(|trust| trust.covers(ask));
    let (config, problems) = unasked(path, bytes, &|ask| ask.section != FORGE || covers(ask))?;
    config.ok_or(Unusable::Problems(problems))
}

/// A file as it stands, whatever is set and trusted here.
fn unasked(
    path: PathBuf,
    bytes: Vec<u8>,
    trusted: config::Trusted<'_>,
) -> Result<(Option<Config>, Vec<Problem>), Unusable> {
    let text = utf8(path, bytes)?;
    Ok(config::load_trusting(Path::new(CONFIG), &text, &|_| Some("not asked for".to_owned()), trusted))
}

/// What every section of a live `cascade.toml` asks for, and the forge's in a rehearsal too; nothing if the workspace
/// rehearses and asks for nothing. No secret is read. The variables need not be set here; whatever else is wrong with the file comes first.
pub fn asks(dir: &Path) -> Result<Option<Vec<Ask>>, Unusable> {
    let path = dir.join(CONFIG);
    let bytes = read(&path)?.unwrap_or_default();
    let asks = RefCell::new(Vec::new());
    let note = |ask: &Ask| {
        asks.borrow_mut().push(ask.clone());
        true
    };
    let (config, problems) = unasked(path, bytes, &note)?;
    match config {
        Some(config) if config.mode == Mode::Rehearsal && asks.borrow().is_empty() => Ok(None),
        Some(_) => Ok(Some(asks.into_inner())),
        None => Err(Unusable::Problems(problems)),
    }
}

fn utf8(path: PathBuf, bytes: Vec<u8>) -> Result<String, Unusable> {
    String::from_utf8(bytes).map_err(|fault| Unusable::Unreadable {
        path,
        why: io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8 ({fault})")),
    })
}
