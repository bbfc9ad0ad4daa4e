//! The engine, proved: every row of DESIGN.md's "One customer's journey" as a scenario in data, and random
//! campaigns on which the invariants are held after every single input.
//!
//! A new case is a file in `tests/scenarios/` alone; `tests/engine/script.rs` says what its lines may be.

#[cfg(test)]
#[path = "engine/edits.rs"]
mod edits;
#[cfg(test)]
#[path = "engine/expect.rs"]
mod expect;
#[cfg(test)]
#[path = "engine/failures.rs"]
mod failures;
#[cfg(test)]
#[path = "engine/invariants.rs"]
mod invariants;
#[cfg(test)]
#[path = "engine/orders.rs"]
mod orders;
#[cfg(test)]
#[path = "engine/random.rs"]
mod random;
#[cfg(test)]
#[path = "engine/records.rs"]
mod records;
#[cfg(test)]
#[path = "engine/script.rs"]
mod script;
#[cfg(test)]
#[path = "engine/setting.rs"]
mod setting;
#[cfg(test)]
#[path = "engine/world.rs"]
mod world;

use cascade::engine::Header;
use cascade::model::{At, Channel, Scope};
use cascade::providers::{Fact, Heard};
use cascade::runtime::hearing;
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[test]
fn every_scenario_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 45, "{} scenarios in {}", files.len(), folder.display());
    let mut broken = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let held = catch_unwind(AssertUnwindSafe(|| script::run(&name, &text)));
        if held.is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "{} of {} scenarios do not hold: {broken:?}", broken.len(), files.len());
}

/// Stores of before have a count by channel where the rows by scope stand now, and breakers that say less.
#[test]
fn a_header_of_before_the_rows_by_scope_is_read() {
    let launched = At::parse(setting::MONDAY).unwrap();
    let setting = setting::Setting::read("says = ''\nscript = ''");
    let mut world = world::World::launch(launched, setting.launch(), setting.starts(launched));
    world.send_what_may_go();
    let (attempt, ann) = (world.campaign.unanswered_claims()[0], &world.campaign.journeys()[0]);
    let failure = failures::failure("token_expired", Channel::Whatsapp, ann);
    let refused =
        cascade::engine::input::Input::Failed { attempt, failure: Box::new(failure), reached: true };
    world.give(refused).unwrap();
    let mut stored = serde_json::to_value(&world.campaign.header).unwrap();
    assert!(stored.as_object_mut().unwrap().remove("streaks").is_some());
    stored["outages"] = json!([0, 0, 3, 0]);
    assert!(stored["breakers"][0].as_object_mut().unwrap().remove("by_word").is_some());
    let read: Header = serde_json::from_value(stored).unwrap();
    assert_eq!(read, world.campaign.header);
}

/// A webhook names no template: the attempt that it is about does.
#[test]
fn a_scope_that_a_webhook_leaves_unnamed_is_that_of_its_attempt() {
    let launched = At::parse(setting::MONDAY).unwrap();
    let setting = setting::Setting::read("says = ''\nscript = ''");
    let mut world = world::World::launch(launched, setting.launch(), setting.starts(launched));
    world.send_what_may_go();
    let attempt = world.campaign.unanswered_claims()[0];
    let store = &world.campaign.header.launch.store;
    let ann = &world.campaign.journeys()[0];
    let mut failure = failures::failure("template_paused", Channel::Whatsapp, ann);
    let named = std::mem::replace(&mut failure.scope, Scope::Template(String::new()));
    let mut report = Heard {
        provider: "whatsapp",
        channel: Channel::Whatsapp,
        dedup: "wamid.A:failed".into(),
        happened_at: None,
        provider_id: Some("wamid.A".into()),
        attempt_key: Some(cascade::model::attempt_key(store, attempt)),
        person: None,
        what: Fact::Failed(Box::new(failure)),
    };
    hearing::complete(&mut report, &world.campaign, store);
    let Fact::Failed(failure) = &report.what else { panic!("{report:?}") };
    assert_eq!(failure.scope, named);
    assert_eq!(named.key(), Some("hello en_US"));
}
