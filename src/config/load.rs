//! `cascade.toml` into a [`Config`]: every problem at its line, secrets from the environment and in live alone.

use super::defaults::{LIVE_PORT, QUIET_HOURS};
use super::forge;
use super::providers::email;
use super::table::{Placed, Table};
use super::trust::Ask;
use super::{Config, Webhooks, is_loopback};
use crate::model::Mode;
use crate::rules::report::{Report, nearest};
use crate::rules::{Problem, parse_duration_s, parse_quiet_hours};
use std::net::SocketAddr;
use std::path::Path;
use toml::de::DeTable;

/// Looks an environment variable up; tests give their own.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

const SECTIONS: [&str; 16] = [
    "mode",
    "default_region",
    "timezone",
    "currency",
    "brand",
    "whatsapp",
    "phone",
    "sms",
    "email",
    "webhooks",
    "links",
    "pilot",
    "limits",
    "learning",
    "git",
    "github",
];

/// Whether this machine was told to trust what a live section asks for.
pub type Trusted<'t> = &'t dyn Fn(&Ask) -> bool;

/// [`load_trusting`] on a machine that trusts nothing but the providers' own hosts and the usual variables.
pub fn load(file: &Path, text: &str, env: Env<'_>) -> (Option<Config>, Vec<Problem>) {
    load_trusting(file, text, env, &|_| false)
}

/// Reads the text of `cascade.toml`. `None` where an error was found; the problems name every one, with line,
/// column and what to write. A rehearsal asks `env` for nothing; `trusted` is asked for every provider in live, and
/// in both for a `[github]` that is not the usual one.
pub fn load_trusting(
    file: &Path,
    text: &str,
    env: Env<'_>,
    trusted: Trusted<'_>,
) -> (Option<Config>, Vec<Problem>) {
    let mut report = Report::new(file, text);
    let (root, faults) = DeTable::parse_recoverable(text);
    for fault in &faults {
        let at = fault.span().map_or(0, |s| s.start);
        report.error(at, "toml", format!("this is no TOML: {}", fault.message()), "mend the line");
    }
    if !faults.is_empty() {
        return (None, report.finish());
    }
    let config = Loader { env, trusted }.config(&mut report, root.get_ref());
    (Some(config).filter(|_| !report.has_errors()), report.finish())
}

/// The mode that a file asks for, whatever else is wrong with it.
pub fn mode(text: &str) -> Mode {
    let (root, _) = DeTable::parse_recoverable(text);
    root.get_ref().get("mode").and_then(|mode| Mode::parse(mode.get_ref().as_str()?)).unwrap_or_default()
}

/// Reads the sections one after the other; secrets come through `env`, where `trusted` lets them go.
pub(super) struct Loader<'e> {
    pub(super) env: Env<'e>,
    pub(super) trusted: Trusted<'e>,
}

impl Loader<'_> {
    fn config<'t>(&self, report: &mut Report<'_>, root: &'t DeTable<'t>) -> Config {
        let mut config = Config::rehearsal_defaults();
        let mut file = Table::open(report, "", Some((root, 0)), &SECTIONS);
        general(&mut file, &mut config);
        let mut sections = SECTIONS[5..].iter().map(|name| (*name, file.table(name))).collect::<Vec<_>>();
        let mut take = |name: &str| sections.iter_mut().find(|(n, _)| *n == name).and_then(|(_, t)| t.take());
        if config.mode == Mode::Live {
            config.channels.clear();
        }
        self.whatsapp(report, take("whatsapp"), &mut config);
        self.phone(report, take("phone"), &mut config);
        self.sms(report, take("sms"), &mut config);
        email(report, take("email"));
        let heard_from = match config.mode {
            Mode::Rehearsal => Callers::Sandbox,
            Mode::Live if config.is_on_this_machine() => Callers::Neighbours,
            Mode::Live => Callers::World,
        };
        webhooks(report, take("webhooks"), take("links"), heard_from, &mut config.webhooks);
        limits(report, [take("pilot"), take("limits"), take("learning")], &mut config);
        forge::git(report, take("git"), &mut config.git);
        forge::github(report, take("github"), self.trusted, &mut config.github);
        config
    }
}

