//! `whatsapp.json`: one template in several languages, read with positions. A template is text that Meta has
//! approved and keeps; we send its name, a language and what stands for `{{1}}`, `{{2}}`.

use super::json::{Entry, Reader, key_at, value_at};
use super::sheet::{Sheet, did_you_mean};
use super::text::{Field, Token, parse_field, stray, tokens, unclosed};
use crate::model::{Channel, Disposition};
use jsonc_parser::ast::{Object, StringLit, Value};

/// Longest body after substitution, in characters (Meta's limit; beyond it 132005 shuts the template).
pub const BODY_MAX: usize = 1024;
/// Longest header text, in characters.
const HEADER_MAX: usize = 60;
/// Longest caption of a button, in characters.
const BUTTON_MAX: usize = 25;
/// Most buttons of one template.
const BUTTONS_MAX: usize = 10;

/// `whatsapp.json`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whatsapp {
    /// The template's name at Meta.
    pub name: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// In the order of the file; at least one.
    pub languages: Vec<Language>,
    /// What stands for `{{1}}`, `{{2}}`, in order.
    pub parameters: Vec<Field>,
}

impl Whatsapp {
    /// The addresses of buttons that carry our link code, in every language.
    pub fn tracked_urls(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().flat_map(|l| &l.buttons).filter(|b| b.is_tracked()).filter_map(|b| match b {
            Button::Url { url, .. } => Some(url.as_str()),
            Button::QuickReply { .. } => None,
        })
    }
}

/// The template in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// `en_US`, `de`.
    pub code: String,
    /// Above the body.
    pub header: Option<Header>,
    /// With `{{1}}`, `{{2}}`.
    pub body: String,
    /// Below the body.
    pub buttons: Vec<Button>,
}

/// Above the body of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// May hold `{{1}}`.
    Text(String),
    /// A picture, film or document.
    Media {
        /// `image`, `video`, `document`.
        kind: &'static str,
        /// Where it lies.
        url: String,
    },
}

impl Header {
    /// Whether a parameter must be sent for it.
    pub fn takes_parameter(&self) -> bool {
        match self {
            Self::Text(text) => text.contains("{{"),
            Self::Media { .. } => true,
        }
    }
}

/// A button of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Button {
    /// Pressing it sends a reply.
    QuickReply {
        /// Its caption.
        text: String,
        /// What pressing it means; `None`: its words are judged as if typed.
        means: Option<Means>,
    },
    /// Pressing it opens an address.
    Url {
        /// Its caption.
        text: String,
        /// The address; ends in `{{1}}` where our link code completes it.
        url: String,
    },
}

impl Button {
    /// Whether it carries the code of our short link, so that the click is known.
    pub fn is_tracked(&self) -> bool {
        matches!(self, Self::Url { url, .. } if url.ends_with("{{1}}"))
    }
}

/// What a quick reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A human answer of this kind.
    Answer(Disposition),
    /// No more contact.
    OptedOut,
}

impl Means {
    /// As it stands in the file and in the payload.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer(disposition) => disposition.as_str(),
            Self::OptedOut => "opted_out",
        }
    }

    /// Reads [`Means::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        if word == "opted_out" { Some(Self::OptedOut) } else { Disposition::parse(word).map(Self::Answer) }
    }

    /// Reads the payload of a pressed quick reply, `positive:att_x`: what it means and our attempt key.
    pub fn of_payload(payload: &str) -> (Option<Self>, Option<&str>) {
        match payload.split_once(':') {
            Some((word, key)) => (Self::parse(word), Some(key)),
            None => (None, None),
        }
    }
}

const KEYS: [&str; 4] = ["name", "category", "languages", "parameters"];
const CATEGORIES: [&str; 3] = ["MARKETING", "UTILITY", "AUTHENTICATION"];

