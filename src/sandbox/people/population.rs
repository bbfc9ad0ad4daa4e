//! Who does what: rare ends are dealt out by quota over a ranking of the known list, so that every list of a
//! hundred holds the failures of a real first pilot, whatever the seed.
//!
//! The default walk is WhatsApp, then phone, then SMS. Ends on a later channel are dealt among those who do not
//! answer on an earlier one, or nobody would ever see them. All counts are per hundred customers.

use super::{Draw, Pace, Plan, Saying, Text, Voice};
use crate::model::{Phone, Segment};
use std::collections::{BTreeMap, HashMap, HashSet};

/// WhatsApp cannot reach them; all but the last go on to the phone.
const LOST: &[(Text, u32)] =
    &[(Text::Failed(131_026), 4), (Text::Failed(131_049), 2), (Text::Refused(131_050), 1)];

/// The cascade ends on WhatsApp.
const ENDS: &[(Text, u32)] = &[
    (Text::Says(Saying::Stop), 2),
    (Text::Says(Saying::Positive), 19),
    (Text::Clicks, 5),
    (Text::Says(Saying::Negative), 4),
    (Text::Says(Saying::Question), 2),
    (Text::Says(Saying::WrongPerson), 1),
    (Text::Says(Saying::Unclear), 1),
];

/// They go on to the phone although something came back.
const ODD: &[(Text, u32)] = &[(Text::Says(Saying::AutoReply), 1), (Text::Scanned, 1), (Text::Pending, 3)];

/// Somebody picks up.
const ANSWERS: &[(Voice, u32)] = &[
    (Voice::Answers(Saying::Stop), 1),
    (Voice::Answers(Saying::Positive), 13),
    (Voice::Answers(Saying::Negative), 3),
    (Voice::Answers(Saying::Question), 1),
];

/// Nobody does; shared out in these proportions among the rest.
const RINGS: &[(Voice, u32)] =
    &[(Voice::Machine, 12), (Voice::Silent, 15), (Voice::Busy, 6), (Voice::Misdialed, 1)];

/// Ends by SMS, among those whom nothing reached before.
const TEXTS: &[(Text, u32)] = &[
    (Text::Says(Saying::Stop), 1),
    (Text::Clicks, 6),
    (Text::Says(Saying::Positive), 3),
    (Text::Says(Saying::Negative), 1),
    (Text::Failed(30003), 1),
    (Text::Failed(30006), 1),
    (Text::Scanned, 1),
];

/// The voice provider throttles the first call: among those who are called, and among the others.
const THROTTLED: (u32, u32) = (5, 3);

/// How readily a segment answers on WhatsApp, on the phone and by SMS.
struct Manner {
    whatsapp: f64,
    phone: f64,
    sms: f64,
}

const ENTERPRISE: Manner = Manner { whatsapp: 0.5, phone: 1.8, sms: 0.8 };
const SMB: Manner = Manner { whatsapp: 1.0, phone: 1.0, sms: 1.0 };
const RETAIL: Manner = Manner { whatsapp: 1.8, phone: 0.5, sms: 1.2 };

fn manner(segment: &str) -> &'static Manner {
    match segment.to_lowercase().as_str() {
        "enterprise" => &ENTERPRISE,
        "smb" => &SMB,
        "retail" => &RETAIL,
        other => {
            Draw::new(0, other, "segment").pick("manner", &[&ENTERPRISE, &SMB, &RETAIL]).unwrap_or(&&SMB)
        }
    }
}

/// `de` of `de_AT` and `DE`.
pub(in crate::sandbox) fn language_key(language: &str) -> String {
    language.split(['_', '-']).next().unwrap_or_default().trim().to_lowercase()
}

/// The language with the fewest customers, if there are at least two and it has at most a tenth of them.
pub(in crate::sandbox) fn rare_language(customers: &[(Phone, Segment, Option<String>)]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for language in customers.iter().filter_map(|(_, _, l)| l.as_deref()) {
        *counts.entry(language_key(language)).or_default() += 1;
    }
    counts.remove("");
    if counts.len() < 2 {
        return None;
    }
    let (rare, count) = counts.into_iter().min_by_key(|(_, count)| *count)?;
    (count * 10 <= customers.len()).then_some(rare)
}

