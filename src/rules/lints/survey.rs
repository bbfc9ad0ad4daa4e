//! What the values of real customers make of the content: counted over a list of any length, in the room of its counts.

use super::{SAMPLE_CODE, Together, files, paths, problem, used_channels};
use crate::config::Config;
use crate::model::{Channel, Customer, Mode, Segment, clean};
use crate::providers::Message;
use crate::rules::content::{Content, Field, Part};
use crate::rules::places::Places;
use crate::rules::render::{Context, Link, NotRendered, plain, value};
use crate::rules::report::nearest;
use crate::rules::{Problem, Rules, Severity, sms};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A field of a call or a text message, and how many customers leave it empty.
#[derive(Debug)]
struct Gap<'a> {
    channel: Channel,
    field: &'a Field,
    customers: u64,
    first_line: u64,
}

/// Looks at every customer of a list, one at a time, and remembers counts alone.
#[derive(Debug)]
pub struct Survey<'a> {
    content: &'a Content,
    channels: Vec<Channel>,
    /// What can have been tried before the text message, where it makes a difference.
    before_sms: Vec<Vec<Channel>>,
    link: String,
    total: u64,
    long: u64,
    longest: u32,
    odd: Option<char>,
    unsent: BTreeMap<(Channel, String), (u64, u64)>,
    gaps: Vec<Gap<'a>>,
    rules: Option<(&'a Rules, &'a Path)>,
    /// Segments of the rules that nobody was in so far.
    unseen: BTreeSet<&'a Segment>,
    /// Some of the segments that the rules do not name, for whoever misspelt one.
    others: BTreeSet<String>,
    /// In live, with a marketing template: customers with a number of the United States.
    american: Option<u64>,
}

/// A list of fewer customers may well have an empty column, or nobody in a segment.
const TELLING_FROM: u64 = 20;
/// Segments of the list that are kept, to find the one that was meant.
const OTHERS_MAX: usize = 100;

impl<'a> Survey<'a> {
    /// A survey of what these customers would be sent.
    pub fn new(all: &Together<'a>) -> Self {
        let markets = all.content.whatsapp.as_ref().is_some_and(|w| w.category == "MARKETING");
        let markets_live = markets && all.config.mode == Mode::Live;
        let channels = used_channels(all.rules);
        let content = all.content;
        let gap = |channel: &Channel| {
            let channel = *channel;
            let fields = content.fields(channel).into_iter();
            // A column that the list does not have was named already.
            let fields = fields.filter(|field| !field.is_link() && files::is_a_column(all.columns, field));
            fields.map(move |field| Gap { channel, field, customers: 0, first_line: 0 })
        };
        Self {
            content,
            before_sms: before_sms(all),
            link: link(all.config),
            total: 0,
            long: 0,
            longest: 0,
            odd: None,
            unsent: BTreeMap::new(),
            gaps: channels.iter().flat_map(gap).collect(),
            rules: all.rules.map(|rules| (rules, all.rules_file)),
            unseen: all.rules.iter().flat_map(|rules| rules.segments.keys()).collect(),
            others: BTreeSet::new(),
            channels,
            american: markets_live.then_some(0),
        }
    }

    fn cannot(&mut self, channel: Channel, why: String, customer: &Customer) {
        self.unsent.entry((channel, why)).or_insert((0, customer.line)).0 += 1;
    }

    /// Takes one customer in.
    pub fn see(&mut self, customer: &Customer) {
        self.total += 1;
        self.unseen.remove(&customer.segment);
        let is_named = self.rules.is_some_and(|(rules, _)| rules.segments.contains_key(&customer.segment));
        if !is_named && self.others.len() < OTHERS_MAX && !self.others.contains(&customer.segment.0) {
            self.others.insert(customer.segment.0.clone());
        }
        if customer.country.as_deref() == Some("US") {
            self.american = self.american.map(|n| n + 1);
        }
        for gap in &mut self.gaps {
            if value(customer, &gap.field.name).is_none() {
                gap.customers += 1;
                gap.first_line = if gap.customers == 1 { customer.line } else { gap.first_line };
            }
        }
        for channel in self.channels.clone() {
            if channel == Channel::Sms {
                self.see_sms(customer);
            } else if let Err(why) = self.message(channel, customer, &[]) {
                self.not_sent(channel, why, customer);
            }
        }
    }

    fn message(
        &self,
        channel: Channel,
        customer: &Customer,
        tried: &[Channel],
    ) -> Result<Message, NotRendered> {
        let link = Link { url: &self.link, code: SAMPLE_CODE };
        let context = Context { tried, attempt_key: "att_check_1", link, validity_s: 3600 };
        self.content.message(channel, customer, &context)
    }

