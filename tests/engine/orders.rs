//! Every deed an operator may ask for, in every state a customer may be in: what comes of it, as data in
//! `tests/orders.toml`. Asked a second time with the same key, it changes nobody.

use crate::script::{Play, deed, prepare};
use cascade::engine::order::Deed;
use std::collections::BTreeMap;

/// One state: how a customer gets there, and what each deed then comes to.
fn cases() -> BTreeMap<String, (String, BTreeMap<String, String>)> {
    let text = include_str!("../orders.toml");
    let states: BTreeMap<String, toml::Table> = toml::from_str(text).unwrap();
    let split = |(name, mut table): (String, toml::Table)| {
        let then = table.remove("then").unwrap_or_else(|| panic!("{name} says nothing of any order"));
        table.insert("says".into(), name.clone().into());
        let then: BTreeMap<String, String> = then.try_into().unwrap();
        (name, (toml::to_string(&table).unwrap(), then))
    };
    states.into_iter().map(split).collect()
}

#[test]
fn every_deed_in_every_state_comes_to_what_is_written_down() {
    let cases = cases();
    assert!(cases.len() >= 25, "{} states", cases.len());
    let mut wrong = Vec::new();
    for (name, (setting, then)) in &cases {
        assert_eq!(then.len(), Deed::ALL.len(), "{name} leaves a deed out");
        for (word, expected) in then {
            let mut play = prepare(name, setting);
            let came = order(&mut play, word);
            if came != *expected {
                wrong.push(format!("{name}: {word} = {came:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Gives it to ann, and again as a doubled key would; `done: waiting on phone` or `left queued`.
fn order(play: &mut Play, word: &str) -> String {
    assert!(deed(word).is_some(), "{word} is no deed");
    let before = play.world.campaign.journeys().to_vec();
    let seen = play.news(&format!("ann {word}"));
    play.give(seen.clone());
    let came = play.came("ann");
    let journey = play.journey("ann").clone();
    if came.starts_with("left") {
        assert!(
            play.world.campaign.journeys() == before,
            "{}: left as they are, and yet changed",
            play.place
        );
        assert!(play.world.asked.is_empty(), "{}: left as they are, and yet asked", play.place);
        return came;
    }
    let after = play.world.campaign.journeys().to_vec();
    // A doubt of a cascade that is over is put down once.
    play.give(seen);
    assert!(
        play.world.campaign.journeys() == after,
        "{} {word}: the doubled key changed something",
        play.place
    );
    format!("{came}: {} on {}", crate::expect::state(&journey), journey.channel())
}
