//! One declaration of every command and flag; the help is made from it.

mod values;

use crate::model::{At, Money};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use values::{amount, duration, loopback, loopback_socket, replications, speed, time};

/// Runs a WhatsApp, phone and SMS cascade on a customer list, and shows every step live.
///
/// Without a command it opens the console. Without a `cascade.toml` it rehearses: nothing leaves this machine.
#[derive(Clone, Debug, Parser)]
#[command(name = "cascade", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Which files it works on.
    #[command(flatten)]
    pub place: Place,
    /// Flags of the console, when no command is named.
    #[command(flatten)]
    pub console: Rehearsal,
    /// What to do; the console if absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Which files a command works on.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// The workspace: a directory with cascade.toml, rules/ and customers.csv, as far as they exist
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub workspace: PathBuf,
    /// The store, in place of the workspace's own .cascade/rehearsal.db or .cascade/live.db
    #[arg(long, global = true, value_name = "PATH")]
    pub db: Option<PathBuf>,
}

/// How a rehearsal runs.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct Rehearsal {
    /// Campaign seconds in one real second (720 in the console and `run`, 3600 elsewhere by default); rehearsals only
    #[arg(long, value_name = "N", value_parser = speed)]
    pub speed: Option<f64>,
    /// Fixes who is drawn and how people and faults behave
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// When the rehearsal begins, such as 2026-01-05T09:00:00-05:00
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub start: Option<At>,
    /// Rehearse with a `cascade sandbox` in another process, whose speed and seed then hold
    #[arg(long, value_name = "URL", value_parser = loopback, conflicts_with_all = ["speed", "seed"])]
    pub sandbox: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Write a workspace to begin with, or a workflow that checks pull requests on it; overwrites nothing
    Init(Init),
    /// Say what is wrong with the rules, the content and the customer list
    Check(Check),
    /// Run a pilot without a screen, until every cascade has ended
    Pilot(Pilot),
    /// Go on with whatever was in flight when the last process ended
    Resume(Resume),
    /// Drive campaigns without a screen until it is stopped; `cascade` attaches consoles to it
    Run(Run),
    /// Print what came of a campaign, also while it runs
    Report(Report),
    /// Print which channel each segment should start with, how long to wait, and how sure that is
    Learn(Learn),
    /// Say what the recorded campaigns tell about other rules
    Replay(Replay),
    /// Print the event log
    Events(Events),
    /// Print what operators ordered, and what came of it for each
    Audit(Audit),
    /// Print the versions of the rules that git has, with author, reason and difference
    History(History),
    /// Push the branch with your changes and open a pull request for it, or say how the open one stands
    Propose(Propose),
    /// Serve the provider sandbox alone, for a cascade in another process
    Sandbox(Sandbox),
    /// Let live send secrets to other hosts than the providers' own, from this workspace and on this machine
    Trust(Trust),
    /// Copy the store, also while another process writes it
    Backup(Backup),
    /// Put a backup into the store's place; it sends nothing until you confirm what was lost
    Restore(Restore),
    /// Show everything that is stored about a person
    Person(Person),
    /// Erase a person; counts and opt-outs stay
    Forget(Forget),
    /// Erase the people of campaigns that ended long ago; counts and opt-outs stay
    Purge(Purge),
}

/// `cascade init`
#[derive(Clone, Debug, Args)]
pub struct Init {
    /// Where; made if it does not exist. The workspace if absent
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Write the workflow for GitHub alone, at the root of the repository that the workspace is in
    #[arg(long)]
    pub workflow: bool,
    /// Print one JSON object, cascade.init/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade check`
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// Rules to check, in place of the workspace's
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Customer list to check, in place of the workspace's
    #[arg(long, value_name = "FILE")]
    pub customers: Option<PathBuf>,
    /// How problems are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Do not ask whether the variables of live's secrets are set, as on a machine that only checks
    #[arg(long)]
    pub without_secrets: bool,
}

/// How `cascade check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One problem a line, with what to do
    Human,
    /// One JSON object, cascade.check/1
    Json,
    /// Annotations for GitHub Actions
    Github,
}

