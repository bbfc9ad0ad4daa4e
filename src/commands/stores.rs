//! Which stores a command is about that looks after them, and whom its number means.

use super::Failure;
use crate::cli::Place;
use crate::model::{Mode, Phone, clean};
use crate::rules::PhoneReader;
use crate::runtime::store::{Reader, StoreError};
use crate::workspace;
use std::path::{Path, PathBuf};

/// A workspace as far as its stores need it: neither rules nor secrets.
#[derive(Debug)]
pub(super) struct Site {
    /// What it is set to.
    pub mode: Mode,
    /// For numbers without a country code.
    pub region: String,
    /// `.cascade`
    pub state: PathBuf,
    db: Option<PathBuf>,
}

impl Site {
    /// Opens the workspace. Settings with errors are refused: nobody could tell which store is meant.
    pub fn open(place: &Place) -> Result<Self, Failure> {
        let config = workspace::settings(&place.workspace)?;
        let state = workspace::state_dir(&place.workspace)?;
        Ok(Self { mode: config.mode, region: config.default_region, state, db: place.db.clone() })
    }

    /// The store that a campaign would use now: its file, which need not be there, and its mode.
    pub fn store(&self) -> (PathBuf, Mode) {
        match &self.db {
            None => (self.state.join(format!("{}.db", self.mode)), self.mode),
            // A store that is named says itself what it is.
            Some(path) => {
                let said = path.exists().then(|| Reader::open(path)).and_then(Result::ok);
                let said = said.and_then(|reader| reader.meta("mode").ok().flatten());
                (path.clone(), said.as_deref().and_then(Mode::parse).unwrap_or(self.mode))
            }
        }
    }

    /// Every store that there may be here: of both modes, or the one that is named.
    pub fn stores(&self) -> Vec<(PathBuf, Mode)> {
        if self.db.is_some() {
            return vec![self.store()];
        }
        Mode::ALL.iter().map(|mode| (self.state.join(format!("{mode}.db")), *mode)).collect()
    }

    /// What the sandbox inside a process on this store remembers.
    pub fn sandbox_of(&self, store: &Path) -> PathBuf {
        match &self.db {
            None => self.state.join("sandbox.db"),
            Some(_) => store.with_extension("sandbox.db"),
        }
    }

    /// A number in any spelling that a customer list may have.
    pub fn phone(&self, text: &str) -> Result<Phone, Failure> {
        let mut phones = PhoneReader::new(&self.region).map_err(|error| Failure::usage(error.to_string()))?;
        let read = phones.read(text);
        let (phone, _) =
            read.map_err(|error| Failure::usage(format!("{} is no number: {error}", clean(text))))?;
        Ok(phone)
    }
}

impl From<StoreError> for Failure {
    /// What cannot be used is wrong input; what failed while it was used, a failure.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Sqlite { .. }
            | StoreError::Io { .. }
            | StoreError::Sealed { .. }
            | StoreError::Read { .. }
            | StoreError::Gone => Self::failed(error.to_string()),
            StoreError::Corrupt { .. }
            | StoreError::Lost { .. }
            | StoreError::NotOurs { .. }
            | StoreError::WrongMode { .. }
            | StoreError::TooNew { .. }
            | StoreError::Network { .. }
            | StoreError::OptOuts { .. }
            | StoreError::DamagedOptOuts { .. }
            | StoreError::Held(_)
            | StoreError::Sends(_)
            | StoreError::Row { .. }
            | StoreError::Empty { .. }
            | StoreError::Another { .. }
            | StoreError::NoBackup { .. }
            | StoreError::Exists { .. } => Self::usage(error.to_string()),
        }
    }
}
