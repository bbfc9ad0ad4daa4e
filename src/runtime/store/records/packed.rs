//! A record in some sixty bytes. A million of them are read in a second; as JSON they would be a gigabyte.
//!
//! Numbers take a byte for every seven bits; times count from the launch, in milliseconds.

use crate::engine::event::End;
use crate::engine::record::{Record, Send, Step};
use crate::model::{At, AttemptId, Channel, Money, Segment};
use rust_decimal::Decimal;

/// Propensities are whole millionths.
const MILLION: f64 = 1_000_000.0;

const ENDS: [End; 5] = [End::Converted, End::Declined, End::Exhausted, End::OptedOut, End::Stopped];

/// A record as it is stored, but for its segment.
pub(super) fn pack(record: &Record) -> Vec<u8> {
    let mut out = Out { bytes: Vec::with_capacity(64), from: record.launched_at };
    out.number(record.start.index() as u128);
    out.number(record.propensity.map_or(0, |p| 1 + (p * MILLION).round() as u128));
    out.number(u128::from(record.forced));
    out.signed(i128::from(record.launched_at.millis()));
    let end = |end: End| ENDS.iter().position(|other| *other == end).unwrap_or(0);
    out.number(record.ended.map_or(0, |(_, how)| 1 + end(how) as u128));
    out.time(record.ended.map(|(at, _)| at));
    out.number(record.steps.len() as u128);
    for step in &record.steps {
        out.number(step.channel.index() as u128);
        out.number(step.wait_s.map_or(0, |wait| 1 + u128::from(wait)));
        out.number(step.converts_on.into());
        let times = step.times();
        out.number(times.iter().enumerate().fold(0, |bits, (i, at)| bits | u128::from(at.is_some()) << i));
        times.iter().flatten().for_each(|at| out.since(*at));
    }
    out.number(record.sends.len() as u128);
    for send in &record.sends {
        out.number(send.attempt.0.into());
        out.number(send.step.into());
        out.time(send.at);
        out.number(send.cost.0.scale().into());
        out.signed(send.cost.0.mantissa());
    }
    out.bytes
}

/// Nobody's record, to be filled by [`unpack`].
pub(super) const fn blank() -> Record {
    Record {
        segment: Segment(String::new()),
        start: Channel::Whatsapp,
        propensity: None,
        forced: false,
        launched_at: At(0),
        ended: None,
        steps: Vec::new(),
        sends: Vec::new(),
    }
}

/// Reads [`pack`] back into a record; `None`: these bytes are none, and what stands there now is worth nothing.
pub(super) fn unpack(record: &mut Record, bytes: &[u8]) -> Option<()> {
    let mut from = In { bytes, from: At::default() };
    record.start = from.channel()?;
    record.propensity = from.number()?.checked_sub(1).map(|parts| parts as f64 / MILLION);
    record.forced = from.number()? != 0;
    record.launched_at = At::from_millis(i64::try_from(from.signed()?).ok()?);
    from.from = record.launched_at;
    let end = from.number()?;
    let mut ended_at = None;
    from.time(&mut ended_at)?;
    record.ended = match end.checked_sub(1) {
        None => None,
        Some(how) => Some((ended_at?, *ENDS.get(usize::try_from(how).ok()?)?)),
    };
    record.steps.clear();
    for _ in 0..from.count()? {
        record.steps.push(from.step()?);
    }
    record.sends.clear();
    for _ in 0..from.count()? {
        record.sends.push(from.send()?);
    }
    from.bytes.is_empty().then_some(())
}

struct Out {
    bytes: Vec<u8>,
    from: At,
}

impl Out {
    fn number(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Small ones stay short, whatever their sign.
    fn signed(&mut self, number: i128) {
        self.number(((number << 1) ^ (number >> 127)) as u128);
    }

    fn since(&mut self, at: At) {
        self.signed(i128::from(at.millis()) - i128::from(self.from.millis()));
    }

    fn time(&mut self, at: Option<At>) {
        self.number(u128::from(at.is_some()));
        if let Some(at) = at {
            self.since(at);
        }
    }
}

struct In<'a> {
    bytes: &'a [u8],
    from: At,
}

