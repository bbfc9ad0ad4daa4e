//! Events, places and last words of a customer in people's words: what the screen and `cascade events` print.
//!
//! Everything that comes out of here is safe for one line of a terminal.

pub mod leaving;

use crate::engine::event::{Actor, CallProgress, Deferral, End, Event, Hold, Kind, RecallResult};
use crate::engine::snapshot::{Last, LastWhat, Place, Row, Sending};
use crate::model::{Channel, Class, Disposition, Failure, Outcome, Untrusted, clean};

pub mod before;
pub mod orders;
mod reasons;
pub mod restored;
pub mod retimed;
pub mod starts;

use reasons::withdrawal;
pub use reasons::{deferral, skip};

/// How an event feels; the theme gives it a colour, the glyph says it without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Book-keeping.
    Muted,
    /// What we hope for.
    Good,
    /// Look at it.
    Warning,
    /// It failed.
    Bad,
}

/// One event in people's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// Where it happened, if on a channel.
    pub channel: Option<Channel>,
    /// One cell wide; a space where there is nothing to stress.
    pub glyph: &'static str,
    /// The rest of the line.
    pub words: String,
    /// How it feels.
    pub tone: Tone,
    /// Book-keeping that a live timeline leaves out and a customer's own timeline shows.
    pub quiet: bool,
}

impl Phrase {
    /// Everything in one line: `phone ✗ 429 throttled`.
    pub fn line(&self) -> String {
        let place = self.channel.map_or("", tag);
        let parts = [place, self.glyph.trim(), &self.words];
        parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
    }
}

/// A channel in at most five cells, for narrow columns.
pub const fn tag(channel: Channel) -> &'static str {
    match channel {
        Channel::Whatsapp => "WA",
        Channel::Phone => "phone",
        Channel::Sms => "SMS",
        Channel::Email => "mail",
    }
}

/// A span of seconds in its two largest units: `2s`, `48m`, `1h29m`, `2d3h`.
pub fn span(seconds: i64) -> String {
    let s = seconds.max(0);
    let two = |big: i64, unit: char, small: i64, rest: char| match small {
        0 => format!("{big}{unit}"),
        n => format!("{big}{unit}{n:02}{rest}"),
    };
    match s {
        0..60 => format!("{s}s"),
        60..600 => two(s / 60, 'm', s % 60, 's'),
        600..3_600 => format!("{}m", s / 60),
        3_600..86_400 => two(s / 3_600, 'h', s % 3_600 / 60, 'm'),
        _ => match s % 86_400 / 3_600 {
            0 => format!("{}d", s / 86_400),
            h => format!("{}d{h}h", s / 86_400),
        },
    }
}

