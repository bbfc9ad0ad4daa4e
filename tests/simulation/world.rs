//! The simulated world: one true time, what happens in it and when, what was really sent to whom, and whether the
//! machine that our process runs on is there to hear of it.

use crate::book::Book;
use crate::happenings::Happening;
use crate::oracle::Oracle;
use crate::random::Draw;
use crate::setting::{Point, Setting, StoreFault};
use cascade::clock::{self, Clock};
use cascade::model::{At, AttemptId, CascadeId, Channel, Phone, Scope};
use cascade::runtime::store::Batch;
use cascade::runtime::webhooks::Inbox;
use chrono::TimeDelta;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Tuesday 2026-03-03, 10:00 in New York.
pub const BEGIN: At = At::from_secs(1_772_550_000);

/// One request that was handed to the transport, and what really became of it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: At,
    /// By our machine's clock.
    pub machine: At,
    pub channel: Channel,
    pub to: Phone,
    pub key: String,
    pub attempt: AttemptId,
    pub cascade: CascadeId,
    /// It was sent after the backup that was restored since.
    pub lost: bool,
    /// What an SMS said, for the provider's list.
    pub body: String,
    /// The code in its link.
    pub code: Option<String>,
    /// The provider took it: its id.
    pub provider_id: Option<String>,
    /// When it was taken.
    pub taken_at: At,
    /// It was taken and did not arrive after all.
    pub failed: bool,
    /// Of a call: it is over, and whether nobody answered.
    pub over: bool,
    pub unanswered: bool,
    pub connected: bool,
    /// What the provider can report of it, as it does.
    pub reports: Vec<cascade::providers::Heard>,
}

impl Sent {
    /// The provider took it, and as far as anybody knows it arrived.
    pub const fn reached(&self) -> bool {
        self.provider_id.is_some() && !self.failed && !self.unanswered
    }

    /// The same step, also where an edit that was lost had put it elsewhere: a channel stands in a walk once.
    pub fn is_for(&self, cascade: CascadeId, channel: Channel) -> bool {
        self.cascade == cascade && self.channel == channel
    }
}

/// Something of ours that is shut at a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Shut {
    pub channel: Channel,
    pub scope: Scope,
    pub until: At,
}

/// A text that somebody wrote to our number.
#[derive(Clone, Debug)]
pub struct Texted {
    pub at: At,
    pub report: cascade::providers::Heard,
}

/// The process while it lives.
#[derive(Clone)]
pub struct Process {
    pub life: u64,
    pub inbox: Arc<dyn Inbox>,
}

pub struct State {
    pub setting: Setting,
    pub draw: Draw,
    pub book: Book,
    pub oracle: Oracle,
    pub sent: Vec<Sent>,
    pub texted: Vec<Texted>,
    pub shut: Vec<Shut>,
    pub process: Option<Process>,
    pub tunnel_back: At,
    pub people: Vec<Phone>,
    /// Faults and people's whims are over.
    pub calm: bool,
    offset: TimeDelta,
    queue: BTreeMap<(At, u64), Happening>,
    counted: u64,
    points: HashMap<&'static str, u64>,
    lives: u64,
    trace: DefaultHasher,
    tells: bool,
}