pub(super) fn whatsapp(sheet: &mut Sheet<'_>) -> Whatsapp {
    let mut found = Whatsapp::default();
    let Some(value) = super::json::parse(sheet) else { return found };
    let Value::Object(root) = &value else {
        sheet.error(
            0,
            "wrong-type",
            "the file is no object".into(),
            "write { \"name\": …, \"languages\": … }",
        );
        return found;
    };
    let mut reader = Reader::open(sheet, root, &KEYS);
    let name = reader.required_text("name");
    let category = reader.required_text("category");
    let languages = reader.required("languages");
    let parameters = reader.optional("parameters");
    if let Some(lit) = name {
        found.name = lit.value.to_string();
        let proper = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !found.name.bytes().all(proper) {
            let message = format!("`{}` cannot be a template's name", found.name);
            sheet.error(lit.range.start, "bad-name", message, "use a to z, 0 to 9 and _");
        }
    }
    if let Some(lit) = category {
        found.category = lit.value.to_uppercase();
        if !CATEGORIES.contains(&found.category.as_str()) {
            let message = format!("there is no category `{}`", lit.value);
            sheet.error(lit.range.start, "unknown-category", message, did_you_mean(&lit.value, CATEGORIES));
        }
    }
    let count = parameters.map_or(0, |entry| parse_parameters(sheet, &entry, &mut found.parameters));
    match languages {
        Some(Entry { value: Value::Object(object), .. }) => {
            found.languages = parse_languages(sheet, object, count);
        }
        Some(entry) => {
            let message = "`languages` is no object".to_owned();
            sheet.error(value_at(entry.value), "wrong-type", message, "write { \"en_US\": { \"body\": … } }");
        }
        None => {}
    }
    found
}

/// Fills `out`; returns how many entries there are, the faulty ones too, so that one typing mistake is not
/// reported as a wrong count as well.
fn parse_parameters(sheet: &mut Sheet<'_>, entry: &Entry<'_, '_>, out: &mut Vec<Field>) -> usize {
    let Value::Array(array) = entry.value else {
        let message = "`parameters` is no list".to_owned();
        sheet.error(value_at(entry.value), "wrong-type", message, "write [\"name\", \"plan\"]");
        return 0;
    };
    for element in &array.elements {
        match element {
            Value::StringLit(lit) => {
                out.extend(parse_field(sheet, lit.range.start, &lit.value, Channel::Whatsapp));
            }
            other => {
                let message = "a parameter is a column's name in quotes".to_owned();
                sheet.error(value_at(other), "wrong-type", message, "write for example \"name\"");
            }
        }
    }
    array.elements.len()
}

fn parse_languages(sheet: &mut Sheet<'_>, object: &Object<'_>, parameters: usize) -> Vec<Language> {
    if object.properties.is_empty() {
        let message = "`languages` names no language".to_owned();
        sheet.error(object.range.start, "empty-value", message, "add for example \"en_US\": { \"body\": … }");
    }
    super::json::report_twice(sheet, object);
    let mut out = Vec::new();
    for property in &object.properties {
        let code = property.name.as_str();
        if !is_language(code) {
            let message = format!("`{code}` is no language code of WhatsApp");
            sheet.error(key_at(property), "bad-language", message, "write for example en_US, de, pt_BR");
        }
        if let Value::Object(language) = &property.value {
            out.extend(parse_language(sheet, code, language, parameters));
        } else {
            let message = format!("the language `{code}` is no object");
            sheet.error(value_at(&property.value), "wrong-type", message, "write { \"body\": … }");
        }
    }
    out
}

/// `de`, `fil`, `en_US`.
fn is_language(code: &str) -> bool {
    let (base, region) = code.split_once('_').map_or((code, None), |(base, region)| (base, Some(region)));
    (2..=3).contains(&base.len())
        && base.bytes().all(|b| b.is_ascii_lowercase())
        && region.is_none_or(|r| (2..=3).contains(&r.len()) && r.bytes().all(|b| b.is_ascii_uppercase()))
}

fn parse_language(
    sheet: &mut Sheet<'_>,
    code: &str,
    object: &Object<'_>,
    parameters: usize,
) -> Option<Language> {
    let mut reader = Reader::open(sheet, object, &["header", "body", "buttons"]);
    let body = reader.required_text("body");
    let header = reader.optional("header");
    let buttons = reader.optional("buttons");
    let header = header.and_then(|entry| parse_header(sheet, entry.value, parameters));
    let buttons = buttons.map(|entry| parse_buttons(sheet, entry.value)).unwrap_or_default();
    let body = body?;
    let used = fixed_text(sheet, body);
    report_binding(sheet, body, &used, parameters);
    report_length(sheet, body, BODY_MAX, "the body");
    report_edges(sheet, body);
    Some(Language { code: code.to_owned(), header, body: body.value.to_string(), buttons })
}

