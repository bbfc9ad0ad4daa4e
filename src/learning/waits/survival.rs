//! Kaplan-Meier: when conversions arrive, if some waits still run and some were shorter than others.

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

    /// Whether it converted after its own window.
    pub fn is_late(&self) -> bool {
        self.converted_s.is_some_and(|at| at > self.window_s && at <= self.age_s)
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
    pub fn of(contacts: &[Contact]) -> Self {
        let mut times: Vec<(f64, bool)> =
            contacts.iter().map(|c| c.event_s().map_or((c.followed_s(), false), |at| (at, true))).collect();
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut points, mut survival, mut greenwood) = (Vec::new(), 1.0, 0.0);
        let mut left = times.len() as u64;
        for same in times.chunk_by(|a, b| a.0 <= b.0 && b.0 <= a.0) {
            let (events, at_risk) = (same.iter().filter(|(_, is_event)| *is_event).count() as u64, left);
            left -= same.len() as u64;
            let Some((t_s, _)) = same.first().filter(|_| events > 0) else { continue };
            let (d, n) = (events as f64, at_risk as f64);
            survival *= 1.0 - d / n;
            // Where everybody converted there is nothing left to vary.
            greenwood += if events < at_risk { d / (n * (n - d)) } else { 0.0 };
            points.push(Point { t_s: *t_s, at_risk, events, survival, greenwood });
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
