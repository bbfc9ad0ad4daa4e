//! The error table: every code of PROVIDERS.md 1.14, 2.10 and 4.5, and what is true of it. Pure.
//!
//! A code is looked up in its provider's table; one that is not there is sorted by HTTP status and shown as it
//! came. The table says what a code means; this file turns that into a [`Failure`] about somebody.

mod twilio;
mod vapi;
mod whatsapp;

pub use twilio::TWILIO;
pub use vapi::{VAPI, VAPI_REFUSALS};
pub use whatsapp::{BAD_RECIPIENT, WHATSAPP};

use super::http::{Reply, Trouble};
use crate::model::{Channel, Class, Failure, Scope, Sent, Untrusted};

/// One row of a provider's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Codes it covers: exact, a range `200-299`, or with `*` for anything.
    pub codes: &'static [&'static str],
    /// Our short name for it.
    pub title: &'static str,
    /// What the engine does about it.
    pub class: Class,
    /// What it is about.
    pub about: About,
    /// Whether the person may have been contacted all the same.
    pub sent: Sent,
    /// What to mend, and whether the queue goes on by itself.
    pub remedy: &'static str,
}

/// The kind of scope; which template and which country is known only with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// One person.
    Person,
    /// The template in its language.
    Template,
    /// The number or service that sends.
    Sender,
    /// The person's country.
    Country,
    /// Everything at this provider.
    Account,
}

/// A row that certainly was not sent.
const fn no(
    codes: &'static [&'static str],
    title: &'static str,
    class: Class,
    about: About,
    remedy: &'static str,
) -> Row {
    Row { codes, title, class, about, sent: Sent::No, remedy }
}

/// A row that may have been sent.
const fn maybe(
    codes: &'static [&'static str],
    title: &'static str,
    class: Class,
    about: About,
    remedy: &'static str,
) -> Row {
    Row { codes, title, class, about, sent: Sent::Maybe, remedy }
}

impl Row {
    /// Whether `code` belongs to this row.
    pub fn covers(&self, code: &str) -> bool {
        self.codes.iter().any(|pattern| matches(pattern, code))
    }
}

/// The first row that covers `code`.
pub fn find(table: &'static [Row], code: &str) -> Option<&'static Row> {
    table.iter().find(|row| row.covers(code))
}

fn matches(pattern: &str, code: &str) -> bool {
    if let Some((low, high)) = pattern.split_once('-')
        && let (Ok(low), Ok(high), Ok(code)) = (low.parse::<u32>(), high.parse::<u32>(), code.parse::<u32>())
    {
        return (low..=high).contains(&code);
    }
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == code };
    let Some(mut left) = code.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    true
}

/// Whom and what a failure is about, as far as the wire or the request tells.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Where.
    pub channel: Channel,
    /// `whatsapp`, `vapi`, `twilio`.
    pub provider: &'static str,
    /// `name/language`; `None` where a webhook does not tell.
    pub template: Option<&'a str>,
    /// ISO 3166-1 alpha-2; `None` where a webhook does not tell.
    pub country: Option<&'a str>,
}

/// When a failure was told: only at the create call does `sent: maybe` make it doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// In answer to the create call.
    AtCreate,
    /// After acceptance, or in answer to a question: it is certain that it failed.
    Later,
}

/// What the provider said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Its code or reason.
    pub code: String,
    /// Its words; telephone numbers in them are masked before they get anywhere.
    pub detail: String,
    /// Seconds after which it allows another try.
    pub retry_after_s: Option<u64>,
}

/// Makes a row into a failure about `subject`.
///
/// A scope whose key nobody told (a webhook names no template and no country) has an empty key; whoever
/// matches it with its attempt fills it in by [`complete`].
pub fn failure(row: &Row, subject: Subject<'_>, words: Words, told: Told) -> Failure {
    let doubtful = told == Told::AtCreate && row.sent == Sent::Maybe;
    let key = |known: Option<&str>| known.unwrap_or_default().to_owned();
    Failure {
        channel: subject.channel,
        provider: subject.provider.to_owned(),
        code: words.code,
        class: if doubtful { Class::InDoubt } else { row.class },
        scope: match row.about {
            About::Person => Scope::Person,
            About::Template => Scope::Template(key(subject.template)),
            About::Sender => Scope::Sender,
            About::Country => Scope::Country(key(subject.country)),
            About::Account => Scope::Account,
        },
        sent: row.sent,
        title: row.title.to_owned(),
        remedy: if doubtful {
            format!(
                "It may have been sent: it is awaited or looked up, never sent again by itself. {}",
                row.remedy
            )
        } else {
            row.remedy.to_owned()
        },
        detail: Untrusted::new(super::wire::masked(&words.detail)),
        retry_after_s: words.retry_after_s,
    }
}

/// Fills in what a webhook could not tell: the template (`name/language`) and country of the attempt.
pub fn complete(failure: &mut Failure, template: Option<&str>, country: Option<&str>) {
    match &mut failure.scope {
        Scope::Template(key) if key.is_empty() => template.unwrap_or_default().clone_into(key),
        Scope::Country(key) if key.is_empty() => country.unwrap_or_default().clone_into(key),
        Scope::Template(_) | Scope::Country(_) | Scope::Person | Scope::Sender | Scope::Account => {}
    }
}

/// No answer came at all (PROVIDERS.md section 0).
pub fn no_answer(subject: Subject<'_>, trouble: &Trouble, told: Told) -> Failure {
    let row = match find(UNANSWERED, trouble.code) {
        Some(row) => row,
        None if trouble.reached => &LOST,
        None => &UNREACHED,
    };
    let words = Words { code: trouble.code.to_owned(), detail: trouble.detail.clone(), retry_after_s: None };
    failure(row, subject, words, told)
}

