//! What is said on each channel: `whatsapp.json`, `voice.md`, `sms.txt`, `email.md`, parsed with positions.
//!
//! Parsing finds everything that is wrong with a file by itself. What can be judged only beside the rules and
//! the customer list stands in [`super::lints`]; filling the texts in stands in [`super::render`].

mod json;
mod pages;
mod specs;
mod template;
mod text;
mod whatsapp;

use super::Problem;
use super::report::Report;
use crate::model::Channel;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

pub use pages::{Email, Sms, Voice};
pub use text::{Field, Part, Text, When};
pub use whatsapp::{BODY_MAX, Button, Header, Language, Means, Whatsapp};

/// The content of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// `whatsapp.json`
    pub whatsapp: Option<Whatsapp>,
    /// `voice.md`
    pub voice: Option<Voice>,
    /// `sms.txt`
    pub sms: Option<Sms>,
    /// `email.md`
    pub email: Option<Email>,
    /// SHA-256 over the files' names and bytes, lower-case hex; see [`Content::parse`].
    pub hash: String,
    /// The files as they were read, by name.
    pub files: Vec<(String, Vec<u8>)>,
    /// Each file as people know it, for problems found later.
    paths: Vec<(String, PathBuf)>,
}

/// A content file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentFile {
    /// `sms.txt`
    pub name: String,
    /// As people know it: relative to the workspace, or `built-in/...`.
    pub path: PathBuf,
    /// As they are.
    pub bytes: Vec<u8>,
}

/// The file that holds a channel's content, inside `rules/content/`.
pub const fn file_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Whatsapp => "whatsapp.json",
        Channel::Phone => "voice.md",
        Channel::Sms => "sms.txt",
        Channel::Email => "email.md",
    }
}

impl Content {
    /// Parses the files of a content directory; files of other names count for the hash alone.
    ///
    /// A part whose file has an error is left out, so that nothing half-read can be sent. The hash runs over
    /// each file in order of its name: the name's length and bytes, the file's length and bytes, lengths as
    /// eight bytes, big end first.
    pub fn parse(files: Vec<ContentFile>) -> (Self, Vec<Problem>) {
        let mut content = Self::default();
        let mut problems = Vec::new();
        for channel in Channel::ALL {
            let Some(file) = files.iter().find(|f| f.name == file_name(*channel)) else { continue };
            content.read(*channel, &file.path, &file.bytes, &mut problems);
        }
        content.paths = files.iter().map(|f| (f.name.clone(), f.path.clone())).collect();
        content.files = files.into_iter().map(|f| (f.name, f.bytes)).collect();
        content.files.sort();
        content.hash = hash(&content.files);
        (content, problems)
    }

    fn read(&mut self, channel: Channel, path: &Path, bytes: &[u8], problems: &mut Vec<Problem>) {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(fault) => {
                let valid = String::from_utf8_lossy(&bytes[..fault.valid_up_to()]);
                let mut report = Report::new(path, &valid);
                report.error(valid.len(), "not-utf8", "the file is not UTF-8", "save it as UTF-8");
                problems.extend(report.finish());
                return;
            }
        };
        let mut report = Report::new(path, text);
        match channel {
            Channel::Whatsapp => {
                let parsed = template::whatsapp(&mut report);
                self.whatsapp = (!report.has_errors()).then_some(parsed);
            }
            Channel::Phone => {
                let parsed = pages::voice(&mut report);
                self.voice = (!report.has_errors()).then_some(parsed);
            }
            Channel::Sms => {
                let parsed = pages::sms(&mut report);
                self.sms = (!report.has_errors()).then_some(parsed);
            }
            Channel::Email => {
                let parsed = pages::email(&mut report);
                self.email = (!report.has_errors()).then_some(parsed);
            }
        }
        problems.extend(report.finish());
    }

    /// Whether there is something to say on a channel.
    pub const fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Whatsapp => self.whatsapp.is_some(),
            Channel::Phone => self.voice.is_some(),
            Channel::Sms => self.sms.is_some(),
            Channel::Email => self.email.is_some(),
        }
    }

    /// Whether a channel's file was there at all, well written or not.
    pub fn has_file(&self, channel: Channel) -> bool {
        self.files.iter().any(|(name, _)| name == file_name(channel))
    }

    /// What stands in a channel's file.
    pub fn bytes(&self, channel: Channel) -> Option<&[u8]> {
        let file = self.files.iter().find(|(name, _)| name == file_name(channel));
        file.map(|(_, bytes)| bytes.as_slice())
    }

    /// A channel's file as people know it.
    pub fn path(&self, channel: Channel) -> PathBuf {
        let name = file_name(channel);
        let known = self.paths.iter().find(|(n, _)| n == name).map(|(_, path)| path.clone());
        known.unwrap_or_else(|| Path::new("rules/content").join(name))
    }

    /// Every field of a channel's content.
    pub fn fields(&self, channel: Channel) -> Vec<&Field> {
        match channel {
            Channel::Whatsapp => self.whatsapp.iter().flat_map(|w| &w.parameters).collect(),
            Channel::Phone => self.voice.iter().flat_map(Voice::fields).collect(),
            Channel::Sms => self.sms.iter().flat_map(|s| s.text.fields()).collect(),
            Channel::Email => {
                let both = self.email.iter().flat_map(|e| [&e.subject, &e.text]);
                both.flat_map(Text::fields).collect()
            }
        }
    }
}

/// The hash of these files, in whatever order they come: see [`Content::parse`].
pub fn digest(mut files: Vec<(String, Vec<u8>)>) -> String {
    files.sort();
    hash(&files)
}

fn hash(files: &[(String, Vec<u8>)]) -> String {
    let mut sum = Sha256::new();
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            sum.update((part.len() as u64).to_be_bytes());
            sum.update(part);
        }
    }
    hex::encode(sum.finalize())
}
