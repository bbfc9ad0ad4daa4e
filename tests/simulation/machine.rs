//! The simulated machine: one life of the real process after the other, each joined to the world at its four seams.

use crate::book::Book;
use crate::cascades::RULES;
use crate::papers::Papers;
use crate::rows::Rows;
use crate::setting::{Act, STORMY_S, Setting};
use crate::shelf::{Disk, Shelf, Tally};
use crate::transport::Line;
use crate::world::{BEGIN, World};
use cascade::config::Config;
use cascade::engine::Campaign;
use cascade::model::{Channel, Customer, Mode, Money, Phone, QuietHours};
use cascade::runtime::handle::{Command, Notice, PlaceFacts, Signature};
use cascade::runtime::launch::Plan;
use cascade::runtime::plan::Draw;
use cascade::runtime::saving::{META, SaveState, Saved};
use cascade::runtime::store::Keeper;
use cascade::runtime::{Joined, Junction, Purpose, RoundTrip, Seams, Wires};
use cascade::workspace::{Named, Workspace};
use futures::future::FutureExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// After the storm, everything must end within this: with one contact a day and shared numbers it takes many days.
const BOUND_S: u64 = 14 * 24 * 3600;

/// Wall time after which a simulation, which takes milliseconds, is given up.
const HANGS: Duration = Duration::from_mins(2);

/// The program's own rules, content and settings, read once.
static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let empty = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(empty.path(), &Named::default(), &|_| None).unwrap();
    let draw = Draw { limit: 100, seed: 1, segments: Vec::new() };
    Plan::read(&workspace, &draw, 1.0).unwrap()
});

/// What became of a simulation.
#[derive(Debug)]
pub struct Outcome {
    /// What broke, first first.
    pub broken: Vec<String>,
    pub hash: u64,
    /// Lives of the process, events on disk, requests.
    pub lives: u64,
    pub events: u64,
    pub sent: u64,
    /// What happened to the disk.
    pub tally: Tally,
}

/// Simulates it to its end. Deterministic; blocks this thread alone.
pub fn simulate(setting: &Setting, tell: bool) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let seed = setting.seed;
    std::thread::spawn(move || {
        if ended.recv_timeout(HANGS) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            // Nothing on the simulated thread could say so: it never comes to rest.
            eprintln!("seed {seed} hangs: time stands still and something goes on for ever");
            std::process::abort();
        }
    });
    let outcome = runtime.block_on(run(setting.clone(), tell));
    drop(done);
    outcome
}

async fn run(setting: Setting, tell: bool) -> Outcome {
    let plan = Arc::new(plan(&setting));
    let phones = plan.customers.iter().map(|c| c.phone.clone()).collect();
    let disk = Arc::new(Disk::new(&setting));
    let world = World::new(setting, phones, tell);
    let going_on = tokio::spawn(Arc::clone(&world).go_on());
    let mut machine = Machine {
        world: Arc::clone(&world),
        disk: Arc::clone(&disk),
        papers: Papers::new(Arc::clone(&plan)),
        plan,
        acts: Vec::new(),
        lives: 0,
        launched: 0,
        backup: None,
    };
    machine.acts = world.lock().setting.acts.clone();
    machine.live().await;
    going_on.abort();
    machine.judge();
    let lives = machine.lives;
    let hash = world.hash();
    let state = world.lock();
    let (events, sent) = (state.book.seq, state.sent.len() as u64);
    Outcome { broken: state.oracle.broken.clone(), hash, lives, events, sent, tally: disk.tally() }
}

/// What is launched: the program's own content, these rules and limits, made-up people.
pub fn plan(setting: &Setting) -> Plan {
    let mut plan = PLAN.clone();
    let (rules, problems) = cascade::rules::parse(Path::new("cascade.json"), RULES[setting.rules].as_bytes());
    plan.ready.rules = rules.unwrap_or_else(|| panic!("{problems:?}"));
    limits(setting, &mut plan.ready.config);
    let model = plan.customers[0].clone();
    plan.customers = (0..setting.people).map(|n| customer(&model, n, setting)).collect();
    plan
}

fn limits(setting: &Setting, config: &mut Config) {
    config.mode = Mode::Live;
    config.limits.per_person_24h = setting.cap;
    config.limits.quiet_hours = setting.quiet_min().map(|(from_min, to_min)| QuietHours { from_min, to_min });
    let cents = |cents: u64| Money::parse(&format!("{}.{:02}", cents / 100, cents % 100));
    config.limits.budget = cents(setting.budget.unwrap_or(1_000_000)).unwrap_or_default();
    // Everything may fail here; the campaign is not to stop itself for it every time.
    if setting.seed.is_multiple_of(2) {
        (config.pilot.max_failure_share, config.pilot.max_optout_share) = (1.0, 1.0);
    }
    let paces = [&mut config.whatsapp.pace, &mut config.phone.pace, &mut config.sms.pace];
    for pace in paces {
        pace.concurrent = setting.concurrent;
    }
}