/// A 2xx whose body cannot be read: taken, but what?
pub fn unreadable(subject: Subject<'_>, reply: &Reply, told: Told) -> Failure {
    let words = Words { code: "unreadable".to_owned(), detail: reply.text(), retry_after_s: None };
    failure(&UNREADABLE, subject, words, told)
}

/// The code of [`endless`].
pub const ENDLESS_LIST: &str = "endless_list";

/// A list that does not come to its end: what stands in the rest of it is not known.
pub fn endless(subject: Subject<'_>) -> Failure {
    let detail = "its pages repeat, or are too many".to_owned();
    failure(
        &ENDLESS,
        subject,
        Words { code: ENDLESS_LIST.to_owned(), detail, retry_after_s: None },
        Told::Later,
    )
}

/// The row for an answer whose code stands in no table, or that has none. A refusal that was cut off may have told
/// anything, so it shuts nothing and is tried again.
pub fn by_reply(reply: &Reply) -> &'static Row {
    match reply.status {
        // These say enough by themselves.
        status @ (401..=403 | 408 | 429) => by_status(status),
        400..=499 if !reply.whole => &CUT_OFF,
        status => by_status(status),
    }
}

/// The row for a bare status.
pub fn by_status(status: u16) -> &'static Row {
    match status {
        401 | 403 => &UNAUTHORISED,
        402 => &UNPAID,
        408 | 500.. => &FAULT,
        429 => &TOO_FAST,
        300..=399 => &REDIRECT,
        _ => &REJECTED,
    }
}

/// What can be said of requests that got no answer, by the code of their [`Trouble`].
pub const UNANSWERED: &[Row] = &[
    no(
        &["refused_address"],
        "address refused",
        Class::Config,
        About::Account,
        "Correct base_url in cascade.toml: a rehearsal talks to this machine alone, and live over TLS. Held people go on once it is right.",
    ),
    no(
        &["no_client"],
        "no HTTP client",
        Class::Config,
        About::Account,
        "Install the system's root certificates and start cascade again; held people go on then.",
    ),
    no(
        &["dns"],
        "name not found",
        Class::Outage,
        About::Account,
        "Check base_url and this machine's name resolution; the queue keeps its place and goes on by itself.",
    ),
    no(
        &["refused"],
        "connection refused",
        Class::Outage,
        About::Account,
        "Nobody listens there: check base_url; the queue keeps its place and goes on by itself.",
    ),
    no(
        &["tls"],
        "no trusted encryption",
        Class::Outage,
        About::Account,
        "Check base_url, this machine's clock and any proxy between: its certificate is not the provider's. Nothing \
         was sent; the queue keeps its place and goes on by itself.",
    ),
    no(
        &["connect_timeout"],
        "no connection in time",
        Class::Outage,
        About::Account,
        "Check this machine's network and the provider's status page; the queue keeps its place and goes on by itself.",
    ),
    no(
        &["closed"],
        "hung up before the request",
        Class::Outage,
        About::Account,
        "Check the provider's status page; nothing was sent, and it is tried again by itself.",
    ),
    LOST,
];
const UNREACHED: Row = no(
    &["connect"],
    "provider not reached",
    Class::Outage,
    About::Account,
    "Check this machine's network and the base_url; the queue keeps its place and goes on by itself.",
);
const CUT_OFF: Row = no(
    &["400-499"],
    "refusal cut off",
    Class::Outage,
    About::Account,
    "What the provider refused was not to be read; it is tried again by itself.",
);
const LOST: Row = maybe(
    &["timeout", "broken"],
    "answer lost",
    Class::InDoubt,
    About::Person,
    "Nothing to mend; after its wait the next channel follows, and only you may send it again.",
);
const UNREADABLE: Row = maybe(
    &["unreadable"],
    "answer unreadable",
    Class::InDoubt,
    About::Person,
    "See the provider's words; after its wait the next channel follows, and only you may send it again.",
);
const ENDLESS: Row = no(
    &[ENDLESS_LIST],
    "list without end",
    Class::Outage,
    About::Account,
    "Check the provider's status page; it is asked again, and sending goes on by itself once the list ends.",
);
const UNAUTHORISED: Row = no(
    &["401", "403"],
    "not authorised",
    Class::Config,
    About::Account,
    "Correct the credentials in the environment and restart; held people go on by themselves once they work.",
);
const UNPAID: Row = no(
    &["402"],
    "payment required",
    Class::Config,
    About::Account,
    "Pay or add credit at the provider; held people go on once it is settled.",
);
const TOO_FAST: Row = no(
    &["429"],
    "too many requests",
    Class::Throttle,
    About::Account,
    "Nothing to mend; it is tried again by itself. Lower per_second or concurrent if it persists.",
);
const FAULT: Row = maybe(
    &["408", "500-599"],
    "provider fault",
    Class::Outage,
    About::Account,
    "See the provider's words and its status page; the queue keeps its place and goes on by itself.",
);
const REDIRECT: Row = no(
    &["300-399"],
    "redirected",
    Class::Config,
    About::Account,
    "Correct base_url in cascade.toml: the provider's own address never redirects. Held people go on once it is right.",
);
const REJECTED: Row = no(
    &["400-499"],
    "request rejected",
    Class::Config,
    About::Account,
    "See the provider's words and correct the setting or content they name; held people go on once it is right.",
);

#[cfg(test)]
mod tests;