type Said = (&'static str, Tone, String);

fn plain(words: impl Into<String>) -> Said {
    (" ", Tone::Plain, words.into())
}

fn muted(words: impl Into<String>) -> Said {
    (" ", Tone::Muted, words.into())
}

fn good(words: impl Into<String>) -> Said {
    ("✓", Tone::Good, words.into())
}

fn warning(glyph: &'static str, words: impl Into<String>) -> Said {
    (glyph, Tone::Warning, words.into())
}

fn bad(words: impl Into<String>) -> Said {
    ("✗", Tone::Bad, words.into())
}

/// What happened, in words. `text` is what the person wrote or said, where the event names one.
#[expect(clippy::too_many_lines, reason = "one arm per kind: splitting it would need a catch-all")]
pub fn phrase(event: &Event, text: Option<&Untrusted>) -> Phrase {
    let until = |due: crate::model::At| span((due - event.at).num_seconds());
    let mut channel = event.subject.channel;
    let mut quiet = false;
    let (glyph, tone, words) = match &event.kind {
        Kind::CampaignLaunched { launch } => {
            ("▶", Tone::Good, format!("{} launched to {}", clean(&launch.name), people(launch.customers)))
        }
        Kind::CascadeStarted { start } => {
            quiet = true;
            let ways: Vec<&str> = start.walk.iter().map(|leg| leg.channel.label()).collect();
            muted(format!("starts: {}{}", ways.join(" › "), starts::drawn(start)))
        }
        Kind::Paused { only, by, why } => {
            // An operator's order says it, and whose it was.
            quiet = *by == Actor::Operator;
            warning("‖", format!("{} paused by {}: {}", whole(*only), actor(by), clean(why)))
        }
        Kind::Resumed { only, extend_timers } => {
            quiet = true;
            let waits = if *extend_timers { "waits lengthened" } else { "waits went on" };
            ("▶", Tone::Good, format!("{} goes on, {waits}", whole(*only)))
        }
        Kind::BreakerOpened { on, scope, failure, retry_at, .. } => {
            channel = Some(*on);
            let again = retry_at.map_or_else(
                || "only your word opens it".to_owned(),
                |at| format!("asked about in {}", until(at)),
            );
            bad(format!("{} shut: {}, {again}", clean(&scope.to_string()), fault(failure)))
        }
        Kind::BreakerChecked { on, scope, retry_at, .. } => {
            (channel, quiet) = (Some(*on), true);
            muted(format!("{} still shut, asked again in {}", clean(&scope.to_string()), until(*retry_at)))
        }
        Kind::BreakerClosed { on, scope, by } => {
            (channel, quiet) = (Some(*on), *by == Actor::Operator);
            good(format!("{} open again, by {}", clean(&scope.to_string()), actor(by)))
        }
        Kind::StoreRestored { lost_until, .. } => warning("⟲", restored::restored(*lost_until)),
        Kind::Reconciled { found, doubtful, others, untold, .. } => {
            ("⟲", Tone::Warning, restored::reconciled([*found, *doubtful, *others], untold))
        }
        Kind::OutcomesChanged { segment, on } => warning(
            "≠",
            format!(
                "{}: people answer otherwise than before; since {} learning goes on without what is older than 14 days",
                segment.screen(),
                on.utc().format("%Y-%m-%d")
            ),
        ),
        Kind::CampaignEnded { by } => ("■", Tone::Good, format!("campaign ended by {}", actor(by))),
        Kind::Ordered { what, people: count, by, scope, left, .. } => {
            let about = orders::about(*what, *count, channel, scope.as_ref());
            channel = None;
            orders::ordered((by, *what), &about, text, *left)
        }
        Kind::OrderMet { came, .. } => {
            quiet = true;
            muted(orders::came(*came, None))
        }
        Kind::AttemptPlanned { due } => {
            quiet = true;
            muted(if *due > event.at { format!("planned, due in {}", until(*due)) } else { "queued".into() })
        }
        Kind::AttemptDeferred { until: at, why, .. } => {
            warning("◷", format!("{}, may go in {}", deferral(*why), until(*at)))
        }
        Kind::AttemptClaimed { reserved, .. } => {
            quiet = true;
            muted(format!("sending, at most {}", reserved.short()))
        }
        Kind::AttemptAccepted { .. } => {
            plain(if channel == Some(Channel::Phone) { "dialing" } else { "sent" })
        }
        Kind::AttemptRecovered { provider_id: None, .. } => {
            quiet = true;
            muted("may have been sent in what the store had lost")
        }
        Kind::AttemptRecovered { sent_at, .. } => {
            let ago = span((event.at - *sent_at).num_seconds());
            plain(format!("was sent {ago} ago, in what the store had lost: the provider lists it"))
        }
        Kind::AttemptRefused { failure, .. } => bad(fault(failure)),
        Kind::AttemptInDoubt { failure, due, .. } => {
            warning("?", format!("sent or not? {}; goes on in {}", fault(failure), until(*due)))
        }
        Kind::AttemptWithdrawn { why } => warning("⊘", format!("not sent: {}", withdrawal(*why))),
        Kind::AttemptFailed { failure } => bad(format!("not delivered: {}", fault(failure))),
        Kind::RetryScheduled { retry, due, .. } => warning("↻", format!("retry {retry} in {}", until(*due))),
        Kind::CallProgressed { progress } => {
            quiet = *progress == CallProgress::Queued;
            plain(match progress {
                CallProgress::Queued => "call queued",
                CallProgress::Ringing => "ringing",
                CallProgress::InProgress => "picked up",
            })
        }
        Kind::CallEnded { reason, talked_s } => {
            quiet = true;
            muted(format!("call over after {}: {}", span(*talked_s as i64), clean(reason)))
        }
        Kind::CallWatched { due, .. } => {
            quiet = true;
            muted(format!("asked about in {} if no end is heard", until(*due)))
        }
        Kind::ReportAwaited { due, .. } => {
            quiet = true;
            muted(format!("talked; what was said is awaited for {}", until(*due)))
        }
        Kind::CostReported { cost } => {
            quiet = true;
            muted(format!("cost {cost}"))
        }
        Kind::Recalled { result } => recall(*result),
        Kind::OutcomeHeard { outcome, why, disposition, happened_at, .. } => {
            let late = (event.at - *happened_at).num_seconds();
            let (glyph, tone, mut words) = heard(*outcome, why.as_deref(), *disposition, text);
            if late >= 60 {
                words = format!("{words}, {} ago", span(late));
            }
            (glyph, tone, words)
        }
        Kind::ClickSuspected { why } => muted(format!("click by a scanner, not counted: {}", clean(why))),
        Kind::WaitStarted { due, .. } => {
            quiet = true;
            muted(format!("waits {}", until(*due)))
        }
        Kind::SettlingStarted { due, .. } => {
            quiet = true;
            muted(format!("last step done, an answer counts for {}", until(*due)))
        }
        Kind::TimerFired { .. } => {
            quiet = true;
            muted("time is up")
        }
        Kind::StepSkipped { why } => ("›", Tone::Warning, format!("skipped: {}", skip(*why))),
        Kind::Held { why } => warning("!", format!("held: {}", hold(why))),
        Kind::Released { by } => good(format!("released by {}", actor(by))),
        Kind::ContactedAfterAnswer {} => warning("!", "contacted although already answered"),
        Kind::CascadeEnded { end, credited, .. } => ended(*end, *credited),
        Kind::Suppressed { via, why } => {
            channel = Some(*via);
            ("⊘", Tone::Bad, format!("no more contact: {}", clean(why)))
        }
        Kind::Unmatched { provider, what, .. } => {
            warning("?", format!("{} told us of nobody we know: {}", clean(provider), clean(what)))
        }
        Kind::RulesChanged { edition, choice, .. } => {
            quiet = true;
            ("✎", Tone::Warning, retimed::changed(edition, *choice))
        }
        Kind::Retimed { walk, wait, .. } => {
            quiet = wait.is_none();
            ("✎", Tone::Warning, retimed::retimed(walk, event, *wait))
        }
        Kind::WaitSkipped { by } => ("»", Tone::Warning, format!("wait skipped by {}", actor(by))),
        Kind::Retried { by } => warning("↻", format!("tried again by {}", actor(by))),
        Kind::DoubtSettled { was_sent, by, .. } => {
            let found = if *was_sent { "it was sent" } else { "it was not sent" };
            good(format!("doubt settled by {}: {found}", actor(by)))
        }
    };
    Phrase { channel, glyph, words, tone, quiet }
}

/// `1 person`, `100 people`.
pub fn people(count: u64) -> String {
    counted(count, "person", "people")
}

/// So many of something.
pub fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn whole(only: Option<Channel>) -> &'static str {
    only.map_or("everything", Channel::label)
}

