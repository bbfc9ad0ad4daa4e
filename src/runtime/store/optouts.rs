//! Who opted out, known by a keyed digest of the number, so that whoever was forgotten is recognised all the same.
//!
//! They stand in two places: in the store, and in a file beside it (`.cascade/live.optouts`) that is only ever
//! appended to. A line is on disk before its opt-out counts as recorded, and the file is read at every start,
//! whichever store is used: no lost, emptied or restored store forgets them.

use super::error::io;
use super::{StoreError, private};
use crate::model::{At, Channel, Mode, Phone};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::collections::HashSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// First word of the file.
const HEADER: &str = "cascade.optouts/1";

/// What stands for a number.
pub type Digest = [u8; 32];

/// 32 random bytes without which no digest tells whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

impl Key {
    /// A new one.
    pub fn generate() -> std::io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// As [`Key::hex`] wrote it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// In 64 hexadecimal digits, for a file that only its owner can read.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// What stands for this number.
    pub fn digest(&self, phone: &Phone) -> Digest {
        self.hmac(phone.as_str().as_bytes())
    }

    /// Tells one key from another, and nothing else about it.
    fn id(&self) -> String {
        hex::encode(&self.hmac(HEADER.as_bytes())[..4])
    }

    fn hmac(&self, text: &[u8]) -> Digest {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

/// A set of numbers, some of them known by their digests alone.
#[derive(Clone, Debug, Default)]
pub struct OptOuts {
    phones: HashSet<Phone>,
    rings: Vec<(Key, HashSet<Digest>)>,
}

impl OptOuts {
    /// Digests under one key.
    pub fn of(key: Key, digests: HashSet<Digest>) -> Self {
        Self { phones: HashSet::new(), rings: vec![(key, digests)] }
    }

    /// Whether this number opted out, in whichever spelling.
    pub fn contains(&self, phone: &Phone) -> bool {
        self.holds(phone) || phone.other_spelling().is_some_and(|other| self.holds(&other))
    }

    fn holds(&self, phone: &Phone) -> bool {
        self.phones.contains(phone)
            || self.rings.iter().any(|(key, digests)| digests.contains(&key.digest(phone)))
    }

    /// This number opts out.
    pub fn insert(&mut self, phone: Phone) {
        self.phones.insert(phone);
    }

    /// Those of `other`, too.
    pub fn merge(&mut self, other: Self) {
        self.phones.extend(other.phones);
        for (key, digests) in other.rings {
            match self.rings.iter_mut().find(|(own, _)| *own == key) {
                Some((_, own)) => own.extend(digests),
                None => self.rings.push((key, digests)),
            }
        }
    }
}

impl FromIterator<Phone> for OptOuts {
    fn from_iter<I: IntoIterator<Item = Phone>>(phones: I) -> Self {
        Self { phones: phones.into_iter().collect(), rings: Vec::new() }
    }
}

impl Extend<Phone> for OptOuts {
    fn extend<I: IntoIterator<Item = Phone>>(&mut self, phones: I) {
        self.phones.extend(phones);
    }
}

/// One opt-out as the file holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub digest: Digest,
    pub via: Channel,
    pub at: At,
}

impl Line {
    /// A digest counts even where the rest of its line is torn: one opt-out too many harms nobody.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut digest = [0; 32];
        hex::decode_to_slice(words.next()?, &mut digest).ok()?;
        let via = words.next().and_then(Channel::parse).unwrap_or(Channel::Sms);
        let at = words.next().and_then(|at| At::parse(at).ok()).unwrap_or_default();
        Some(Self { digest, via, at })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {} {}", hex::encode(self.digest), self.via, self.at)
    }
}

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct OptOutFile {
    path: PathBuf,
    file: File,
    key: Key,
    known: HashSet<Digest>,
    lines: Vec<Line>,
    /// Lines that no opt-out can be read from: a torn end, or damage.
    unreadable: usize,
    /// The last line was torn: the next one begins with a line end.
    torn: bool,
}