/// Somebody of the known list, while roles are dealt.
struct Known<'a> {
    number: &'a str,
    manner: &'static Manner,
}

/// Plans for a whole list; its order does not matter.
pub(super) fn plan(
    seed: u64,
    customers: &[(Phone, Segment, Option<String>)],
    rare: Option<&str>,
) -> HashMap<String, Plan> {
    let mut known = HashSet::new();
    let mut plans = HashMap::new();
    let mut pool = Vec::new();
    for (phone, segment, language) in customers {
        let number = phone.as_str();
        if !known.insert(number) {
            continue;
        }
        let manner = manner(&segment.0);
        plans.insert(number.to_owned(), ordinary(seed, number, manner));
        // Whoever is held by a paused template is seen no further: no rare role is wasted on them.
        if rare.is_none() || language.as_deref().map(language_key).as_deref() != rare {
            pool.push(Known { number, manner });
        }
    }
    let mut deal = Deal { seed, total: plans.len(), plans };
    let pool = rank(seed, "lost", pool, |_| 1.0);
    let (lost, pool) = deal.quota(pool, LOST, |plan, role| plan.whatsapp = role);
    // Who answers depends on the segment; what they answer does not.
    let (enders, pool) = split(rank(seed, "whatsapp", pool, |m| m.whatsapp), deal.share(sum(ENDS)));
    let (enders, _) = deal.quota(rank(seed, "answer", enders, |_| 1.0), ENDS, |p, role| p.whatsapp = role);
    let (odd, pool) = deal.quota(rank(seed, "odd", pool, |_| 1.0), ODD, |p, role| p.whatsapp = role);
    let stopped =
        |k: &Known| matches!(deal.plans.get(k.number), Some(p) if p.whatsapp == Text::Refused(131_050));
    let (gone, lost): (Vec<Known>, Vec<Known>) = lost.into_iter().partition(stopped);
    let called: Vec<Known> = lost.into_iter().chain(odd).chain(pool).collect();
    deal.throttle(&rank_ref(seed, "throttle", &called), THROTTLED.0);
    let others: Vec<Known> = enders.into_iter().chain(gone).collect();
    deal.throttle(&rank_ref(seed, "throttle", &others), THROTTLED.1);
    let (answering, rest) = split(rank(seed, "phone", called, |m| m.phone), deal.share(sum(ANSWERS)));
    deal.quota(rank(seed, "talk", answering, |_| 1.0), ANSWERS, |plan, role| plan.phone = role);
    let rest = rank(seed, "ring", rest, |_| 1.0);
    deal.in_proportion(&rest, RINGS, |plan, role| plan.phone = role);
    for known in &rest {
        deal.set(known, |plan| plan.sms = Text::Silent { read: false });
    }
    deal.quota(rank(seed, "sms", rest, |m| m.sms), TEXTS, |plan, role| plan.sms = role);
    deal.plans
}

struct Deal {
    seed: u64,
    total: usize,
    plans: HashMap<String, Plan>,
}

impl Deal {
    /// So many of a hundred, in people of this list.
    fn share(&self, per_hundred: u32) -> usize {
        (f64::from(per_hundred) * self.total as f64 / 100.0).round() as usize
    }

    fn set(&mut self, known: &Known, change: impl FnOnce(&mut Plan)) {
        if let Some(plan) = self.plans.get_mut(known.number) {
            change(plan);
        }
    }

    /// Deals a table to the first of the pool; gives back those dealt to, and the rest.
    fn quota<'a, R: Copy>(
        &mut self,
        pool: Vec<Known<'a>>,
        table: &[(R, u32)],
        change: impl Fn(&mut Plan, R),
    ) -> (Vec<Known<'a>>, Vec<Known<'a>>) {
        let mut rest = pool.into_iter();
        let mut dealt = Vec::new();
        for (role, per_hundred) in table {
            for known in rest.by_ref().take(self.share(*per_hundred)) {
                self.set(&known, |plan| change(plan, *role));
                dealt.push(known);
            }
        }
        (dealt, rest.collect())
    }

    /// Deals a table to everybody, in its proportions.
    fn in_proportion<R: Copy>(&mut self, pool: &[Known], table: &[(R, u32)], change: impl Fn(&mut Plan, R)) {
        for (i, known) in pool.iter().enumerate() {
            if let Some(role) = at(table, (i as f64 + 0.5) / pool.len() as f64) {
                self.set(known, |plan| change(plan, role));
            }
        }
    }

    fn throttle(&mut self, ranked: &[&Known], per_hundred: u32) {
        let count = self.share(per_hundred);
        for known in ranked.iter().take(count) {
            if let Some(plan) = self.plans.get_mut(known.number) {
                plan.throttled = true;
            }
        }
        tracing::debug!(seed = self.seed, count, "calls that are throttled at first");
    }
}

