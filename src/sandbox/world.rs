//! Everything the providers and people of a rehearsal know, and the one lock around it.

use super::acts::Act;
use super::deliver::Delivery;
use super::faults::Faults;
use super::ledger::{EventLine, Provider};
use super::memory::{Kept, Memory, MemoryError, Write};
use super::people::People;
use super::{Options, SandboxError, meta, twilio, vapi};
use crate::clock::Clock;
use crate::model::At;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Generated once, kept with the memory.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secrets {
    /// Keeps ids of two memories apart.
    tag: u64,
    pub access_token: String,
    pub app_secret: String,
    pub verify_token: String,
    pub api_key: String,
    pub webhook_secret: String,
    pub auth_token: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

impl Secrets {
    fn generate() -> Result<Self, SandboxError> {
        let secret = || {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).map_err(|error| SandboxError::Random(error.to_string()))?;
            Ok::<_, SandboxError>(hex::encode(bytes))
        };
        let mut tag = [0; 8];
        getrandom::fill(&mut tag).map_err(|error| SandboxError::Random(error.to_string()))?;
        Ok(Self {
            tag: u64::from_le_bytes(tag),
            access_token: format!("EAA{}", secret()?),
            app_secret: secret()?,
            verify_token: secret()?,
            api_key: secret()?,
            webhook_secret: secret()?,
            auth_token: secret()?,
        })
    }
}

/// Where webhooks go that no create call names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Hooks {
    /// Set by `subscribed_apps`.
    pub meta: Option<String>,
    /// Typed into a dashboard in real life.
    pub twilio_inbound: Option<String>,
    /// Kept for a client that sends e-mail; this sandbox plays no e-mail provider.
    pub sendgrid_events: Option<String>,
}

/// A moment per number.
fn moments(kept: &Kept, kind: &'static str) -> Result<HashMap<String, At>, MemoryError> {
    Ok(kept.all(kind)?.into_iter().map(|(number, ms)| (number, At::from_millis(ms))).collect())
}

/// The state. Whoever changes it also says what is to be written down.
#[derive(Debug)]
pub(super) struct World {
    pub seed: u64,
    pub people: People,
    pub secrets: Secrets,
    pub hooks: Hooks,
    pub faults: Faults,
    pub templates: BTreeMap<String, meta::Template>,
    pub messages: HashMap<String, meta::Message>,
    /// When a person last wrote to us on WhatsApp: opens the service window.
    pub windows: HashMap<String, At>,
    pub limits: meta::Limits,
    /// By id, and so by age.
    pub calls: BTreeMap<String, vapi::Call>,
    /// When a person's call was last throttled.
    pub throttled: HashMap<String, At>,
    /// By sid, and so by age.
    pub texts: BTreeMap<String, twilio::Sms>,
    /// `provider/number` of whoever said stop there.
    pub stopped: BTreeSet<String>,
    addr: SocketAddr,
    run: u64,
    last_id: u64,
    last_act: u64,
    acts: BTreeMap<(At, u64), Act>,
    writes: Vec<Write>,
}

impl World {
    pub(super) fn new(options: &Options, kept: Kept, addr: SocketAddr) -> Result<Self, SandboxError> {
        let mut people = People::new(options.seed, options.scenario.clone());
        people.know(&options.customers);
        let secrets = match kept.one("secrets")? {
            Some(secrets) => secrets,
            None => Secrets::generate()?,
        };
        let acts = kept.acts::<Act>()?;
        let mut faults: Faults = kept.one("faults")?.unwrap_or_default();
        if faults.is_empty() {
            let planned = options.scenario.iter().flat_map(super::Scenario::faults);
            planned.for_each(|fault| faults.add(fault.clone()));
        }
        Ok(Self {
            seed: options.seed,
            people,
            secrets,
            hooks: kept.one("hooks")?.unwrap_or_default(),
            faults,
            templates: kept.all("template")?.into_iter().collect(),
            messages: kept.all("message")?.into_iter().collect(),
            windows: moments(&kept, "window")?,
            limits: meta::Limits::default(),
            calls: kept.all("call")?.into_iter().collect(),
            throttled: moments(&kept, "throttled")?,
            texts: kept.all("sms")?.into_iter().collect(),
            stopped: kept.all::<bool>("stopped")?.into_iter().map(|(key, _)| key).collect(),
            addr,
            run: kept.one::<u64>("run")?.unwrap_or(0) + 1,
            last_id: 0,
            last_act: acts.iter().map(|(id, _, _)| *id).max().unwrap_or(0),
            acts: acts.into_iter().map(|(id, due, act)| ((At::from_millis(due), id), act)).collect(),
            writes: Vec::new(),
        })
    }

