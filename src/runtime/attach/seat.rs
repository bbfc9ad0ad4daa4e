//! Where an attached console sits, in words for its screen: in control, or reading while somebody else is.

use crate::engine::order::Who;
use crate::model::At;
use crate::phrases::orders;
use serde::{Deserialize, Serialize};

/// What a console that is attached knows of its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// What runs the campaign: `cascade run`.
    pub program: String,
    /// Its process.
    pub process: u32,
    /// Whose word counts.
    pub control: InControl,
    /// Why nobody is at the other end, and what happens next. The picture is the last one.
    pub lost: Option<String>,
}

/// Whose word counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who_is", rename_all = "snake_case")]
pub enum InControl {
    /// This console's.
    Us,
    /// Whoever acts first.
    Nobody,
    /// Another's.
    Another {
        /// Whose.
        who: Who,
        /// Since when, wall time.
        since: At,
        /// The process runs in their console, and ends with it.
        for_good: bool,
    },
}

impl Seat {
    /// For the title, shortest first: what must be seen, and what may be left out in a narrow window.
    pub fn title(&self) -> (&'static str, String) {
        match &self.control {
            InControl::Us => ("attached · in control", String::new()),
            InControl::Nobody => ("attached", " · nobody is in control".into()),
            InControl::Another { who, .. } => {
                ("attached · reading", format!(" ({} is in control)", sits(who)))
            }
        }
    }

    /// Why a command that changes something cannot be given from here; `None`: it can.
    pub fn refusal(&self, zone: chrono_tz::Tz) -> Option<String> {
        let lost = "nobody is at the other end; nothing is sent or heard there now";
        match &self.control {
            _ if self.lost.is_some() => Some(lost.to_owned()),
            InControl::Us | InControl::Nobody => None,
            InControl::Another { who, since, for_good } => Some(refusal(who, *since, *for_good, zone)),
        }
    }
}

/// Who is in control, since when, and which command takes over.
pub fn refusal(who: &Who, since: At, for_good: bool, zone: chrono_tz::Tz) -> String {
    let since = since.utc().with_timezone(&zone).format("%H:%M");
    let then = if for_good {
        "it runs in their console and they keep it; P holds all sending from here too"
    } else {
        ":take-control takes over; P holds all sending from here too"
    };
    format!("{} is in control since {since} by the wall clock: {then}", sits(who))
}

/// Who sits where: `ana@desk pts/3`. Two consoles of one user differ by their terminal.
pub fn sits(who: &Who) -> String {
    match &who.tty {
        Some(tty) => format!("{} {}", orders::who(who), crate::model::clean(tty.trim_start_matches("/dev/"))),
        None => orders::who(who),
    }
}