    /// Their longest text message, whatever was tried before it.
    fn see_sms(&mut self, customer: &Customer) {
        let mut longest: Option<(u32, String)> = None;
        let mut fault = None;
        for tried in &self.before_sms {
            match self.message(Channel::Sms, customer, tried) {
                Ok(Message::Text { body, .. }) => {
                    let segments = sms::measure(&body).segments;
                    if longest.as_ref().is_none_or(|(most, _)| segments > *most) {
                        longest = Some((segments, body));
                    }
                }
                Ok(Message::Template(_) | Message::Call(_)) => {}
                Err(why) => fault = Some(why),
            }
        }
        if let Some(why) = fault {
            self.not_sent(Channel::Sms, why, customer);
        }
        if let Some((segments, body)) = longest {
            self.longest = self.longest.max(segments);
            if segments > 1 {
                self.long += 1;
                self.odd = self.odd.or_else(|| sms::first_outside_gsm7(&body));
            }
        }
    }

    fn not_sent(&mut self, channel: Channel, why: NotRendered, customer: &Customer) {
        match why {
            // What no customer can be sent is said once for the whole file, by `together`.
            NotRendered::NoContent(_) | NotRendered::EmailNotBuilt => {}
            NotRendered::TooLong { most, .. } => {
                self.cannot(channel, format!("their text is longer than {most} characters"), customer);
            }
            NotRendered::Empty(channel) => {
                self.cannot(channel, "nothing is left of their text".into(), customer);
            }
            NotRendered::NoValue(column) => {
                self.cannot(channel, format!("their `{column}` is empty"), customer);
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
        self.gaps(&mut found);
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
            let message = clean(&message);
            found.push(problem(Severity::Warning, at, "cannot-render", message, hint));
        }
        found
    }

    /// Segments of the rules that nobody of the whole list is in. A sample cannot tell.
    pub fn unused_segments(&self) -> Vec<Problem> {
        let Some((rules, file)) = self.rules.filter(|_| self.total >= TELLING_FROM) else {
            return Vec::new();
        };
        let mut places = None;
        let known: Vec<&str> = self.others.iter().map(String::as_str).collect();
        let unused = |segment: &&Segment| {
            let places = places.get_or_insert_with(|| Places::of(&rules.bytes));
            let (line, column) = places.segment(&segment.0);
            let name = clean(&segment.0);
            let message = format!("no customer of the list is in the segment \"{name}\"");
            let near = known.iter().find(|other| other.eq_ignore_ascii_case(&segment.0)).copied();
            let hint = match near.or_else(|| nearest(&segment.0, &known)) {
                Some(near) => format!("did you mean \"{}\"?", clean(near)),
                None => "its rules are for nobody; write the name that the column `segment` has".to_owned(),
            };
            problem(Severity::Warning, (file.to_owned(), line, column), "unused-segment", message, hint)
        };
        self.unseen.iter().map(unused).collect()
    }

    /// Fields that stay empty for somebody, and columns that are empty for everybody.
    fn gaps(&self, found: &mut Vec<Problem>) {
        let mut empty: Vec<String> = Vec::new();
        for Gap { channel, field, customers, first_line } in &self.gaps {
            let at = || (self.content.path(*channel), field.line, field.column);
            let (name, total) = (clean(&field.name), self.total);
            if *customers == total && total >= TELLING_FROM && field.default.is_some() {
                if !empty.contains(&plain(&name)) {
                    let message = format!("`{name}` is empty for all {total} customers");
                    let hint =
                        "everybody gets the default; fill the column, or write the words without a field";
                    found.push(problem(Severity::Warning, at(), "empty-column", message, hint));
                    empty.push(plain(&name));
                }
            } else if *customers > 0 && field.default.is_none() && *channel != Channel::Whatsapp {
                let message =
                    format!("`{name}` is empty for {customers} of {total} customers, and leaves a gap");
                let hint = format!(
                    "the first is on line {first_line} of the list; fill the column, or write a default: {{{{{name}|…}}}}"
                );
                found.push(problem(Severity::Warning, at(), "unfilled-field", message, hint));
            }
        }
    }
}

/// A link as long as ours will be.
fn link(config: &Config) -> String {
    let mut listen = config.webhooks.listen;
    if listen.port() == 0 {
        listen.set_port(65_535);
    }
    format!("{}/{SAMPLE_CODE}", config.webhooks.links_base(listen))
}

/// What can have been tried before the text message. Without sections it says the same whatever it was.
fn before_sms(all: &Together<'_>) -> Vec<Vec<Channel>> {
    let has_sections = |parts: &[Part]| parts.iter().any(|part| matches!(part, Part::Section(..)));
    let differs = all.content.sms.as_ref().is_some_and(|sms| has_sections(&sms.text.parts));
    let Some(rules) = all.rules.filter(|_| differs) else { return vec![Vec::new()] };
    let moments = paths::moments(rules).into_iter().filter(|moment| moment.channel == Channel::Sms);
    moments.map(|moment| moment.tried).collect()
}
