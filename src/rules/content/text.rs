//! Text with fields and sections: `{{column}}`, `{{name|there}}`, `{{#first}}…{{/first}}`,
//! `{{#after CHANNEL}}…{{/after}}`. Parsed once, with places; filled in by [`crate::rules::render`].

use crate::model::Channel;
use crate::rules::report::{Report, suggest};

/// A parsed text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// In order.
    pub parts: Vec<Part>,
}

/// A piece of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As written; with the byte offset in the file, where a text in JSON has no escapes before it.
    Words(String, usize),
    /// A customer's value.
    Field(Field),
    /// Stands only if the condition holds.
    Section(When, Vec<Part>),
}

/// A place to be filled with a customer's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The column, as written.
    pub name: String,
    /// What stands there when the column is empty.
    pub default: Option<String>,
    /// Line in its file, from 1.
    pub line: u64,
    /// Column in its file, from 1, in characters.
    pub column: u64,
}

impl Field {
    /// Whether this is our short link and no column of the list.
    pub fn is_link(&self) -> bool {
        self.name == "link"
    }
}

/// The condition of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This is the first contact of the cascade.
    First,
    /// That channel was tried before.
    After(Channel),
}

/// A piece between or inside double braces, with its byte offset in the text.
pub(super) enum Token<'a> {
    /// Outside braces.
    Words(usize, &'a str),
    /// What stands between `{{` and `}}`, trimmed.
    Braces(usize, &'a str),
    /// `{{` that is never closed.
    Unclosed(usize),
    /// `}}` that was never opened.
    Stray(usize),
}

/// Cuts a text at its double braces.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let open = rest.find("{{");
        let words = &rest[..open.unwrap_or(rest.len())];
        if let Some(stray) = words.find("}}") {
            out.push(Token::Stray(at + stray));
        }
        if !words.is_empty() {
            out.push(Token::Words(at, words));
        }
        let Some(open) = open else { break };
        let Some(close) = rest[open + 2..].find("}}") else {
            out.push(Token::Unclosed(at + open));
            break;
        };
        out.push(Token::Braces(at + open, rest[open + 2..open + 2 + close].trim()));
        at += open + 2 + close + 2;
    }
    out
}

impl Text {
    /// Parses `text`, which stands at byte `base` of the file, for a channel.
    pub(super) fn parse(report: &mut Report<'_>, base: usize, text: &str, channel: Channel) -> Self {
        let mut open: Vec<Open> = Vec::new();
        let mut parts = Vec::new();
        for token in tokens(text) {
            match token {
                Token::Words(at, words) => parts.push(Part::Words(words.to_owned(), base + at)),
                Token::Braces(at, inner) => match inner.as_bytes().first() {
                    Some(b'#') => {
                        let word = inner[1..].split_whitespace().next().unwrap_or_default().to_owned();
                        let when = parse_when(report, base + at, &inner[1..]);
                        let outer = std::mem::take(&mut parts);
                        open.push(Open { word, when, at: base + at, outer });
                    }
                    Some(b'/') => close(report, base + at, inner[1..].trim(), &mut open, &mut parts),
                    Some(_) | None => {
                        parts.extend(parse_field(report, base + at, inner, channel).map(Part::Field));
                    }
                },
                Token::Unclosed(at) => unclosed(report, base + at),
                Token::Stray(at) => stray(report, base + at),
            }
        }
        while let Some(section) = open.pop() {
            if section.when.is_some() {
                let word = &section.word;
                let message = format!("the section `{{{{#{word}…}}}}` is never closed");
                let hint = format!("write {{{{/{word}}}}} where it ends");
                report.error(section.at, "unclosed-section", message, hint);
            }
            section.end(&mut parts);
        }
        Self { parts }
    }

    /// Every field, those inside sections too.
    pub fn fields(&self) -> Vec<&Field> {
        fn walk<'t>(parts: &'t [Part], out: &mut Vec<&'t Field>) {
            for part in parts {
                match part {
                    Part::Words(..) => {}
                    Part::Field(field) => out.push(field),
                    Part::Section(_, inner) => walk(inner, out),
                }
            }
        }
        let mut out = Vec::new();
        walk(&self.parts, &mut out);
        out
    }
}