fn actor(by: &Actor) -> &'static str {
    match by {
        Actor::Operator => "an operator",
        Actor::Engine => "the campaign itself",
        Actor::Check => "a check at the provider",
    }
}

/// A failure in short: `429 throttled`, `131026 not on WhatsApp`.
pub fn fault(failure: &Failure) -> String {
    clean(&format!("{} {}", failure.code, failure.title))
}

/// A class as a state of affairs.
pub const fn class(class: Class) -> &'static str {
    match class {
        Class::Throttle => "throttled",
        Class::Outage => "outage",
        Class::Recipient => "not reachable there",
        Class::Suppress => "opted out there",
        Class::Config => "needs mending",
        Class::InDoubt => "in doubt",
    }
}

/// Why somebody waits for a mend.
pub fn hold(why: &Hold) -> String {
    match why {
        Hold::Breaker { on, scope } => format!("{} {}", on.label(), clean(&scope.to_string())),
        Hold::SharedNumber => "shared number, who answered?".into(),
        Hold::Budget => "budget spent".into(),
    }
}

fn recall(result: RecallResult) -> Said {
    match result {
        RecallResult::Recalled => good("recalled"),
        RecallResult::TooLate => warning("!", "recall came too late"),
        RecallResult::Impossible => warning("!", "cannot be recalled on this channel"),
    }
}

/// A disposition as people say it.
pub const fn disposition(what: Disposition) -> &'static str {
    match what {
        Disposition::Positive => "yes",
        Disposition::Negative => "no",
        Disposition::Question => "question",
        Disposition::WrongPerson => "wrong person",
        Disposition::AutoReply => "auto-reply",
        Disposition::Unclear => "unclear",
    }
}

