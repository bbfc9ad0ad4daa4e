//! What people do about a message or a call: drawn from who they are, where they were contacted and how often.

use crate::random::Draw;

/// What somebody does about one contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whim {
    /// Refused at the create call: this person cannot be reached there.
    Unreachable,
    /// Taken, and reported as failed later.
    FailsLater,
    /// Taken, and the provider itself does not know whether it arrived.
    Doubtful,
    Silent,
    Reads,
    Yes,
    No,
    Question,
    /// A machine of theirs answers.
    AutoReply,
    /// In words.
    Stops,
    /// By a button or a switch.
    SwitchesOff,
    Clicks,
    // Calls alone:
    NobodyThere,
    Busy,
    Voicemail,
    /// The line broke after ringing.
    LineBreaks,
    /// The call is over and nobody ever reports it.
    NeverReported,
}

pub fn of_message(draw: Draw) -> Whim {
    match draw.named("message").below(1000) {
        0..60 => Whim::Unreachable,
        60..100 => Whim::FailsLater,
        100..115 => Whim::Doubtful,
        115..500 => Whim::Silent,
        500..640 => Whim::Reads,
        640..740 => Whim::Yes,
        740..790 => Whim::No,
        790..820 => Whim::Question,
        820..860 => Whim::AutoReply,
        860..910 => Whim::Stops,
        910..940 => Whim::SwitchesOff,
        _ => Whim::Clicks,
    }
}

pub fn of_call(draw: Draw) -> Whim {
    match draw.named("call").below(1000) {
        0..40 => Whim::Unreachable,
        40..70 => Whim::FailsLater,
        70..300 => Whim::NobodyThere,
        300..360 => Whim::Busy,
        360..440 => Whim::Voicemail,
        440..640 => Whim::Yes,
        640..720 => Whim::No,
        720..780 => Whim::Stops,
        780..840 => Whim::Question,
        840..880 => Whim::LineBreaks,
        880..930 => Whim::NeverReported,
        _ => Whim::Silent,
    }
}

/// Milliseconds until somebody reacts: mostly soon, sometimes after the next step has begun.
pub fn hesitates_ms(draw: Draw) -> u64 {
    let most = draw.named("how long").pick(&[20_000, 120_000, 900_000, 5_400_000]);
    draw.named("hesitates").between(1_000, most)
}
