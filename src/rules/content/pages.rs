//! The content files that are plain pages: `voice.md` and `email.md` with front matter, `sms.txt` without.

use super::text::Text;
use crate::model::Channel;
use crate::rules::report::{Report, suggest};

/// How long a call may last at most where `voice.md` does not say, in seconds.
const MAX_DURATION_S: u32 = 300;

/// `voice.md`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// Spoken first.
    pub first_message: Text,
    /// The provider's voice; its own default if absent.
    pub voice: Option<String>,
    /// Left once on a machine; `None` hangs up.
    pub voicemail: Option<Text>,
    /// Hard end of a call, in seconds.
    pub max_duration_s: u32,
    /// The agent's system prompt.
    pub prompt: Text,
    /// Line of `first_message`, for lints.
    pub line: u64,
}

/// `sms.txt`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// The whole message.
    pub text: Text,
}

/// `email.md`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// The subject line.
    pub subject: Text,
    /// The message.
    pub text: Text,
}

/// A value of the front matter and the byte offset where it stands.
type Entry<'a> = (&'a str, &'a str, usize);

/// Front matter cut off a page: its entries, and the page's text with its offset.
struct Page<'a> {
    entries: Vec<Entry<'a>>,
    text: &'a str,
    at: usize,
}

impl<'a> Page<'a> {
    /// Reads `---`, lines of `key: value`, `---`, text. Values stand on one line, quoted or not.
    fn read(report: &mut Report<'a>, known: &[&str]) -> Self {
        let text = report.text();
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let mut at = 0;
        let mut lines = text.split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        if first.trim_end() != "---" {
            let message = "the file does not begin with `---`";
            report.error(0, "no-front-matter", message, format!("begin with ---, {}: …, ---", known[0]));
            return Self { entries, text, at };
        }
        at += first.len();
        for line in lines {
            let start = at;
            at += line.len();
            if line.trim_end() == "---" {
                return Self { entries, text: &text[at..], at };
            }
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            if let Some(entry) = entry(report, start, line, known) {
                if entries.iter().any(|(key, ..)| *key == entry.0) {
                    let message = format!("`{}` is given twice", entry.0);
                    report.error(start, "given-twice", message, "keep one of the two");
                } else {
                    entries.push(entry);
                }
            }
        }
        report.error(0, "no-front-matter", "the opening `---` is never closed", "write --- on a line");
        Self { entries, text: "", at: text.len() }
    }

    fn get(&self, key: &str) -> Option<(&'a str, usize)> {
        self.entries.iter().find(|(k, ..)| *k == key).map(|(_, value, at)| (*value, *at))
    }
}

fn entry<'a>(report: &mut Report<'a>, start: usize, line: &'a str, known: &[&str]) -> Option<Entry<'a>> {
    let Some((key, value)) = line.split_once(':').filter(|_| !line.starts_with([' ', '\t'])) else {
        let message = "this line of the front matter is no `key: value`";
        report.error(start, "bad-front-matter", message, "keep each value on one line");
        return None;
    };
    let name = key.trim();
    if !known.contains(&name) {
        let hint = suggest(name, known);
        report.error(start, "unknown-field", format!("`{name}` is not known here"), hint);
        return None;
    }
    let mut at = start + key.len() + 1 + (value.len() - value.trim_start().len());
    let mut value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote)) {
            (value, at) = (inner, at + 1);
            break;
        }
    }
    if value.is_empty() {
        report.error(
            start,
            "empty-value",
            format!("`{name}` is empty"),
            "write its value, or take the line out",
        );
        return None;
    }
    if matches!(value, "|" | ">" | "|-" | ">-") {
        let message = format!("`{name}` would stand on several lines");
        report.error(at, "bad-front-matter", message, "keep the value on the line of its key");
        return None;
    }
    Some((name, value, at))
}

/// A text that must be there.
fn required(report: &mut Report<'_>, page: &Page<'_>, key: &str, channel: Channel) -> Text {
    if let Some((value, at)) = page.get(key) {
        return Text::parse(report, at, value, channel);
    }
    // An empty or misspelt one has been named already, at its line.
    if !report.has_errors() {
        report.error(0, "missing-field", format!("`{key}` is missing"), format!("add a line `{key}: …`"));
    }
    Text::default()
}

fn page_text(report: &mut Report<'_>, page: &Page<'_>, channel: Channel, what: &str) -> Text {
    let body = page.text.trim();
    if body.is_empty() {
        report.error(page.at, "empty-value", format!("{what} is empty"), "write it below the closing ---");
    }
    let lead = page.text.len() - page.text.trim_start().len();
    Text::parse(report, page.at + lead, body, channel)
}

pub(super) fn voice(report: &mut Report<'_>) -> Voice {
    let page = Page::read(report, &["first_message", "voice", "voicemail", "max_duration_s"]);
    let line = page.get("first_message").map_or(1, |(_, at)| report.place(at).0);
    let first_message = required(report, &page, "first_message", Channel::Phone);
    let prompt = page_text(report, &page, Channel::Phone, "the agent's prompt");
    let voicemail = page
        .get("voicemail")
        .filter(|(words, _)| *words != "hang_up")
        .map(|(words, at)| Text::parse(report, at, words, Channel::Phone));
    let max_duration_s = page.get("max_duration_s").map_or(MAX_DURATION_S, |(value, at)| {
        let seconds = value.parse().ok().filter(|s| (10..=43_200).contains(s));
        if seconds.is_none() {
            let message = format!("`max_duration_s` is {value}, and must be whole seconds from 10 to 43200");
            report.error(at, "bad-value", message, "300 is five minutes");
        }
        seconds.unwrap_or(MAX_DURATION_S)
    });
    let voice = page.get("voice").map(|(v, _)| v.to_owned());
    Voice { first_message, voice, voicemail, max_duration_s, prompt, line }
}

pub(super) fn sms(report: &mut Report<'_>) -> Sms {
    let whole = report.text();
    let body = whole.trim();
    if body.is_empty() {
        report.error(0, "empty-value", "the text message is empty", "write what it says");
    }
    let lead = whole.len() - whole.trim_start().len();
    Sms { text: Text::parse(report, lead, body, Channel::Sms) }
}

pub(super) fn email(report: &mut Report<'_>) -> Email {
    let page = Page::read(report, &["subject"]);
    let subject = required(report, &page, "subject", Channel::Email);
    Email { subject, text: page_text(report, &page, Channel::Email, "the e-mail's text") }
}

impl Voice {
    /// Every field of the call.
    pub fn fields(&self) -> Vec<&super::Field> {
        let voicemail = self.voicemail.iter().flat_map(Text::fields);
        self.first_message.fields().into_iter().chain(self.prompt.fields()).chain(voicemail).collect()
    }
}
