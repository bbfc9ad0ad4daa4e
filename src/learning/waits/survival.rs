//! Kaplan-Meier: when conversions arrive, if some waits still run and some were shorter than others.

use std::collections::BTreeMap;

/// One delivered contact, in seconds since it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contact {
    /// The wait in force when it was sent.
    pub window_s: f64,
    /// How long ago that was.
    pub age_s: f64,
    /// When this message converted, however late.
    pub converted_s: Option<f64>,
    /// When another step's message converted the person: this one could not any more.
    pub ended_s: Option<f64>,
}

impl Contact {
    /// How long it was followed. An opt-out ends nothing: whoever opted out cannot convert, and taking them out would
    /// pretend that they might.
    pub fn followed_s(&self) -> f64 {
        self.window_s.min(self.age_s).min(self.ended_s.unwrap_or(f64::INFINITY))
    }

    /// When it converted within what was followed.
    pub fn event_s(&self) -> Option<f64> {
        self.converted_s.filter(|at| *at <= self.followed_s())
    }

    /// Whether it converted after its own window, when it was followed no longer.
    pub fn is_late(&self) -> bool {
        self.converted_s.is_some_and(|at| at > self.window_s && at <= self.age_s)
    }
}

/// Contacts, summed up to what every estimate needs of them. Most waits end without an answer, so that the times that
/// have to be brought into order are few.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    contacts: u64,
    /// When they converted within what was followed; once settled, in order.
    events: Vec<f64>,
    /// When they converted after their own window; once settled, in order.
    after: Vec<f64>,
    /// How long those were followed that are not followed to the end of their window; once settled, in order.
    left: Vec<f64>,
    /// How many were followed to the end, by the bits of the window: these are in the order of the windows.
    ended: BTreeMap<u64, u64>,
}

impl Followed {
    /// Adds one.
    pub fn add(&mut self, contact: &Contact) {
        self.contacts += 1;
        self.after.extend(contact.converted_s.filter(|_| contact.is_late()));
        let followed_s = contact.followed_s();
        if let Some(at) = contact.event_s() {
            self.events.push(at);
        } else if followed_s < contact.window_s {
            self.left.push(followed_s);
        } else {
            *self.ended.entry(followed_s.to_bits()).or_default() += 1;
        }
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        self.contacts += other.contacts;
        self.events.extend_from_slice(&other.events);
        self.after.extend_from_slice(&other.after);
        self.left.extend_from_slice(&other.left);
        for (window, count) in &other.ended {
            *self.ended.entry(*window).or_default() += count;
        }
    }

    /// Nothing more is added: brings the times into order.
    pub fn settle(&mut self) {
        // Not the fastest order for any times, but for what was merged of ordered ones.
        self.events.sort_by(f64::total_cmp);
        self.after.sort_by(f64::total_cmp);
        self.left.sort_by(f64::total_cmp);
    }

    /// All of them.
    pub const fn contacts(&self) -> u64 {
        self.contacts
    }

    /// All conversions by these messages, however late.
    pub const fn conversions(&self) -> u64 {
        (self.events.len() + self.after.len()) as u64
    }

    /// How many of them came later than `window_s`, whatever their own window was.
    pub fn late(&self, window_s: f64) -> u64 {
        let later = |times: &[f64]| times.len() - times.partition_point(|at| *at <= window_s);
        (later(&self.events) + later(&self.after)) as u64
    }

    /// How many conversions within what was followed came later than `from_s` and by `to_s`.
    pub fn events_between(&self, from_s: f64, to_s: f64) -> u64 {
        let by = |limit: f64| self.events.partition_point(|at| *at <= limit);
        by(to_s).saturating_sub(by(from_s)) as u64
    }

    /// How many without a conversion were followed to `window_s`.
    pub fn to_the_end(&self, window_s: f64) -> u64 {
        let left = self.left.len() - self.left.partition_point(|at| *at < window_s);
        let ended: u64 = self.ended.range(window_s.to_bits()..).map(|(_, count)| count).sum();
        left as u64 + ended
    }

    /// How long they were followed that did not convert, in order, and how many so long.
    fn censored(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut left = self.left.iter().map(|at| (*at, 1)).peekable();
        let mut ended = self.ended.iter().map(|(bits, count)| (f64::from_bits(*bits), *count)).peekable();
        std::iter::from_fn(move || match (left.peek(), ended.peek()) {
            (Some((at, _)), Some((window, _))) if window < at => ended.next(),
            (Some(_), _) => left.next(),
            (None, _) => ended.next(),
        })
    }
}

impl FromIterator<Contact> for Followed {
    fn from_iter<T: IntoIterator<Item = Contact>>(contacts: T) -> Self {
        let mut all = Self::default();
        contacts.into_iter().for_each(|contact| all.add(&contact));
        all.settle();
        all
    }
}

/// A time at which somebody converted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Seconds since sending.
    pub t_s: f64,
    /// Contacts that were still followed and had not converted.
    pub at_risk: u64,
    /// How many converted then.
    pub events: u64,
    /// The share that has not converted by then.
    pub survival: f64,
    /// Greenwood's sum: the variance of the survival is its square times this.
    pub greenwood: f64,
}

impl Point {
    /// The 95 % limits of the survival by log-log ("exponential Greenwood").
    pub fn limits(&self) -> (f64, f64) {
        let log = self.survival.ln();
        if !log.is_finite() || log == 0.0 {
            return (self.survival, self.survival);
        }
        let swing = super::Z95 * self.greenwood.sqrt() / log;
        let (a, b) = (self.survival.powf(swing.exp()), self.survival.powf((-swing).exp()));
        (a.min(b), a.max(b))
    }
}

/// The estimate: a step at each time with an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survival {
    /// In the order of time.
    pub points: Vec<Point>,
}

impl Survival {
    /// Estimates it. At equal times events come before censorings.
    pub fn of(followed: &Followed) -> Self {
        let (mut points, mut survival, mut greenwood) = (Vec::new(), 1.0, 0.0);
        let mut at_risk = followed.contacts;
        let mut censored = followed.censored().peekable();
        for same in followed.events.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
            let Some(&t_s) = same.first() else { continue };
            while let Some((_, count)) = censored.next_if(|(at, _)| *at < t_s) {
                at_risk -= count;
            }
            let events = same.len() as u64;
            let (d, n) = (events as f64, at_risk as f64);
            survival *= 1.0 - d / n;
            // Where everybody converted there is nothing left to vary.
            greenwood += if events < at_risk { d / (n * (n - d)) } else { 0.0 };
            points.push(Point { t_s, at_risk, events, survival, greenwood });
            at_risk -= events;
        }
        Self { points }
    }

    /// Survival and Greenwood's sum at a time.
    pub fn at(&self, t_s: f64) -> (f64, f64) {
        let before = self.points.partition_point(|point| point.t_s <= t_s);
        let last = before.checked_sub(1).and_then(|at| self.points.get(at));
        last.map_or((1.0, 0.0), |point| (point.survival, point.greenwood))
    }
}