/// A section whose end was not reached yet. One that cannot be understood stays open all the same, so that its
/// end is not reported as well.
struct Open {
    word: String,
    when: Option<When>,
    at: usize,
    outer: Vec<Part>,
}

impl Open {
    /// Puts what stood in the section back among what stands around it.
    fn end(self, parts: &mut Vec<Part>) {
        let inner = std::mem::replace(parts, self.outer);
        parts.extend(self.when.map(|when| Part::Section(when, inner)));
    }
}

pub(super) fn unclosed(report: &mut Report<'_>, at: usize) {
    report.error(at, "unclosed-field", "`{{` is never closed", "write `}}` after the column's name");
}

pub(super) fn stray(report: &mut Report<'_>, at: usize) {
    report.error(at, "stray-braces", "`}}` closes nothing", "write `{{` before it, or take it out");
}

fn parse_when(report: &mut Report<'_>, at: usize, inner: &str) -> Option<When> {
    let mut words = inner.split_whitespace();
    let (word, argument, more) = (words.next().unwrap_or_default(), words.next(), words.next());
    match (word, argument, more) {
        ("first", None, None) => Some(When::First),
        ("after", Some(channel), None) => {
            let parsed = Channel::parse(channel);
            if parsed.is_none() {
                let known: Vec<&str> = Channel::ALL.iter().map(|c| c.as_str()).collect();
                let hint = suggest(channel, &known);
                report.error(at, "unknown-channel", format!("there is no channel `{channel}`"), hint);
            }
            parsed.map(When::After)
        }
        ("after", ..) => {
            let message = "`{{#after}}` names one channel";
            report.error(at, "bad-section", message, "write for example {{#after whatsapp}}");
            None
        }
        ("first", ..) => {
            report.error(at, "bad-section", "`{{#first}}` takes no word", "write {{#first}}");
            None
        }
        (other, ..) => {
            let hint = suggest(other, &["first", "after"]);
            report.error(at, "unknown-section", format!("there is no section `{other}`"), hint);
            None
        }
    }
}

fn close(report: &mut Report<'_>, at: usize, word: &str, open: &mut Vec<Open>, parts: &mut Vec<Part>) {
    match open.pop() {
        Some(section) if section.word == word => section.end(parts),
        Some(section) => {
            let expected = &section.word;
            let message = format!("`{{{{/{word}}}}}` closes a section `{expected}`");
            report.error(at, "wrong-close", message, format!("write {{{{/{expected}}}}}"));
            open.push(section);
        }
        None => {
            let message = format!("`{{{{/{word}}}}}` closes nothing");
            report.error(at, "wrong-close", message, "take it out, or open the section before it");
        }
    }
}

/// Reads `column` or `column|default`; also an entry of `parameters` in whatsapp.json.
pub(super) fn parse_field(
    report: &mut Report<'_>,
    at: usize,
    inner: &str,
    channel: Channel,
) -> Option<Field> {
    let (name, default) = match inner.split_once('|') {
        Some((name, default)) => (name.trim(), Some(default.trim())),
        None => (inner.trim(), None),
    };
    let trouble = if name.is_empty() {
        Some(("empty-field", "a field without a name".to_owned(), "name a column of the list".to_owned()))
    } else if default == Some("") {
        let hint = format!("write a word after `|`, or only `{name}`");
        Some(("empty-value", format!("the default of `{name}` is empty"), hint))
    } else if name.contains(['{', '}']) {
        let hint = "a field is two braces, a column's name, and two braces".to_owned();
        Some(("bad-field", format!("`{name}` cannot be a column's name"), hint))
    } else if name.bytes().all(|b| b.is_ascii_digit()) {
        let hint = "numbers stand in WhatsApp templates alone; name the column here".to_owned();
        Some(("numbered-field", format!("`{name}` is no column of a customer list"), hint))
    } else if name == "link" && !matches!(channel, Channel::Sms | Channel::Email) {
        let hint = "take it out; links stand in SMS and e-mail, and in a WhatsApp url button".to_owned();
        Some(("link-misplaced", format!("a link cannot be given on {}", channel.label()), hint))
    } else {
        None
    };
    if let Some((code, message, hint)) = trouble {
        report.error(at, code, message, hint);
        return None;
    }
    let (line, column) = report.place(at);
    Some(Field { name: name.to_owned(), default: default.map(str::to_owned), line, column })
}
