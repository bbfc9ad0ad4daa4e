//! Why a send is put off, taken back or passed over, in people's words.

use crate::engine::event::{Deferral, Skip, Withdrawal};

/// Why somebody may not be contacted yet.
pub const fn deferral(why: Deferral) -> &'static str {
    match why {
        Deferral::QuietHours => "quiet hours",
        Deferral::PersonCap => "24 h cap",
        Deferral::Pause => "wait extended",
    }
}

pub(super) const fn withdrawal(why: Withdrawal) -> &'static str {
    match why {
        Withdrawal::OptedOut => "they opted out",
        Withdrawal::Answered => "already answered",
        Withdrawal::Paused => "sending is on hold",
        Withdrawal::Breaker => "its scope is shut",
        Withdrawal::Stopped => "the cascade was stopped",
        Withdrawal::Budget => "the budget is spent",
        Withdrawal::Late => "too late for its claim, looked at again",
        Withdrawal::NotStarted => "we ended before the first byte",
        Withdrawal::Passed => "a later step had been sent already",
        Withdrawal::Rules => "its channel is not in the new rules",
    }
}

/// Why a step was passed over.
pub const fn skip(why: Skip) -> &'static str {
    match why {
        Skip::NoAddress => "no address",
        Skip::NoConsent => "no consent",
        Skip::Suppressed => "on the do-not-contact list",
        Skip::Expired => "expired in quiet hours",
        Skip::NoContent => "no text in their language",
    }
}