fn sum<R>(table: &[(R, u32)]) -> u32 {
    table.iter().map(|(_, share)| share).sum()
}

fn split<T>(mut pool: Vec<T>, first: usize) -> (Vec<T>, Vec<T>) {
    let rest = pool.split_off(first.min(pool.len()));
    (pool, rest)
}

/// A weighted shuffle that depends on seed, number and `about` alone: a weight of 2 comes early twice as often.
fn rank<'a>(
    seed: u64,
    about: &str,
    mut pool: Vec<Known<'a>>,
    weight: impl Fn(&Manner) -> f64,
) -> Vec<Known<'a>> {
    pool.sort_by_cached_key(|k| key(seed, about, k, weight(k.manner)));
    pool
}

fn rank_ref<'a, 'b>(seed: u64, about: &str, pool: &'b [Known<'a>]) -> Vec<&'b Known<'a>> {
    let mut ranked: Vec<&Known> = pool.iter().collect();
    ranked.sort_by_cached_key(|k| key(seed, about, k, 1.0));
    ranked
}

/// Exponential race: the smallest key wins. Positive floats sort as their bits do.
fn key(seed: u64, about: &str, known: &Known, weight: f64) -> (u64, String) {
    let u = Draw::new(seed, known.number, "rank").unit(about);
    ((-(1.0 - u).ln() / weight).abs().to_bits(), known.number.to_owned())
}

/// The role at a point of the table, with `u` from 0 to 1.
fn at<R: Copy>(table: &[(R, u32)], u: f64) -> Option<R> {
    let mut point = u * f64::from(sum(table));
    table.iter().find_map(|(role, share)| {
        point -= f64::from(*share);
        (point < 0.0).then_some(*role)
    })
}

/// Somebody without a rare role: what they do where the walk starts elsewhere, or after everything else.
fn ordinary(seed: u64, number: &str, manner: &Manner) -> Plan {
    let draw = Draw::new(seed, number, "ordinary");
    let answers = draw.unit("answers") < 0.3 * manner.phone;
    let phone = if answers { Some(Voice::Answers(Saying::Positive)) } else { at(RINGS, draw.unit("rings")) };
    let acts = draw.unit("texts") / manner.sms;
    Plan {
        whatsapp: Text::Silent { read: draw.unit("reads") < 0.65 },
        phone: phone.unwrap_or(Voice::Silent),
        sms: match () {
            () if acts < 0.08 => Text::Says(Saying::Positive),
            () if acts < 0.2 => Text::Clicks,
            () => Text::Silent { read: false },
        },
        throttled: false,
        pace: [Pace::Ordinary; 4],
    }
}

/// Somebody who is on no list: the same shares, by hash.
pub(super) fn stranger(seed: u64, number: &str) -> Plan {
    let draw = Draw::new(seed, number, "stranger");
    let manner = *draw.pick("manner", &[&ENTERPRISE, &SMB, &RETAIL]).unwrap_or(&&SMB);
    let mut plan = ordinary(seed, number, manner);
    let whatsapp: Vec<(Text, u32)> = LOST.iter().chain(ENDS).chain(ODD).copied().collect();
    if let Some(text) = at(&whatsapp, draw.unit("whatsapp") * 100.0 / f64::from(sum(&whatsapp))) {
        plan.whatsapp = text;
    }
    let phone: Vec<(Voice, u32)> = ANSWERS.iter().chain(RINGS).copied().collect();
    plan.phone = at(&phone, draw.unit("phone")).unwrap_or(Voice::Silent);
    // About forty of a hundred get as far as an SMS.
    if let Some(text) = at(TEXTS, draw.unit("sms") * 40.0 / f64::from(sum(TEXTS))) {
        plan.sms = text;
    }
    plan.throttled = draw.unit("throttled") < 0.08;
    plan
}
