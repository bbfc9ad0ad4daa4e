//! What one seed simulates: people, rules and limits, faults, the operator's acts, and where the machine dies.

use crate::cascades::EDITS;
use crate::random::Draw;
use cascade::engine::order::Deed;
use cascade::engine::retime::Choice;
use cascade::model::Channel;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// How long faults and acts go on; afterwards everything works and the operator mends what is left.
pub const STORMY_S: u64 = 4 * 3600;

/// Everything about one simulated campaign. Printed when it fails, and made smaller piece by piece.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub seed: u64,
    pub tier: Tier,
    /// Customers; the second campaign has the same.
    pub people: u64,
    /// Whether some of them share a number.
    pub shared: bool,
    /// Which rules, see [`RULES`].
    pub rules: usize,
    /// Contacts of one person in 24 h; 0: any number.
    pub cap: u32,
    /// Quiet hours begin this many minutes after the launch, for two hours.
    pub quiet_after_min: Option<u64>,
    /// In cents.
    pub budget: Option<u64>,
    /// Requests at once.
    pub concurrent: usize,
    /// Shares in per mille, by what goes wrong.
    pub faults: Faults,
    pub acts: Vec<Act>,
    pub deaths: Vec<Death>,
    /// Of the store.
    pub store: Vec<(u64, StoreFault)>,
}

/// What the store is kept on: the first tier's is quick, the second's is the real one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    #[default]
    Memory,
    Sqlite,
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "memory" => Ok(Self::Memory),
            "sqlite" => Ok(Self::Sqlite),
            other => Err(format!("{other} is no tier: memory or sqlite")),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
        })
    }
}

/// Each in per mille of its chances.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    pub throttled: u64,
    pub not_connected: u64,
    /// 5xx or a broken connection, nothing done.
    pub lost_before: u64,
    /// 5xx or a broken connection, although it was done.
    pub lost_after: u64,
    /// A template, a number or the account is not in order, from time to time.
    pub config: u64,
    pub webhook_twice: u64,
    pub webhook_late: u64,
    pub lookup_fails: u64,
    /// Seconds by which lists lag.
    pub lag_s: u64,
    /// Milliseconds that a commit may take.
    pub slow_commit_ms: u64,
    /// Milliseconds that a request may take.
    pub slow_request_ms: u64,
}

/// Something that happens at a time, seconds after the launch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    pub at_s: u64,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    Order(Wish),
    Leave {
        away_s: u64,
    },
    /// SIGKILL, whatever is under way.
    Kill {
        away_s: u64,
    },
    Sleep {
        for_s: u64,
    },
    ClockJumps {
        by_s: i64,
    },
    TunnelDown {
        for_s: u64,
    },
    /// Somebody writes STOP by SMS out of the blue.
    Stops(u64),
    BackUp,
    /// The machine dies, and what was backed up takes the place of the store.
    Restore {
        away_s: u64,
    },
}

/// What the operator asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    Hold(Option<Channel>),
    Resume {
        only: Option<Channel>,
        extend: bool,
    },
    For(u64, Deed),
    SettleAll {
        truthfully: bool,
    },
    /// Everybody whose step failed, once more.
    RetryAll,
    StopCampaign,
    LaunchAgain,
    /// New rules, see [`crate::cascades::EDITS`], shown and saved a while later. What is not in force yet is shown instead, or dropped.
    Edit {
        which: usize,
        choice: Choice,
        after_s: u64,
    },
}

/// Where the process dies: at the nth time it gets there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Death {
    pub point: Point,
    pub nth: u64,
    pub away_s: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    BeforeCommit,
    /// The commit was under way; it is on disk or it is not.
    InCommit {
        durable: bool,
    },
    /// On disk, but nobody knows yet: effects, answers to webhooks.
    AfterCommit,
    /// Claimed, and no byte has left.
    BeforeByte,
    /// The provider has it.
    AfterByte,
    /// The provider's answer is there, and not yet recorded.
    AfterAnswer,
    /// Recorded, and the 2xx does not get out.
    BeforeTwoHundred,
}

pub const POINTS: [Point; 8] = [
    Point::BeforeCommit,
    Point::InCommit { durable: false },
    Point::InCommit { durable: true },
    Point::AfterCommit,
    Point::BeforeByte,
    Point::AfterByte,
    Point::AfterAnswer,
    Point::BeforeTwoHundred,
];

