//! What can be judged only with rules, content, settings and customer list side by side.

use super::content::{Content, Field, Whatsapp};
use super::render::{Context, Link, NotRendered, plain};
use super::report::suggest;
use super::{Ladder, Problem, Rules, Severity, sms};
use crate::config::Config;
use crate::model::{Channel, Customer, Mode};
use crate::providers::Message;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Columns that every customer has, whatever the list's header says; `link` is ours.
const KNOWN: [&str; 7] = ["name", "phone", "segment", "email", "timezone", "language", "link"];
/// A link code of the usual length, for counting segments.
const SAMPLE_CODE: &str = "AbCdEfGhIjKlMnOpQrStUv";

/// Everything that is judged together.
#[derive(Clone, Copy, Debug)]
pub struct Together<'a> {
    /// The rules, if they could be read.
    pub rules: Option<&'a Rules>,
    /// Their file as people know it.
    pub rules_file: &'a Path,
    /// The content.
    pub content: &'a Content,
    /// The settings.
    pub config: &'a Config,
    /// Further columns of the customer list; `None` if it could not be read.
    pub columns: Option<&'a [String]>,
}

/// One line for people: `file:line:column: error: message (hint)`.
pub fn one_line(problem: &Problem) -> String {
    let Problem { severity, file, line, column, code, message, hint } = problem;
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let file = crate::model::clean(&file.to_string_lossy());
    format!("{file}:{line}:{column}: {severity}: {message}; {hint} [{code}]")
}

fn problem(
    severity: Severity,
    (file, line, column): (PathBuf, u64, u64),
    code: &'static str,
    message: String,
    hint: impl Into<String>,
) -> Problem {
    Problem { severity, file, line, column, code, message, hint: hint.into() }
}

/// Finds what does not fit together.
pub fn together(all: &Together<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    for channel in used_channels(all.rules) {
        missing_content(all, channel, &mut found);
        unknown_fields(all, channel, &mut found);
        if channel == Channel::Sms {
            without_link(all, &mut found);
        }
    }
    opener(all, &mut found);
    links(all, &mut found);
    found
}

/// The channels of the rules; all three that are built where the rules could not be read.
fn used_channels(rules: Option<&Rules>) -> Vec<Channel> {
    let Some(rules) = rules else { return vec![Channel::Whatsapp, Channel::Phone, Channel::Sms] };
    let steps: Vec<Channel> = ladders(rules).flat_map(|l| l.steps.iter().map(|s| s.channel)).collect();
    Channel::ALL.iter().copied().filter(|c| steps.contains(c)).collect()
}

fn ladders(rules: &Rules) -> impl Iterator<Item = &Ladder> {
    std::iter::once(&rules.main).chain(rules.segments.values())
}

fn missing_content(all: &Together<'_>, channel: Channel, found: &mut Vec<Problem>) {
    let in_rules = || (all.rules_file.to_owned(), 1, 1);
    if channel == Channel::Email {
        let message = "the rules have an e-mail step, and sending e-mail is not built yet".to_owned();
        found.push(problem(Severity::Error, in_rules(), "not-built", message, "take the step out"));
        return;
    }
    // A file with errors has been named already.
    if !all.content.has(channel) && !all.content.has_file(channel) {
        let path = all.content.path(channel);
        let message = format!("the rules have a {} step, and this file is missing", channel.label());
        let hint = "write it, or take the step out of the rules";
        found.push(problem(Severity::Error, (path, 1, 1), "missing-content", message, hint));
    }
    if !all.config.channels.contains(&channel) {
        let message =
            format!("the rules have a {} step, and cascade.toml has no [{channel}]", channel.label());
        let hint = format!("add the section [{channel}], or take the step out");
        found.push(problem(Severity::Error, in_rules(), "not-configured", message, hint));
    }
}

