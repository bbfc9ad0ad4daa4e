//! What a scenario's lines may claim to hold; `script.rs` lists them.

use crate::script::Play;
use crate::setting::{channel, seconds};
use cascade::engine::audit::Audit;
use cascade::engine::effect::Effect;
use cascade::engine::event::{End, Event};
use cascade::engine::journey::{Journey, State};
use cascade::engine::order::Came;
use cascade::engine::snapshot::Phase;
use cascade::engine::{phase, tally};
use cascade::model::{CascadeId, Channel, Money, Outcome};

impl Play {
    /// Checks an expectation; `false` if the line is none.
    pub fn holds(&self, words: &[&str]) -> bool {
        let (header, place) = (&self.world.campaign.header, &self.place);
        match words {
            ["asks", what @ ..] => self.asks(what),
            ["tally", counts @ ..] => self.tally(counts),
            ["breakers", expected @ ..] => {
                let open = header.breakers.iter().flat_map(|b| [b.on.as_str(), b.scope.as_str()]);
                assert_eq!(open.collect::<Vec<_>>(), none(expected), "{place}");
            }
            ["paused", expected @ ..] => {
                let paused = Channel::ALL.iter().filter(|c| header.paused_on[c.index()].is_some());
                let mut paused: Vec<&str> = paused.map(|c| c.as_str()).collect();
                paused.extend(header.paused.as_ref().map(|_| "everything"));
                assert_eq!(paused, none(expected), "{place}");
            }
            ["without_end", expected @ ..] => {
                let whose = |id: &String| self.names[self.owner(id).0 as usize - 1].as_str();
                let open = self.world.campaign.without_end();
                let open: Vec<&str> = open.iter().map(|(_, id)| whose(id)).collect();
                assert_eq!(open, none(expected), "{place}");
            }
            ["spent", amount] => {
                assert_eq!(self.world.campaign.spent(), Money::parse(amount).unwrap(), "{place}");
            }
            ["reserved", amount] => {
                assert_eq!(self.world.campaign.reserved(), Money::parse(amount).unwrap(), "{place}");
            }
            ["after_answer", n] => assert_eq!(header.contacted_after_answer.to_string(), **n, "{place}"),
            ["unmatched", n] => assert_eq!(header.unmatched.to_string(), **n, "{place}"),
            ["scanners", n] => assert_eq!(header.clicks_suspected.to_string(), **n, "{place}"),
            ["campaign", expected] => {
                let is = match phase(&self.world.campaign) {
                    Phase::Ended => "ended",
                    Phase::Paused(_) => "paused",
                    Phase::Stuck => "stuck",
                    Phase::Running => "running",
                    Phase::Idle => "idle",
                };
                assert_eq!(is, *expected, "{place}");
            }
            [name, "is", rest @ ..] => self.is(name, rest),
            [name, "got", expected @ ..] => {
                let claims = self.journey(name).attempts.iter().filter(|a| a.claimed_at.is_some());
                let got: Vec<&str> = claims.map(|a| a.channel.as_str()).collect();
                assert_eq!(got, if *expected == ["nothing"] { vec![] } else { expected.to_vec() }, "{place}");
            }
            [name, "came", expected @ ..] => {
                let came = self.came(name);
                assert_eq!(came, expected.join(" "), "{place}");
            }
            [name, "has", expected @ ..] => self.has(name, expected),
            [name, "log", expected @ ..] => self.log(name, expected),
            _ => return false,
        }
        true
    }

    fn owner(&self, provider_id: &str) -> CascadeId {
        let attempt = self.world.campaign.by_provider_id(provider_id).unwrap();
        self.world.campaign.cascade_of(attempt).unwrap()
    }

    /// What the newest order came to, for somebody or as a whole.
    pub fn came(&self, name: &str) -> String {
        let mut audit = Audit::default();
        for (seq, event) in (1..).zip(&self.world.seen.events) {
            audit.see(seq, event, None);
        }
        let account = audit.orders().last().unwrap_or_else(|| panic!("{}: nothing was ordered", self.place));
        let word = |came: Came, back: Option<cascade::engine::audit::Back>| match (came, back) {
            (Came::Done, _) => "done".to_owned(),
            (Came::SentBefore, _) => "done sent_before".to_owned(),
            (Came::Recalling, back) => {
                format!("done {}", back.map_or("recalling".into(), |b| format!("{b:?}").to_lowercase()))
            }
            (Came::Left(why), _) => format!("left {why}"),
        };
        if name == "order" {
            let whole = account.left.map_or_else(|| "done".to_owned(), |why| format!("left {why}"));
            return format!("{whole} {}", account.people);
        }
        let id = self.cascade(name);
        let item = account.items.iter().rfind(|item| item.cascade == id);
        item.map_or_else(|| "nothing".to_owned(), |item| word(item.came, item.back))
    }