/// How a commit fails, of which nothing is on disk then, or is kept waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    DiskFull,
    Io,
    /// A row of it is there already.
    Refused,
    /// Another program holds the file for longer than anybody waits.
    Busy,
    /// Another program holds the file, and lets it go in time.
    Held {
        for_s: u64,
    },
}

impl StoreFault {
    pub const fn fails(self) -> bool {
        !matches!(self, Self::Held { .. })
    }

    /// How long the commit waits for whoever holds the file.
    pub const fn lasts_ms(self) -> u64 {
        match self {
            Self::DiskFull | Self::Io | Self::Refused => 0,
            Self::Busy => 30_000,
            Self::Held { for_s } => for_s * 1000,
        }
    }
}

impl Setting {
    /// What this seed says, for `people` customers. The tiers differ in how often the store fails.
    pub fn of(seed: u64, people: u64, tier: Tier) -> Self {
        let draw = Draw::new(seed);
        // A third of the world is calm, so that one trouble is seen by itself.
        let calm = draw.named("calm").below(3) == 0;
        Self {
            seed,
            tier,
            people: draw.named("people").between(1, people),
            shared: draw.named("shared").hits(400),
            rules: if draw.named("long").hits(60) { 3 } else { draw.named("rules").below(3) as usize },
            cap: draw.named("cap").pick(&[0, 1, 2, 3, 3]),
            quiet_after_min: draw.named("quiet").hits(250).then(|| draw.named("quiet at").between(1, 90)),
            budget: draw.named("budget").hits(150).then(|| draw.named("cents").between(20, 600)),
            concurrent: draw.named("concurrent").between(1, 8) as usize,
            faults: if calm { Faults::default() } else { faults(draw.named("faults")) },
            acts: acts(draw.named("acts"), people, tier),
            deaths: deaths(draw.named("deaths")),
            store: store_faults(draw.named("store"), tier),
        }
    }

    /// Quiet hours, in minutes of the day in New York; the launch is at 10:00 there.
    pub fn quiet_min(&self) -> Option<(u16, u16)> {
        let from = ((600 + self.quiet_after_min?) % 1440) as u16;
        Some((from, (from + 120) % 1440))
    }

    /// Smaller settings, each with something left out.
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut without = |change: &dyn Fn(&mut Self)| {
            let mut smaller = self.clone();
            change(&mut smaller);
            if smaller != *self {
                all.push(smaller);
            }
        };
        for at in 0..self.acts.len() {
            without(&|s| _ = s.acts.remove(at));
        }
        for at in 0..self.deaths.len() {
            without(&|s| _ = s.deaths.remove(at));
        }
        for at in 0..self.store.len() {
            without(&|s| _ = s.store.remove(at));
        }
        without(&|s| s.people = s.people.div_ceil(2));
        without(&|s| s.people = (s.people - 1).max(1));
        without(&|s| s.shared = false);
        without(&|s| s.quiet_after_min = None);
        without(&|s| s.budget = None);
        without(&|s| s.cap = 0);
        for clear in CLEAR {
            without(&|s| clear(&mut s.faults));
        }
        all
    }
}

const CLEAR: [fn(&mut Faults); 11] = [
    |f| f.throttled = 0,
    |f| f.not_connected = 0,
    |f| f.lost_before = 0,
    |f| f.lost_after = 0,
    |f| f.config = 0,
    |f| f.webhook_twice = 0,
    |f| f.webhook_late = 0,
    |f| f.lookup_fails = 0,
    |f| f.lag_s = 0,
    |f| f.slow_commit_ms = 0,
    |f| f.slow_request_ms = 0,
];

fn faults(draw: Draw) -> Faults {
    let share = |name: &str, most: u64| {
        let draw = draw.named(name);
        if draw.of(0).hits(500) { draw.of(1).below(most) } else { 0 }
    };
    Faults {
        throttled: share("throttled", 300),
        not_connected: share("not connected", 200),
        lost_before: share("lost before", 200),
        lost_after: share("lost after", 200),
        config: share("config", 150),
        webhook_twice: share("twice", 400),
        webhook_late: share("late", 400),
        lookup_fails: share("lookup", 400),
        lag_s: share("lag", 120),
        slow_commit_ms: share("commit", 4000),
        slow_request_ms: share("request", 15_000),
    }
}

