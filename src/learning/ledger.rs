//! The record in the form that every question is answered from: a few dozen bytes for each cascade and each contact, so
//! that a million of them are summed up in a blink, whatever a conversion is worth and whatever the time is now.

mod span;

use super::answer::parts;
use super::history::{Cascade, Ending, Step, reached};
use crate::model::{At, Channel, Money, Segment};
use rust_decimal::prelude::ToPrimitive as _;
pub(super) use span::Span;
use std::collections::HashMap;

/// How long after the last step an answer counts, in seconds, where a terminal step's row does not say.
pub const CONVERSION_WINDOW_S: u64 = 24 * 3_600;

/// Cascades that compare: the same segment, start and rules.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    pub(super) segment: usize,
    pub(super) rules: usize,
    pub(super) start: Channel,
    /// Seconds from a launch to its maturity where the record does not tell: the longest that was seen.
    pub(super) horizon_s: u64,
    /// The last step of the longest walk that was seen, where the record does not tell how long each walk is: it waits for
    /// nothing.
    pub(super) last_step: u8,
}

/// One cascade. Times count from its launch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) launched_at: At,
    pub(super) cost: f64,
    pub(super) arm: u32,
    /// To maturity, where the record tells.
    pub(super) horizon: Option<Span>,
    /// When it ended; where the record does not tell, when the window of its last step does. `None`: it still runs.
    pub(super) closed: Option<Span>,
    pub(super) converted: Option<Span>,
    pub(super) opted_out: Option<Span>,
    /// `None`: not drawn at random, or forced.
    pub(super) propensity: Option<f32>,
    pub(super) forced: bool,
    /// Chance chose its start, whatever was done with it since.
    pub(super) was_drawn: bool,
    /// Nobody was ever contacted.
    pub(super) unsent: bool,
}

/// One contact. Times count from its sending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) sent_at: At,
    pub(super) window: Option<Span>,
    /// This message's conversion.
    pub(super) converted: Option<Span>,
    /// A conversion by another step's message.
    pub(super) ended: Option<Span>,
    pub(super) cost: f32,
    /// Its segment and channel, by [`list`].
    pub(super) list: u32,
    /// The place of its cascade on the page.
    pub(super) item: u32,
    pub(super) step: u8,
    /// Whether its walk ends with it, where the record tells: an edit makes one walk shorter, and not those beside it.
    pub(super) is_last: Option<bool>,
    /// Where the next step is, as far as the record tells.
    pub(super) next: Option<Channel>,
    pub(super) is_first: bool,
    pub(super) is_delivered: bool,
    pub(super) is_bounced: bool,
    /// It converted while it was its turn, however long quiet hours or a pause made that.
    pub(super) is_in_turn: bool,
}

impl Touch {
    pub(super) const fn channel(&self) -> Channel {
        Channel::ALL[self.list as usize % Channel::ALL.len()]
    }

    /// How long it waits for an answer, in milliseconds.
    pub(super) fn window_ms(&self) -> i64 {
        self.window.map_or(ms(CONVERSION_WINDOW_S), Span::ms)
    }
}

/// The list of contacts on a channel in a segment.
pub(super) const fn list(segment: usize, channel: Channel) -> usize {
    segment * Channel::ALL.len() + channel.index()
}

