//! What will not be sent and not be heard once a process has left: said before the console leaves, and by every command
//! that is stopped.

use super::people;
use crate::engine::snapshot::{DueGroup, DueKind, Snapshot};
use crate::model::{At, Channel};
use chrono_tz::Tz;
use std::fmt::Write as _;

/// A sentence each: not sent, not heard, and who is still open. After a store that `failed` nobody is told that everything
/// is saved.
pub fn leaving(snapshot: &Snapshot, failed: bool, now: At, zone: Tz) -> Vec<String> {
    let next = snapshot.next.first().map(|group| {
        let at = when(group.from, now, zone);
        format!("Not sent while we are away: what falls due, first {} at {at}.", due(group))
    });
    let mut words: Vec<String> = next.into_iter().collect();
    words.push(
        "Not heard: replies, clicks and opt-outs, until the next start; providers deliver some of them late."
            .into(),
    );
    let mut open = format!(
        "{} have not ended",
        people(snapshot.tally.running + snapshot.tally.held + snapshot.tally.in_doubt)
    );
    if snapshot.tally.on_phone > 0 {
        _ = write!(open, "; {} on the phone now are left to finish", snapshot.tally.on_phone);
    }
    words.push(if failed {
        format!(
            "{open}. NOT everything is saved: the store failed. What was saved before that is; what happened since is \
             not, and providers are told to say it again. The next start goes on from the last thing saved."
        )
    } else {
        format!("{open}. Everything is saved, and the next start goes on from here.")
    });
    words
}

/// What a group of due times is, in a word or two.
pub const fn due(group: &DueGroup) -> &'static str {
    match (group.what, group.channel) {
        (DueKind::NextStep, Some(channel)) => contacts(channel),
        (DueKind::NextStep, None) => "cascades end",
        (DueKind::Retry, Some(Channel::Phone)) => "calls again",
        (DueKind::Retry, _) => "sent again",
        (DueKind::Deferred, _) => "allowed again",
        (DueKind::Settle, _) => "windows close",
        (DueKind::Doubt, _) => "doubts go on",
    }
}

/// What is sent on a channel, in the plural.
pub const fn contacts(channel: Channel) -> &'static str {
    match channel {
        Channel::Whatsapp => "WhatsApp",
        Channel::Phone => "calls",
        Channel::Sms => "SMS",
        Channel::Email => "e-mails",
    }
}

/// The clock alone on the day of `now`, with its weekday on any other.
pub fn when(at: At, now: At, zone: Tz) -> String {
    let local = |at: At| at.utc().with_timezone(&zone);
    let same_day = local(at).date_naive() == local(now).date_naive();
    local(at).format(if same_day { "%H:%M" } else { "%a %H:%M" }).to_string()
}
