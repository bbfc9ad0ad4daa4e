//! A store that was restored: why nothing is sent, how many are in doubt, and the way to settle them.

use crate::fixture;
use crate::stage::{Step, play};
use crate::{options, settled};
use cascade::engine::snapshot::Phase;
use cascade::model::{Channel, Mode};
use cascade::runtime::handle::{Picture, Settling};

/// While the lists are asked for, and once they are known.
fn restored(asking: bool) -> Picture {
    let mut picture = fixture::running(Mode::Rehearsal);
    fixture::on_hold(&mut picture);
    let why = "the store was restored from a backup; look at what is in doubt, then resume";
    picture.snapshot.phase = Phase::Paused(why.into());
    for pause in &mut picture.snapshot.pauses {
        (pause.by_itself, pause.asking, pause.why) = (true, asking, why.into());
        pause.untold = if asking { vec![] } else { vec![Channel::Whatsapp] };
    }
    picture.snapshot.tally.in_doubt = 20;
    picture.settling = asking.then_some(Settling::Asking);
    picture
}

#[tokio::test(start_paused = true)]
async fn the_banner_counts_the_doubts_and_names_the_way_to_settle_them() {
    for size in [(120, 40), (80, 24)] {
        let seen = play(size, restored(false), options(), settled(vec![])).await;
        let text = seen.text();
        let way = "20 in doubt: sent or not? 5 Enter lists them, X there settles all";
        assert!(text.lines().nth(4).unwrap().contains(way), "{text}");
    }
    let seen = play((120, 40), restored(false), options(), settled(vec![Step::Keys("5 Enter")])).await;
    assert!(seen.text().contains("/status:in_doubt"), "{}", seen.text());
    let seen = play((120, 40), restored(false), options(), settled(vec![Step::Keys("p")])).await;
    assert!(seen.text().contains("20 in doubt: sent or not? Settle that first"), "{}", seen.text());
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_can_be_asked_for_are_said_with_how_many_it_may_be() {
    // Those who wait after a WhatsApp message, and two of a shared number.
    for size in [(120, 40), (80, 24), (60, 16)] {
        let text = play(size, restored(false), options(), settled(vec![])).await.text();
        let line = text.lines().nth(5).unwrap();
        let said = "32 at a WhatsApp step: answers given in the lost part cannot be asked for";
        assert!(line.contains(if size.0 < 80 { &said[..30] } else { said }), "{text}");
    }
    let text = play((120, 40), restored(false), options(), settled(vec![Step::Keys("p")])).await.text();
    assert!(text.contains("WhatsApp has no list of what was said"), "{text}");
    assert!(text.contains("WhatsApp step now: 32 people."), "{text}");
    let text = play((120, 40), restored(true), options(), settled(vec![])).await.text();
    assert!(!text.contains("WhatsApp step"), "not before it is known: {text}");
}

#[tokio::test(start_paused = true)]
async fn nobody_goes_on_while_it_is_asked_what_was_sent() {
    for keys in ["p", "5 Down Enter"] {
        let seen = play((120, 40), restored(true), options(), settled(vec![Step::Keys(keys)])).await;
        let text = seen.text();
        assert!(text.contains("not yet: what was sent after the backup is still being asked for"), "{text}");
        assert!(!text.contains("Go on with everything?") && !text.contains("p goes on"), "{text}");
        assert_eq!(seen.asked, ["Quit"]);
    }
}
