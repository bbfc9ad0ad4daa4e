//! Advice on waits, for each channel over all segments and for each segment.

use super::{Settings, WaitAnswer, figure, money, words};
use crate::learning::ledger::{Ledger, Touch};
use crate::learning::waits::survival::{Contact, Followed};
use crate::learning::waits::{Advice, Status};
use crate::model::{At, Channel, Segment};
use std::collections::BTreeMap;

/// No shorter wait on the phone is advised, in seconds. Whoever picks up does so at once, which says nothing about how
/// long to wait for the others: for whoever saw the missed call, and calls back or writes.
const PHONE_FLOOR_S: f64 = 1_800.0;

/// The contacts of a segment, or of all, by channel.
type OfSegment = [Contacts; Channel::ALL.len()];

/// Every row, channels over all segments first.
pub(super) fn all(ledger: &Ledger, settings: &Settings) -> Vec<WaitAnswer> {
    let view = View::of(ledger, settings);
    let mut lists = vec![Contacts::default(); ledger.lists()];
    for (touch, is_last) in ledger.touches_in_walks() {
        view.add(&mut lists[touch.list as usize], touch, is_last);
    }
    for contacts in &mut lists {
        contacts.followed.settle();
    }
    let (of_segments, _) = lists.as_chunks::<{ Channel::ALL.len() }>();
    let sorted: BTreeMap<&Segment, &OfSegment> = ledger.segments.iter().zip(of_segments).collect();
    let mut everybody = OfSegment::default();
    for of in sorted.values() {
        everybody.iter_mut().zip(*of).for_each(|(all, contacts)| all.merge(contacts));
    }
    for contacts in &mut everybody {
        contacts.followed.settle();
    }
    let (mut rows, mut by_segment) = (Vec::new(), Vec::new());
    for channel in Channel::ALL {
        rows.extend(row(settings, *channel, &everybody, None));
        let own = |(segment, of): (&&Segment, &&OfSegment)| row(settings, *channel, of, Some(segment));
        by_segment.extend(sorted.iter().filter_map(own));
    }
    rows.append(&mut by_segment);
    rows
}

/// How contacts are looked at.
struct View<'a> {
    settings: &'a Settings,
    /// On which channels anybody reports deliveries.
    with_receipts: [bool; Channel::ALL.len()],
}

impl<'a> View<'a> {
    fn of(ledger: &Ledger, settings: &'a Settings) -> Self {
        let mut with_receipts = [false; Channel::ALL.len()];
        for touch in ledger.touches() {
            with_receipts[touch.channel().index()] |= touch.is_delivered;
        }
        Self { settings, with_receipts }
    }

    fn add(&self, contacts: &mut Contacts, touch: &Touch, is_last: bool) {
        contacts.take_window((!is_last, touch.sent_at, touch.window_ms()));
        if !touch.is_first {
            contacts.fallbacks += 1;
            contacts.cost += f64::from(touch.cost);
        }
        if let Some(next) = touch.next {
            contacts.next[next.index()] += 1;
        }
        if self.is_row(touch) {
            contacts.followed.add(&self.contact(touch));
            if !is_last {
                *contacts.by_wait.entry(touch.window_ms()).or_default() += 1;
            }
        }
    }

    /// Bounced: not a row. A call that was made is one, whether or not anybody reports it as delivered.
    fn is_row(&self, touch: &Touch) -> bool {
        let channel = touch.channel();
        let reached = touch.is_delivered || channel == Channel::Phone || !self.with_receipts[channel.index()];
        reached && !touch.is_bounced && touch.sent_at <= self.settings.now
    }

    fn contact(&self, touch: &Touch) -> Contact {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        Contact {
            window_s: seconds(touch.window_ms()),
            age_s: seconds(self.settings.now.0.saturating_sub(touch.sent_at.0)),
            // Behind its window and before anything else was sent: quiet hours or a pause gave it the time, and that
            // the window is too short does not follow.
            converted_s: touch
                .converted
                .filter(|at| !touch.is_in_turn || at.ms() <= touch.window_ms())
                .map(|at| seconds(at.ms())),
            ended_s: touch.ended.map(|at| seconds(at.ms())),
        }
    }
}

/// The contacts of a row, summed up.
#[derive(Clone, Debug, Default)]
struct Contacts {
    /// Whether its step waits for a next one, when it was sent, and its window: of the contact that says which wait is in
    /// force where no rules do, the newest one whose step waits.
    newest: Option<(bool, At, i64)>,
    /// How many waited how long for a next one, in milliseconds.
    by_wait: BTreeMap<i64, u64>,
    fallbacks: u64,
    /// What the fallbacks cost.
    cost: f64,
    /// How many have a next step there, by channel.
    next: [u64; Channel::ALL.len()],
    followed: Followed,
}

impl Contacts {
    fn take_window(&mut self, other: (bool, At, i64)) {
        let (waits, sent_at, _) = other;
        if self.newest.is_none_or(|(waited, before, _)| (waits, sent_at) >= (waited, before)) {
            self.newest = Some(other);
        }
    }

    fn merge(&mut self, other: &Self) {
        if let Some(newest) = other.newest {
            self.take_window(newest);
        }
        self.fallbacks += other.fallbacks;
        self.cost += other.cost;
        self.next.iter_mut().zip(other.next).for_each(|(sum, count)| *sum += count);
        for (wait, count) in &other.by_wait {
            *self.by_wait.entry(*wait).or_default() += count;
        }
        self.followed.merge(&other.followed);
    }
}

