//! What is known of a store that came from a backup, in words.

use super::people;
use crate::model::{At, Channel};

pub(super) fn restored(lost_until: Option<At>) -> String {
    let lost = lost_until.map_or_else(
        || "how much is lost is not known".to_owned(),
        |at| format!("what happened until {} is lost", at.utc().format("%a %-d %b %H:%M UTC")),
    );
    format!("the store was restored from a backup; {lost}")
}

/// In a line: that answers on a channel that lists nothing are lost, and how many it may be about.
pub fn unheard(channel: Channel, here: u64) -> String {
    let channel = channel.label();
    match here {
        0 => format!("answers on {channel} in the lost part cannot be asked for"),
        n => format!("{n} at a {channel} step: answers given in the lost part cannot be asked for"),
    }
}

/// The same in full, before it goes on.
pub fn unheard_in_full(channel: Channel, here: u64) -> String {
    let channel = channel.label();
    let who = if here == 0 { "nobody".to_owned() } else { people(here) };
    format!(
        "{channel} has no list of what was said: whoever answered there in the part that was lost is taken for silent, and \
         goes on to the next step. At a {channel} step now: {who}."
    )
}

pub(super) fn reconciled([found, doubtful, others]: [u64; 3], untold: &[Channel]) -> String {
    let mut words = vec![format!("sent after the backup: {found} found at the providers")];
    if doubtful > 0 {
        words.push(format!("{doubtful} in other words"));
    }
    if others > 0 {
        words.push(format!("{others} to people who are not under way here"));
    }
    let untold: Vec<&str> = untold.iter().map(|channel| channel.label()).collect();
    if !untold.is_empty() {
        words.push(format!("of {} nobody can tell", untold.join(" and ")));
    }
    words.join(", ")
}