fn customer(model: &Customer, n: u64, setting: &Setting) -> Customer {
    // Every third shares the number of the one before.
    let number = if setting.shared && n % 3 == 2 { n - 1 } else { n };
    Customer {
        line: n + 2,
        name: format!("Person {n}").into(),
        phone: Phone::parse_e164(&format!("+1415555{number:04}")).unwrap(),
        timezone: Some("America/New_York".into()),
        language: Some("en_US".into()),
        country: Some("US".into()),
        ..model.clone()
    }
}

/// The machine, whoever sits before it.
pub struct Machine {
    pub world: Arc<World>,
    pub disk: Arc<Disk>,
    plan: Arc<Plan>,
    /// The workspace.
    pub papers: Papers,
    acts: Vec<Act>,
    lives: u64,
    pub launched: u64,
    pub backup: Option<(Rows, Book)>,
}

/// One life's ends.
pub struct Life {
    pub number: u64,
    pub commands: mpsc::Sender<Command>,
    joined: Joined,
    /// The operator was told that the store failed.
    store_failed: Arc<AtomicBool>,
}

/// How long the process stays away, or that all is over.
pub enum Next {
    Away(u64),
    Over,
}

impl Machine {
    async fn live(&mut self) {
        loop {
            if self.judged(self.disk.opens()) {
                return;
            }
            let life = self.begin().await;
            let next = self.attend(&life).await;
            let in_order = self.world.is_alive(life.number) && life.joined.driver.is_finished();
            life.joined.tasks.stop();
            life.joined.driver.abort();
            if self.world.is_alive(life.number) {
                self.world.kill();
            }
            // What ran is gone before the next life begins.
            tokio::task::yield_now().await;
            self.judged(self.disk.ends(in_order));
            self.fold_holds("at the end of a life");
            match next {
                Next::Over => return,
                Next::Away(seconds) => self.world.pass(seconds * 1000).await,
            }
            if !self.world.lock().oracle.broken.is_empty() {
                return;
            }
        }
    }

    /// A process starts.
    async fn begin(&mut self) -> Life {
        let world = &self.world;
        let number = world.is_born();
        self.lives = number;
        let (picture, _) = watch::channel(Arc::default());
        let (commands, asked) = mpsc::channel(64);
        let (notices, mut told) = mpsc::channel::<Notice>(64);
        let (store_failed, world_told) = (Arc::new(AtomicBool::new(false)), Arc::clone(world));
        let failed = Arc::clone(&store_failed);
        tokio::spawn(async move {
            while let Some(notice) = told.recv().await {
                let now = world_told.now();
                failed.fetch_or(notice.text.contains("start cascade again"), Ordering::Relaxed);
                world_told.lock().tell(now, || format!("the operator is told: {}", notice.text));
            }
        });
        let wires = Wires { picture, commands: asked, notices, clock: world.clock.clone() };
        let junction = Junction::new(wires, PlaceFacts::default());
        let now = world.now();
        world.lock().oracle.gap(now);
        world.hears(number, junction.inbox());
        let store = Shelf { disk: Arc::clone(&self.disk), world: Arc::clone(world), life: number };
        let line = |channel| {
            let line: Arc<dyn cascade::providers::Provider> =
                Arc::new(Line { world: Arc::clone(world), life: number, channel });
            line
        };
        let loaded = store.load(0).unwrap();
        let joined = junction
            .join(Seams {
                store: Arc::new(store),
                loaded,
                owns_clock: false,
                providers: [Channel::Whatsapp, Channel::Phone, Channel::Sms].map(line).into(),
                round_trip: Some(round_trip(Arc::clone(world), number)),
                plan: Some(self.papers.plan()),
                files: Some(Arc::new(self.papers.clone())),
                config: self.plan.ready.config.clone(),
                content: Arc::clone(&self.plan.content),
                links_base: "http://go.test/l".into(),
                purpose: Purpose::Console,
                as_before: false,
            })
            .await;
        Life { number, commands, joined, store_failed }
    }