/// Cascades that came together, with their contacts.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    pub(super) touches: Vec<Touch>,
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(super) segments: Vec<Segment>,
    pub(super) rules: Vec<String>,
    pub(super) arms: Vec<Arm>,
    pub(super) pages: Vec<Page>,
    /// The arm that was added to last.
    newest: Option<usize>,
    segment_places: HashMap<String, usize>,
    rules_places: HashMap<String, usize>,
    arm_places: HashMap<(usize, usize, Channel), usize>,
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// One with a page for so many cascades.
    pub fn page(cascades: usize) -> Self {
        let page = Page { items: Vec::with_capacity(cascades), touches: Vec::with_capacity(2 * cascades) };
        Self { pages: vec![page], ..Self::default() }
    }

    /// How many cascades it holds.
    pub fn len(&self) -> usize {
        self.pages.iter().map(|page| page.items.len()).sum()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.pages.iter().all(|page| page.items.is_empty())
    }

    /// Whether any cascade ran under the rules of this hash, with whatever texts.
    pub fn ran_under(&self, rules: &str) -> bool {
        self.rules.iter().any(|version| parts(version).0 == rules)
    }

    /// Adds a cascade to the last page. One that still runs is added as far as it has come.
    pub fn add(&mut self, cascade: &Cascade) {
        let segment = self.segment(&cascade.segment.0);
        let rules = self.rules(cascade.rules.raw());
        let arm = self.arm(segment, rules, cascade.start);
        self.newest = Some(arm);
        let known = &mut self.arms[arm];
        known.last_step = known.last_step.max(cascade.steps.iter().map(place).max().unwrap_or(0));
        if cascade.horizon_s.is_none() {
            let waited = cascade.steps.iter().map(window_s).fold(0, u64::saturating_add);
            known.horizon_s = known.horizon_s.max(waited);
        }
        if self.pages.is_empty() {
            self.pages.push(Page::default());
        }
        if let Some(page) = self.pages.last_mut() {
            page.items.push(Item::of(cascade, arm));
            page.touch(segment, cascade);
        }
    }

    /// Adds the pages of another one behind its own.
    pub fn append(&mut self, other: Self) {
        let pages = self.taken_over(other);
        self.pages.extend(pages);
    }

    /// Puts what is known now in the place of a page, which may be a new one.
    pub fn replace(&mut self, page: usize, now: Self) {
        let now = self.taken_over(now).into_iter().next().unwrap_or_default();
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Page::default);
        }
        self.pages[page] = now;
    }

    /// The pages of another one, with the names of this one.
    fn taken_over(&mut self, other: Self) -> Vec<Page> {
        let segments: Vec<usize> = other.segments.iter().map(|segment| self.segment(&segment.0)).collect();
        let rules: Vec<usize> = other.rules.iter().map(|hash| self.rules(hash)).collect();
        let mut arms = Vec::with_capacity(other.arms.len());
        for arm in &other.arms {
            let own = self.arm(segments[arm.segment], rules[arm.rules], arm.start);
            let known = &mut self.arms[own];
            known.horizon_s = known.horizon_s.max(arm.horizon_s);
            known.last_step = known.last_step.max(arm.last_step);
            arms.push(own as u32);
        }
        let channels = Channel::ALL.len();
        let mut pages = other.pages;
        for page in &mut pages {
            for item in &mut page.items {
                item.arm = arms[item.arm as usize];
            }
            for touch in &mut page.touches {
                let (segment, channel) = (touch.list as usize / channels, touch.list as usize % channels);
                touch.list = (segments[segment] * channels + channel) as u32;
            }
        }
        pages
    }

    /// Gives back the memory that nothing stands in.
    pub fn fit(&mut self) {
        for page in &mut self.pages {
            page.items.shrink_to_fit();
            page.touches.shrink_to_fit();
        }
    }

    fn segment(&mut self, segment: &str) -> usize {
        // Rows of a file mostly repeat the one before.
        if let Some(arm) = self.newest.filter(|arm| self.segments[self.arms[*arm].segment].0 == segment) {
            return self.arms[arm].segment;
        }
        if let Some(&place) = self.segment_places.get(segment) {
            return place;
        }
        let place = self.segments.len();
        self.segments.push(Segment(segment.to_owned()));
        self.segment_places.insert(segment.to_owned(), place);
        place
    }

    fn rules(&mut self, hash: &str) -> usize {
        if let Some(arm) = self.newest.filter(|arm| self.rules[self.arms[*arm].rules] == hash) {
            return self.arms[arm].rules;
        }
        if let Some(&place) = self.rules_places.get(hash) {
            return place;
        }
        let place = self.rules.len();
        self.rules.push(hash.to_owned());
        self.rules_places.insert(hash.to_owned(), place);
        place
    }

    fn arm(&mut self, segment: usize, rules: usize, start: Channel) -> usize {
        let arms = &mut self.arms;
        *self.arm_places.entry((segment, rules, start)).or_insert_with(|| {
            arms.push(Arm { segment, rules, start, horizon_s: 0, last_step: 0 });
            arms.len() - 1
        })
    }

    /// How many lists of contacts there are: see [`list`].
    pub(super) const fn lists(&self) -> usize {
        self.segments.len() * Channel::ALL.len()
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.pages.iter().flat_map(|page| &page.items)
    }

    pub(super) fn touches(&self) -> impl Iterator<Item = &Touch> {
        self.pages.iter().flat_map(|page| &page.touches)
    }

    /// Contacts, and whether each stands at the end of its walk. Of a file whose walks all have one step nobody knows.
    pub(super) fn touches_in_walks(&self) -> impl Iterator<Item = (&Touch, bool)> {
        let is_last = |page: &Page, touch: &Touch| {
            let last = self.arm_of(&page.items[touch.item as usize]).last_step;
            touch.is_last.unwrap_or(last > 1 && touch.step == last)
        };
        self.pages.iter().flat_map(move |page| page.touches.iter().map(move |t| (t, is_last(page, t))))
    }

    pub(super) fn arm_of(&self, item: &Item) -> &Arm {
        &self.arms[item.arm as usize]
    }

    /// From a cascade's launch to its maturity, in milliseconds.
    pub(super) fn horizon_ms(&self, item: &Item) -> i64 {
        item.horizon.map_or_else(|| ms(self.arm_of(item).horizon_s), Span::ms)
    }
}

