//! Events as people read them.

use super::*;
use crate::engine::event::Subject;
use crate::model::{At, CampaignId, Scope, Sent, TimerId};

const NOW: At = At::from_secs(1_000_000);

fn line(channel: Channel, kind: Kind, text: Option<&str>) -> String {
    let subject = Subject { channel: Some(channel), ..Subject::default() };
    let event = Event { at: NOW, campaign: CampaignId(1), subject, kind };
    phrase(&event, text.map(Untrusted::from).as_ref()).line()
}

fn heard(outcome: Outcome, why: Option<&str>, disposition: Option<Disposition>) -> Kind {
    Kind::OutcomeHeard { outcome, happened_at: NOW, why: why.map(Into::into), disposition, text: None }
}

fn throttled() -> Box<Failure> {
    Box::new(Failure {
        channel: Channel::Phone,
        provider: "vapi".into(),
        code: "429".into(),
        class: Class::Throttle,
        scope: Scope::Account,
        sent: Sent::No,
        title: "throttled".into(),
        remedy: "nothing to do".into(),
        detail: "slow down".into(),
        retry_after_s: None,
    })
}

#[test]
fn events_read_like_a_person_wrote_them() {
    let yes = Some(Disposition::Positive);
    let replied = heard(Outcome::Replied, None, yes);
    assert_eq!(line(Channel::Whatsapp, replied, Some("yes please")), "WA ✓ replied: \"yes please\" (yes)");
    assert_eq!(
        line(Channel::Phone, Kind::AttemptRefused { failure: throttled(), reached: true }, None),
        "phone ✗ 429 throttled"
    );
    let again = Kind::RetryScheduled { retry: 2, due: At(NOW.0 + 2000), timer: TimerId(1) };
    assert_eq!(line(Channel::Phone, again, None), "phone ↻ retry 2 in 2s");
    assert_eq!(
        line(Channel::Phone, heard(Outcome::NoAnswer, Some("voicemail"), None), None),
        "phone – voicemail"
    );
    assert_eq!(
        line(Channel::Sms, heard(Outcome::OptedOut, Some("STOP"), None), None),
        "SMS ⊘ opted out: STOP"
    );
    assert_eq!(
        line(Channel::Phone, Kind::Recalled { result: RecallResult::TooLate }, None),
        "phone ! recall came too late"
    );
}

#[test]
fn a_shut_scope_says_who_can_open_it() {
    let shut = |scope: Scope, again: Option<i64>| Kind::BreakerOpened {
        on: Channel::Sms,
        scope,
        failure: throttled(),
        retry_at: again.map(|ms| At(NOW.0 + ms)),
        timer: again.map(|_| TimerId(1)),
    };
    let asked = line(Channel::Sms, shut(Scope::Account, Some(300_000)), None);
    assert!(asked.ends_with("account shut: 429 throttled, asked about in 5m"), "{asked}");
    let word = line(Channel::Sms, shut(Scope::Country("GB".into()), None), None);
    assert!(word.ends_with("country GB shut: 429 throttled, only your word opens it"), "{word}");
    let unknown = line(Channel::Sms, shut(Scope::Country(String::new()), None), None);
    assert!(unknown.contains("country unknown shut"), "{unknown}");
}

#[test]
fn nothing_from_outside_moves_the_terminal() {
    let replied = heard(Outcome::Replied, None, None);
    let shown = line(Channel::Sms, replied, Some("\x1b[2Jhi\r\nthere\x07"));
    assert!(shown.chars().all(|c| !c.is_control()), "{shown:?}");
    let mut failure = throttled();
    failure.title = "\x1b]0;owned\x07".into();
    let shown = line(Channel::Phone, Kind::AttemptFailed { failure }, None);
    assert!(shown.chars().all(|c| !c.is_control()), "{shown:?}");
}

#[test]
fn what_was_heard_late_says_so() {
    let late = Kind::OutcomeHeard {
        outcome: Outcome::Delivered,
        happened_at: At(NOW.0 - 3_600_000),
        why: None,
        disposition: None,
        text: None,
    };
    assert_eq!(line(Channel::Sms, late, None), "SMS delivered, 1h ago");
}

#[test]
fn spans_use_their_two_largest_units() {
    let spans = [0, 59, 61, 599, 3_599, 3_600, 5_340, 86_400, 180_000].map(span);
    assert_eq!(spans, ["0s", "59s", "1m01s", "9m59s", "59m", "1h", "1h29m", "1d", "2d2h"]);
    assert_eq!(span(-5), "0s");
}
