//! What a draft of rules changes, in a few words: `WhatsApp 6h › 4h, starts with phone`.

use crate::model::Channel;
use crate::phrases::span;
use crate::rules::{Ladder, Rules, Step};

/// The differences, the most telling first; empty where the rules mean the same.
pub fn changes(old: &Rules, new: &Rules) -> Vec<String> {
    let mut said = ladder("", &old.main, &new.main);
    for (segment, ladder_new) in &new.segments {
        let name = crate::model::clean(&segment.0);
        match old.segments.get(segment) {
            Some(ladder_old) => said.extend(ladder(&format!("{name}: "), ladder_old, ladder_new)),
            None => said.push(format!("{name} on its own, starts with {}", ladder_new.start.label())),
        }
    }
    let gone = old.segments.keys().filter(|segment| !new.segments.contains_key(*segment));
    said.extend(gone.map(|segment| format!("{} as everybody else", crate::model::clean(&segment.0))));
    said.extend(settings(old, new));
    said
}

fn ladder(of: &str, old: &Ladder, new: &Ladder) -> Vec<String> {
    let mut said = Vec::new();
    for step in &new.steps {
        let before = old.steps.iter().find(|before| before.channel == step.channel);
        let wait = |wait: Option<u64>| wait.map_or_else(|| "end".to_owned(), |s| span(s as i64));
        let label = step.channel.label();
        let Some(before) = before else {
            said.push(format!("{of}{label} added"));
            continue;
        };
        if before.wait_s != step.wait_s {
            said.push(format!("{of}{label} {} → {}", wait(before.wait_s), wait(step.wait_s)));
        }
        if step.wait_s.is_none() && before.wait_if_first_s != step.wait_if_first_s {
            let [was, is] = [before, step].map(|step| span(step.wait_if_first_s as i64));
            said.push(format!("{of}{label} where it is first {was} → {is}"));
        }
        let waits = |step: &Step| Step { wait_s: None, wait_if_first_s: 0, ..step.clone() };
        if waits(before) != waits(step) {
            said.push(format!("{of}{label} changed"));
        }
    }
    let gone = old.steps.iter().filter(|step| !new.steps.iter().any(|s| s.channel == step.channel));
    said.extend(gone.map(|step| format!("{of}{} taken out", step.channel.label())));
    if old.start != new.start {
        said.push(format!("{of}starts with {}", new.start.label()));
    }
    let order = |ladder: &Ladder| -> Vec<Channel> { ladder.channels().collect() };
    let same_steps = said.iter().all(|said| !said.ends_with("added") && !said.ends_with("taken out"));
    if same_steps && order(old) != order(new) {
        let order: Vec<_> = order(new).into_iter().map(Channel::label).collect();
        said.push(format!("{of}{}", order.join(" › ")));
    }
    said
}

fn settings(old: &Rules, new: &Rules) -> Vec<String> {
    let mut said = Vec::new();
    let mut spans = |what: &str, old: u64, new: u64| {
        if old != new {
            said.push(format!("{what} {} → {}", span(old as i64), span(new as i64)));
        }
    };
    spans("conversion window", old.conversion_window_s, new.conversion_window_s);
    spans("expires", old.expires_s, new.expires_s);
    if old.quiet_hours != new.quiet_hours {
        said.push("quiet hours".into());
    }
    if old.retry_max != new.retry_max {
        said.push(format!("retries {} → {}", old.retry_max, new.retry_max));
    }
    if old.explore.to_bits() != new.explore.to_bits() {
        said.push(format!("drawn starts {:.0} % → {:.0} %", old.explore * 100.0, new.explore * 100.0));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::parse;
    use std::path::Path;

    const RULES: &str = include_str!("../../../rules/cascade.json");

    fn said(new: &str) -> Vec<String> {
        let read = |text: &str| parse(Path::new("x"), text.as_bytes()).0.unwrap();
        changes(&read(RULES), &read(new))
    }

    #[test]
    fn what_changes_is_said_in_a_few_words() {
        assert_eq!(said(RULES), [""; 0]);
        assert_eq!(said(&RULES.replace("6h", "4h")), ["WhatsApp 6h → 4h"]);
        assert_eq!(said(&RULES.replacen("\"whatsapp\"", "\"phone\"", 1)), ["starts with phone"]);
        let first = RULES.replacen("\"terminal\"", "\"wait_if_first\": \"3h\", \"terminal\"", 1);
        assert_eq!(said(&first), ["SMS where it is first 4h → 3h"]);
        let own = RULES.replacen("\"start\"", "\"segments\": {\"smb\": {\"start\": \"sms\"}}, \"start\"", 1);
        assert_eq!(said(&own), ["smb on its own, starts with SMS"]);
    }
}