impl OptOutFile {
    /// Opens or makes the file of `mode` in `state`. `stored` is the key that the store knows: it is taken for a
    /// new file, and puts back a key file that was lost.
    pub fn open(state: &Path, mode: Mode, stored: &Key) -> Result<Self, StoreError> {
        let path = path(state, mode);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = private::open(&mut options, &path).map_err(io(&path, "open the opt-outs"))?;
        // Stores of one workspace share it, and two that are new may be opened at once: one of them makes the key.
        file.lock().map_err(io(&path, "lock the opt-outs"))?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).map_err(io(&path, "read the opt-outs"))?;
        file.read_to_end(&mut bytes).map_err(io(&path, "read the opt-outs"))?;
        let kept = Kept::read(&bytes);
        let key = match (key_in(state, mode)?, &kept.key_id) {
            (Some(key), None) => key,
            (Some(key), Some(id)) if key.id() == *id => key,
            (None, id) if id.as_ref().is_none_or(|id| stored.id() == *id) => {
                write_key(&key_path(state, mode), stored)?;
                stored.clone()
            }
            (Some(_), Some(_)) => return Err(unreadable(state, mode, "its key is another one's")),
            (None, _) => return Err(unreadable(state, mode, "its key is missing or damaged")),
        };
        let torn = bytes.last().is_some_and(|last| *last != b'\n');
        let known = kept.lines.iter().map(|line| line.digest).collect();
        let mut this = Self { path, file, key, known, lines: kept.lines, unreadable: kept.unreadable, torn };
        if kept.key_id.is_none() {
            let header = format!("{HEADER} {mode} {}\n", this.key.id());
            this.append(&header)?;
            // The name, too, is to outlive a power cut.
            File::open(state).and_then(|dir| dir.sync_all()).map_err(io(state, "write the opt-outs"))?;
        }
        this.file.unlock().map_err(io(&this.path, "unlock the opt-outs"))?;
        Ok(this)
    }

    /// The key of this file.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// What it holds.
    pub fn known(&self) -> OptOuts {
        OptOuts::of(self.key.clone(), self.known.clone())
    }

    /// What it held when it was opened, line by line.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Lines that no opt-out can be read from.
    pub const fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Adds those that are new; they are on disk when it returns.
    pub fn record(&mut self, opt_outs: impl IntoIterator<Item = Line>) -> Result<(), StoreError> {
        let mut new = HashSet::new();
        let mut text = String::new();
        for line in opt_outs {
            if !self.known.contains(&line.digest) && new.insert(line.digest) {
                text.push_str(&line.to_string());
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        self.append(&text)?;
        self.known.extend(new);
        Ok(())
    }

    fn append(&mut self, text: &str) -> Result<(), StoreError> {
        let text = if self.torn { format!("\n{text}") } else { text.to_owned() };
        // Whatever comes of it, the next line is to stand on its own.
        self.torn = true;
        self.file.write_all(text.as_bytes()).map_err(io(&self.path, "write the opt-outs"))?;
        self.file.sync_data().map_err(io(&self.path, "write the opt-outs"))?;
        self.torn = false;
        Ok(())
    }
}

/// Everybody in the file of `mode`, without making one.
pub fn read(state: &Path, mode: Mode) -> Result<OptOuts, StoreError> {
    let path = path(state, mode);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(OptOuts::default()),
        Err(error) => return Err(io(&path, "read the opt-outs")(error)),
    };
    let kept = Kept::read(&bytes);
    if kept.lines.is_empty() {
        return Ok(OptOuts::default());
    }
    match key_in(state, mode)? {
        Some(key) if kept.key_id.is_none_or(|id| id == key.id()) => {
            Ok(OptOuts::of(key, kept.lines.iter().map(|line| line.digest).collect()))
        }
        Some(_) => Err(unreadable(state, mode, "its key is another one's")),
        None => Err(unreadable(state, mode, "its key is missing or damaged")),
    }
}

/// The key of the file of `mode`, if there is one. A damaged one is as good as none.
pub(super) fn key_in(state: &Path, mode: Mode) -> Result<Option<Key>, StoreError> {
    let path = key_path(state, mode);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Key::parse(&text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(io(&path, "read the opt-outs' key")(error)),
    }
}

/// The file's contents.
struct Kept {
    key_id: Option<String>,
    lines: Vec<Line>,
    unreadable: usize,
}

impl Kept {
    fn read(bytes: &[u8]) -> Self {
        let mut kept = Self { key_id: None, lines: Vec::new(), unreadable: 0 };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line);
            match (Line::parse(&line), line.strip_prefix(HEADER)) {
                (Some(line), _) => kept.lines.push(line),
                (None, Some(rest)) => {
                    // A header that was torn names no key; the next start writes another.
                    let id = rest.split(' ').nth(2).filter(|id| id.len() == 8);
                    kept.key_id = id.map(str::to_owned).or(kept.key_id);
                }
                (None, None) => kept.unreadable += 1,
            }
        }
        kept
    }
}

/// Whole or not at all: a torn key would make every opt-out unreadable.
fn write_key(path: &Path, key: &Key) -> Result<(), StoreError> {
    let new = path.with_extension("key.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = private::open(&mut options, &new).map_err(io(&new, "write the opt-outs' key"))?;
    let written = file.write_all(key.hex().as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&new, path)).map_err(io(path, "write the opt-outs' key"))
}

fn path(state: &Path, mode: Mode) -> PathBuf {
    state.join(format!("{mode}.optouts"))
}

fn key_path(state: &Path, mode: Mode) -> PathBuf {
    state.join(format!("{mode}.optouts.key"))
}

fn unreadable(state: &Path, mode: Mode, why: &str) -> StoreError {
    StoreError::OptOuts {
        path: path(state, mode).display().to_string(),
        key: key_path(state, mode).display().to_string(),
        why: why.to_owned(),
    }
}