/// Shared by everything that is simulated.
pub struct World {
    state: Mutex<State>,
    began: Instant,
    /// The machine's clock.
    pub clock: Clock,
    pub changed: Notify,
    /// The newest life that is over.
    dead: watch::Sender<u64>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl World {
    pub fn new(setting: Setting, people: Vec<Phone>, tells: bool) -> Arc<Self> {
        let state = State {
            draw: Draw::new(setting.seed).named("world"),
            oracle: Oracle::new(&setting),
            setting,
            book: Book::default(),
            sent: Vec::new(),
            texted: Vec::new(),
            shut: Vec::new(),
            process: None,
            tunnel_back: BEGIN,
            people,
            calm: false,
            offset: TimeDelta::zero(),
            queue: BTreeMap::new(),
            counted: 0,
            points: HashMap::new(),
            lives: 0,
            trace: DefaultHasher::new(),
            tells,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            began: clock::wall(),
            clock: Clock::simulated(BEGIN),
            changed: Notify::new(),
            dead: watch::Sender::new(0),
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True time, whatever our machine's clock says.
    pub fn now(&self) -> At {
        self.true_time(self.lock().offset)
    }

    /// As [`World::now`], for whoever holds the lock.
    pub fn true_now(&self, state: &State) -> At {
        self.true_time(state.offset)
    }

    fn true_time(&self, offset: TimeDelta) -> At {
        let passed = clock::wall().saturating_duration_since(self.began);
        BEGIN + offset + TimeDelta::milliseconds(passed.as_millis() as i64)
    }

    pub async fn pass(&self, ms: u64) {
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    /// The machine sleeps: true time goes on, and so does its calendar, while its steady clock stands still.
    pub fn sleep(&self, span: TimeDelta) {
        let mut state = self.lock();
        state.offset += span;
        let until = self.true_time(state.offset);
        // What happens meanwhile finds nobody at home.
        while let Some((at, happening)) = state.take_due(until) {
            state.happen(at, happening, false);
        }
        drop(state);
        self.clock.set(self.clock.now() + span);
        self.changed.notify_one();
    }

    /// Lets things happen at their time, until the simulation ends.
    pub async fn go_on(self: Arc<Self>) {
        loop {
            let due = self.lock().queue.first_key_value().map(|((due, _), _)| *due);
            let left = due.map(|due| (due - self.now()).num_milliseconds());
            match left {
                Some(left) if left <= 0 => {
                    let mut state = self.lock();
                    let now = self.true_time(state.offset);
                    let Some((_, happening)) = state.take_due(now) else { continue };
                    let delivery = state.happen(now, happening, true);
                    drop(state);
                    if let Some((hook, process)) = delivery {
                        tokio::spawn(crate::hooks::deliver(Arc::clone(&self), hook, process));
                    }
                }
                left => tokio::select! {
                    biased;
                    () = self.changed.notified() => {}
                    () = sleep_or_never(left) => {}
                },
            }
        }
    }

    pub fn plan(&self, due: At, happening: Happening) {
        self.lock().plan(due, happening);
        self.changed.notify_one();
    }

    /// A new life of the process; its number.
    pub fn is_born(&self) -> u64 {
        let mut state = self.lock();
        state.lives += 1;
        state.lives
    }

    pub fn hears(&self, life: u64, inbox: Arc<dyn Inbox>) {
        self.lock().process = Some(Process { life, inbox });
    }

    pub fn is_alive(&self, life: u64) -> bool {
        *self.dead.borrow() < life
    }

    /// The process is gone, in the middle of whatever it did.
    pub fn kill(&self) {
        let mut state = self.lock();
        let life = state.lives;
        state.process = None;
        let now = self.true_time(state.offset);
        state.tell(now, || format!("life {life} ends"));
        state.died();
        drop(state);
        self.dead.send_replace(life);
    }

    pub async fn until_dead(&self, life: u64) {
        // The sender lives as long as the world.
        let _ = self.dead.subscribe().wait_for(|dead| *dead >= life).await;
    }

    /// Nothing of a dead process goes on.
    pub async fn gone<T>(&self) -> T {
        std::future::pending().await
    }

    /// Counts that this point is reached, and dies there if the setting says so.
    pub fn dies_at(&self, point: Point) -> bool {
        let dies = self.lock().reaches(point);
        if dies {
            self.kill();
        }
        dies
    }

    /// How long the commit takes, how it fails, and where in it the process dies.
    pub fn commit_begins(&self) -> (u64, Option<StoreFault>, Option<Point>) {
        let mut state = self.lock();
        let n = state.count("commit");
        let draw = state.draw.named("commit").of(n);
        let slow = if state.calm { 0 } else { state.setting.faults.slow_commit_ms };
        let latency = if draw.hits(100) { draw.of(1).below(slow + 1) } else { draw.of(2).below(5) };
        let fault = state.setting.store.iter().find(|(nth, _)| *nth == n).map(|(_, fault)| *fault);
        if fault.is_some_and(StoreFault::fails) {
            state.oracle.store_fails();
        }
        let points =
            [Point::InCommit { durable: false }, Point::InCommit { durable: true }, Point::AfterCommit];
        let death = points.into_iter().find(|point| state.reaches(*point));
        (latency, fault, death)
    }

    /// A batch is on disk.
    pub fn committed(&self, batch: &Batch) {
        let mut state = self.lock();
        let now = self.true_time(state.offset);
        state.judge_reports(batch, now);
        state.book.enter(batch);
        for (seq, event) in &batch.events {
            (
                seq,
                event.at,
                std::mem::discriminant(&event.kind),
                event.subject.attempt,
                event.subject.cascade,
            )
                .hash(&mut state.trace);
            state.tell(now, || format!("#{seq} {:?} {:?}", event.subject, event.kind));
        }
        state.judge_commit(batch, now);
    }

    /// The same seed gives the same.
    pub fn hash(&self) -> u64 {
        self.lock().trace.finish()
    }
}

async fn sleep_or_never(left: Option<i64>) {
    match left {
        Some(left) => tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0))).await,
        None => std::future::pending().await,
    }
}

impl State {
    pub fn plan(&mut self, due: At, happening: Happening) {
        self.counted += 1;
        self.queue.insert((due, self.counted), happening);
    }

    fn take_due(&mut self, now: At) -> Option<(At, Happening)> {
        let first = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((due, _), happening) = first.remove_entry();
        Some((due, happening))
    }

    /// Counts from 0.
    pub fn count(&mut self, what: &'static str) -> u64 {
        let n = self.points.entry(what).or_default();
        *n += 1;
        *n - 1
    }

    fn reaches(&mut self, point: Point) -> bool {
        let n = self.count(name(point));
        !self.calm && self.setting.deaths.iter().any(|death| death.point == point && death.nth == n)
    }

    /// How long the process stays away after the death it has just died.
    pub fn away_s(&self) -> u64 {
        let died = |nth: u64, point| self.points.get(name(point)).is_some_and(|n| *n == nth + 1);
        self.setting.deaths.iter().find(|death| died(death.nth, death.point)).map_or(5, |death| death.away_s)
    }

    /// For the trace's hash, and for whoever reads the story of a failure.
    pub fn mark(&mut self, now: At, what: &str, number: u64) {
        (now, what, number).hash(&mut self.trace);
    }

    pub fn tell(&self, now: At, words: impl FnOnce() -> String) {
        if self.tells {
            println!("{now} {}", words());
        }
    }
}

/// As it is counted.
const fn name(point: Point) -> &'static str {
    match point {
        Point::BeforeCommit => "before commit",
        Point::InCommit { durable: false } => "in commit, lost",
        Point::InCommit { durable: true } => "in commit, durable",
        Point::AfterCommit => "after commit",
        Point::BeforeByte => "before the first byte",
        Point::AfterByte => "after the first byte",
        Point::AfterAnswer => "after the answer",
        Point::BeforeTwoHundred => "before the 2xx",
    }
}
