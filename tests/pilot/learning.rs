//! What a pilot teaches, from its drawn starts to the history file and back.

use crate::house::House;
use cascade::engine::event::End;
use cascade::engine::journey::{Journey, State};
use cascade::learning::history::{Cascade, Ending, gather, read};
use cascade::model::{Channel, Money};
use cascade::runtime::history;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

/// Half of all starts are drawn elsewhere; three waves in two campaign hours.
const EXPLORING: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "explore": 0.5, "steps": [
    { "channel": "whatsapp", "wait": "40m", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "wait_if_first": "20m", "terminal": true } ] }"#;

struct Explored {
    house: House,
    report: Value,
    told: String,
}

static PILOT: LazyLock<Explored> = LazyLock::new(|| {
    let house = House::with(&[("rules/cascade.json", EXPLORING)]);
    let done = house.run(&["pilot", "--speed", "3600", "--seed", "1", "--json"]);
    Explored { report: done.report(), told: done.stderr, house }
});

fn store() -> Vec<Cascade> {
    history::read(&PILOT.house.reader()).unwrap().map(Result::unwrap).collect()
}

fn journeys() -> Vec<Journey> {
    PILOT.house.campaign().journeys().to_vec()
}

#[test]
fn starts_are_drawn_as_was_told_and_walked_as_they_were_drawn() {
    use Channel::{Phone, Sms, Whatsapp};
    let said = "retail: 50 % start elsewhere: WhatsApp 50 %, phone 25 %, SMS 25 %";
    assert!(PILOT.told.contains(said), "{}", PILOT.told);
    let mut counts: BTreeMap<Channel, usize> = BTreeMap::new();
    for journey in journeys() {
        let start = &journey.start;
        let drawn = start.drawn.as_ref().unwrap();
        let channels: Vec<Channel> = start.walk.iter().map(|leg| leg.channel).collect();
        let waits: Vec<Option<u64>> = start.walk.iter().map(|leg| leg.wait_s.map(|s| s / 60)).collect();
        let (wanted, minutes) = match start.start {
            Whatsapp => ([Whatsapp, Phone, Sms], [Some(40), Some(30), None]),
            Phone => ([Phone, Whatsapp, Sms], [Some(30), Some(40), None]),
            // The last one of its chain has no wait of its own, and then the phone stands last.
            Sms => ([Sms, Whatsapp, Phone], [Some(20), Some(40), None]),
            Channel::Email => panic!("there is no e-mail in these rules"),
        };
        assert_eq!((channels, waits), (wanted.to_vec(), minutes.to_vec()));
        if drawn.forced {
            assert_eq!((start.start, start.propensity.to_bits()), (Whatsapp, 1.0_f64.to_bits()));
        } else {
            assert_eq!(start.propensity.to_bits(), drawn.from.share(start.start).to_bits());
            assert!(start.skips.iter().all(|(channel, _)| *channel == Channel::Email), "{:?}", start.skips);
            *counts.entry(start.start).or_default() += 1;
        }
        // What went out first went out there.
        if let Some(first) = journey.attempts.first().filter(|_| start.skips.is_empty()) {
            assert_eq!(first.channel, start.start);
        }
    }
    let all: usize = counts.values().sum();
    for (channel, share) in [(Channel::Whatsapp, 0.5), (Channel::Phone, 0.25), (Channel::Sms, 0.25)] {
        let found = counts[&channel] as f64 / all as f64;
        assert!((found - share).abs() < 0.25, "{channel}: {counts:?}");
    }
}

