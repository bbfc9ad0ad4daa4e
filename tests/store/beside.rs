//! Reading a store while it is written: whatever is read is as one commit left it.

use crate::fixture::{Tale, open, stored};
use cascade::engine::Campaign;
use cascade::model::Channel;
use cascade::runtime::store::Reader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Customers, each of whom makes two commits.
const PEOPLE: u64 = 300;

/// Everybody who was answered has a timer, whose id the header counts: both tell how far a campaign has come.
fn come_to(campaign: &Campaign) -> (u64, usize) {
    let waits = campaign.journeys().iter().filter(|journey| journey.timer.is_some());
    (campaign.header.next_timer.0, waits.count())
}

#[tokio::test]
async fn a_campaign_that_is_read_while_it_is_written_is_of_one_commit() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), PEOPLE);
    store.commit(launched).await.unwrap();
    let (over, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let reading = thread::spawn({
        let (over, reads, reader) = (Arc::clone(&over), Arc::clone(&reads), Reader::open(&path).unwrap());
        move || {
            let (mut read, mut last) = (Vec::new(), false);
            // The last of them begins after the last commit.
            while !last {
                last = over.load(Ordering::Acquire);
                read.extend(reader.campaign(None).unwrap());
                reads.fetch_add(1, Ordering::Relaxed);
            }
            read
        }
    });
    let mut states = vec![come_to(&tale.campaign)];
    for n in 0..PEOPLE {
        // However loaded the machine is, one is read while ten are written.
        while reads.load(Ordering::Relaxed) < n / 10 {
            tokio::task::yield_now().await;
        }
        let (_, batches) = tale.send(Channel::Whatsapp);
        for batch in batches {
            store.commit(batch).await.unwrap();
        }
        states.push(come_to(&tale.campaign));
    }
    over.store(true, Ordering::Release);
    let read = reading.join().unwrap();
    assert!(read.last() == Some(&tale.campaign), "what was committed last is read");
    let torn = read.iter().filter(|campaign| !states.contains(&come_to(campaign))).count();
    assert_eq!(torn, 0, "of {} that were read were of two commits", read.len());
}
