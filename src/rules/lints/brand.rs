//! Who writes: the name that a first text must show. `brand` in `cascade.toml` says it; without that it is the name by
//! which the content introduces itself ("Sunnyside Energy: …", "the assistant of Sunnyside Energy").

use super::said::{LINK, Said, words};
use crate::config::Config;
use crate::model::Channel;
use crate::rules::content::Content;
use crate::rules::render::plain;

/// Most words of a name, and most characters of one before a colon.
const WORDS_MAX: usize = 4;
const PREFIX_MAX: usize = 40;

/// Before a name, if one of [`SELF`] stands a few words earlier.
const FROM: [&str; 8] = ["of", "from", "von", "bei", "der", "de", "du", "chez"];
/// Words by which somebody introduces themselves.
const SELF: [&str; 19] = [
    "this",
    "assistant",
    "assistants",
    "agent",
    "am",
    "calling",
    "behalf",
    "hier",
    "ich",
    "assistent",
    "assistentin",
    "auftrag",
    "soy",
    "habla",
    "asistente",
    "parte",
    "ici",
    "assistante",
    "part",
];
/// What stands before a colon and names nobody.
const NO_NAMES: [&str; 18] = [
    "reminder",
    "important",
    "urgent",
    "news",
    "offer",
    "alert",
    "update",
    "notice",
    "final",
    "last",
    "hinweis",
    "erinnerung",
    "wichtig",
    "recordatorio",
    "aviso",
    "importante",
    "rappel",
    "info",
];
/// Columns that hold the sender's name.
const COLUMNS: [&str; 5] = ["brand", "sender", "sender_name", "firma", "marca"];

/// A sender's name and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Brand {
    pub(super) names: Vec<String>,
    from: &'static str,
}

/// The sender's name, as far as it is known.
pub(super) fn of(config: &Config, content: &Content) -> Option<Brand> {
    if let Some(name) = &config.brand {
        return Some(Brand { names: vec![name.clone()], from: "cascade.toml" });
    }
    let mut names = Vec::new();
    let sms = content.sms.iter().map(|sms| Said::whole(&sms.text).text);
    let bodies = content.whatsapp.iter().flat_map(|w| &w.languages).map(|l| l.body.clone());
    names.extend(sms.chain(bodies).filter_map(|text| prefix(&text)));
    let calls = content.voice.iter().flat_map(|voice| [&voice.first_message, &voice.prompt]);
    names.extend(calls.flat_map(|text| introduced(&Said::whole(text).text)));
    names.dedup();
    (!names.is_empty()).then_some(Brand { names, from: "the content itself" })
}

/// `Sunnyside Energy: …`
fn prefix(text: &str) -> Option<String> {
    let text = text.trim();
    let end = [":", " - ", " – "].iter().filter_map(|sign| text.find(sign)).min()?;
    let name = text.get(..end)?.trim();
    let parts: Vec<&str> = name.split_whitespace().collect();
    let is_call = |word: &&str| NO_NAMES.contains(&word.to_lowercase().as_str());
    if parts.first().is_some_and(is_call) {
        return None;
    }
    let is_name = |word: &&str| word.chars().next().is_some_and(|c| c.is_uppercase() || c.is_numeric());
    let fits = (1..=WORDS_MAX).contains(&parts.len()) && name.chars().count() <= PREFIX_MAX;
    (fits && parts.iter().all(is_name) && !name.contains(['{', ','])).then(|| name.to_owned())
}

/// Every name after words such as `this is Ana from`.
fn introduced(text: &str) -> Vec<String> {
    let all: Vec<&str> = text.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let mut names = Vec::new();
    for (i, word) in all.iter().enumerate() {
        let before = all.get(i.saturating_sub(4)..i).unwrap_or_default();
        let speaks = before.iter().any(|word| SELF.contains(&bare(word).as_str()));
        if !FROM.contains(word) || !speaks {
            continue;
        }
        let mut name: Vec<&str> = Vec::new();
        for word in all.iter().skip(i + 1).take(WORDS_MAX) {
            let trimmed = word.trim_matches(|c: char| !c.is_alphanumeric());
            if !trimmed.chars().next().is_some_and(char::is_uppercase) {
                break;
            }
            name.push(trimmed);
            // A comma or a full stop ends it.
            if !word.ends_with(trimmed) {
                break;
            }
        }
        if !name.is_empty() {
            names.push(name.join(" "));
        }
    }
    names
}

/// Whether a channel's content has a field for the sender's name.
pub(super) fn is_a_field(content: &Content, channel: Channel) -> bool {
    content.fields(channel).iter().any(|field| COLUMNS.contains(&plain(&field.name).as_str()))
}

/// Why a first text does not show who writes, and what to do; `None`: it does, or nobody can tell.
pub(super) fn missing(brand: Option<&Brand>, text: &str, channel: Channel) -> Option<(String, String)> {
    let said: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
    let Some(brand) = brand else {
        // WhatsApp shows the profile's name above it; a number shows nothing.
        let is_unnamed = channel == Channel::Sms && !has_a_name(text);
        let hint = "an unknown number that asks for a click looks like fraud; begin with your name, as in \
                    \"Sunnyside Energy: …\", and write brand = \"…\" in cascade.toml";
        return is_unnamed.then(|| ("nothing in it names who writes".to_owned(), hint.to_owned()));
    };
    let names = |name: &String| {
        let name: Vec<String> = words(name).into_iter().map(|word| word.text).collect();
        let whole = !name.is_empty() && said.windows(name.len()).any(|window| window == name);
        // "Sunnyside" for "Sunnyside Energy".
        whole || name.first().is_some_and(|first| first.chars().count() >= 4 && said.contains(first))
    };
    if brand.names.iter().any(names) {
        return None;
    }
    let name = brand.names.first()?;
    let why = format!("does not say that {name} writes");
    let hint = format!(
        "who does not know the sender does not answer; begin with \"{name}: …\" (the name is from {}; \
         brand = \"…\" in cascade.toml sets it)",
        brand.from
    );
    Some((why, hint))
}

/// Whether anything looks like a name: a capital that does not begin a sentence, or no capitals in this script at all.
fn has_a_name(text: &str) -> bool {
    if !text.chars().any(|c| c.is_lowercase() || c.is_uppercase()) {
        return true;
    }
    let mut begins = true;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_capital = bare.chars().next().is_some_and(char::is_uppercase);
        let shouts = bare.chars().count() > 1 && bare.chars().all(char::is_uppercase);
        if is_capital && !shouts && !begins {
            return true;
        }
        // What follows our link, or a colon, begins anew.
        begins = word.ends_with(['.', '!', '?', '…', ':']) || bare == LINK;
    }
    false
}
