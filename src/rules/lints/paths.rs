//! Every way through the rules, and what each text says on it.
//!
//! A path is a start and the chain without it, less the steps that were skipped: no consent, no number, no content,
//! suppressed, expired. Any step can be, so each subset of a walk is a path. A text depends on which channels were tried
//! before, and that is all it depends on: a few dozen moments stand for every path of every segment.

use super::references::{Reference, references};
use super::said::{Said, texts};
use super::{Together, brand, in_content, problem, wording};
use crate::model::Channel;
use crate::rules::{Ladder, Problem, Rules, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// A message on its path: what was tried before it, and what was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) channel: Channel,
    /// In the order in which they were tried.
    pub(super) tried: Vec<Channel>,
    skipped: Vec<Channel>,
    segment: Option<String>,
}

impl Moment {
    /// `the path phone › SMS (WhatsApp skipped)`
    fn path(&self) -> String {
        let labels = |channels: &[Channel]| channels.iter().map(|c| c.label()).collect::<Vec<_>>();
        let made = [self.tried.as_slice(), &[self.channel]].concat();
        let mut path = format!("the path {}", labels(&made).join(" › "));
        if !self.skipped.is_empty() {
            path = format!("{path} ({} skipped)", labels(&self.skipped).join(" and "));
        }
        if let Some(segment) = &self.segment {
            path = format!("{path} of segment \"{segment}\"");
        }
        path
    }

    /// Whether no text was sent before this one.
    fn is_first_text(&self) -> bool {
        self.channel.is_text() && !self.tried.iter().any(|channel| channel.is_text())
    }
}

/// The walks that customers can take, each once, with the segment that takes it where it is not everybody's.
fn walks(rules: &Rules) -> Vec<(Vec<Channel>, Option<String>)> {
    let mut seen = BTreeSet::new();
    let mut walks = Vec::new();
    let segments = rules.segments.iter().map(|(segment, ladder)| (ladder, Some(segment.0.clone())));
    for (ladder, segment) in std::iter::once((&rules.main, None)).chain(segments) {
        for start in starts(rules, ladder) {
            let rest = ladder.channels().filter(|c| *c != start);
            let walk: Vec<Channel> = std::iter::once(start).chain(rest).collect();
            if seen.insert(walk.clone()) {
                walks.push((walk, segment.clone()));
            }
        }
    }
    walks
}

/// Where customers of a ladder can start: anywhere, if starts are drawn.
pub(super) fn starts(rules: &Rules, ladder: &Ladder) -> Vec<Channel> {
    let others = ladder.channels().filter(|c| *c != ladder.start && rules.explore > 0.0);
    std::iter::once(ladder.start).chain(others).collect()
}

/// Each message that can be sent with each set of channels tried before it, on the path that skips least.
pub(super) fn moments(rules: &Rules) -> Vec<Moment> {
    let walks = walks(rules);
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for skips in 0..Channel::ALL.len() as u32 {
        for (walk, segment) in &walks {
            for made in (1..1u32 << walk.len()).filter(|made| walk.len() as u32 - made.count_ones() == skips)
            {
                let is_made = |i: usize| made >> i & 1 == 1;
                for (i, channel) in walk.iter().enumerate().filter(|(i, _)| is_made(*i)) {
                    let before = walk.iter().enumerate().take(i);
                    let (tried, skipped): (Vec<_>, Vec<_>) = before.partition(|(i, _)| is_made(*i));
                    let channels =
                        |of: Vec<(usize, &Channel)>| of.into_iter().map(|(_, c)| *c).collect::<Vec<_>>();
                    let (tried, skipped) = (channels(tried), channels(skipped));
                    let set = tried.iter().fold(0, |set, channel| set | 1u8 << channel.index());
                    if seen.insert((channel.index(), set)) {
                        out.push(Moment { channel: *channel, tried, skipped, segment: segment.clone() });
                    }
                }
            }
        }
    }
    out
}

pub(super) fn check(all: &Together<'_>, found: &mut Vec<Problem>) {
    let moments = all.rules.map(moments).unwrap_or_default();
    let has_email = moments.iter().any(|moment| moment.channel == Channel::Email);
    let brand = brand::of(all.config, all.content);
    let mut walker = Walker { all, found, has_email, brand, read: BTreeMap::new(), said: BTreeSet::new() };
    if all.rules.is_none() {
        // Without rules there are no paths, and a text message wants its link all the same.
        walker.link_anywhere();
    }
    for moment in moments {
        walker.unmade(&moment);
        match moment.channel {
            Channel::Phone => walker.opener(&moment),
            Channel::Sms => walker.link(&moment),
            Channel::Whatsapp | Channel::Email => {}
        }
        if moment.is_first_text() {
            walker.first_text(&moment);
        }
    }
}

struct Walker<'w, 'a> {
    all: &'w Together<'a>,
    found: &'w mut Vec<Problem>,
    has_email: bool,
    brand: Option<brand::Brand>,
    /// The references of each text that was read before: most paths read the same.
    read: BTreeMap<String, Vec<Reference>>,
    /// What was said already, by code, channel and place.
    said: BTreeSet<(&'static str, Channel, usize)>,
}

impl Walker<'_, '_> {
    /// Adds a problem once for each place.
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        moment: &Moment,
        at: usize,
        words: (String, String),
    ) {
        if self.said.insert((code, moment.channel, at)) {
            let place = in_content(self.all.content, moment.channel, at);
            self.found.push(problem(severity, place, code, words.0, words.1));
        }
    }