fn unknown_fields(all: &Together<'_>, channel: Channel, found: &mut Vec<Problem>) {
    let Some(columns) = all.columns else { return };
    let is_known = |field: &&Field| {
        let name = plain(&field.name);
        KNOWN.contains(&name.as_str()) || columns.iter().any(|c| plain(c) == name)
    };
    for field in all.content.fields(channel).into_iter().filter(|f| !is_known(f)) {
        let known: Vec<&str> = KNOWN.iter().copied().chain(columns.iter().map(String::as_str)).collect();
        let hint = suggest(&field.name, &known);
        // With a default everybody gets a sensible text; without one, a gap.
        let severity = if field.default.is_some() { Severity::Warning } else { Severity::Error };
        let message = format!("the customer list has no column `{}`", crate::model::clean(&field.name));
        let at = (all.content.path(channel), field.line, field.column);
        found.push(problem(severity, at, "unknown-field", message, crate::model::clean(&hint)));
    }
}

fn without_link(all: &Together<'_>, found: &mut Vec<Problem>) {
    let Some(sms) = &all.content.sms else { return };
    if !sms.text.fields().iter().any(|f| f.is_link()) {
        let message = "the text message has no {{link}}, so that nobody can click".to_owned();
        let at = (all.content.path(Channel::Sms), 1, 1);
        found.push(problem(Severity::Warning, at, "no-link", message, "put {{link}} into it"));
    }
}

/// A call that follows an unanswered WhatsApp message should know about it.
fn opener(all: &Together<'_>, found: &mut Vec<Problem>) {
    let (Some(rules), Some(voice)) = (all.rules, &all.content.voice) else { return };
    let follows = |ladder: &Ladder| {
        let rest = ladder.steps.iter().map(|s| s.channel).filter(|c| *c != ladder.start);
        let walk: Vec<Channel> = std::iter::once(ladder.start).chain(rest).collect();
        let place = |channel| walk.iter().position(|c| *c == channel);
        matches!((place(Channel::Whatsapp), place(Channel::Phone)), (Some(w), Some(p)) if w < p)
    };
    if ladders(rules).any(follows) && !voice.first_message.mentions("whatsapp", Channel::Whatsapp) {
        let message = "the call comes after WhatsApp, and its first message does not say so".to_owned();
        let hint = "add {{#after whatsapp}}We wrote to you on WhatsApp.{{/after}}";
        let at = (all.content.path(Channel::Phone), voice.line, 1);
        found.push(problem(Severity::Warning, at, "opener-unaware", message, hint));
    }
}

/// In live, links must lead somewhere, and a template's button must carry our own address.
fn links(all: &Together<'_>, found: &mut Vec<Problem>) {
    let webhooks = &all.config.webhooks;
    if all.config.mode != Mode::Live {
        return;
    }
    let tracked: Vec<&str> = all.content.whatsapp.iter().flat_map(Whatsapp::tracked_urls).collect();
    let in_sms = all.content.sms.iter().any(|s| s.text.fields().iter().any(|f| f.is_link()));
    if (in_sms || !tracked.is_empty()) && webhooks.links_target.is_none() {
        let message = "the content has links, and [links] does not say where they lead".to_owned();
        let at = (PathBuf::from("cascade.toml"), 1, 1);
        let hint = "add [links] target = \"https://…\"";
        found.push(problem(Severity::Error, at, "no-target", message, hint));
    }
    let base = webhooks.links_base(webhooks.listen);
    if let Some(url) = tracked.iter().find(|url| url.strip_suffix("/{{1}}") != Some(base.as_str())) {
        let message =
            format!("the button leads to {}, and our links begin with {base}/", crate::model::clean(url));
        let at = (all.content.path(Channel::Whatsapp), 1, 1);
        let hint = "make both the same, or clicks on it are never heard of";
        found.push(problem(Severity::Warning, at, "foreign-link", message, hint));
    }
}

/// Looks at every customer of a list, one at a time, and remembers counts alone.
#[derive(Debug)]
pub struct Survey<'a> {
    content: &'a Content,
    channels: Vec<Channel>,
    link: String,
    total: u64,
    long: u64,
    longest: u32,
    odd: Option<char>,
    unsent: BTreeMap<(Channel, String), (u64, u64)>,
    /// In live, with a marketing template: customers with a number of the United States.
    american: Option<u64>,
}

