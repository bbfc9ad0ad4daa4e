//! Pilots on providers that fail: nobody is contacted twice, nobody after STOP, nobody is lost, and every fault stands
//! where the operator looks.

use crate::crash::{SHORT, everybody_came_through};
use crate::house::{Done, House, Sandbox};
use crate::shape::{is_report, number};
use crate::wire::{ledger_agrees, no_send_after_stop, recorded, told};
use cascade::engine::event::{Event, Kind};
use cascade::model::Channel;
use serde_json::Value;
use std::collections::BTreeSet;

/// No quiet hours, and no channel pauses itself: what is looked at is what the faults do.
const SETTINGS: &str = "mode = \"rehearsal\"\n[limits]\nquiet_hours = \"off\"\n[pilot]\nmax_failure_share = 1.0\n\
                        max_optout_share = 1.0\n";

/// A whole pilot of a hundred against a sandbox with these faults.
struct Tried {
    house: House,
    sandbox: Sandbox,
    done: Done,
    report: Value,
}

impl Tried {
    fn new(speed: &str, faults: &str) -> Self {
        let desk = House::empty();
        let house = House::with(&[("rules/cascade.json", SHORT), ("cascade.toml", SETTINGS)]);
        let sandbox = Sandbox::start_with(&desk, speed, &format!(r#"{{"faults": [{faults}]}}"#));
        let done = house.run(&["pilot", "--sandbox", &sandbox.url, "--json"]);
        let report = done.report();
        is_report(&report);
        Self { house, sandbox, done, report }
    }

    /// What holds whatever the provider does.
    fn nobody_twice_nobody_lost(&self) {
        everybody_came_through(&self.house);
        ledger_agrees(&self.house, &self.sandbox);
        no_send_after_stop(&self.sandbox);
        let (told, recorded) = (told(&self.sandbox), recorded(&self.house));
        let lost: Vec<_> = told.difference(&recorded).collect();
        assert!(lost.is_empty(), "answered with 200 and not recorded: {lost:?}");
    }

    /// The failure with this code: it is named, and says what to do.
    fn failure(&self, channel: Channel, code: &str) -> &Value {
        let rows = self.report["failures"].as_array().unwrap();
        let row = rows.iter().find(|row| row["channel"] == channel.as_str() && row["code"] == code);
        let row = row.unwrap_or_else(|| panic!("{channel} {code} is not among {rows:#?}"));
        let words = |key: &str| row[key].as_str().unwrap().len();
        assert!(words("title") > 5 && words("remedy") > 20, "{row}");
        row
    }

    fn says(&self, words: &str) {
        assert!(self.done.stderr.contains(words), "{words:?} is not in {}", self.done.stderr);
    }

    fn events(&self) -> Vec<Event> {
        let stored = self.house.reader().events_after(0, None, usize::MAX).unwrap();
        stored.into_iter().map(|stored| stored.event).collect()
    }

    fn count(&self, kind: impl Fn(&Kind) -> bool) -> usize {
        self.events().iter().filter(|event| kind(&event.kind)).count()
    }
}

/// The same fault at every provider.
fn at_all(kind: &str, more: &str) -> String {
    let one = |provider: &str| format!(r#"{{"provider": "{provider}", "kind": "{kind}", {more}}}"#);
    ["whatsapp", "vapi", "twilio"].map(one).join(", ")
}

#[test]
fn webhooks_doubled_reordered_late_batched_forged_garbled_and_about_nobody() {
    let faults = [
        at_all("duplicate", r#""share": 0.3"#),
        at_all("reorder", r#""share": 0.3"#),
        at_all("delay", r#""code": 600, "share": 0.05"#),
        at_all("forge", r#""share": 0.1"#),
        at_all("garble", r#""share": 0.1"#),
        at_all("unknown", r#""share": 0.1"#),
        r#"{"provider": "whatsapp", "kind": "batch", "code": 120, "share": 0.5}"#.to_owned(),
    ];
    let tried = Tried::new("3600", &faults.join(", "));
    tried.nobody_twice_nobody_lost();
    let (recorded, told) = (recorded(&tried.house), told(&tried.sandbox));
    let differ: Vec<_> = recorded.symmetric_difference(&told).collect();
    assert!(differ.is_empty(), "on one side alone: {differ:?}");
    let lines = tried.sandbox.lines("events");
    // Nobody answers what comes when the pilot is over; while it ends, it says "later".
    let status_of = |what: &str| -> BTreeSet<u64> {
        let answers = lines.iter().filter(|e| e["what"] == what).filter_map(|e| e["status"].as_u64());
        answers.filter(|status| *status != 503).collect()
    };
    assert_eq!(status_of("forged"), BTreeSet::from([403]));
    assert_eq!(status_of("garbled"), BTreeSet::from([200]), "the same bytes would come for days");
    assert_eq!(status_of("unknown"), BTreeSet::from([200]));
    let batch = |e: &Value| e["what"].as_str().unwrap().strip_prefix("batch of ")?.parse::<usize>().ok();
    assert!(lines.iter().filter_map(batch).max().unwrap() > 5, "no batch to speak of");
    tried.says("without a valid signature was refused and changes nothing");
    let unmatched = |words: &'static str| move |kind: &Kind| matches!(kind, Kind::Unmatched { what, .. } if what.contains(words));
    assert!(tried.count(unmatched("cannot be read")) > 3);
    assert!(
        tried.count(unmatched("")) > tried.count(unmatched("cannot be read")) + 3,
        "nobody's are not kept"
    );
    let doubts = tried.count(|kind| matches!(kind, Kind::AttemptInDoubt { .. }));
    assert_eq!(doubts, 0, "nothing was lost on the way out");
}

#[test]
fn answers_lost_halved_wrong_and_never_given() {
    let faults = r#"
        {"provider": "whatsapp", "kind": "status_after", "code": 502, "share": 0.06},
        {"provider": "whatsapp", "kind": "hang", "code": "taken", "count": 1},
        {"provider": "whatsapp", "kind": "hang", "code": "not_taken", "count": 1},
        {"provider": "whatsapp", "kind": "refuse", "code": 131016, "share": 0.03},
        {"provider": "vapi", "kind": "half", "count": 3},
        {"provider": "vapi", "kind": "refuse", "code": 429, "share": 0.2},
        {"provider": "vapi", "kind": "lag", "code": 90},
        {"provider": "twilio", "kind": "lose_response", "count": 2},
        {"provider": "twilio", "kind": "refuse", "code": 20503, "count": 2},
        {"provider": "twilio", "kind": "lag", "code": 60}"#;
    let tried = Tried::new("3600", faults);
    tried.nobody_twice_nobody_lost();
    for (channel, code) in [
        (Channel::Whatsapp, "502"),
        (Channel::Whatsapp, "timeout"),
        (Channel::Whatsapp, "131016"),
        (Channel::Phone, "429"),
        (Channel::Sms, "broken"),
        (Channel::Sms, "20503"),
    ] {
        tried.failure(channel, code);
    }
    // What was taken and not answered proved itself by its webhook long before the silence was over, as do calls that
    // ring before their halved answer breaks off: about those there never was a doubt.
    assert_eq!(number(tried.failure(Channel::Whatsapp, "timeout"), "attempts"), 1);
    // Taken and answered 502: those people were contacted, and their webhooks proved it.
    let sends = tried.sandbox.sends();
    let after: Vec<_> = sends.iter().filter(|s| s["status"] == 502 && s["accepted"] == true).collect();
    assert!(!after.is_empty());
    let found = tried.count(|kind| matches!(kind, Kind::AttemptAccepted { .. }));
    let taken = sends.iter().filter(|send| send["accepted"] == true).count();
    assert!(found >= taken - 1, "{found} of {taken} sends that were taken are known as such");
    assert_eq!(number(&tried.report["cascades"], "running"), 0);
}

#[test]
fn a_provider_that_answers_503_to_everything_burns_nobody() {
    let faults = r#"
        {"provider": "whatsapp", "kind": "refuse", "code": 131016, "share": 1, "until": "2026-01-05T20:00:00Z"},
        {"provider": "twilio", "kind": "refuse", "code": 21408, "share": 1}"#;
    let tried = Tried::new("1800", faults);
    tried.nobody_twice_nobody_lost();
    let outage = tried.failure(Channel::Whatsapp, "131016");
    let burnt = number(outage, "customers");
    assert!((5..25).contains(&burnt), "{burnt} of a hundred are in doubt");
    let opened =
        |on: Channel| move |kind: &Kind| matches!(kind, Kind::BreakerOpened { on: of, .. } if *of == on);
    assert!(tried.count(opened(Channel::Whatsapp)) > 1, "its checks call it well, and it is not");
    tried.says("WhatsApp: account is shut");
    let reached =
        tried.sandbox.sends().iter().filter(|s| s["channel"] == "whatsapp" && s["accepted"] == true).count();
    assert!(reached > 60, "only {reached} were reached once it was well again");
    // A country that is switched off: whom it concerns are held, and nobody is asked about it for ever.
    let country = tried.failure(Channel::Sms, "21408");
    assert_eq!((country["class"].as_str(), country["scope"].as_str()), (Some("config"), Some("country")));
    assert!(number(&tried.report["cascades"], "held") > 5);
    tried.says("only your word opens it");
    let checked = |kind: &Kind| matches!(kind, Kind::BreakerChecked { on: Channel::Sms, .. });
    assert_eq!(tried.count(checked), 0);
    tried.says("held");
}