#[test]
fn the_store_tells_learning_what_its_rows_tell() {
    let (cascades, journeys) = (store(), journeys());
    assert_eq!(PILOT.house.reader().records_of_the_log().unwrap().len(), cascades.len());
    assert_eq!(cascades.len(), 100);
    for (cascade, journey) in cascades.iter().zip(&journeys) {
        assert_eq!(cascade.id.raw(), journey.id.to_string());
        assert_eq!((&cascade.segment, cascade.start), (&journey.start.segment, journey.start.start));
        assert_eq!(cascade.propensity, Some(journey.start.propensity));
        let cost = |cascade: &Cascade| cascade.steps.iter().map(|step| step.cost).sum::<Money>();
        assert_eq!(cost(cascade), journey.attempts.iter().map(|a| a.cost).sum::<Money>());
        let converted: Vec<Channel> =
            cascade.steps.iter().filter(|s| s.converted_at.is_some()).map(|s| s.channel).collect();
        if journey.state == State::Ended(End::Converted) {
            assert_eq!(converted, journey.credited.into_iter().collect::<Vec<_>>());
        }
        let waits = journey.start.walk.iter().map(|leg| leg.wait_s.unwrap_or(3600)).sum::<u64>();
        assert_eq!(cascade.horizon_s, Some(waits));
    }
    let converted = journeys.iter().filter(|j| j.state == State::Ended(End::Converted)).count();
    assert!(converted > 20, "{converted}");
    assert_eq!(PILOT.report["cascades"]["converted"], converted);
}

/// What a row of the file can say of a cascade.
fn as_written(cascade: &Cascade) -> Cascade {
    Cascade {
        propensity: cascade.propensity.filter(|_| !cascade.forced),
        forced: false,
        horizon_s: None,
        ending: Ending::Untold,
        ..cascade.clone()
    }
}