    /// A text that refers to an attempt which its path did not make.
    fn unmade(&mut self, moment: &Moment) {
        for (name, said) in texts(self.all.content, moment.channel, &moment.tried) {
            self.unmade_in(moment, &name, &said, false);
        }
        if let (Channel::Phone, Some(voice)) = (moment.channel, &self.all.content.voice) {
            self.unmade_in(moment, "the agent's prompt", &Said::after(&voice.prompt, &moment.tried), true);
        }
    }

    fn unmade_in(&mut self, moment: &Moment, name: &str, said: &Said, is_prompt: bool) {
        let read = self.read.entry(said.text.clone()).or_insert_with(|| references(&said.text, is_prompt));
        for reference in read.clone() {
            let what = match reference.channel {
                // Each channel is tried once, so that a text can only speak of itself.
                Some(channel) if channel == moment.channel || moment.tried.contains(&channel) => continue,
                Some(Channel::Email) if !self.has_email => continue,
                None if !moment.tried.is_empty() => continue,
                Some(channel) => format!("{}, which is not tried before it", channel.label()),
                None => "an earlier message, and there is none".to_owned(),
            };
            let message = format!("{name} says \"{}\": {what} on {}", reference.words, moment.path());
            let section = match reference.channel {
                Some(channel) => format!("{{{{#after {channel}}}}}…{{{{/after}}}}"),
                None => "{{#after CHANNEL}}…{{/after}}".to_owned(),
            };
            let hint = match moment.channel {
                Channel::Whatsapp => {
                    "people are told of something that did not happen; a template has no sections, so take it out".into()
                }
                Channel::Phone | Channel::Sms | Channel::Email => {
                    format!("people are told of something that did not happen; put it between {section}")
                }
            };
            self.add(Severity::Error, "unmade-attempt", moment, said.place(reference.at), (message, hint));
        }
    }

    /// A call that follows an unanswered WhatsApp message should know about it.
    fn opener(&mut self, moment: &Moment) {
        let Some(voice) = &self.all.content.voice else { return };
        let said = Said::after(&voice.first_message, &moment.tried).text.to_lowercase();
        let code = "opener-unaware";
        if !moment.tried.contains(&Channel::Whatsapp)
            || said.contains("whatsapp")
            || !self.said.insert((code, Channel::Phone, 0))
        {
            return;
        }
        let message = format!(
            "the call comes after WhatsApp on {}, and its first message does not say so",
            moment.path()
        );
        let hint = "who was written to wonders why you call as if nothing had been; \
                    add {{#after whatsapp}}We wrote to you on WhatsApp.{{/after}}";
        let at = (self.all.content.path(Channel::Phone), voice.line, 1);
        self.found.push(problem(Severity::Warning, at, code, message, hint));
    }

    /// A text message without our link cannot be clicked, whatever the path.
    fn link_anywhere(&mut self) {
        let Some(sms) = &self.all.content.sms else { return };
        if !sms.text.fields().iter().any(|field| field.is_link()) {
            self.no_link(String::new());
        }
    }

    /// A text message that lacks our link on this path.
    fn link(&mut self, moment: &Moment) {
        let Some(sms) = &self.all.content.sms else { return };
        if !sms.text.fields().iter().any(|field| field.is_link()) {
            self.no_link(String::new());
        } else if !Said::after(&sms.text, &moment.tried).has_link {
            self.no_link(format!(" on {}", moment.path()));
        }
    }

    fn no_link(&mut self, on: String) {
        if !self.said.insert(("no-link", Channel::Sms, 0)) {
            return;
        }
        let message = format!("the text message has no {{{{link}}}}{on}, so that nobody can click");
        let hint =
            "clicks convert, and are how you learn that it worked; write {{link}} where it should stand";
        let at = (self.all.content.path(Channel::Sms), 1, 1);
        self.found.push(problem(Severity::Warning, at, "no-link", message, hint));
    }

    /// The first text must say who writes, and how to be left alone.
    fn first_text(&mut self, moment: &Moment) {
        for (name, said) in texts(self.all.content, moment.channel, &moment.tried) {
            let (heading, buttons) = wording::beside(self.all.content, moment.channel, &name);
            let whole = format!("{heading} {} {buttons}", said.text);
            let at = said.place(0);
            let is_named = brand::is_a_field(self.all.content, moment.channel);
            let missing = brand::missing(self.brand.as_ref(), &whole, moment.channel).filter(|_| !is_named);
            if let Some((why, hint)) = missing {
                let message = format!("{name} is the first text on {}, and {why}", moment.path());
                self.add(Severity::Warning, "no-brand", moment, at, (message, hint));
            }
            if !wording::lets_out(&whole) && !wording::has_way_out(self.all.content, moment.channel, &name) {
                let message = format!(
                    "{name} is the first text on {}, and does not say how to hear no more",
                    moment.path()
                );
                let hint = match moment.channel {
                    Channel::Whatsapp => {
                        "who finds no way out blocks or reports you; add a quick reply with \"means\": \"opted_out\""
                    }
                    Channel::Phone | Channel::Sms | Channel::Email => {
                        "carriers and the law ask for it; end with: Reply STOP to opt out."
                    }
                };
                self.add(Severity::Warning, "no-opt-out", moment, at, (message, hint.to_owned()));
            }
        }
    }
}