fn acts(draw: Draw, people: u64, tier: Tier) -> Vec<Act> {
    let many = draw.named("many").below(7);
    let mut acts: Vec<Act> = (0..many).map(|n| act(draw.of(n), people)).collect();
    if draw.named("again").hits(300) {
        acts.push(Act { at_s: STORMY_S + 3 * 3600, what: What::Order(Wish::LaunchAgain) });
    }
    // Real files are put in their place by the program itself, which is tried by its own tests.
    if tier == Tier::Memory && draw.named("restored").hits(80) {
        acts.extend(restore(draw.named("restore")));
    }
    acts.sort_by_key(|act| act.at_s);
    acts
}

/// A store of before is restored, minutes or hours after it was backed up.
fn restore(draw: Draw) -> [Act; 2] {
    let early = |draw: Draw| if draw.hits(500) { draw.of(1).below(120) } else { draw.of(1).below(STORMY_S) };
    let backup_s = early(draw.named("backup"));
    let what = What::Restore { away_s: away(draw.named("away")) };
    let restore = Act { at_s: backup_s + early(draw.named("after")), what };
    [Act { at_s: backup_s, what: What::BackUp }, restore]
}

fn act(draw: Draw, people: u64) -> Act {
    let (who, span) = (draw.named("who").below(people), draw.named("span"));
    let channel = draw.named("channel").pick(&[Channel::Whatsapp, Channel::Phone, Channel::Sms]);
    let extend = draw.named("extend").hits(500);
    // Half of them fall into the first minutes, when most is on its way.
    let at_s = if draw.named("early").hits(500) {
        draw.named("at").below(120)
    } else {
        draw.named("at").below(STORMY_S)
    };
    let resume = |only| Wish::Resume { only, extend };
    let order = match draw.named("what").below(21) {
        7 => return Act { at_s, what: What::Leave { away_s: away(span) } },
        8 => return Act { at_s, what: What::Sleep { for_s: span.between(61, 4 * 3600) } },
        9 => return Act { at_s, what: What::ClockJumps { by_s: span.between(0, 7200) as i64 - 3600 } },
        10 => return Act { at_s, what: What::TunnelDown { for_s: span.between(30, 3600) } },
        11 | 12 => return Act { at_s, what: What::Stops(who) },
        13 | 14 => return Act { at_s, what: What::Kill { away_s: away(span) } },
        0 | 1 => Wish::Hold(None),
        2 => resume(None),
        3 => Wish::Hold(Some(channel)),
        4 => resume(Some(channel)),
        5 => Wish::For(who, Deed::Stop),
        6 => Wish::For(who, Deed::OptOut),
        15 if span.hits(200) => Wish::StopCampaign,
        16 | 17 => Wish::For(who, Deed::SkipWait),
        18 => Wish::RetryAll,
        19 => {
            let which = draw.named("edit").below(EDITS.len() as u64) as usize;
            let choice = draw.named("choice").pick(Choice::ALL);
            Wish::Edit { which, choice, after_s: draw.named("looks").below(600) }
        }
        _ => Wish::SettleAll { truthfully: draw.named("truth").hits(800) },
    };
    Act { at_s, what: What::Order(order) }
}

fn away(draw: Draw) -> u64 {
    if draw.hits(600) { draw.of(1).between(1, 60) } else { draw.of(1).between(60, 3 * 3600) }
}

fn deaths(draw: Draw) -> Vec<Death> {
    let many = draw.named("many").below(5).saturating_sub(1);
    let death = |n: u64| {
        let draw = draw.of(n);
        let nth = if draw.named("soon").hits(500) {
            draw.named("nth").below(12)
        } else {
            draw.named("nth").below(60)
        };
        Death { point: draw.named("point").pick(&POINTS), nth, away_s: away(draw.named("away")) }
    };
    (0..many).map(death).collect()
}

fn store_faults(draw: Draw, tier: Tier) -> Vec<(u64, StoreFault)> {
    let share = match tier {
        Tier::Memory => 120,
        Tier::Sqlite => 500,
    };
    if !draw.named("any").hits(share) {
        return Vec::new();
    }
    let held = StoreFault::Held { for_s: draw.named("held").between(1, 20) };
    let all = [StoreFault::DiskFull, StoreFault::Io, StoreFault::Refused, StoreFault::Busy, held];
    vec![(draw.named("nth").between(1, 80), draw.named("which").pick(&all))]
}