    /// The operator before the screen, until the process dies or is left, or everything is over.
    async fn attend(&mut self, life: &Life) -> Next {
        if self.launched == 0 {
            self.launched = 1;
            self.give(life, Command::Launch(Signature::default())).await;
        }
        let mut is_up = false;
        loop {
            if !self.world.lock().oracle.broken.is_empty() {
                return Next::Over;
            }
            if !self.world.is_alive(life.number) {
                return Next::Away(self.world.lock().away_s());
            }
            if life.store_failed.load(Ordering::Relaxed) {
                // Mends the disk, and starts again as they were told.
                return self.leave(life, 120).await;
            }
            let passed = (self.world.now() - BEGIN).num_seconds().max(0) as u64;
            if let Some(act) = self.acts.first().copied().filter(|act| act.at_s <= passed) {
                self.acts.remove(0);
                if let Some(next) = self.act(life, act.what).await {
                    return next;
                }
                continue;
            }
            let stormy = passed < STORMY_S;
            if !stormy && !std::mem::replace(&mut self.world.lock().calm, true) {
                let now = self.world.now();
                self.world.lock().tell(now, || "the storm is over".into());
            }
            if !stormy {
                // Whatever a start finds open is asked for first.
                if is_up && self.is_over() && self.acts.is_empty() {
                    return Next::Over;
                }
                if passed > STORMY_S + BOUND_S {
                    let stands = self.stands();
                    self.world.lock().oracle.broken.push(format!("9: not everybody has ended: {stands}"));
                    return Next::Over;
                }
                self.mend(life).await;
            }
            let next = self.acts.first().map(|act| act.at_s.saturating_sub(passed));
            let step = if stormy { STORMY_S - passed } else { 600 };
            let step = next.map_or(step, |next| next.min(step)).clamp(1, 600);
            tokio::select! {
                biased;
                () = self.world.until_dead(life.number) => return Next::Away(self.world.lock().away_s()),
                () = self.world.pass(step * 1000) => is_up = true,
            }
        }
    }

    pub fn campaign(&self) -> Option<Campaign> {
        self.disk.read(Rows::campaign)
    }

    fn is_over(&self) -> bool {
        self.disk.read(|rows| rows.header().is_none_or(|header| header.ended_at.is_some()))
    }

    fn stands(&self) -> String {
        let campaign = self.campaign();
        let open = campaign.iter().flat_map(Campaign::journeys).filter(|j| !j.is_over());
        open.map(|j| format!("{} {:?} {:?}", j.id, j.state, j.timer)).collect::<Vec<_>>().join("; ")
    }

    /// Whether it breaks something.
    fn judged(&self, found: Result<(), String>) -> bool {
        let breaks = found.is_err();
        self.world.lock().oracle.broken.extend(found.err());
        breaks
    }

    /// 10, wherever a life ended.
    fn fold_holds(&self, when: &str) {
        let holds = self.disk.read(Rows::log_gives_the_rows);
        self.judged(holds.map_err(|broken| format!("{broken} {when}")));
    }

    /// 14: whatever was saved is there to the byte, and nothing is in force that stands nowhere else.
    fn saves_hold(&self) -> Result<(), String> {
        let rows = self.disk.read(Clone::clone);
        let saves = rows.meta.get(META).map(|saves| serde_json::from_str::<Vec<Saved>>(saves).unwrap());
        let written = *self.papers.written.lock().unwrap();
        for saved in saves.unwrap_or_default() {
            let bytes = rows.version(&saved.edition.rules);
            if bytes.is_empty() {
                return Err(format!("14: the bytes of {saved:?} are lost"));
            }
            if matches!(saved.state, SaveState::InForce { .. })
                && (written == 0 || saved.edition.commit.is_none())
            {
                return Err(format!("14: {saved:?} is in force and was never written"));
            }
        }
        for header in rows.headers.values() {
            if let Some(edition) = header.editions.iter().find(|e| rows.version(&e.rules).is_empty()) {
                return Err(format!("14: {edition:?} is in force, and its bytes are not in the store"));
            }
        }
        Ok(())
    }

    fn judge(&self) {
        self.fold_holds("at the end");
        self.judged(self.saves_hold());
        let now = self.world.now();
        if self.world.lock().oracle.broken.is_empty() {
            self.world.lock().judge_the_end(now);
        }
    }
}

/// Our public address answers as long as the tunnel stands and the process lives.
fn round_trip(world: Arc<World>, life: u64) -> RoundTrip {
    Arc::new(move || {
        let world = Arc::clone(&world);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if !world.is_alive(life) {
                return world.gone().await;
            }
            let mut state = world.lock();
            let now = world.true_now(&state);
            let heard = now >= state.tunnel_back;
            state.oracle.round_trip(now, heard);
            heard
        }
        .boxed()
    })
}