/// `cascade pilot`
#[derive(Clone, Debug, Args)]
pub struct Pilot {
    /// Customer list, in place of the workspace's
    #[arg(long, value_name = "FILE")]
    pub customers: Option<PathBuf>,
    /// Rules, in place of the workspace's
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Only customers of this segment; may be given again
    #[arg(long = "segment", value_name = "NAME")]
    pub segments: Vec<String>,
    /// Customers at most, drawn in proportion to the segments
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// How the rehearsal runs.
    #[command(flatten)]
    pub rehearsal: Rehearsal,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// In live: contact people without asking
    #[arg(long)]
    pub yes: bool,
}

/// `cascade resume`
#[derive(Clone, Debug, Args)]
pub struct Resume {
    /// Campaign seconds in one real second; by default as before. Rehearsals only
    #[arg(long, value_name = "N", value_parser = speed, conflicts_with = "sandbox")]
    pub speed: Option<f64>,
    /// The sandbox that the campaign was started with
    #[arg(long, value_name = "URL", value_parser = loopback)]
    pub sandbox: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// In live: contact people without asking
    #[arg(long)]
    pub yes: bool,
}

/// `cascade run`
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// How rehearsals run; a campaign in flight goes on as it was launched unless --speed is given.
    #[command(flatten)]
    pub rehearsal: Rehearsal,
    /// Print the report of each campaign that ends as JSON, a line each
    #[arg(long)]
    pub json: bool,
    /// In live: contact people without asking
    #[arg(long)]
    pub yes: bool,
    /// Print a systemd user unit that does this, and run nothing
    #[arg(long)]
    pub unit: bool,
}

/// `cascade report`
#[derive(Clone, Debug, Args)]
pub struct Report {
    /// Print one JSON object, cascade.report/1
    #[arg(long, conflicts_with_all = ["html", "csv"])]
    pub json: bool,
    /// Write a page to FILE (not built yet)
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    pub html: Option<PathBuf>,
    /// Write tables into DIR: channels, segments, failures and waits of the campaign, and the history of all
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,
    /// Which campaign; the newest if absent
    #[arg(long, value_name = "ID")]
    pub campaign: Option<u64>,
}

/// `cascade learn`
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Learn {
    /// Learn from a history file, such as another platform's, in place of the workspace's store
    #[arg(long, value_name = "FILE.csv")]
    pub history: Option<PathBuf>,
    /// The time of the question, such as 2026-01-12T09:00:00-05:00
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<At>,
    /// What a conversion is worth, in place of the workspace's setting
    #[arg(long, value_name = "V", value_parser = amount)]
    pub value: Option<Money>,
    /// What losing a customer for good costs, in place of the workspace's setting
    #[arg(long, value_name = "V", value_parser = amount)]
    pub optout_penalty: Option<Money>,
    /// Count cascades under rules or texts of this hash as those in force; beside the workspace's setting
    #[arg(long, value_name = "HASH", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub equivalent: Vec<String>,
    /// Print one JSON object, cascade.learn/1
    #[arg(long)]
    pub json: bool,
    /// Something else than the answer.
    #[command(subcommand)]
    pub what: Option<LearnWhat>,
}

/// What else `cascade learn` does.
#[derive(Clone, Debug, Subcommand)]
pub enum LearnWhat {
    /// Run the real policy on people whose behaviour is known
    Simulate(LearnSimulate),
}

/// `cascade learn simulate`
#[derive(Clone, Debug, Args)]
pub struct LearnSimulate {
    /// How the people behave: a scenario file
    #[arg(long, value_name = "FILE")]
    pub scenario: PathBuf,
    /// Independent repetitions
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = replications)]
    pub replications: usize,
    /// Fixes what happens in them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object, cascade.simulate/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade replay`