    /// Writes down what a new run decided: secrets, port, number of the run, faults of the scenario.
    pub(super) fn remember_all(&mut self) {
        let (secrets, run, port) = (self.secrets.clone(), self.run, self.addr.port());
        self.keep("secrets", "", &secrets);
        self.keep("run", "", &run);
        self.keep("port", "", &port);
        self.keep_faults();
    }

    /// Keeps a thing beyond a restart.
    pub(super) fn keep<T: Serialize>(&mut self, kind: &'static str, id: &str, thing: &T) {
        match serde_json::to_string(thing) {
            Ok(json) => self.writes.push(Write::Put { kind, id: id.to_owned(), json }),
            Err(error) => tracing::error!(%error, kind, "a thing of the sandbox cannot be written down"),
        }
    }

    pub(super) fn keep_faults(&mut self) {
        let faults = std::mem::take(&mut self.faults);
        self.keep("faults", "", &faults);
        self.faults = faults;
    }

    /// The base of all URLs that point at the sandbox itself.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// 32 hexadecimal digits, unique for ever and in order within a run.
    pub(super) fn new_id(&mut self) -> String {
        self.last_id += 1;
        format!("{:016x}{:04x}{:012x}", self.secrets.tag, self.run & 0xffff, self.last_id)
    }

    /// A fixed id of our account at a provider: `digits` hexadecimal digits from the memory's tag.
    pub(super) fn account_id(&self, what: &str, digits: usize) -> String {
        let mut id = super::sign::sha256_hex(format!("{}/{what}", self.secrets.tag).as_bytes());
        id.truncate(digits);
        id
    }

    /// The same in decimal digits, as Meta's ids are.
    pub(super) fn account_number(&self, what: &str) -> String {
        let hash = u64::from_str_radix(&self.account_id(what, 12), 16).unwrap_or_default();
        format!("1{:014}", hash % 100_000_000_000_000)
    }

    /// Plans something for later.
    pub(super) fn plan(&mut self, due: At, act: Act) {
        self.last_act += 1;
        let id = self.last_act;
        match serde_json::to_string(&act) {
            Ok(json) => self.writes.push(Write::Plan { id, due: due.millis(), json }),
            Err(error) => tracing::error!(%error, "an act of the sandbox cannot be written down"),
        }
        self.acts.insert((due, id), act);
    }

    /// Plans something `ms` milliseconds after `from`.
    pub(super) fn plan_in(&mut self, from: At, ms: i64, act: Act) {
        self.plan(from + TimeDelta::milliseconds(ms), act);
    }

    /// These acts are over and need no repetition after a restart.
    pub(super) fn done(&mut self, ids: &[u64]) {
        self.writes.extend(ids.iter().map(|id| Write::Done { id: *id }));
    }

