//! Reads `whatsapp.json`, with positions and with Meta's limits.

use super::json::{Said, optional, present, required, said};
use super::text::{Field, Token, parse_field, stray, tokens, unclosed};
use super::whatsapp::{BODY_MAX, Button, Header, Language, Means, Whatsapp};
use crate::model::{Channel, Disposition};
use crate::rules::json::{Fields, check_syntax, tree, without_surrogates, wrong_type};
use crate::rules::report::{Report, suggest};
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged as _;

/// Longest header text, in characters.
const HEADER_MAX: usize = 60;
/// Longest caption of a button, in characters.
const BUTTON_MAX: usize = 25;
/// Most buttons of one template.
const BUTTONS_MAX: usize = 10;
const KEYS: [&str; 4] = ["name", "category", "languages", "parameters"];
const CATEGORIES: [&str; 3] = ["marketing", "utility", "authentication"];
const KINDS: [&str; 3] = ["image", "video", "document"];

pub(super) fn whatsapp(report: &mut Report<'_>) -> Whatsapp {
    let mut found = Whatsapp::default();
    if !check_syntax(report) {
        return found;
    }
    let source = without_surrogates(report.text());
    let Some(value) = tree(report, &source) else { return found };
    let Value::Object(root) = &value else {
        wrong_type(report, "whatsapp.json", &value, "an object with a name and languages");
        return found;
    };
    let fields = Fields::of(report, root);
    fields.only(report, &KEYS, "the template", &[]);
    if let Some(name) = required(report, &fields, "name") {
        let proper = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !name.text.bytes().all(proper) {
            let message = format!("`{}` cannot be a template's name", name.text);
            report.error(name.at, "bad-name", message, "use a to z, 0 to 9 and _");
        }
        found.name = name.text;
    }
    if let Some(category) = required(report, &fields, "category") {
        found.category = category.text.to_uppercase();
        if !CATEGORIES.iter().any(|known| found.category.eq_ignore_ascii_case(known)) {
            let message = format!("there is no category `{}`", category.text);
            report.error(category.at, "unknown-category", message, suggest(&category.text, &CATEGORIES));
        }
    }
    let parameters = fields.get("parameters");
    let count = parameters.map_or(0, |field| parse_parameters(report, field.value, &mut found.parameters));
    present(report, &fields, "languages");
    match fields.get("languages").map(|field| field.value) {
        Some(Value::Object(object)) => found.languages = parse_languages(report, object, count),
        Some(other) => {
            wrong_type(report, "languages", other, "an object such as { \"en_US\": { \"body\": … } }");
        }
        None => {}
    }
    found
}

/// Fills `out`; returns how many entries there are, the faulty ones too, so that one typing mistake is not
/// reported as a wrong count as well.
fn parse_parameters(report: &mut Report<'_>, value: &Value<'_>, out: &mut Vec<Field>) -> usize {
    let Value::Array(array) = value else {
        wrong_type(report, "parameters", value, "a list such as [\"name\", \"plan\"]");
        return 0;
    };
    for element in &array.elements {
        if let Some(name) = said(report, "parameters", element) {
            out.extend(parse_field(report, name.at, &name.text, Channel::Whatsapp));
        }
    }
    array.elements.len()
}

