//! Stores as each released program left them: opened, folded, and gone on with.

use crate::fixture::{a_place, holds_together};
use cascade::engine::{self, input::Input};
use cascade::model::{CampaignId, Mode, Phone};
use cascade::runtime::store::{Batch, OptOuts, Reader, Store, records};
use std::path::Path;

/// By version: two pilots of 12, the first ended, the second killed in flight after two people had said STOP.
const STORES: &[(u32, &[u8])] = &[
    (1, include_bytes!("../data/stores/v1.db")),
    // The first one, gone on with and killed again.
    (2, include_bytes!("../data/stores/v2.db")),
];

fn opted_out(opt_outs: &OptOuts) -> [bool; 3] {
    ["+522905550134", "+14155550199", "+14155550198"]
        .map(|number| opt_outs.contains(&Phone::parse_e164(number).unwrap()))
}

#[tokio::test]
async fn a_store_of_every_version_is_opened_and_goes_on() {
    for (version, bytes) in STORES {
        let place = a_place();
        let path = place.path().join("rehearsal.db");
        std::fs::write(&path, bytes).unwrap();
        // Whoever only reads leaves it as it is.
        let before = holds_together(&path);
        assert_eq!(opted_out(&before.suppressed), [true, true, false]);
        assert_eq!(of(&path), *version);
        let told = records(&path);
        assert_eq!(told.len(), 24);

        let store = Store::open(&path, Mode::Rehearsal).unwrap();
        assert_eq!(of(&path), 3);
        assert_eq!(records(&path), told, "the log told the same before there was a table");
        let loaded = holds_together(&path);
        assert_eq!(loaded.campaign, before.campaign);
        assert_eq!((loaded.seq, loaded.people.len()), (before.seq, 12));
        assert_eq!(loaded.restored, None);
        assert_eq!(opted_out(&loaded.suppressed), [true, true, false]);
        assert_eq!((loaded.dedup, loaded.links), (before.dedup, before.links));
        assert!(store.warnings().is_empty(), "{:?}", store.warnings());

        let mut campaign = loaded.campaign.unwrap();
        assert_eq!(campaign.id(), CampaignId(2));
        assert!(campaign.open() > 0);
        let at = loaded.last_at.unwrap();
        let concluded = engine::apply(&mut campaign, at, Input::Restarted).unwrap();
        let due = campaign.next_due().unwrap();
        let timer = campaign.due(due)[0];
        let fired = engine::apply(&mut campaign, due, Input::Timer(timer)).unwrap();
        let events = concluded.events.into_iter().chain(fired.events);
        let batch = Batch {
            events: (loaded.seq + 1..).zip(events).collect(),
            header: Some(campaign.header.clone()),
            journeys: campaign.journeys().to_vec(),
            ..Batch::default()
        };
        store.commit(batch).await.unwrap();
        let after = holds_together(&path);
        assert!(after.seq > before.seq && after.campaign == Some(campaign));
    }
}

/// What learning is told.
fn records(path: &Path) -> Vec<records::Kept> {
    Reader::open(path).unwrap().records().unwrap().map(Result::unwrap).collect()
}

fn of(path: &Path) -> u32 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn opt_outs_of_the_first_version_stand_beside_the_store_from_then_on() {
    let place = a_place();
    let path = place.path().join("rehearsal.db");
    std::fs::write(&path, STORES[0].1).unwrap();
    drop(Store::open(&path, Mode::Rehearsal).unwrap());
    let outside = cascade::runtime::store::optouts::read(place.path(), Mode::Rehearsal).unwrap();
    assert_eq!(opted_out(&outside), [true, true, false]);
    assert_eq!(opted_out(&Reader::open(&path).unwrap().suppressed().unwrap()), [true, true, false]);
}