    fn is(&self, name: &str, words: &[&str]) {
        let (journey, place) = (self.journey(name), &self.place);
        let mut words = words.iter();
        assert_eq!(Some(&state(journey)), words.next(), "{place}: {:?}", journey.state);
        while let Some(word) = words.next() {
            let value = words.next().copied().unwrap_or_default();
            match *word {
                "on" => assert_eq!(journey.channel().as_str(), value, "{place}"),
                "by" => assert_eq!(journey.credited.map_or("nobody", Channel::as_str), value, "{place}"),
                "until" => {
                    let due = journey.timer.map(|t| t.due.to_string());
                    assert_eq!(due, Some(self.after(seconds(value)).to_string()), "{place}");
                }
                "for" => assert!(
                    format!("{:?}", journey.state).to_lowercase().contains(value),
                    "{place}: {:?}",
                    journey.state
                ),
                other => panic!("{place}: {other:?}?"),
            }
        }
    }

    fn has(&self, name: &str, expected: &[&str]) {
        let on = expected.iter().position(|w| *w == "on");
        let only = on.map(|at| channel(expected[at + 1]));
        let expected = &expected[..on.unwrap_or(expected.len())];
        let rows = &self.journey(name).outcomes;
        let heard = |o: &&Outcome| {
            let mut on = Channel::ALL.iter().filter(|c| only.is_none_or(|only| only == **c));
            on.any(|c| rows[c.index()][o.index()].is_some())
        };
        let has: Vec<&str> = Outcome::ALL.iter().filter(heard).map(|o| o.as_str()).collect();
        assert_eq!(has, none(expected), "{}", self.place);
    }

    /// These kinds of events, in this order; others may stand between them.
    fn log(&self, name: &str, expected: &[&str]) {
        let id = self.cascade(name);
        let kind = |e: &Event| serde_json::to_value(e).unwrap()["kind"].as_str().unwrap().to_owned();
        let log: Vec<String> =
            self.world.seen.events.iter().filter(|e| e.subject.cascade == Some(id)).map(kind).collect();
        let mut rest = log.iter();
        for word in expected {
            assert!(rest.any(|k| k == word), "{}: no {word} in its place among {log:?}", self.place);
        }
    }

    fn asks(&self, expected: &[&str]) {
        let name = |id: &CascadeId| self.names[id.0 as usize - 1].as_str();
        let said = |effect: &Effect| match effect {
            Effect::Send { .. } => String::new(),
            Effect::Recall { cascade, .. } => format!("recall {}", name(cascade)),
            Effect::LookUp { cascade, .. } => format!("look_up {}", name(cascade)),
            Effect::CheckScope { channel, .. } => format!("check {channel}"),
        };
        let asked: Vec<String> = self.world.asked.iter().map(said).collect();
        let expected = expected.join(" ");
        let expected = if expected == "nothing" { String::new() } else { expected };
        assert_eq!(asked.join(" "), expected, "{}", self.place);
    }

    fn tally(&self, counts: &[&str]) {
        let t = tally(&self.world.campaign);
        for count in counts {
            let (what, n) = count.split_once('=').unwrap();
            let is = match what {
                "converted" => t.converted,
                "declined" => t.declined,
                "exhausted" => t.exhausted,
                "opted_out" => t.opted_out,
                "stopped" => t.stopped,
                "held" => t.held,
                "in_doubt" => t.in_doubt,
                "running" => t.running,
                other => panic!("{}: {other:?}?", self.place),
            };
            assert_eq!(is.to_string(), n, "{}: {what} in {t:?}", self.place);
        }
    }
}

fn none<'a>(expected: &[&'a str]) -> Vec<&'a str> {
    if expected == ["none"] { Vec::new() } else { expected.to_vec() }
}

/// Where somebody stands, in a word.
pub fn state(journey: &Journey) -> &'static str {
    match &journey.state {
        State::Queued => "queued",
        State::Deferred(_) => "deferred",
        State::Sending => "sending",
        State::Retrying => "retrying",
        State::Waiting => "waiting",
        State::Held(_) => "held",
        State::InDoubt => "in_doubt",
        State::Settling => "settling",
        State::Ended(End::Converted) => "converted",
        State::Ended(End::Declined) => "declined",
        State::Ended(End::Exhausted) => "exhausted",
        State::Ended(End::OptedOut) => "opted_out",
        State::Ended(End::Stopped) => "stopped",
    }
}