/// Byte offset in the file of byte `at` in a string's value: exact where nothing is escaped, else its start.
fn inside(lit: &StringLit<'_>, at: usize) -> usize {
    match lit.value {
        std::borrow::Cow::Borrowed(_) => lit.range.start + 1 + at,
        std::borrow::Cow::Owned(_) => lit.range.start,
    }
}

/// The numbers that stand in a text, each with its place in the file; anything else in braces is an error.
fn fixed_text(sheet: &mut Sheet<'_>, lit: &StringLit<'_>) -> Vec<(usize, usize)> {
    let mut used = Vec::new();
    for token in tokens(&lit.value) {
        match token {
            Token::Words(_) => {}
            Token::Braces(at, inner) => {
                let at = inside(lit, at);
                if inner.starts_with(['#', '/']) {
                    let message = format!("a template is fixed text and knows no section `{inner}`");
                    sheet.error(
                        at,
                        "section-in-template",
                        message,
                        "sections stand in voice, SMS and e-mail",
                    );
                } else if let Some(number) = inner.parse().ok().filter(|n| *n > 0) {
                    used.push((number, at));
                } else {
                    let message = format!("a template is fixed text and knows no field `{inner}`");
                    let hint = "write {{1}} here and the column in `parameters`";
                    sheet.error(at, "field-in-template", message, hint);
                }
            }
            Token::Unclosed(at) => unclosed(sheet, inside(lit, at)),
            Token::Stray(at) => stray(sheet, inside(lit, at)),
        }
    }
    used
}

fn report_binding(sheet: &mut Sheet<'_>, body: &StringLit<'_>, used: &[(usize, usize)], parameters: usize) {
    let highest = used.iter().map(|(n, _)| *n).max().unwrap_or(0);
    for gap in (1..=highest.min(100)).filter(|n| !used.iter().any(|(u, _)| u == n)) {
        let message = format!("the body has {{{{{highest}}}}} but no {{{{{gap}}}}}");
        sheet.error(body.range.start, "parameter-gap", message, "number them 1, 2, 3 without a gap");
    }
    if highest != parameters {
        let message = format!("the body takes {highest} parameters and `parameters` names {parameters}");
        let at = used.iter().find(|(n, _)| *n > parameters).map_or(body.range.start, |(_, at)| *at);
        sheet.error(at, "parameter-count", message, "name one column for each number, in order");
    }
}

fn report_length(sheet: &mut Sheet<'_>, lit: &StringLit<'_>, most: usize, what: &str) {
    let length = lit.value.chars().count();
    if length > most {
        let message = format!("{what} has {length} characters, and WhatsApp takes {most}");
        sheet.error(lit.range.start, "too-long", message, "shorten it");
    }
}

fn report_edges(sheet: &mut Sheet<'_>, body: &StringLit<'_>) {
    let text = body.value.trim();
    if text.starts_with("{{") || text.ends_with("}}") {
        let message = "the body begins or ends with a parameter, and Meta rejects such templates".to_owned();
        sheet.warning(body.range.start, "parameter-at-edge", message, "put a word or a full stop there");
    }
}

fn parse_header(sheet: &mut Sheet<'_>, value: &Value<'_>, parameters: usize) -> Option<Header> {
    match value {
        Value::StringLit(lit) => {
            report_length(sheet, lit, HEADER_MAX, "the header");
            for (number, at) in fixed_text(sheet, lit) {
                if number != 1 || parameters == 0 {
                    let message = format!("a header cannot take {{{{{number}}}}}");
                    sheet.error(
                        at,
                        "header-parameter",
                        message,
                        "a header takes {{1}} alone, the first parameter",
                    );
                }
            }
            Some(Header::Text(lit.value.to_string()))
        }
        Value::Object(object) => {
            const KINDS: [&str; 3] = ["image", "video", "document"];
            let mut reader = Reader::open(sheet, object, &KINDS);
            let mut given = KINDS.iter().filter_map(|kind| Some((*kind, reader.optional_text(kind)?)));
            let first = given.next();
            if given.next().is_some() || first.is_none() {
                let message = "a header of media names one of image, video, document".to_owned();
                sheet.error(object.range.start, "bad-header", message, "write { \"image\": \"https://…\" }");
            }
            let (kind, lit) = first?;
            report_address(sheet, lit);
            Some(Header::Media { kind, url: lit.value.to_string() })
        }
        other => {
            let message = "a header is a text or { \"image\": URL }".to_owned();
            sheet.error(value_at(other), "wrong-type", message, "write a text in quotes");
            None
        }
    }
}

