//! What only a rehearsal needs: a sandbox in this process or another's, and a clock that begins at a fixed
//! instant and stands still while nothing runs.

use super::boot::BootError;
use super::launch::next_monday;
use super::store::Loaded;
use crate::clock::Clock;
use crate::config::{Config, is_loopback};
use crate::model::{At, Phone, Segment};
use crate::sandbox::{self, Sandbox};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Wall time for one question to a sandbox.
const PATIENCE: Duration = Duration::from_secs(10);

/// The instant at which rehearsals begin: Monday 2026-01-05 09:00 in the workspace's zone comes next.
const BEFORE_THE_FIRST: At = At::from_secs(1_767_398_400); // 2026-01-03T00:00:00Z

/// When rehearsals begin: Monday 2026-01-05 09:00 in `zone`.
pub fn first_monday(zone: chrono_tz::Tz) -> At {
    next_monday(BEFORE_THE_FIRST, zone)
}

/// What the command asks for.
pub struct Asked<'a> {
    /// `--start`
    pub start: Option<At>,
    /// `--sandbox`
    pub sandbox: Option<&'a str>,
    /// Where the sandbox inside this process remembers.
    pub memory: PathBuf,
    /// Whom it knows.
    pub customers: Vec<(Phone, Segment, Option<String>)>,
    /// How they behave.
    pub seed: u64,
}

/// What a rehearsal, or live, runs on.
pub struct Rehearsed {
    /// With the sandbox's addresses and secrets.
    pub config: Config,
    /// Inside this process.
    pub sandbox: Option<Sandbox>,
    /// Whether the clock is ours to stop.
    pub owns_clock: bool,
    /// How people behave, where somebody else decides it.
    pub seed: Option<u64>,
    /// Campaign seconds a wall second.
    pub speed: f64,
}

impl Rehearsed {
    /// Nothing of it: live.
    pub fn live(config: Config) -> Self {
        Self { config, sandbox: None, owns_clock: false, seed: None, speed: 1.0 }
    }
}

/// Starts or finds the sandbox, sets the clock, and points the settings at it.
pub async fn prepare(
    asked: Asked<'_>,
    base: &Config,
    loaded: &Loaded,
    clock: &Clock,
) -> Result<Rehearsed, BootError> {
    if let Some(url) = asked.sandbox {
        return elsewhere(url, base, clock).await;
    }
    clock.set(begins_at(&asked, base, loaded));
    let options = sandbox::Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        clock: clock.clone(),
        seed: asked.seed,
        memory: Some(asked.memory),
        customers: asked.customers,
        scenario: None,
    };
    let sandbox = sandbox::start(options).await?;
    let config = base.at_sandbox(&sandbox.config()).map_err(|e| BootError::OtherSandbox(e.to_string()))?;
    Ok(Rehearsed { config, sandbox: Some(sandbox), owns_clock: true, seed: None, speed: clock.speed() })
}

/// Where the clock stood when the last process ended; else the asked or the usual beginning.
fn begins_at(asked: &Asked<'_>, base: &Config, loaded: &Loaded) -> At {
    let stood = loaded.meta.get("clock").and_then(|at| At::parse(at).ok());
    match stood.max(loaded.last_at) {
        Some(at) => at,
        None => asked.start.unwrap_or_else(|| first_monday(base.timezone)),
    }
}

/// The sandbox of another process: its clock, its seed, its speed.
async fn elsewhere(url: &str, base: &Config, clock: &Clock) -> Result<Rehearsed, BootError> {
    let url = url.trim_end_matches('/');
    let answer: Value = client(url)?
        .get(format!("{url}/sandbox/config"))
        .send()
        .await
        .map_err(|error| not_there(url, &error))?
        .json()
        .await
        .map_err(|error| not_there(url, &error))?;
    let config = base.at_sandbox(&answer).map_err(|error| BootError::OtherSandbox(error.to_string()))?;
    let now = answer.get("now").and_then(Value::as_str).and_then(|now| At::parse(now).ok());
    let speed = answer.get("speed").and_then(Value::as_f64);
    let (Some(now), Some(speed)) = (now, speed) else {
        return Err(BootError::OtherSandbox(format!("the sandbox at {url} does not say its time and speed")));
    };
    clock.set(now);
    clock.pace(speed);
    clock.run(true);
    let of_people = answer.get("seed").and_then(Value::as_u64);
    Ok(Rehearsed { config, sandbox: None, owns_clock: false, seed: of_people, speed })
}

/// What is typed into Twilio's dashboard in real life.
pub async fn tell_webhooks(config: &Config, public_url: &str) -> Result<(), BootError> {
    let base = config.sms.base_url.trim_end_matches('/');
    let body = json!({ "twilio_inbound": format!("{public_url}/hooks/twilio/inbound") });
    let answer = client(base)?
        .put(format!("{base}/sandbox/webhooks"))
        .json(&body)
        .send()
        .await
        .map_err(|error| not_there(base, &error))?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(BootError::OtherSandbox(format!(
        "the sandbox at {base} refused our webhook address: {}",
        answer.status()
    )))
}

/// For loopback alone, without proxy or redirects.
fn client(url: &str) -> Result<reqwest::Client, BootError> {
    if !is_loopback(url) {
        return Err(BootError::OtherSandbox(format!(
            "{} is not on this machine; a rehearsal reaches loopback alone, such as http://127.0.0.1:8080",
            crate::model::clean(url)
        )));
    }
    crate::providers::http::tls_ready();
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
    client.build().map_err(|error| BootError::OtherSandbox(format!("no HTTP client: {error}")))
}

fn not_there(url: &str, error: &reqwest::Error) -> BootError {
    let why = if error.is_connect() { "nobody listens there" } else { "it does not answer as a sandbox" };
    BootError::OtherSandbox(format!(
        "the sandbox at {url} cannot be used: {why}; start one with `cascade sandbox`"
    ))
}
