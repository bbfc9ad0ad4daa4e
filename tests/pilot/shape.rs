//! `cascade.report/1`, field by field as the contract has it.

use serde_json::Value;

const CAMPAIGN: &str = "id:n name:s kind:s mode:s rules_hash:s content_hash:s rules_commit:s? customers:n \
                        started_at:t ended_at:t? speed:n seed:n";
const CASCADES: &str =
    "total:n converted:n declined:n exhausted:n opted_out:n stopped:n held:n in_doubt:n running:n";
const CHANNEL: &str = "channel:s attempts:n accepted:n failed:n not_reached:n delivered:n read:n replied:n \
                       answered:n clicked:n no_answer:n bounced:n opted_out:n conversions:n cost:m currency:s \
                       cost_per_conversion:m?";
const FAILURE: &str = "channel:s provider:s code:s class:s scope:s title:s remedy:s customers:n attempts:n \
                       first_at:t last_at:t";
const SEGMENT: &str = "segment:s customers:n converted:n";
const WAIT: &str =
    "channel:s segment:s wait_s:n conversions:n share_by_fraction:a suggested_wait_s:n? reason:s";

/// Every field is there and of its type; further ones may stand beside them.
fn holds(what: &Value, fields: &str) {
    for field in fields.split_whitespace() {
        let (name, kind) = field.split_once(':').unwrap();
        let value = what.get(name).unwrap_or_else(|| panic!("{name} is missing in {what}"));
        let text = value.as_str();
        let ok = match kind.trim_end_matches('?') {
            "n" => value.is_number(),
            "s" => text.is_some_and(|t| !t.is_empty()),
            "a" => value.is_array(),
            "m" => text.is_some_and(|t| t.parse::<rust_decimal::Decimal>().is_ok()),
            "t" => text.is_some_and(|t| t.len() == "2026-01-05T14:00:00.000Z".len() && t.ends_with('Z')),
            other => panic!("no kind {other}"),
        };
        assert!(ok || (kind.ends_with('?') && value.is_null()), "{name} is {value}");
    }
}

fn each<'a>(report: &'a Value, list: &str, fields: &str) -> &'a Vec<Value> {
    let rows = report[list].as_array().unwrap();
    for row in rows {
        holds(row, fields);
    }
    rows
}

/// The whole report has the contract's shape, and its numbers agree with each other.
pub fn is_report(report: &Value) {
    assert_eq!(report["schema"], "cascade.report/1");
    holds(&report["campaign"], CAMPAIGN);
    holds(&report["cascades"], CASCADES);
    assert!(report["gate"]["open"].is_boolean() && report["gate"]["reasons"].is_array());
    each(report, "waits", WAIT);
    let total = number(&report["cascades"], "total");
    let eight = ["converted", "declined", "exhausted", "opted_out", "stopped", "held", "in_doubt", "running"];
    assert_eq!(eight.iter().map(|key| number(&report["cascades"], key)).sum::<u64>(), total);
    for failure in each(report, "failures", FAILURE) {
        let classes = ["throttle", "outage", "recipient", "suppress", "config", "in_doubt"];
        assert!(classes.contains(&failure["class"].as_str().unwrap()), "{failure}");
    }
    let channels = each(report, "channels", CHANNEL);
    let segments = each(report, "segments", SEGMENT);
    assert_eq!(segments.iter().map(|s| number(s, "customers")).sum::<u64>(), total);
    for (at, channel) in channels.iter().enumerate() {
        for key in ["attempts", "accepted", "replied", "conversions"] {
            let parts = segments.iter().map(|s| number(&s["channels"][at], key)).sum::<u64>();
            assert_eq!(parts, number(channel, key), "{key} of {}", channel["channel"]);
        }
    }
    for segment in segments {
        each(segment, "channels", CHANNEL);
    }
    let conversions: u64 = channels.iter().map(|c| number(c, "conversions")).sum();
    assert_eq!(conversions, number(&report["cascades"], "converted"));
}

pub fn number(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_else(|| panic!("{key} of {of} is no count"))
}

/// An outcome's customers over all channels.
pub fn outcome(report: &Value, name: &str) -> u64 {
    report["channels"].as_array().unwrap().iter().map(|channel| number(channel, name)).sum()
}
