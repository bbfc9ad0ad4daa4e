//! When people act, in milliseconds of campaign time from the create call.
//!
//! Acts that matter keep at least ten campaign minutes away from the ends of the default waits (6 h on
//! WhatsApp, 2 h after a call, 24 h after an SMS), so that the speed of the clock decides nothing.

use super::{Draw, Pace};
use crate::model::Channel;

const SECOND: f64 = 1.0;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;

/// The life of a text message, in milliseconds from the create call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sandbox) struct TextTimes {
    pub sent: i64,
    /// Or reported failed.
    pub delivered: i64,
    pub read: i64,
    /// Reply or click.
    pub act: i64,
    /// A link scanner is faster than any person.
    pub scan: i64,
}

impl TextTimes {
    /// The same life, begun so many milliseconds later.
    pub(in crate::sandbox) const fn after(self, ms: i64) -> Self {
        Self {
            sent: self.sent + ms,
            delivered: self.delivered + ms,
            read: self.read + ms,
            act: self.act + ms,
            scan: self.scan + ms,
        }
    }
}

/// The life of a call, in milliseconds from the create call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sandbox) struct CallTimes {
    pub ringing: i64,
    /// Picked up, by whomever; or given up.
    pub up: i64,
    /// Ended, if it was picked up.
    pub down: i64,
    /// The report comes this much after the end.
    pub report: i64,
}

fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

/// When this person deals with a text message.
pub(in crate::sandbox) fn text_times(draw: &Draw, channel: Channel, pace: Pace) -> TextTimes {
    let latest = if channel == Channel::Whatsapp { 5.0 * HOUR + 40.0 * MINUTE } else { 22.0 * HOUR };
    let (sent, delivered, read, act) = match pace {
        Pace::Quick => {
            let act = draw.between("act", 0.5, 2.0);
            (0.1, 0.2, draw.between("read", 0.3, 0.5), act)
        }
        Pace::Ordinary => {
            let sent = draw.between("sent", 1.0, 3.0);
            let delivered = sent + draw.between("delivered", 1.0, 6.0);
            let read = draw.log_normal("read", 12.0 * MINUTE, 1.0).clamp(20.0 * SECOND, 3.0 * HOUR);
            let act = draw.log_normal("act", 40.0 * MINUTE, 0.9).clamp(MINUTE, latest);
            (sent, delivered, read.max(delivered + 5.0), act)
        }
        Pace::Drawn { median_s, sigma } => {
            let act = draw.log_normal("act", median_s, sigma).max(0.01);
            (act * 0.05, act * 0.1, act * 0.5, act)
        }
    };
    // Nobody answers what they have not read.
    let read = if read < act { read } else { delivered + (act - delivered).max(0.0) * 0.5 };
    TextTimes {
        sent: ms(sent),
        delivered: ms(delivered),
        read: ms(read),
        act: ms(act.max(delivered + 0.01)),
        scan: ms(delivered + if pace == Pace::Ordinary { draw.between("scan", 2.0, 5.0) } else { 0.05 }),
    }
}

/// How a call to this person runs, if nobody hangs up before.
pub(in crate::sandbox) fn call_times(draw: &Draw, pace: Pace, picks_up: bool, talks: bool) -> CallTimes {
    let (ringing, ring, talk, report) = match pace {
        Pace::Quick => (0.1, draw.between("ring", 0.2, 0.6), draw.between("talk", 0.3, 1.2), 0.1),
        Pace::Ordinary => {
            let ring =
                if picks_up { draw.between("ring", 8.0, 20.0) } else { draw.between("ring", 22.0, 40.0) };
            let talk =
                if talks { draw.between("talk", 20.0, 180.0) } else { draw.between("talk", 4.0, 12.0) };
            (draw.between("ringing", 0.5, 2.0), ring, talk, draw.between("report", 2.0, 6.0))
        }
        Pace::Drawn { median_s, sigma } => {
            let ring = draw.log_normal("ring", median_s, sigma).max(0.01);
            (ring * 0.1, ring, ring, ring * 0.2)
        }
    };
    CallTimes {
        ringing: ms(ringing),
        up: ms(ringing + ring),
        down: ms(ringing + ring + talk),
        report: ms(report),
    }
}