fn parse_languages(report: &mut Report<'_>, object: &Object<'_>, parameters: usize) -> Vec<Language> {
    let languages = Fields::of(report, object);
    if languages.all.is_empty() {
        let message = "`languages` names no language";
        report.error(languages.at, "empty-value", message, "add for example \"en_US\": { \"body\": … }");
    }
    let mut out = Vec::new();
    for language in &languages.all {
        let code = &language.name;
        if !is_language(code) {
            let message = format!("`{code}` is no language code of WhatsApp");
            report.error(language.at, "bad-language", message, "write for example en_US, de, pt_BR");
        }
        match language.value {
            Value::Object(object) => out.extend(parse_language(report, code, object, parameters)),
            other => wrong_type(report, code, other, "an object with a body"),
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
    report: &mut Report<'_>,
    code: &str,
    object: &Object<'_>,
    parameters: usize,
) -> Option<Language> {
    let fields = Fields::of(report, object);
    fields.only(report, &["header", "body", "buttons"], "a language", &[]);
    let header = fields.get("header").and_then(|field| parse_header(report, field.value, parameters));
    let buttons = fields.get("buttons").map(|field| parse_buttons(report, field.value));
    let body = required(report, &fields, "body")?;
    let used = fixed_text(report, &body);
    report_binding(report, &body, &used, parameters);
    report_length(report, &body, BODY_MAX, "the body");
    report_edges(report, &body);
    let (body_at, body_is_plain) = (body.at, body.is_plain());
    let buttons = buttons.unwrap_or_default();
    Some(Language { code: code.to_owned(), header, body: body.text, body_at, body_is_plain, buttons })
}

/// The numbers that stand in a text, each with its place in the file; anything else in braces is an error.
fn fixed_text(report: &mut Report<'_>, said: &Said) -> Vec<(usize, usize)> {
    let mut used = Vec::new();
    for token in tokens(&said.text) {
        match token {
            Token::Words(..) => {}
            Token::Braces(at, inner) => {
                let at = said.inside(at);
                if inner.starts_with(['#', '/']) {
                    let message = format!("a template is fixed text and knows no section `{inner}`");
                    report.error(
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
                    report.error(at, "field-in-template", message, hint);
                }
            }
            Token::Unclosed(at) => unclosed(report, said.inside(at)),
            Token::Stray(at) => stray(report, said.inside(at)),
        }
    }
    used
}

fn report_binding(report: &mut Report<'_>, body: &Said, used: &[(usize, usize)], parameters: usize) {
    let highest = used.iter().map(|(n, _)| *n).max().unwrap_or(0);
    for gap in (1..=highest.min(100)).filter(|n| !used.iter().any(|(u, _)| u == n)) {
        let message = format!("the body has {{{{{highest}}}}} but no {{{{{gap}}}}}");
        report.error(body.at, "parameter-gap", message, "number them 1, 2, 3 without a gap");
    }
    if highest != parameters {
        let message = format!("the body takes {highest} parameters and `parameters` names {parameters}");
        let at = used.iter().find(|(n, _)| *n > parameters).map_or(body.at, |(_, at)| *at);
        report.error(at, "parameter-count", message, "name one column for each number, in order");
    }
}

fn report_length(report: &mut Report<'_>, said: &Said, most: usize, what: &str) {
    let length = said.text.chars().count();
    if length > most {
        let message = format!("{what} has {length} characters, and WhatsApp takes {most}");
        report.error(said.at, "too-long", message, "shorten it");
    }
}

fn report_edges(report: &mut Report<'_>, body: &Said) {
    let text = body.text.trim();
    if text.starts_with("{{") || text.ends_with("}}") {
        let message = "the body begins or ends with a parameter, and Meta rejects such templates";
        report.warning(body.at, "parameter-at-edge", message, "put a word or a full stop there");
    }
}

fn parse_header(report: &mut Report<'_>, value: &Value<'_>, parameters: usize) -> Option<Header> {
    let Value::Object(object) = value else {
        let text = said(report, "header", value)?;
        report_length(report, &text, HEADER_MAX, "the header");
        for (number, at) in fixed_text(report, &text) {
            if number != 1 || parameters == 0 {
                let message = format!("a header cannot take {{{{{number}}}}}");
                report.error(
                    at,
                    "header-parameter",
                    message,
                    "a header takes {{1}} alone, the first parameter",
                );
            }
        }
        return Some(Header::Text(text.text));
    };
    let fields = Fields::of(report, object);
    fields.only(report, &KINDS, "a header", &[]);
    let given: Vec<&'static str> = KINDS.into_iter().filter(|kind| fields.get(kind).is_some()).collect();
    if given.len() != 1 {
        let message = "a header of media names one of image, video, document";
        report.error(fields.at, "bad-header", message, "write { \"image\": \"https://…\" }");
    }
    let kind = *given.first()?;
    let url = optional(report, &fields, kind)?;
    report_address(report, &url);
    Some(Header::Media { kind, url: url.text })
}

fn report_address(report: &mut Report<'_>, said: &Said) {
    let fixed = said.text.strip_suffix("{{1}}").unwrap_or(&said.text);
    let proper = url::Url::parse(fixed).is_ok_and(|u| matches!(u.scheme(), "https" | "http"));
    if !proper || fixed.contains(['{', '}', ' ']) {
        let message = format!("`{}` is no web address", said.text);
        report.error(said.at, "bad-url", message, "begin with https://; only its end may be {{1}}");
    }
}

fn parse_buttons(report: &mut Report<'_>, value: &Value<'_>) -> Vec<Button> {
    let Value::Array(array) = value else {
        wrong_type(report, "buttons", value, "a list of buttons");
        return Vec::new();
    };
    if array.elements.len() > BUTTONS_MAX {
        let message = format!("{} buttons, and WhatsApp takes {BUTTONS_MAX}", array.elements.len());
        report.error(value.start(), "too-many", message, "take some out");
    }
    array.elements.iter().filter_map(|element| parse_button(report, element)).collect()
}

fn parse_button(report: &mut Report<'_>, value: &Value<'_>) -> Option<Button> {
    let Value::Object(object) = value else {
        wrong_type(report, "buttons", value, "a list of objects with type and text");
        return None;
    };
    let fields = Fields::of(report, object);
    fields.only(report, &["type", "text", "url", "means"], "a button", &[]);
    let (kind, text) = (required(report, &fields, "type"), required(report, &fields, "text"));
    let (url, means) = (optional(report, &fields, "url"), optional(report, &fields, "means"));
    let (kind, text) = (kind?, text?);
    report_length(report, &text, BUTTON_MAX, "the button's text");
    match kind.text.as_str() {
        "quick_reply" => {
            if let Some(url) = url {
                let hint = "take it out, or make the type \"url\"";
                report.error(url.at, "misplaced", "a quick reply has no `url`", hint);
            }
            let means = means.and_then(|word| parse_means(report, &word));
            Some(Button::QuickReply { text: text.text, means })
        }
        "url" => {
            if let Some(means) = means {
                let message = "a url button has no `means`; following it is a click";
                report.error(means.at, "misplaced", message, "take it out");
            }
            present(report, &fields, "url");
            let url = url?;
            report_address(report, &url);
            Some(Button::Url { text: text.text, url: url.text })
        }
        other => {
            let hint = suggest(other, &["quick_reply", "url"]);
            report.error(kind.at, "unknown-type", format!("there is no button `{other}`"), hint);
            None
        }
    }
}

fn parse_means(report: &mut Report<'_>, said: &Said) -> Option<Means> {
    let means = Means::parse(&said.text);
    if means.is_none() {
        let known: Vec<&str> = Disposition::ALL.iter().map(|d| d.as_str()).chain(["opted_out"]).collect();
        let message = format!("a reply cannot mean `{}`", said.text);
        report.error(said.at, "unknown-means", message, suggest(&said.text, &known));
    }
    means
}
