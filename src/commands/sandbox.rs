//! `cascade sandbox`: the provider sandbox alone, for a `cascade` in another process or any other client.

use super::{Exit, Failure, output, session, signals, trial};
use crate::cli::{Place, Sandbox};
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::sandbox::{self, Options, Scenario};
use crate::workspace::{Named, Workspace};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// Serves until a signal comes. Its clock starts with it and runs on.
pub(super) fn run(place: &Place, args: &Sandbox) -> Result<Exit, Failure> {
    let workspace = Workspace::open(&place.workspace, &Named::default(), &|name| std::env::var(name).ok())?;
    let config = workspace.config.clone().unwrap_or_else(Config::rehearsal_defaults);
    let scenario = match &args.scenario {
        Some(name) if name.as_os_str() == "quick" => Some(Scenario::quick()),
        Some(file) => Some(scenario(file)?),
        None => None,
    };
    let usable = workspace.list(&config)?.filter_map(Result::ok);
    let customers: Vec<_> = usable.map(|c| (c.phone, c.segment, c.language)).collect();
    // A trial lives in real time, as live does.
    let usual = if args.trial.is_some() { 1.0 } else { session::SPEED_HEADLESS };
    let speed = args.speed.unwrap_or(usual);
    if !(speed.is_finite() && (1.0..=1_000_000.0).contains(&speed)) {
        return Err(Failure::usage("--speed takes a number from 1 to 1000000"));
    }
    let begins = args.start.unwrap_or_else(|| match &args.trial {
        Some(_) => clock::wall_at(),
        None => crate::runtime::first_monday(config.timezone),
    });
    let clock = Clock::scaled(begins, speed);
    let options = Options {
        listen: args.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        clock: clock.clone(),
        seed: args.seed.unwrap_or(1),
        memory: None,
        customers,
        scenario,
    };
    session::block_on(async move {
        let sandbox = sandbox::start(options).await.map_err(|error| Failure::usage(error.to_string()))?;
        clock.run(true);
        output::line(&sandbox.url())?;
        if let Some(listen) = args.trial {
            trial::prepare(&sandbox.config(), &workspace, listen).await?;
        }
        let next = match args.trial {
            None => format!("in another terminal: cascade --sandbox {}", sandbox.url()),
            Some(_) => "in the live workspace, with these settings: cascade trust, then cascade".to_owned(),
        };
        output::note(&format!("cascade: the sandbox listens at {}; {next}", sandbox.url()));
        let mut signals = signals::listen()?;
        signals.next().await;
        sandbox.shutdown().await;
        Ok(Exit::Interrupted)
    })
}

/// Reads a scenario file; mistakes name the file and the place.
fn scenario(file: &Path) -> Result<Scenario, Failure> {
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).map_err(|e| Failure::usage(format!("{shown} cannot be read: {e}")))?;
    Scenario::parse(&text).map_err(|error| Failure::usage(format!("{shown}: {error}")))
}
