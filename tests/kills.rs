//! Pulling the plug: one pilot of 100 against a `cascade sandbox` in its own process, killed with SIGKILL at random
//! instants all over the campaign, resumed each time, and at the end held against the provider's own ledger.
//!
//! `cargo test --test kills -- 200` kills 200 times, `-- 200 faults` with a provider that loses answers, fails and
//! repeats itself, and people who say STOP while we are down. Without a number it kills a few times.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "tells what was seen")]
#![expect(dead_code, reason = "the houses and ledgers of the pilots' tests, of which this needs some")]

#[path = "kills/blow.rs"]
mod blow;
#[path = "pilot/house.rs"]
mod house;
#[path = "kills/plan.rs"]
mod plan;
#[path = "kills/tally.rs"]
mod tally;
#[path = "pilot/wire.rs"]
mod wire;

use house::{House, Running, Sandbox};
use plan::{Blow, Plan};
use std::time::{Duration, Instant};
use tally::Tally;

/// Without a number on the command line.
const FEW: u64 = 6;

/// Campaign seconds a wall second.
const SPEED: &str = "360";

/// From so many blows on, the campaign is a long one: three days, in which some request leaves every quarter of
/// an hour. Fewer fall on a short one.
const MANY: u64 = 50;

/// Rates in requests a campaign second, no quiet hours, and no pause by itself however much goes wrong.
fn settings(kills: u64) -> String {
    let [whatsapp, phone, sms] = if kills < MANY { [0.5, 0.2, 0.5] } else { [0.001, 0.001, 0.001] };
    format!(
        "[whatsapp]\nper_second = {whatsapp}\nconcurrent = 4\n[phone]\nper_second = {phone}\nconcurrent = 4\n\
         [sms]\nper_second = {sms}\nconcurrent = 2\n[limits]\nquiet_hours = \"off\"\n[pilot]\nmax_failure_share = 1.0\n\
         max_optout_share = 1.0\n"
    )
}

const SHORT: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "steps": [
    { "channel": "whatsapp", "wait": "40m", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

const LONG: &str = r#"{ "start": "whatsapp", "conversion_window": "20h", "expires": "4d", "steps": [
    { "channel": "whatsapp", "wait": "20h", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "14h", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = args.iter().find_map(|arg| arg.parse().ok());
    // A filter for other tests, or a question of the test runner's: not meant for us.
    let others = args.iter().any(|arg| {
        arg == "--list" || (!arg.starts_with("--") && arg != "faults" && arg.parse::<u64>().is_err())
    });
    if others && number.is_none() {
        return;
    }
    let (kills, faults) = (number.unwrap_or(FEW), args.iter().any(|arg| arg == "faults"));
    let seed = std::env::var("SEED")
        .ok()
        .map_or_else(|| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    println!("{kills} kills{}, SEED={seed}", if faults { " and faults" } else { "" });
    let began = wall();
    Siege::lay(kills, faults, seed).hold();
    println!(
        "{kills} kills in {} s: nobody twice, nobody after STOP, nobody lost",
        began.elapsed().as_secs()
    );
}

#[expect(clippy::disallowed_methods, reason = "the clock of a test that waits for other processes")]
fn wall() -> Instant {
    Instant::now()
}

struct Siege {
    _desk: House,
    house: House,
    sandbox: Sandbox,
    plan: Plan,
    tally: Tally,
    faults: bool,
}

impl Siege {
    fn lay(kills: u64, faults: bool, seed: u64) -> Self {
        let (desk, house) = (House::empty(), House::with(&[("cascade.toml", &settings(kills))]));
        house.write("rules/cascade.json", if kills < MANY { SHORT } else { LONG });
        let sandbox = Sandbox::start(&desk, SPEED);
        Self {
            _desk: desk,
            house,
            sandbox,
            plan: Plan::new(kills, seed, kills < MANY),
            tally: Tally::default(),
            faults,
        }
    }

    fn hold(mut self) {
        if self.faults {
            tally::let_it_go_wrong(&self.sandbox);
        }
        let mut command = "pilot";
        let began = wall();
        while let Some(blow) = self.plan.next(began.elapsed()) {
            let process = self.begin(command);
            if !self.strike(process, blow) && self.house.looked_up().is_some() {
                // It came to its end before the blow. One that a failing provider kept from launching tries again.
                break;
            }
            command = if self.house.looked_up().is_some() { "resume" } else { "pilot" };
            if self.faults {
                self.tally.stop_said(&self.house, &self.sandbox);
            }
        }
        let done = self.begin("resume").wait();
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        self.tally.judge(&self.house, &self.sandbox, self.faults);
    }

    fn begin(&self, command: &str) -> Running {
        self.house.start(&[command, "--sandbox", &self.sandbox.url, "--json"])
    }

    /// Kills the process as planned; false if it had ended by itself.
    fn strike(&mut self, mut process: Running, blow: Blow) -> bool {
        match blow {
            Blow::After(span) => process.lives_for(span),
            Blow::Claimed { within } => {
                let waits = wall() + within;
                // Once requests leave again, the provider falls silent: the next one gets no answer.
                let claims = |c: &cascade::engine::Campaign| {
                    let attempts = c.journeys().iter().flat_map(|j| &j.attempts);
                    attempts.filter(|a| a.claimed_at.is_some()).count()
                };
                let claims = || self.house.looked_up().as_ref().map_or(0, claims);
                let before = claims();
                let in_wave = || claims() > before;
                if process.lives_until(|| in_wave() || wall() > waits) {
                    self.sandbox.freeze();
                    let waits = wall() + Duration::from_secs(3);
                    let out = || self.house.looked_up().is_some_and(|c| !c.unanswered_claims().is_empty());
                    process.lives_until(|| out() || wall() > waits);
                }
            }
        }
        let killed = process.kill_if_alive();
        self.sandbox.thaw();
        if killed {
            self.tally.killed(&self.house);
        }
        killed
    }
}