impl<'a> Survey<'a> {
    /// A survey of what these customers would be sent.
    pub fn new(all: &Together<'a>) -> Self {
        let webhooks = &all.config.webhooks;
        let markets = all.content.whatsapp.as_ref().is_some_and(|w| w.category == "MARKETING");
        let markets_live = markets && all.config.mode == Mode::Live;
        Self {
            content: all.content,
            channels: used_channels(all.rules),
            link: format!("{}/{SAMPLE_CODE}", webhooks.links_base(sample_socket(webhooks.listen))),
            total: 0,
            long: 0,
            longest: 0,
            odd: None,
            unsent: BTreeMap::new(),
            american: markets_live.then_some(0),
        }
    }

    fn cannot(&mut self, channel: Channel, why: String, customer: &Customer) {
        self.unsent.entry((channel, why)).or_insert((0, customer.line)).0 += 1;
    }

    /// Takes one customer in.
    pub fn see(&mut self, customer: &Customer) {
        self.total += 1;
        if customer.country.as_deref() == Some("US") {
            self.american = self.american.map(|n| n + 1);
        }
        let address = self.link.clone();
        let link = Link { url: &address, code: SAMPLE_CODE };
        let context = Context { tried: &[], attempt_key: "att_check_1", link, validity_s: 3600 };
        for channel in &self.channels.clone() {
            match self.content.message(*channel, customer, &context) {
                Ok(Message::Text { body, .. }) => {
                    let size = sms::measure(&body);
                    self.longest = self.longest.max(size.segments);
                    if size.segments > 1 {
                        self.long += 1;
                        self.odd = self.odd.or_else(|| sms::first_outside_gsm7(&body));
                    }
                }
                // What no customer can be sent is said once for the whole file, by `together`.
                Ok(Message::Template(_) | Message::Call(_))
                | Err(NotRendered::NoContent(_) | NotRendered::EmailNotBuilt) => {}
                Err(NotRendered::TooLong { most, .. }) => {
                    self.cannot(*channel, format!("their text is longer than {most} characters"), customer);
                }
                Err(NotRendered::Empty(channel)) => {
                    self.cannot(channel, "nothing is left of their text".into(), customer);
                }
                Err(NotRendered::NoValue(column)) => {
                    self.cannot(*channel, format!("their `{column}` is empty"), customer);
                }
            }
        }
    }

    /// How many were seen.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// What the list as a whole shows.
    pub fn finish(self) -> Vec<Problem> {
        let mut found = Vec::new();
        if self.long > 0 {
            let Self { long, total, longest, odd, .. } = &self;
            let message =
                format!("{long} of {total} customers get a text message of up to {longest} segments");
            let hint = match odd {
                Some(c) => format!("shorten it; `{}` makes each segment 70 characters", c.escape_debug()),
                None => "shorten it to 160 characters, link and all".into(),
            };
            let at = (self.content.path(Channel::Sms), 1, 1);
            found.push(problem(Severity::Warning, at, "sms-segments", message, hint));
        }
        if let Some(count) = self.american.filter(|n| *n > 0) {
            let message = format!(
                "{count} of {} customers have numbers of the United States, where Meta delivers no marketing templates",
                self.total
            );
            let hint =
                "they end as 131049 and go on to the next channel; give them a segment that starts elsewhere";
            let at = (self.content.path(Channel::Whatsapp), 1, 1);
            found.push(problem(Severity::Warning, at, "marketing-us", message, hint));
        }
        for ((channel, why), (count, line)) in &self.unsent {
            let label = channel.label();
            let message = format!("{count} of {} customers cannot be sent {label}: {why}", self.total);
            let hint =
                format!("the first is on line {line} of the list; fill the column, or write a default");
            let at = (self.content.path(*channel), 1, 1);
            let message = crate::model::clean(&message);
            found.push(problem(Severity::Warning, at, "cannot-render", message, hint));
        }
        found
    }
}

/// A listener with a port still to be picked, as long as it will be.
fn sample_socket(mut listen: std::net::SocketAddr) -> std::net::SocketAddr {
    if listen.port() == 0 {
        listen.set_port(65_535);
    }
    listen
}
