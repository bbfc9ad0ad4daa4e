//! Advice on waits, for each channel over all segments and for each segment.

use super::{Settings, WaitAnswer, figure, money, words};
use crate::learning::ledger::{CONVERSION_WINDOW_S, Ledger, Touch};
use crate::learning::waits::survival::Contact;
use crate::learning::waits::{Advice, Status};
use crate::model::{Channel, Segment};
use std::collections::BTreeMap;

/// Every row, channels over all segments first.
pub(super) fn all(ledger: &Ledger, settings: &Settings) -> Vec<WaitAnswer> {
    let terminal = ledger.touches.iter().flatten().flatten().map(|touch| touch.step).max().unwrap_or(1);
    let sorted: BTreeMap<&Segment, &[Vec<Touch>; Channel::ALL.len()]> =
        ledger.segments.iter().zip(&ledger.touches).collect();
    let (mut rows, mut by_segment) = (Vec::new(), Vec::new());
    for channel in Channel::ALL {
        let lists: Vec<(&Segment, &Vec<Touch>)> =
            sorted.iter().map(|(segment, touches)| (*segment, &touches[channel.index()])).collect();
        let with_receipts = lists.iter().any(|(_, touches)| touches.iter().any(|touch| touch.is_delivered));
        let view = View { settings, terminal, channel: *channel, with_receipts };
        let everybody = || lists.iter().flat_map(|(_, touches)| touches.iter());
        rows.extend(view.row(everybody, None));
        for (segment, touches) in &lists {
            by_segment.extend(view.row(|| touches.iter(), Some(segment)));
        }
    }
    rows.append(&mut by_segment);
    rows
}

/// How a channel's contacts are looked at.
struct View<'a> {
    settings: &'a Settings,
    /// The last step of the longest walk: it waits for nothing.
    terminal: u8,
    channel: Channel,
    /// Whether anybody reports deliveries on this channel.
    with_receipts: bool,
}

impl View<'_> {
    /// One row; none where nobody was contacted.
    fn row<'t, I: Iterator<Item = &'t Touch>>(
        &self,
        touches: impl Fn() -> I,
        segment: Option<&Segment>,
    ) -> Option<WaitAnswer> {
        let window_s = self.window_s(touches())?;
        let contacts: Vec<Contact> =
            touches().filter(|touch| self.is_row(touch)).map(|t| self.contact(t)).collect();
        if contacts.is_empty() {
            return None;
        }
        let advice = Advice::on(&contacts, window_s as f64);
        let (mut fallbacks, mut cost) = (0_u64, 0.0);
        for touch in touches().filter(|touch| !touch.is_first) {
            fallbacks += 1;
            cost += f64::from(touch.cost);
        }
        let next_cost = if fallbacks > 0 { cost / fallbacks as f64 } else { 0.0 };
        Some(self.write(&advice, segment, window_s, next_cost))
    }

    /// The wait in force: that of the newest contact whose step waits for a next one.
    fn window_s<'t>(&self, touches: impl Iterator<Item = &'t Touch>) -> Option<u64> {
        let is_last = |touch: &Touch| touch.step == self.terminal && self.terminal > 1;
        let newest = touches.max_by_key(|touch| (!is_last(touch), touch.sent_at))?;
        Some(newest.window_s.map_or(CONVERSION_WINDOW_S, u64::from))
    }

    /// Bounced: not a row. A call that was made is one, whether or not anybody reports it as delivered.
    fn is_row(&self, touch: &Touch) -> bool {
        let reached = touch.is_delivered || self.channel == Channel::Phone || !self.with_receipts;
        reached && !touch.is_bounced && touch.sent_at <= self.settings.now
    }

    fn contact(&self, touch: &Touch) -> Contact {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        Contact {
            window_s: touch.window_s.map_or(CONVERSION_WINDOW_S, u64::from) as f64,
            age_s: seconds(self.settings.now.0.saturating_sub(touch.sent_at.0)),
            converted_s: touch.converted_ms.map(seconds),
            ended_s: touch.ended_ms.map(seconds),
        }
    }

    fn write(&self, advice: &Advice, segment: Option<&Segment>, window_s: u64, next_cost: f64) -> WaitAnswer {
        let window = window_s as f64;
        let shares = (1..=10).map(|tenth| {
            let fraction = f64::from(tenth) / 10.0;
            (fraction, advice.arrivals.share(fraction * window))
        });
        let (share_by_fraction, bands) = shares
            .map(|(fraction, g)| ([fraction, figure(g.share)], [figure(g.low), figure(g.high)]))
            .unzip();
        let is_told = advice.arrivals.events > 0;
        let suggested = advice.suggested_s.map(|s| s as u64);
        let shorter = suggested.filter(|_| advice.suggest_change);
        WaitAnswer {
            channel: self.channel,
            segment: segment.cloned(),
            window_s,
            contacts: advice.contacts,
            events: advice.arrivals.events,
            status: advice.status.as_str(),
            share_by_fraction: if is_told { share_by_fraction } else { Vec::new() },
            bands: if is_told { bands } else { Vec::new() },
            t80_s: is_told.then_some(advice.t80.at_s),
            t90_s: is_told.then_some(advice.t90.at_s),
            t95_s: is_told.then_some(advice.t95.at_s),
            t90_low_s: is_told.then_some(advice.t90.low_s),
            t90_high_s: is_told.then_some(advice.t90.high_s),
            t80_fraction: is_told.then(|| figure(advice.t80.at_s / window)),
            t80_band: is_told.then(|| [advice.t80.low_s / window, advice.t80.high_s / window].map(figure)),
            suggested_wait_s: suggested,
            suggest_change: advice.suggest_change,
            late_share: advice.late.map(|late| figure(late.share)),
            too_short: advice.too_short,
            missed_on_record: shorter.map(|_| advice.after_suggestion),
            missed_cost: shorter.map(|_| money(advice.after_suggestion as f64 * next_cost)),
            saved_s: shorter.map(|s| window_s.saturating_sub(s)),
            reason: words::wait(advice, window),
        }
    }
}

/// Whether there is advice.
pub(super) fn is_ok(advice: &Advice) -> bool {
    advice.status == Status::Ok
}