/// How long is waited on a channel.
#[derive(Clone, Copy)]
enum Wait {
    /// So many seconds; somebody was waited for, if perhaps not so long.
    So(u64),
    /// Whoever was contacted there stood last: an answer counts as long as that, and nobody waits for it.
    Last(u64),
    /// So long it was, and by the rules in force nobody waits there any more.
    NoMore(u64),
}

impl Wait {
    /// The rules say which wait is in force, whatever the contacts were sent under: advice on another one might be what
    /// they have long said. Where the record itself is all that is in force, as in a history file, its contacts may have
    /// waited less than the rules here, and nothing would be known of so long a wait.
    fn of(
        settings: &Settings,
        contacts: &Contacts,
        channel: Channel,
        segment: Option<&Segment>,
    ) -> Option<Self> {
        let (waited, _, window_ms) = contacts.newest.filter(|_| contacts.followed.contacts() > 0)?;
        let newest_s = (window_ms / 1000) as u64;
        if !waited {
            return Some(Self::Last(newest_s));
        }
        let Some(rules) = &settings.waits else { return Some(Self::So(newest_s)) };
        Some(match rules.of(segment, channel) {
            None => Self::NoMore(newest_s),
            Some(so_s) if settings.rules.is_some() => Self::So(so_s),
            Some(so_s) => Self::So(so_s.min(newest_s)),
        })
    }
}

/// One row; none where nobody was contacted.
fn row(
    settings: &Settings,
    channel: Channel,
    of: &OfSegment,
    segment: Option<&Segment>,
) -> Option<WaitAnswer> {
    let contacts = &of[channel.index()];
    let wait = Wait::of(settings, contacts, channel, segment)?;
    let (Wait::So(window_s) | Wait::Last(window_s) | Wait::NoMore(window_s)) = wait;
    let floor_s = if channel == Channel::Phone { PHONE_FLOOR_S } else { 0.0 };
    let waits_s: Vec<f64> = contacts.by_wait.keys().map(|ms| (ms / 1000) as f64).collect();
    let advice = Advice::of(&contacts.followed, window_s as f64, &waits_s, floor_s);
    let others = contacts.by_wait.iter().filter(|(ms, _)| **ms / 1000 != window_s as i64);
    let others = others.map(|(_, count)| count).sum();
    let row = write(&advice, (channel, segment), (window_s, others), next_cost(contacts, of));
    let reason = match wait {
        Wait::So(_) => return Some(row),
        Wait::Last(_) => words::last_step(&row, window_s),
        Wait::NoMore(_) => words::no_more(&row, window_s),
    };
    Some(without_advice(row, reason))
}

/// What the next message costs, whichever channel's it is: the mean of those that were sent there as a fallback.
fn next_cost(contacts: &Contacts, of: &OfSegment) -> f64 {
    let (mut count, mut cost) = (0, 0.0);
    for (next, then) in contacts.next.iter().zip(of).filter(|(_, then)| then.fallbacks > 0) {
        count += next;
        cost += *next as f64 * then.cost / then.fallbacks as f64;
    }
    if count > 0 { cost / count as f64 } else { 0.0 }
}

fn without_advice(row: WaitAnswer, reason: String) -> WaitAnswer {
    WaitAnswer {
        suggested_wait_s: None,
        suggest_change: false,
        too_short: false,
        missed_on_record: None,
        missed_cost: None,
        saved_s: None,
        reason,
        ..row
    }
}

fn write(
    advice: &Advice,
    (channel, segment): (Channel, Option<&Segment>),
    (window_s, under_other_waits): (u64, u64),
    next_cost: f64,
) -> WaitAnswer {
    let window = window_s as f64;
    let shares = (1..=10).map(|tenth| {
        let fraction = f64::from(tenth) / 10.0;
        (fraction, advice.arrivals.share(fraction * window))
    });
    let (share_by_fraction, bands) =
        shares.map(|(fraction, g)| ([fraction, figure(g.share)], [figure(g.low), figure(g.high)])).unzip();
    let is_told = advice.arrivals.events > 0;
    let suggested = advice.suggested_s.map(|s| s as u64);
    let shorter = suggested.filter(|_| advice.suggest_change);
    WaitAnswer {
        channel,
        segment: segment.cloned(),
        window_s,
        contacts: advice.contacts,
        under_other_waits,
        events: advice.arrivals.events,
        status: advice.status.as_str(),
        share_by_fraction: if is_told { share_by_fraction } else { Vec::new() },
        bands: if is_told { bands } else { Vec::new() },
        t80_s: is_told.then_some(advice.t80.at_s),
        t90_s: is_told.then_some(advice.t90.at_s),
        t95_s: is_told.then_some(advice.t95.at_s),
        t90_low_s: is_told.then_some(advice.t90.low_s),
        t90_high_s: is_told.then_some(advice.t90.high_s),
        t80_fraction: is_told.then(|| figure(advice.t80.at_s / window.max(1.0))),
        t80_band: is_told
            .then(|| [advice.t80.low_s, advice.t80.high_s].map(|at| figure(at / window.max(1.0)))),
        suggested_wait_s: suggested,
        suggest_change: advice.suggest_change,
        late_share: advice.late.map(|late| figure(late.share)),
        too_short: advice.too_short,
        missed_on_record: shorter.map(|_| advice.after_suggestion),
        missed_cost: shorter.map(|_| money(advice.after_suggestion as f64 * next_cost)),
        saved_s: shorter.map(|s| window_s.saturating_sub(s)),
        reason: words::wait(advice, window, under_other_waits),
    }
}

/// Whether there is advice.
pub(super) fn is_ok(advice: &Advice) -> bool {
    advice.status == Status::Ok
}