    /// When the next act is due.
    pub(super) fn next_due(&self) -> Option<At> {
        self.acts.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes out what is due; it stays written down until [`World::done`].
    pub(super) fn take_due(&mut self, now: At) -> Vec<(At, u64, Act)> {
        let later = self.acts.split_off(&(At(now.millis().saturating_add(1)), 0));
        let due = std::mem::replace(&mut self.acts, later);
        due.into_iter().map(|((due, id), act)| (due, id, act)).collect()
    }

    /// Drops planned acts that no longer make sense.
    pub(super) fn cancel(&mut self, gone: impl Fn(&Act) -> bool) {
        let writes = &mut self.writes;
        self.acts.retain(|(_, id), act| {
            let cancel = gone(act);
            if cancel {
                writes.push(Write::Done { id: *id });
            }
            !cancel
        });
    }

    /// Hands a webhook over for sending, with the troubles that are in force.
    pub(super) fn post(&mut self, at: At, delivery: Delivery) {
        let trouble = self.faults.webhook(self.seed, delivery.provider, at);
        if !self.faults.is_empty() {
            self.keep_faults();
        }
        let mut due = at + TimeDelta::seconds(trouble.later_s);
        let mut copies = Vec::new();
        copies.extend(trouble.forged.then(|| delivery.forged()));
        copies.extend(trouble.garbled.then(|| delivery.garbled()));
        if trouble.unknown {
            let id = self.new_id();
            copies.extend(delivery.of_nobody(&id));
        }
        for copy in copies {
            self.plan(due, Act::Deliver(Box::new(copy)));
        }
        let delivery = Delivery { batched: trouble.batch_s.is_some(), ..delivery };
        if let Some(window_ms) = trouble.batch_s.map(|seconds| seconds.max(1) * 1000) {
            due = At::from_millis((due.millis() / window_ms + 1) * window_ms);
        }
        for _ in 0..=u8::from(trouble.twice) {
            self.plan(due, Act::Deliver(Box::new(delivery.clone())));
        }
    }

    /// A person did something.
    pub(super) fn saw(&mut self, at: At, provider: Provider, to: &str, what: &str) {
        self.saw_answer(at, provider, to, what, None);
    }

    /// A person did something that was answered, such as following a link.
    pub(super) fn saw_answer(
        &mut self,
        at: At,
        provider: Provider,
        to: &str,
        what: &str,
        status: Option<u16>,
    ) {
        let (provider, channel) = (provider.as_str(), provider.channel());
        let line =
            EventLine { at, provider, channel, to: Some(to), kind: "person", what, outcome: None, status };
        self.event(&line);
    }

    /// Adds a line to the events.
    pub(super) fn event(&mut self, line: &EventLine) {
        match serde_json::to_string(line) {
            Ok(line) => self.writes.push(Write::Event(line)),
            Err(error) => tracing::error!(%error, "an event of the sandbox cannot be written down"),
        }
    }

    /// Adds a line to the ledger.
    pub(super) fn enter(&mut self, line: &super::ledger::LedgerLine) {
        match serde_json::to_string(line) {
            Ok(line) => self.writes.push(Write::Ledger(line)),
            Err(error) => tracing::error!(%error, "a request cannot be written down"),
        }
    }

    /// Somebody said stop at this provider.
    pub(super) fn stop(&mut self, provider: Provider, number: &str) {
        let key = format!("{}/{number}", provider.as_str());
        self.keep("stopped", &key, &true);
        self.stopped.insert(key);
    }

    /// Whether they did.
    pub(super) fn has_stopped(&self, provider: Provider, number: &str) -> bool {
        self.stopped.contains(&format!("{}/{number}", provider.as_str()))
    }
}

/// The sandbox's parts, shared by its tasks.
#[derive(Debug)]
pub(super) struct App {
    world: Mutex<World>,
    pub memory: Memory,
    pub clock: Clock,
    pub addr: SocketAddr,
    pub http: reqwest::Client,
    /// Something was planned.
    pub wake: Notify,
    /// Set at shutdown: connections that are still open lead nowhere from then on.
    pub closed: AtomicBool,
}

impl App {
    pub(super) fn new(
        world: World,
        memory: Memory,
        clock: Clock,
        addr: SocketAddr,
        http: reqwest::Client,
    ) -> Self {
        Self {
            world: Mutex::new(world),
            memory,
            clock,
            addr,
            http,
            wake: Notify::new(),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Changes the world and returns once the change is committed; changes are written in the order in
    /// which they were made.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut World, At) -> T) -> Result<T, MemoryError> {
        let (value, committed) = {
            let mut world = self.lock();
            let value = change(&mut world, self.clock.now());
            let writes = std::mem::take(&mut world.writes);
            // Handed over under the lock, so that the order on disk is the order of changes.
            (value, (!writes.is_empty()).then(|| self.memory.write(writes)))
        };
        self.wake.notify_one();
        if let Some(committed) = committed {
            committed.await.map_err(|_| MemoryError::Closed)?.map_err(MemoryError::Write)?;
        }
        Ok(value)
    }
}