impl In<'_> {
    fn number(&mut self) -> Option<u128> {
        // Nearly all of them fit into a word.
        let mut number = 0_u64;
        for (at, byte) in self.bytes.iter().enumerate().take(9) {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.bytes = &self.bytes[at + 1..];
                return Some(number.into());
            }
        }
        self.long_number()
    }

    fn long_number(&mut self) -> Option<u128> {
        let mut number = 0;
        for shift in (0..128).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u128::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i128> {
        let number = self.number()?;
        Some((number >> 1) as i128 ^ -((number & 1) as i128))
    }

    /// How many follow: each takes a byte at least.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.bytes.len())
    }

    fn since(&mut self) -> Option<At> {
        let at = i128::from(self.from.millis()).checked_add(self.signed()?)?;
        i64::try_from(at).ok().map(At::from_millis)
    }

    /// A time that may be missing; `None`: the bytes are.
    fn time(&mut self, at: &mut Option<At>) -> Option<()> {
        *at = if self.number()? == 0 { None } else { Some(self.since()?) };
        Some(())
    }

    fn channel(&mut self) -> Option<Channel> {
        Channel::ALL.get(usize::try_from(self.number()?).ok()?).copied()
    }

    fn step(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let wait_s = self.number()?.checked_sub(1).and_then(|wait| u64::try_from(wait).ok());
        let converts_on = u8::try_from(self.number()?).ok()?;
        let bits = self.number()?;
        let mut time = |i: u32| if bits & (1 << i) == 0 { Some(None) } else { self.since().map(Some) };
        Some(Step {
            channel,
            wait_s,
            converts_on,
            delivered_at: time(0)?,
            bounced_at: time(1)?,
            answered_at: time(2)?,
            converted_at: time(3)?,
            opted_out_at: time(4)?,
        })
    }

    fn send(&mut self) -> Option<Send> {
        let attempt = AttemptId(u64::try_from(self.number()?).ok()?);
        let step = u32::try_from(self.number()?).ok()?;
        let mut at = None;
        self.time(&mut at)?;
        let scale = u32::try_from(self.number()?).ok()?;
        let cost = Decimal::try_from_i128_with_scale(self.signed()?, scale).ok()?;
        Some(Send { attempt, step, at, cost: Money(cost) })
    }
}

impl Step {
    /// In the order in which they are stored.
    const fn times(&self) -> [Option<At>; 5] {
        [self.delivered_at, self.bounced_at, self.answered_at, self.converted_at, self.opted_out_at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at() -> impl Strategy<Value = At> {
        (0_i64..4_000_000_000_000).prop_map(At::from_millis)
    }

    fn channel() -> impl Strategy<Value = Channel> {
        prop::sample::select(Channel::ALL)
    }

    fn step() -> impl Strategy<Value = Step> {
        let times = prop::array::uniform5(prop::option::of(at()));
        (channel(), prop::option::of(0..u64::MAX), any::<u8>(), times).prop_map(
            |(
                channel,
                wait_s,
                converts_on,
                [delivered_at, bounced_at, answered_at, converted_at, opted_out_at],
            )| {
                Step {
                    channel,
                    wait_s,
                    converts_on,
                    delivered_at,
                    bounced_at,
                    answered_at,
                    converted_at,
                    opted_out_at,
                }
            },
        )
    }

    fn send() -> impl Strategy<Value = Send> {
        (any::<u64>(), 0_u32..9, prop::option::of(at()), any::<i64>(), 0_u32..9).prop_map(
            |(attempt, step, at, units, scale)| Send {
                attempt: AttemptId(attempt),
                step,
                at,
                cost: Money(Decimal::new(units, scale)),
            },
        )
    }

    prop_compose! {
        fn record()(
            start in channel(),
            parts in prop::option::of(0_u32..=1_000_000),
            forced in any::<bool>(),
            launched_at in at(),
            ended in prop::option::of((at(), prop::sample::select(&ENDS[..]))),
            steps in prop::collection::vec(step(), 0..5),
            sends in prop::collection::vec(send(), 0..7),
        ) -> Record {
            let propensity = parts.map(|parts| f64::from(parts) / MILLION);
            let segment = Segment("retail".into());
            Record { segment, start, propensity, forced, launched_at, ended, steps, sends }
        }
    }

    proptest! {
        #[test]
        fn a_record_is_read_back_as_it_was(before in record(), record in record()) {
            // What stood there before is gone.
            let mut read = Record { segment: record.segment.clone(), ..before };
            prop_assert_eq!(unpack(&mut read, &pack(&record)), Some(()));
            prop_assert_eq!(read, record);
        }

        #[test]
        fn other_bytes_are_no_record_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut record = blank();
            if unpack(&mut record, &bytes).is_some() {
                prop_assert!(record.steps.len() + record.sends.len() < 200);
            }
        }
    }
}