#[test]
fn the_history_file_gives_the_same_record_again() {
    let house = &PILOT.house;
    let done = house.run(&["report", "--csv", "tables"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let written: Vec<Cascade> = store().iter().map(as_written).collect();
    let open = || fs::File::open(house.path("tables/history.csv")).unwrap();
    let read = read(open(), 2, |all: &mut Vec<Cascade>, cascade| all.push(cascade.clone())).unwrap();
    let read = read.parts.concat();
    assert_eq!(read, written);
    let gathered = gather(open()).unwrap();
    assert_eq!((gathered.cascades, gathered.bad, gathered.left_out), (written, vec![], 0));
    // How long each cascade counts can be told from its rows alone.
    for (own, read) in store().iter().zip(&read) {
        assert_eq!(own.horizon_s, Some(read.steps.iter().filter_map(|step| step.window_s).sum()));
    }
}

#[test]
fn tables_hold_what_the_report_holds() {
    let house = &PILOT.house;
    let first = house.run(&["report", "--csv", "out/tables"]);
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
    // What is written over is named.
    fs::remove_file(house.path("out/tables/waits.csv")).unwrap();
    let again = house.run(&["report", "--csv", "out/tables"]);
    assert_eq!(again.code, Some(0));
    let over = "written over in out/tables: channels.csv, segments.csv, failures.csv, history.csv";
    assert!(again.stderr.contains(over), "{}", again.stderr);
    for (name, array) in [("channels", "channels"), ("failures", "failures"), ("waits", "waits")] {
        let rows = table(house, name);
        let wanted = PILOT.report[array].as_array().unwrap();
        assert_eq!(rows.len(), wanted.len(), "{name}");
        for (row, wanted) in rows.iter().zip(wanted) {
            for (column, cell) in row.iter().filter(|(column, _)| !column.starts_with("share_")) {
                let value = match &wanted[column.as_str()] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(*cell, value, "{name}, {column}");
            }
        }
    }
    let segments: BTreeSet<String> =
        table(house, "segments").into_iter().map(|mut row| row.remove("segment").unwrap()).collect();
    assert_eq!(segments.len(), PILOT.report["segments"].as_array().unwrap().len());
}

fn table(house: &House, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_path(house.path(&format!("out/tables/{name}.csv"))).unwrap();
    csv.deserialize().map(Result::unwrap).collect()
}

fn replayed(rules: &str) -> Value {
    PILOT.house.write("other.json", rules);
    let done = PILOT.house.run(&["replay", "--rules", "other.json", "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

#[test]
fn a_replay_is_certain_where_the_record_is_and_open_elsewhere() {
    // One after the other: they are written to the same place.
    let same = replayed(&EXPLORING.replace(r#""explore": 0.5, "#, ""));
    assert_eq!(same["schema"], "cascade.replay/1");
    let by_start = |channel| {
        let of = |c: &&Cascade| !c.forced && c.start == channel;
        store().iter().filter(of).count() as u64
    };
    let counted = by_start(Channel::Whatsapp) + by_start(Channel::Phone) + by_start(Channel::Sms);
    assert_eq!(same["people"], counted - same["running"].as_u64().unwrap());
    let elsewhere = by_start(Channel::Phone) + by_start(Channel::Sms);
    let open = same["open"].as_array().unwrap();
    assert!(open.iter().any(|o| o["why"] == "other_start"), "{open:?}");
    assert!(open.iter().map(|o| o["people"].as_u64().unwrap()).sum::<u64>() <= elsewhere, "{open:?}");
    let (low, high) = (&same["replayed"]["conversions"]["low"], &same["replayed"]["conversions"]["high"]);
    let recorded = same["recorded"]["conversions"].as_u64().unwrap();
    assert!(low.as_u64() <= Some(recorded) && Some(recorded) <= high.as_u64(), "{same}");
    // Whoever is open can be anything.
    let open: u64 = open.iter().map(|o| o["people"].as_u64().unwrap()).sum();
    assert_eq!(high.as_u64().unwrap() - low.as_u64().unwrap(), open);

    let shorter = replayed(&EXPLORING.replace("40m", "10m"));
    let determined = |value: &Value| value["determined"].as_u64().unwrap();
    assert!(determined(&shorter) < determined(&same), "{shorter}");
    assert!(shorter["open"].as_array().unwrap().iter().any(|o| o["why"] == "shorter_wait"), "{shorter}");

    let wrong = PILOT.house.run(&["replay", "--rules", "nowhere.json"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("nowhere.json"), "{}", wrong.stderr);
}

/// Whether the store is asked or what was exported of it: what the rules say of starts, of shares and of waits is the same.
#[test]
fn the_store_and_its_own_history_file_are_asked_the_same() {
    let house = &PILOT.house;
    let exported = house.run(&["report", "--csv", "exported"]);
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    let asked = |more: &[&str]| -> Value {
        let at = ["learn", "--json", "--now", "2026-06-01T09:00:00Z"];
        let done = house.run(&[&at[..], more].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let (store, file) = (asked(&[]), asked(&["--history", "exported/history.csv"]));
    assert_eq!(store["freshness"]["rules_hash"], file["freshness"]["rules_hash"]);
    // When each of them ended a file does not tell, and with it what came late; whatever else is said of waits is the same.
    let waits = |answer: &Value| -> Vec<Value> {
        let said = |row: &Value| {
            json!([row["channel"], row["segment"], row["window_s"], row["contacts"], row["events"]])
        };
        answer["waits"].as_array().unwrap().iter().map(said).collect()
    };
    assert_eq!(waits(&store), waits(&file));
    // Nobody draws more away from the rules' start than the rules let.
    for answer in [&store, &file] {
        for segment in answer["segments"].as_array().unwrap() {
            let rows = segment["starts"].as_array().unwrap();
            let starts: Value = rows.iter().map(|row| row["start"].clone()).collect();
            assert_eq!(
                (&starts, &segment["incumbent"]),
                (&json!(["whatsapp", "phone", "sms"]), &json!("whatsapp"))
            );
            let shares = rows[1..].iter().filter_map(|row| row["propensity"].as_f64());
            assert!(shares.sum::<f64>() <= 0.5 + 1e-5, "{rows:?}");
        }
    }
    // A file of somebody else's rules has starts of its own, and is not told of ours.
    let text = fs::read_to_string(house.path("exported/history.csv")).unwrap();
    let hash = store["freshness"]["rules_hash"].as_str().unwrap();
    house.write("theirs.csv", &text.replace(hash, "theirs"));
    let theirs = asked(&["--history", "theirs.csv"]);
    assert_eq!(theirs["freshness"]["rules_hash"], "theirs");
    assert_eq!(theirs["waits"][0]["window_s"], 2_400);
}

/// What another workspace's `cascade learn` says about this store.
fn learnt(files: &[(&str, &str)], more: &[&str]) -> Value {
    let house = House::with(files);
    let store = PILOT.house.path(".cascade/rehearsal.db").display().to_string();
    let done = house.run(&[&["learn", "--json", "--db", &store][..], more].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

/// Cascades that compare with the workspace's rules and texts, and those that ran under others.
fn compared(answer: &Value) -> (u64, u64) {
    let segments = answer["segments"].as_array().unwrap();
    let others = |of: &Value| of["excluded_by"]["other_rules"].as_u64().unwrap();
    let known = ["mature", "running", "excluded"];
    let all = |of: &Value| known.iter().map(|field| of[*field].as_u64().unwrap()).sum::<u64>();
    (segments.iter().map(|of| all(of) - others(of)).sum(), segments.iter().map(others).sum())
}

#[test]
fn the_command_asks_for_the_workspaces_rules_and_texts_as_the_console_does() {
    let told = |text: &str| learnt(&[("rules/cascade.json", text)], &[]);
    let same = told(EXPLORING);
    assert_eq!(compared(&same), (100, 0));
    let hash = &PILOT.report["campaign"]["rules_hash"];
    assert_eq!(same["freshness"]["rules_hash"], *hash);
    assert_eq!(same["freshness"]["cascades"], 100);
    // A comment, and what the record itself proposes: other bytes, and the same walks.
    let accepted =
        EXPLORING.replace(r#""start": "whatsapp","#, r#""$comment": "as learnt", "start": "phone","#);
    let answer = told(&accepted);
    assert_eq!(compared(&answer), (100, 0));
    assert_ne!(answer["freshness"]["rules_hash"], *hash);
    assert_eq!(answer["freshness"]["cascades"], 0, "how old they are is told of these very rules");
    assert_eq!(answer["segments"][0]["incumbent"], "phone");
    // Another wait is another cascade, until somebody says that it is not.
    let waits = EXPLORING.replace("40m", "50m");
    let answer = told(&waits);
    assert_eq!(compared(&answer), (0, 100));
    // What is said of it is said of the wait that is in force now, by contacts that had another.
    let of = |answer: &Value| answer["waits"][0].clone();
    assert_eq!((&of(&same)["channel"], &of(&same)["window_s"]), (&"whatsapp".into(), &2_400.into()));
    assert_eq!(of(&same)["under_other_waits"], 0);
    assert_eq!(of(&answer)["window_s"], 3_000);
    let contacts = of(&answer)["contacts"].as_u64().unwrap();
    assert!(
        contacts > 50 && of(&answer)["under_other_waits"].as_u64() > Some(contacts / 2),
        "{}",
        of(&answer)
    );
    let note = answer["notes"].to_string();
    assert!(note.contains("equivalent") && note.contains(&hash.as_str().unwrap()[..7]), "{note}");
    let files = [("rules/cascade.json", waits.as_str())];
    assert_eq!(compared(&learnt(&files, &["--equivalent", &hash.as_str().unwrap()[..8]])), (100, 0));
    let declared = format!("[learning]\nequivalent = [{hash}]\n");
    let files = [("rules/cascade.json", waits.as_str()), ("cascade.toml", declared.as_str())];
    assert_eq!(compared(&learnt(&files, &[])), (100, 0));
    // Other texts are other cascades too.
    let files = [("rules/cascade.json", EXPLORING), ("rules/content/sms.txt", "Hello! {{link}}\n")];
    assert_eq!(compared(&learnt(&files, &[])), (0, 100));
    let texts = PILOT.report["campaign"]["content_hash"].as_str().unwrap();
    assert_eq!(compared(&learnt(&files, &["--equivalent", texts])), (100, 0));
}
