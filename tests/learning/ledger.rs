//! The record as it is kept: read on in part, it says what all of it says.

use super::{DAY_S, cascade, days, settings};
use cascade::learning::answer::{Answer, WaitAnswer};
use cascade::learning::history::{Cascade, Ending};
use cascade::learning::ledger::Ledger;
use cascade::model::{At, Channel};

fn page(cascades: &[Cascade]) -> Ledger {
    let mut page = Ledger::page(cascades.len());
    page.extend(cascades.to_vec());
    page.fit();
    page
}

/// Pages that are put together, and one that is put in another's place, say what the record says as a whole.
#[test]
fn the_pages_of_a_record_say_what_it_says_as_a_whole() {
    let mut all = days("retail", 24, 5, [2, 6, 2]);
    all.extend(days("smb", 24, 3, [5, 2, 2]));
    for (at, cascade) in all.iter_mut().enumerate() {
        cascade.rules = if at % 9 == 0 { "before".into() } else { "now".into() };
        cascade.horizon_s = cascade.horizon_s.filter(|_| at % 2 == 0);
    }
    let said = |ledger: &Ledger| serde_json::to_value(ledger.answer(&settings(26 * DAY_S))).unwrap();
    let mut whole = Ledger::new();
    whole.extend(all.clone());
    let mut pages = Ledger::new();
    all.chunks(100).for_each(|cascades| pages.append(page(cascades)));
    assert_eq!((pages.len(), said(&pages)), (all.len(), said(&whole)));
    // Before anything of the third page had happened, and of the last one, which did not even exist.
    let mut early = Ledger::new();
    let begun = |cascade: &Cascade| Cascade { steps: Vec::new(), ..cascade.clone() };
    for (at, cascades) in all.chunks(100).enumerate().take(all.len().div_ceil(100) - 1) {
        let known: Vec<Cascade> =
            if at == 2 { cascades.iter().map(begun).collect() } else { cascades.to_vec() };
        early.append(page(&known));
    }
    assert_ne!(said(&early), said(&whole));
    for (at, cascades) in all.chunks(100).enumerate().filter(|(at, _)| [2, all.len() / 100].contains(at)) {
        early.replace(at, page(cascades));
    }
    assert_eq!(said(&early), said(&whole));
}

/// A cascade as the store tells it, which knows all of its walk: WhatsApp, the phone, and an SMS if the walk is not cut short.
fn walked(id: u64, is_cut: bool) -> Cascade {
    let mut one = cascade(id, "a", Channel::Whatsapp, id as i64 * 60, None);
    for (place, channel, hours, window_h) in [(2, Channel::Phone, 6, 2), (3, Channel::Sms, 8, 24)] {
        let mut step = one.steps[0].clone();
        let sent = At(one.launched_at.0 + hours * 3_600_000);
        (step.step, step.channel, step.sent_at) = (place, channel, Some(sent));
        (step.window_s, step.delivered_at) = (Some(window_h * 3_600), Some(sent));
        step.converted_at = (id.is_multiple_of(2) && place == 2).then(|| At(sent.0 + 600_000));
        one.steps.push(step);
    }
    if is_cut {
        one.steps.truncate(2);
        one.steps[1].window_s = Some(24 * 3_600);
    }
    one.ending = Ending::At(At(one.launched_at.0 + 40 * 3_600_000));
    one
}

/// A walk that an edit has cut short ends with a step after which others wait: its window is no wait, and what was read of
/// it before the edit is forgotten.
#[test]
fn a_walk_that_was_cut_short_is_no_wait_of_its_last_step() {
    let phone = |answer: &Answer| -> WaitAnswer {
        answer.waits.iter().find(|wait| wait.channel == Channel::Phone).unwrap().clone()
    };
    let said = |ledger: &Ledger| ledger.answer(&settings(30 * DAY_S));
    let whole: Vec<Cascade> = (0..100).map(|id| walked(id, false)).collect();
    let cut: Vec<Cascade> = (0..100).map(|id| walked(id, true)).collect();
    let mut kept = Ledger::new();
    kept.append(page(&whole));
    assert_eq!((phone(&said(&kept)).window_s, phone(&said(&kept)).suggest_change), (2 * 3_600, true));
    kept.replace(0, page(&cut));
    let all = phone(&said(&page(&cut)));
    assert!(all.reason.contains("the last step waits for nothing") && !all.suggest_change, "{}", all.reason);
    assert_eq!(phone(&said(&kept)).reason, all.reason);
    // Beside others that were not cut, the newest of whom says how long is waited.
    let half: Vec<Cascade> = (0..100).map(|id| walked(id, id >= 50)).collect();
    let mixed = phone(&said(&page(&half)));
    assert_eq!((mixed.window_s, mixed.under_other_waits, mixed.contacts), (2 * 3_600, 0, 100));
}
