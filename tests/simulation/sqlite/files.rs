//! The files of a store as they are at one moment, by name.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

pub const DB: &str = "live.db";
pub const LOG: &str = "live.db-wal";
/// Of the log, in shared memory.
pub const INDEX: &str = "live.db-shm";
pub const MARK: &str = "live.db.mark";
pub const OPT_OUTS: &str = "live.optouts";
pub const OPT_OUTS_KEY: &str = "live.optouts.key";

const ALL: [&str; 6] = [DB, LOG, INDEX, MARK, OPT_OUTS, OPT_OUTS_KEY];

/// Where in the mark it stands how far the store came.
pub const WATER: Range<usize> = 512..768;

/// See the module's words. The lock and the ballast hold nothing, and are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<&'static str, Vec<u8>>);

impl Files {
    /// As they are now. An empty file is as good as none.
    pub fn of(place: &Path) -> Self {
        let read = |name: &'static str| Some((name, fs::read(place.join(name)).ok()?));
        Self(ALL.into_iter().filter_map(read).filter(|(_, bytes)| !bytes.is_empty()).collect())
    }

    /// These, and none beside them.
    pub fn write(&self, place: &Path) {
        for name in ALL.into_iter().filter(|name| !self.0.contains_key(name)) {
            // It may not be there.
            let _ = fs::remove_file(place.join(name));
        }
        for (name, bytes) in &self.0 {
            fs::write(place.join(name), bytes).unwrap();
        }
    }

    pub fn get(&self, name: &str) -> &[u8] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// How far the store came, as it stands in the mark.
    pub fn water(&self) -> Vec<u8> {
        self.get(MARK)[WATER].to_vec()
    }

    pub fn put(&mut self, name: &'static str, bytes: Vec<u8>) {
        self.0.insert(name, bytes);
    }

    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Without what SQLite makes anew by itself.
    pub fn lasting(mut self) -> Self {
        self.remove(INDEX);
        self
    }
}