fn general(file: &mut Table<'_, '_, '_>, config: &mut Config) {
    if let Some(mode) = file.word("mode", "write \"rehearsal\" or \"live\"", Mode::parse) {
        config.mode = mode;
    }
    let region = |r: &str| r.parse::<phonenumber::country::Id>().ok().map(|_| r.to_owned());
    if let Some(region) = file.word("default_region", "write a country's two letters, such as \"US\"", region)
    {
        config.default_region = region;
    }
    if let Some((name, at)) = file.text("timezone") {
        if let Ok(zone) = name.parse() {
            config.timezone = zone;
        } else {
            let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()).collect();
            let near = nearest(name, &known).unwrap_or("Europe/Berlin");
            let message = format!("there is no time zone `{name}`");
            file.report.error(at, "bad-value", message, format!("did you mean \"{near}\"?"));
        }
    }
    let currency =
        |c: &str| (c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase())).then(|| c.to_owned());
    if let Some(currency) = file.word("currency", "write three capitals, such as \"USD\"", currency) {
        config.currency = currency;
    }
    config.brand = file.text("brand").map(|(name, _)| name.trim().to_owned());
}

/// Who calls our public address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callers {
    /// A rehearsal's.
    Sandbox,
    /// Live, and every provider is a host on this machine that was trusted: a trial.
    Neighbours,
    /// Live: real providers, over TLS.
    World,
}

fn webhooks<'t>(
    report: &mut Report<'_>,
    table: Option<Placed<&'t DeTable<'t>>>,
    links: Option<Placed<&'t DeTable<'t>>>,
    callers: Callers,
    own: &mut Webhooks,
) {
    let live = callers != Callers::Sandbox;
    if live {
        own.listen.set_port(LIVE_PORT);
    }
    let mut table = Table::open(report, "webhooks", table, &["listen", "public_url"]);
    let listen = |text: &str| text.parse().ok().filter(|l: &SocketAddr| live || l.ip().is_loopback());
    let example = "write address and port, such as \"127.0.0.1:8787\"; a rehearsal listens on loopback alone";
    if let Some(listen) = table.word("listen", example, listen) {
        own.listen = listen;
    }
    own.public_url = public(&mut table, "public_url", callers);
    if live && own.public_url.is_none() && !table.has("public_url") {
        table.missing("public_url");
    }
    let mut links = Table::open(report, "links", links, &["base", "target"]);
    own.links_base = public(&mut links, "base", callers);
    own.links_target = links.address("target").map(|(text, _)| text.to_owned());
}

/// An address that others call. A rehearsal uses it only on loopback: its sandbox reaches nothing else. Real providers
/// call over TLS alone.
fn public(table: &mut Table<'_, '_, '_>, key: &str, callers: Callers) -> Option<String> {
    let (text, at) = table.base(key)?;
    let secure = url::Url::parse(text).is_ok_and(|url| url.scheme() == "https");
    let usable = match callers {
        Callers::Sandbox => return is_loopback(text).then(|| text.to_owned()),
        Callers::Neighbours => secure || is_loopback(text),
        Callers::World => secure,
    };
    if !usable {
        let message = format!("`{key}` is not reached over TLS");
        table.report.error(at, "bad-url", message, "begin with https://; providers call nothing else");
    }
    usable.then(|| text.to_owned())
}

fn limits<'t>(report: &mut Report<'_>, tables: [Option<Placed<&'t DeTable<'t>>>; 3], config: &mut Config) {
    let [pilot, limits, learning] = tables;
    let own = &mut config.pilot;
    let known = ["max_failure_share", "max_optout_share", "min_customers"];
    let mut pilot = Table::open(report, "pilot", pilot, &known);
    own.max_failure_share = pilot.number("max_failure_share", 0.0, 1.0).unwrap_or(own.max_failure_share);
    own.max_optout_share = pilot.number("max_optout_share", 0.0, 1.0).unwrap_or(own.max_optout_share);
    own.min_customers = pilot.count("min_customers", 1, 1_000_000).unwrap_or(own.min_customers);

    let own = &mut config.limits;
    let known = ["quiet_hours", "per_person_24h", "recontact_after", "budget"];
    let mut limits = Table::open(report, "limits", limits, &known);
    let hours = limits.word("quiet_hours", "write \"20:00-09:00\" or \"off\"", parse_quiet_hours);
    own.quiet_hours = hours.unwrap_or(Some(QUIET_HOURS));
    if let Some(most) = limits.count("per_person_24h", 1, 1000) {
        own.per_person_24h = most as u32;
    }
    let recontact = limits.word("recontact_after", "write a duration such as \"30d\"", parse_duration_s);
    own.recontact_after_s = recontact.unwrap_or(own.recontact_after_s);
    own.budget = limits.money("budget").unwrap_or(own.budget);

    let known = ["value", "optout_penalty", "decay_per_h", "equivalent"];
    let mut learning = Table::open(report, "learning", learning, &known);
    config.learning.value = learning.money("value");
    config.learning.optout_penalty = learning.money("optout_penalty").unwrap_or_default();
    config.learning.equivalent = learning.words("equivalent", "a hash, or its first seven letters");
    config.learning.decay_per_h = learning.number("decay_per_h", 0.0, 1.0).unwrap_or_default();
}
