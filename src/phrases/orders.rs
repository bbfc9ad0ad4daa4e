//! Orders in people's words: who asked for what, and what came of it.

use super::{Said, Tone, people};
use crate::engine::audit::Back;
use crate::engine::order::{Ask, Came, Left, Who};
use crate::model::{Channel, Scope, Untrusted, clean};
use std::fmt::Write as _;

/// What is asked, as one says it to somebody: `stop`, `try again`.
pub const fn ask(what: Ask) -> &'static str {
    match what {
        Ask::Launch => "launch",
        Ask::Pause => "pause",
        Ask::Resume => "go on",
        Ask::ResumeExtended => "go on, waits lengthened",
        Ask::Mend => "it is mended",
        Ask::StopCampaign => "stop the campaign for good",
        Ask::Stop => "stop for good",
        Ask::OptOut => "record an opt-out",
        Ask::WasSent => "doubt settled: it was sent",
        Ask::WasNotSent => "doubt settled: it was not sent",
        Ask::Release => "go on at a shared number",
        Ask::SkipWait => "skip the wait",
        Ask::Retry => "try again",
        Ask::EditRules => "change the rules",
        Ask::EditContent => "change the texts",
    }
}

/// `ana@desk`; a user without a name is said so.
pub fn who(by: &Who) -> String {
    let user = if by.user.is_empty() { "somebody" } else { &by.user };
    let at = if by.host.is_empty() { String::new() } else { format!("@{}", by.host) };
    clean(&format!("{user}{at}"))
}

/// Why nothing was done, of a person or of the whole.
pub const fn left(why: Left) -> &'static str {
    match why {
        Left::Elsewhere => "in no cascade of this campaign",
        Left::OtherCampaign => "it was meant for another campaign",
        Left::CampaignEnded => "the campaign has ended",
        Left::AlreadyPaused => "it is on hold already",
        Left::NotPaused => "it is not on hold",
        Left::Reconciling => "what was sent after the backup is still being asked for",
        Left::NotShut => "it is not shut any more",
        Left::MovedOn => "moved on meanwhile",
        Left::Converted => "converted",
        Left::Declined => "declined",
        Left::Exhausted => "ended without an answer",
        Left::OptedOut => "opted out",
        Left::Stopped => "stopped before",
        Left::Queued => "in the queue already",
        Left::Sending => "being sent to just now",
        Left::Sent => "sent to, and nothing failed",
        Left::MayHaveArrived => "may have been reached: nobody can tell",
        Left::NothingTried => "nothing was tried on this step",
        Left::InDoubt => "in doubt: settle that first",
        Left::NoDoubt => "nothing is in doubt",
        Left::Held => "held",
        Left::Shut => "held by a shut scope: mend that first",
        Left::NotAsked => "nobody has to say who answered",
        Left::Retrying => "being tried again already",
        Left::LastStep => "no step follows",
        Left::QuietHours => "quiet hours, which no order skips",
        Left::PersonCap => "the 24 h cap, which no order skips",
        Left::RulesChanged => "the rules were changed meanwhile: look at it again",
        Left::NotShown => "came into it after it was shown: look at it again",
    }
}

/// What came of it for one person.
pub const fn came(came: Came, back: Option<Back>) -> &'static str {
    match (came, back) {
        (Came::Done, _) => "done",
        (Came::SentBefore, _) => "done; earlier sends stand",
        (Came::Left(why), _) => left(why),
        (Came::Recalling, None) => "done; being recalled …",
        (Came::Recalling, Some(Back::Recalled)) => "done; recalled",
        (Came::Recalling, Some(Back::TooLate)) => "done; recall too late",
        (Came::Recalling, Some(Back::Impossible)) => "done; recall impossible",
        (Came::Recalling, Some(Back::NotSent)) => "done; it never left",
        (Came::Recalling, Some(Back::InDoubt)) => "done; sent or not?",
    }
}

/// What an order is about: `12 people`, `phone`, `WhatsApp template renewal/de`.
pub fn about(what: Ask, count: u64, channel: Option<Channel>, scope: Option<&Scope>) -> String {
    match what {
        Ask::Pause | Ask::Resume | Ask::ResumeExtended => super::whole(channel).to_owned(),
        Ask::Mend => {
            let scope = scope.map(|scope| clean(&scope.to_string())).unwrap_or_default();
            format!("{} {scope}", channel.map_or("", Channel::label))
        }
        Ask::Launch
        | Ask::StopCampaign
        | Ask::Stop
        | Ask::OptOut
        | Ask::WasSent
        | Ask::WasNotSent
        | Ask::Release
        | Ask::SkipWait
        | Ask::Retry
        | Ask::EditRules
        | Ask::EditContent => people(count),
    }
}

/// An order in the timeline: `ana@desk: stop for good, 12 people: "they asked us"`.
pub(super) fn ordered(
    (by, what): (&Who, Ask),
    about: &str,
    why: Option<&Untrusted>,
    unchanged: Option<Left>,
) -> Said {
    let mut words = format!("{}: {}, {about}", who(by), ask(what));
    if let Some(why) = why.filter(|why| !why.is_empty()) {
        _ = write!(words, ": \"{}\"", why.screen());
    }
    if let Some(why) = unchanged {
        _ = write!(words, "; nothing to do: {}", left(why));
    }
    let glyph = match what {
        Ask::Pause => "‖",
        Ask::Launch | Ask::Resume | Ask::ResumeExtended | Ask::Release => "▶",
        Ask::Stop | Ask::StopCampaign => "■",
        Ask::OptOut => "⊘",
        Ask::Mend | Ask::WasSent | Ask::WasNotSent => "✓",
        Ask::SkipWait => "»",
        Ask::Retry => "↻",
        Ask::EditRules | Ask::EditContent => "✎",
    };
    (glyph, if unchanged.is_some() { Tone::Muted } else { Tone::Warning }, words)
}