#[derive(Clone, Debug, Args)]
pub struct Replay {
    /// The other rules
    #[arg(long, value_name = "FILE")]
    pub rules: PathBuf,
    /// Print one JSON object, cascade.replay/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade events`
#[derive(Clone, Debug, Args)]
pub struct Events {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Go on as events happen
    #[arg(long)]
    pub follow: bool,
    /// Only what concerns this number
    #[arg(long, value_name = "PHONE")]
    pub customer: Option<String>,
}

/// `cascade audit`
#[derive(Clone, Debug, Args)]
pub struct Audit {
    /// Print one JSON object, cascade.audit/1
    #[arg(long)]
    pub json: bool,
    /// Which campaign; all of them if absent
    #[arg(long, value_name = "ID")]
    pub campaign: Option<u64>,
}

/// `cascade history`
#[derive(Clone, Debug, Args)]
pub struct History {
    /// Which file, relative to the workspace
    #[arg(long, value_name = "FILE", default_value = crate::trail::RULES)]
    pub file: PathBuf,
    /// Versions at most, the newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Print one JSON object, cascade.history/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade propose`
#[derive(Clone, Debug, Args)]
pub struct Propose {
    /// The branch to propose, in place of the one that the working files hold
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Print one JSON object, cascade.propose/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade sandbox`
#[derive(Clone, Debug, Args)]
pub struct Sandbox {
    /// Where it listens, on loopback; a free port if absent
    #[arg(long, value_name = "127.0.0.1:PORT", value_parser = loopback_socket)]
    pub listen: Option<SocketAddr>,
    /// Campaign seconds in one real second
    #[arg(long, value_name = "N", value_parser = speed)]
    pub speed: Option<f64>,
    /// Fixes how people and faults behave
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// When its clock begins
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub start: Option<At>,
    /// How people behave: a cascade.scenario/1 file, or quick
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// For a live workspace that will listen there: approves its templates, and prints its settings for a trial
    #[arg(long, value_name = "127.0.0.1:PORT", value_parser = loopback_socket, conflicts_with_all = ["speed", "start"])]
    pub trial: Option<SocketAddr>,
}

/// `cascade trust`
#[derive(Clone, Debug, Args)]
pub struct Trust {
    /// Trust what the workspace asks for without a word typed
    #[arg(long)]
    pub yes: bool,
    /// Trust nothing in this workspace any more
    #[arg(long, conflicts_with = "yes")]
    pub revoke: bool,
    /// Print one JSON object, cascade.trust/1; without --yes nothing is changed, and 1 says that trust is missing
    #[arg(long)]
    pub json: bool,
}

/// `cascade backup`
#[derive(Clone, Debug, Args)]
pub struct Backup {
    /// Where the copy goes; nothing is overwritten
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object, cascade.backup/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade restore`
#[derive(Clone, Debug, Args)]
pub struct Restore {
    /// What `cascade backup` wrote
    #[arg(value_name = "FILE", required_unless_present = "anew")]
    pub file: Option<PathBuf>,
    /// Put nothing into its place: move a damaged or lost store aside, and accept that the next one begins without
    /// knowing who was contacted
    #[arg(long, conflicts_with = "file")]
    pub anew: bool,
    /// Also where it is a backup of another store than the one of this place: whoever that one called is in doubt
    #[arg(long, conflicts_with = "anew")]
    pub another: bool,
    /// Print one JSON object, cascade.restore/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade person`
#[derive(Clone, Debug, Args)]
pub struct Person {
    /// Their number, in any spelling that a customer list may have
    #[arg(value_name = "PHONE")]
    pub phone: String,
    /// Print one JSON object, cascade.person/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade forget`
#[derive(Clone, Debug, Args)]
pub struct Forget {
    /// Their number, in any spelling that a customer list may have
    #[arg(value_name = "PHONE")]
    pub phone: String,
    /// Print one JSON object, cascade.forget/1
    #[arg(long)]
    pub json: bool,
}

/// `cascade purge`
#[derive(Clone, Debug, Args)]
pub struct Purge {
    /// How long ago a campaign must have ended, such as 90d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub older_than: u64,
    /// Do it without asking
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object, cascade.purge/1
    #[arg(long)]
    pub json: bool,
}