fn report_address(sheet: &mut Sheet<'_>, lit: &StringLit<'_>) {
    let fixed = lit.value.strip_suffix("{{1}}").unwrap_or(&lit.value);
    let proper = url::Url::parse(fixed).is_ok_and(|u| matches!(u.scheme(), "https" | "http"));
    if !proper || fixed.contains(['{', '}', ' ']) {
        let message = format!("`{}` is no web address", lit.value);
        sheet.error(lit.range.start, "bad-url", message, "begin with https://; only its end may be {{1}}");
    }
}

fn parse_buttons(sheet: &mut Sheet<'_>, value: &Value<'_>) -> Vec<Button> {
    let Value::Array(array) = value else {
        sheet.error(
            value_at(value),
            "wrong-type",
            "`buttons` is no list".into(),
            "write [ { \"type\": … } ]",
        );
        return Vec::new();
    };
    if array.elements.len() > BUTTONS_MAX {
        let message = format!("{} buttons, and WhatsApp takes {BUTTONS_MAX}", array.elements.len());
        sheet.error(array.range.start, "too-many", message, "take some out");
    }
    array.elements.iter().filter_map(|element| parse_button(sheet, element)).collect()
}

fn parse_button(sheet: &mut Sheet<'_>, value: &Value<'_>) -> Option<Button> {
    let Value::Object(object) = value else {
        sheet.error(value_at(value), "wrong-type", "a button is an object".into(), "write { \"type\": … }");
        return None;
    };
    let mut reader = Reader::open(sheet, object, &["type", "text", "url", "means"]);
    let (kind, text) = (reader.required_text("type"), reader.required_text("text"));
    let (url, means) = (reader.optional_text("url"), reader.optional_text("means"));
    let (kind, text) = (kind?, text?);
    report_length(sheet, text, BUTTON_MAX, "the button's text");
    let caption = text.value.to_string();
    match kind.value.as_ref() {
        "quick_reply" => {
            if let Some(url) = url {
                let message = "a quick reply has no `url`".to_owned();
                sheet.error(url.range.start, "misplaced", message, "take it out, or make the type \"url\"");
            }
            Some(Button::QuickReply { text: caption, means: means.and_then(|lit| parse_means(sheet, lit)) })
        }
        "url" => {
            if let Some(means) = means {
                let message = "a url button has no `means`; following it is a click".to_owned();
                sheet.error(means.range.start, "misplaced", message, "take it out");
            }
            let Some(url) = url else {
                let message = "a url button names no `url`".to_owned();
                sheet.error(object.range.start, "missing-field", message, "add \"url\": \"https://…/{{1}}\"");
                return None;
            };
            report_address(sheet, url);
            Some(Button::Url { text: caption, url: url.value.to_string() })
        }
        other => {
            let hint = did_you_mean(other, ["quick_reply", "url"]);
            sheet.error(kind.range.start, "unknown-type", format!("there is no button `{other}`"), hint);
            None
        }
    }
}

fn parse_means(sheet: &mut Sheet<'_>, lit: &StringLit<'_>) -> Option<Means> {
    let means = Means::parse(&lit.value);
    if means.is_none() {
        let known = Disposition::ALL.iter().map(|d| d.as_str()).chain(["opted_out"]);
        let hint = did_you_mean(&lit.value, known);
        let message = format!("a reply cannot mean `{}`", lit.value);
        sheet.error(lit.range.start, "unknown-means", message, hint);
    }
    means
}