fn heard(outcome: Outcome, why: Option<&str>, meant: Option<Disposition>, text: Option<&Untrusted>) -> Said {
    let why = why.map(silence);
    let quote = text.filter(|t| !t.is_empty()).map(|t| format!(": \"{}\"", t.screen())).unwrap_or_default();
    let meaning = meant.map(|d| format!(" ({})", disposition(d))).unwrap_or_default();
    match outcome {
        Outcome::Delivered => muted("delivered"),
        Outcome::Read => plain("read"),
        Outcome::Replied => reaction(meant, format!("replied{quote}{meaning}")),
        Outcome::Answered => reaction(meant, format!("answered{quote}{meaning}")),
        Outcome::Clicked => good("clicked"),
        Outcome::NoAnswer => ("–", Tone::Plain, why.unwrap_or_else(|| "no answer".into())),
        Outcome::Bounced => bad(why.map_or("bounced".into(), |w| format!("bounced, {w}"))),
        Outcome::OptedOut => {
            let how =
                if quote.is_empty() { why.map(|w| format!(": {w}")).unwrap_or_default() } else { quote };
            ("⊘", Tone::Bad, format!("opted out{how}"))
        }
    }
}

/// A provider's reason for a call without an answer, in its own words but in short: `customer-did-not-answer` is
/// `no answer`, `customer-busy` is `busy`.
fn silence(why: &str) -> String {
    let words = clean(&why.replace(['_', '-'], " "));
    match words.strip_prefix("customer ").unwrap_or(&words) {
        "did not answer" => "no answer".into(),
        short => short.to_owned(),
    }
}

fn reaction(meant: Option<Disposition>, words: String) -> Said {
    match meant {
        Some(Disposition::Negative | Disposition::WrongPerson) => warning("✗", words),
        Some(Disposition::AutoReply) => muted(words),
        Some(Disposition::Question | Disposition::Unclear) => warning("?", words),
        Some(Disposition::Positive) | None => good(words),
    }
}

fn ended(end: End, credited: Option<Channel>) -> Said {
    let by = credited.map(|c| format!(" by {}", c.label())).unwrap_or_default();
    match end {
        End::Converted => ("★", Tone::Good, format!("converted{by}")),
        End::Declined => ("✗", Tone::Warning, format!("declined{by}")),
        End::Exhausted => ("–", Tone::Muted, "exhausted: no answer on any channel".into()),
        End::OptedOut => ("⊘", Tone::Bad, "ended: no more contact".into()),
        End::Stopped => ("■", Tone::Warning, "stopped by an operator".into()),
    }
}

/// Where a customer stands, without the channel: `ringing`, `retry 2`, `waits`.
pub fn place(row: &Row) -> String {
    match &row.place {
        Place::Queued => "queued".into(),
        Place::Sending(Sending::Planned) => "in line".into(),
        Place::Sending(Sending::Claimed) => "sending".into(),
        Place::Sending(Sending::Dialing) => "dialing".into(),
        Place::Sending(Sending::Ringing) => "ringing".into(),
        Place::Sending(Sending::Talking) => "talking".into(),
        Place::Retrying(n) => format!("retry {n}"),
        Place::Deferred(Deferral::QuietHours) => "quiet hrs".into(),
        Place::Deferred(Deferral::PersonCap) => "24h cap".into(),
        Place::Deferred(Deferral::Pause) => "extended".into(),
        Place::Waiting => "waits".into(),
        Place::Held(_) => "held".into(),
        Place::InDoubt => "in doubt".into(),
        Place::Settling => "settling".into(),
        Place::Ended(end, _) => match end {
            End::Converted => "converted".into(),
            End::Declined => "declined".into(),
            End::Exhausted => "exhausted".into(),
            End::OptedOut => "opted out".into(),
            End::Stopped => "stopped".into(),
        },
    }
}

/// The last thing that happened to a customer, without its time: `read`, `voicemail`, `429`.
pub fn last(what: &Last) -> String {
    match &what.what {
        LastWhat::Accepted(Channel::Phone) => "called".into(),
        LastWhat::Accepted(_) => "sent".into(),
        LastWhat::Outcome(Outcome::NoAnswer, Some(why)) => silence(why),
        LastWhat::Outcome(outcome, _) => outcome.as_str().replace('_', " "),
        LastWhat::Failed(code, _) => clean(code),
        LastWhat::Skipped(why) => skip(*why).into(),
    }
}

#[cfg(test)]
mod tests;
