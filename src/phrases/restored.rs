//! What is known of a store that came from a backup, in words.

use crate::model::{At, Channel};

pub(super) fn restored(lost_until: Option<At>) -> String {
    let lost = lost_until.map_or_else(
        || "how much is lost is not known".to_owned(),
        |at| format!("what happened until {} is lost", at.utc().format("%a %-d %b %H:%M UTC")),
    );
    format!("the store was restored from a backup; {lost}")
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