impl Item {
    fn of(cascade: &Cascade, arm: usize) -> Self {
        let steps = &cascade.steps;
        let since = |at: At| Span::between(cascade.launched_at, at);
        let ends = steps.iter().filter_map(|step| Some(step.sent_at?.0.saturating_add(ms(window_s(step)))));
        Self {
            launched_at: cascade.launched_at,
            cost: steps.iter().map(|step| amount(step.cost)).sum(),
            arm: arm as u32,
            horizon: cascade.horizon_s.map(|s| Span::of_ms(ms(s))),
            closed: match cascade.ending {
                Ending::Untold => Some(since(ends.max().map_or(cascade.launched_at, At))),
                Ending::Open => None,
                Ending::At(at) => Some(since(at)),
            },
            converted: steps.iter().filter_map(|step| step.converted_at).min().map(since),
            opted_out: steps.iter().filter_map(|step| step.opted_out_at).min().map(since),
            propensity: cascade.propensity.filter(|_| !cascade.forced).map(|p| p as f32),
            forced: cascade.forced,
            was_drawn: cascade.propensity.is_some_and(|p| p < 1.0),
            unsent: !steps.iter().any(reached),
        }
    }
}

impl Page {
    /// Adds the contacts of the cascade that was added last.
    fn touch(&mut self, segment: usize, cascade: &Cascade) {
        let item = self.items.len().saturating_sub(1) as u32;
        let mut is_first = true;
        // Who knows how far it has come knows all of its walk.
        let end = (cascade.ending != Ending::Untold).then_some(cascade.steps.len());
        for (at, step) in cascade.steps.iter().enumerate() {
            let Some(sent_at) = step.sent_at else { continue };
            let since = |at: At| Span::between(sent_at, at);
            let others = cascade.steps.iter().enumerate().filter(|(other, _)| *other != at);
            let ended = others.filter_map(|(_, other)| other.converted_at).min();
            self.touches.push(Touch {
                sent_at,
                window: step.window_s.map(|s| Span::of_ms(ms(s))),
                converted: step.converted_at.map(since),
                ended: ended.map(since),
                cost: amount(step.cost) as f32,
                list: list(segment, step.channel) as u32,
                item,
                step: place(step),
                is_last: end.map(|end| at + 1 == end),
                next: cascade.steps.get(at + 1).map(|next| next.channel),
                is_first,
                is_delivered: step.delivered_at.is_some() || step.converted_at.is_some(),
                is_bounced: step.bounced_at.is_some(),
                is_in_turn: is_in_turn(cascade, at),
            });
            is_first = false;
        }
    }
}

impl Extend<Cascade> for Ledger {
    fn extend<T: IntoIterator<Item = Cascade>>(&mut self, cascades: T) {
        cascades.into_iter().for_each(|cascade| self.add(&cascade));
    }
}

/// A step's place in its walk; nobody walks as far as this counts.
fn place(step: &Step) -> u8 {
    step.step.min(u32::from(u8::MAX)) as u8
}

/// Whether a step converted before the next one left and before the cascade ended, where the record tells that.
fn is_in_turn(cascade: &Cascade, at: usize) -> bool {
    let (Some(converted), Ending::At(end)) = (cascade.steps[at].converted_at, cascade.ending) else {
        return false;
    };
    let left = |later: &Step| later.sent_at.is_some_and(|sent| sent <= converted);
    converted <= end && !cascade.steps[at + 1..].iter().any(left)
}

/// A terminal step's row may leave the window out.
fn window_s(step: &Step) -> u64 {
    step.window_s.unwrap_or(CONVERSION_WINDOW_S)
}

fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

/// An amount as a number: the nearest one, which the exact decimal's own conversion is many times slower to find.
fn amount(money: Money) -> f64 {
    /// Powers of ten up to this one are exact, and so are whole numbers up to the other.
    const EXACT: (u32, u64) = (22, 1 << 53);
    let scale = money.0.scale();
    match i64::try_from(money.0.mantissa()) {
        Ok(units) if scale <= EXACT.0 && units.unsigned_abs() <= EXACT.1 => {
            units as f64 / 10_f64.powi(scale as i32)
        }
        Ok(_) | Err(_) => money.0.to_f64().unwrap_or_default(),
    }
}
