//! Channels, outcomes, dispositions: the words of the contract that name what happens to people.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Gives a fieldless enum its contract spelling: `as_str`, `parse`, `ALL`, `Display`.
macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The contract's spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
            /// Reads the contract's spelling, in lower case.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

/// A way to reach a person.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A WhatsApp template message.
    Whatsapp,
    /// A call by a voice agent.
    Phone,
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
}
words!(Channel { Whatsapp => "whatsapp", Phone => "phone", Sms => "sms", Email => "email" });

impl Channel {
    /// Text channels know no `no_answer`; silence there is no outcome.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Phone)
    }

    /// As people write it on the screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Whatsapp => "WhatsApp",
            Self::Phone => "phone",
            Self::Sms => "SMS",
            Self::Email => "e-mail",
        }
    }

    /// Position in [`Channel::ALL`], for arrays with a place per channel.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What came of a contact: the eight of the contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It reached the device.
    Delivered,
    /// It was shown.
    Read,
    /// The person wrote back.
    Replied,
    /// A person picked up the phone.
    Answered,
    /// The person followed the link.
    Clicked,
    /// Nobody picked up, or a machine did. Phone only.
    NoAnswer,
    /// It cannot reach this person there.
    Bounced,
    /// The person wants no more contact.
    OptedOut,
}
words!(Outcome {
    Delivered => "delivered", Read => "read", Replied => "replied", Answered => "answered",
    Clicked => "clicked", NoAnswer => "no_answer", Bounced => "bounced", OptedOut => "opted_out",
});

impl Outcome {
    /// Position in [`Outcome::ALL`], for arrays with a place per outcome.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A human being reacted: contact stops everywhere.
    pub const fn is_human(self) -> bool {
        matches!(self, Self::Replied | Self::Answered | Self::Clicked)
    }
}

/// What a human answer meant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Yes, or interest.
    Positive,
    /// No.
    Negative,
    /// They ask something.
    Question,
    /// We reached somebody else.
    WrongPerson,
    /// A machine wrote it.
    AutoReply,
    /// Nobody can tell.
    Unclear,
}
words!(Disposition {
    Positive => "positive", Negative => "negative", Question => "question",
    WrongPerson => "wrong_person", AutoReply => "auto_reply", Unclear => "unclear",
});

/// Against the built-in sandbox, or against real providers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The sandbox answers; nothing leaves the machine.
    #[default]
    Rehearsal,
    /// Real providers, real people.
    Live,
}
words!(Mode { Rehearsal => "rehearsal", Live => "live" });
