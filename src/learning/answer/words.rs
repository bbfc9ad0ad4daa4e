//! The sentences. Each says what is known, how surely, and what comes next.

use super::count::{Counted, Counts};
use super::force::parts;
use super::waits::is_ok;
use super::{Basis, Settings, WaitAnswer};
use crate::learning::policy::Watch;
use crate::learning::policy::looks::{self, State, TRIED};
use crate::learning::posterior::Belief;
use crate::learning::posterior::draws::Verdict;
use crate::learning::waits::{Advice, Status};
use crate::model::Channel;

/// Versions that are named among those that are left out.
const OTHERS_NAMED: usize = 4;

/// What a learnt segment's sentence is made of.
pub(super) struct Sentence<'a> {
    pub(super) of: &'a Counts,
    pub(super) watch: &'a Watch,
    pub(super) belief: &'a Belief,
    pub(super) verdict: &'a Verdict,
    pub(super) state: State,
    pub(super) counted: &'a Counted,
}

impl Sentence<'_> {
    /// The state in a sentence.
    pub(super) fn say(&self) -> String {
        let leader = self.counted.channels[self.belief.leader()];
        let (name, segment) = (leader.label(), self.of.segment.screen());
        let look = self.watch.looked.map_or((0.0, 0.0), |look| (look.count, look.p_best));
        let at = format!("{} likely best at {} cascades", percent(look.1), look.0);
        let said = match self.state {
            _ if self.belief.tried() < 2 => self.alone(),
            State::ChangeProposed => format!("start {segment} with {name}: {at}"),
            State::KeepProven => format!("{name} stays: {at}"),
            State::NoPracticalDifference => "all the same: choose by cost or comfort".to_owned(),
            State::Learning | State::NotIdentifiable => self.learning(name),
        };
        format!("{said}{}", self.dropped())
    }

    /// One start, and nothing to compare it with.
    fn alone(&self) -> String {
        let name = |c: Option<usize>| c.map_or("nothing", |c| self.counted.channels[c].label());
        let only = name(self.belief.choices().find(|c| self.belief.n[*c] > 0.0));
        let others: Vec<&str> = self.belief.choices().map(|c| name(Some(c))).filter(|c| *c != only).collect();
        if others.is_empty() {
            return format!(
                "nothing but {only} was started: no amount of such data can tell; set `explore` in the rules"
            );
        }
        format!(
            "only what was started with {only} has finished: {} was started 0 times, {TRIED} are needed",
            others.join(", ")
        )
    }

    fn learning(&self, name: &str) -> String {
        let p = percent(self.verdict.p_best[self.belief.leader()]);
        let lead = format!("{name} leads, {p} likely best");
        let next = looks::next(self.watch.counted)
            .map(|look| format!("next look at {look}, {} to go", f64::from(look) - self.watch.counted));
        let next = next.unwrap_or_else(|| "there is no further look".to_owned());
        let least = self.belief.choices().min_by(|a, b| self.belief.n[*a].total_cmp(&self.belief.n[*b]));
        let untried = least.filter(|c| self.belief.n[*c] < TRIED).map(|c| {
            let start = self.counted.channels[c].label();
            format!("; {start} was started {} times, {TRIED} are needed", self.belief.n[c])
        });
        format!("{lead}; {next}{}", untried.unwrap_or_default())
    }

    fn dropped(&self) -> String {
        match self.watch.resets.last() {
            Some(day) => {
                let date = crate::model::At(day * crate::learning::DAY_MS).utc().format("%Y-%m-%d");
                format!("; the outcomes changed, and what is older than 14 days was dropped on {date}")
            }
            None => String::new(),
        }
    }
}

/// What an edit in flight, or an operator's hand, takes from what can be learnt.
const CUT_SHORT: &str = "were launched in hours that an edit or an operator cut short";

/// The sentence of a segment without a posterior.
pub(super) fn unlearnt(of: &Counts, state: State, mature: u64, basis: Basis, settings: &Settings) -> String {
    let incumbent = of.incumbent.label();
    if state == State::NotIdentifiable {
        let why =
            "starts were not drawn at random, so that the other channels saw only people who did not answer";
        return format!("{why} {incumbent}: no amount of such data can tell; set `explore` in the rules");
    }
    if of.is_random && mature > 0 && super::segments::is_by_cost(basis) {
        return format!("no conversion with {incumbent} has finished yet and none has a value: set a value");
    }
    let nothing = format!("nothing that counts has finished yet, {} still running", of.running);
    let explore = if settings.explore == Some(0.0) { "; `explore` is 0: nothing will be learnt" } else { "" };
    let other = of.excluded.other_rules;
    let other = if other > 0 { format!("; {other} ran under other rules") } else { String::new() };
    let cut = of.excluded.cut_short;
    let cut = if cut > 0 { format!("; {cut} {CUT_SHORT}") } else { String::new() };
    format!("{nothing}{other}{cut}{explore}")
}

/// The advice on a wait in a sentence.
pub(super) fn wait(advice: &Advice, window_s: f64, under_other_waits: u64) -> String {
    let mut said = match advice.status {
        Status::Ok => arrive(advice, window_s),
        Status::TooFewConversions => {
            format!("{} conversions within the window, and advice needs 20", advice.arrivals.events)
        }
        Status::NotFollowedToTheEnd => {
            format!(
                "{} contacts were followed to the end of the window, and advice needs 20",
                advice.followed
            )
        }
    };
    if let Some(late) = advice.late.filter(|_| advice.too_short) {
        said = format!(
            "{said}; {} of all conversions come after the window, at least {}: it is cut too short",
            percent(late.share),
            percent(late.low)
        );
    }
    match (under_other_waits, advice.contacts) {
        (0, _) => said,
        (others, all) if others == all => {
            format!(
                "{said}; nobody was sent anything under this wait yet: all {all} contacts had another one"
            )
        }
        (others, all) => format!("{said}; {others} of {all} contacts had another wait"),
    }
}

/// What is said of a last step, which waits for nothing.
pub(super) fn last_step(row: &WaitAnswer, window_s: u64) -> String {
    let late = row.late_share.filter(|late| *late > 0.0);
    let late = late.map(|late| format!("; {} of them come later", percent(late))).unwrap_or_default();
    let window = span(window_s as f64);
    format!(
        "the last step waits for nothing: {window} is how long an answer counts, by its {} conversions{late}",
        row.events
    )
}

/// What is said of a step after which the rules in force let nobody wait any more.
pub(super) fn no_more(row: &WaitAnswer, window_s: u64) -> String {
    let window = span(window_s as f64);
    format!(
        "by the rules in force nobody waits here any more: {window} it was, and {} conversions came within it",
        row.events
    )
}

fn arrive(advice: &Advice, window_s: f64) -> String {
    let share = |t: f64| percent(t / window_s.max(1.0));
    let t80 = advice.t80;
    let rule = format!(
        "80 % of conversions arrive in the first {} of the window ({} to {})",
        share(t80.at_s),
        share(t80.low_s),
        share(t80.high_s)
    );
    let suggested = advice.suggested_s.unwrap_or(window_s);
    let now = span(window_s);
    let is_cut = advice.known_s > window_s;
    let ninety =
        if is_cut { format!("90 % of those within {}", span(advice.known_s)) } else { "90 %".into() };
    if is_ok(advice) && advice.suggest_change {
        let missed = advice.after_suggestion;
        let all = advice.arrivals.events;
        let wait = span(suggested);
        let floor = if advice.is_floor {
            "; less is not advised here: whoever picks up does so at once, whoever calls back needs the time"
        } else {
            ""
        };
        format!(
            "{rule}; wait {wait} instead of {now}: {ninety} arrive by then, and {missed} of {all} on the record came later{floor}"
        )
    } else {
        format!("{rule}; {ninety} may take until {}: {now} stays", span(advice.t90_known.high_s))
    }
}

/// A segment with its own winner, in a sentence.
pub(super) fn winner(
    of: &Counts,
    start: Channel,
    against: Channel,
    than_others: Option<[f64; 3]>,
    probability: f64,
) -> String {
    let name = of.segment.screen();
    let already = if of.incumbent == start { "; it starts so already" } else { "" };
    let (start, against) = (start.label(), against.label());
    let more = than_others.map(|[ratio, low, high]| {
        format!(
            "; started with {start} it converts {ratio:.1}× as often as the others ({low:.1} to {high:.1})"
        )
    });
    let sure = percent(probability);
    format!(
        "{name} has its own winner: {start} beats {against}, {sure} likely{}{already}",
        more.unwrap_or_default()
    )
}

/// How old the rules are, in a sentence.
pub(super) fn freshness(
    counted: &Counted,
    days: Option<f64>,
    (proposed, lost): (usize, f64),
    settings: &Settings,
) -> String {
    let Some(days) = days else { return "no cascade ran under these rules yet".to_owned() };
    let age = format!("{} cascades in {days:.0} days under these rules", counted.cascades);
    match proposed {
        0 => format!("{age}; no change is proposed"),
        _ if lost > 0.0 => {
            format!(
                "{age}; 30 more days without the proposed changes cost about {lost:.2} {}",
                settings.currency
            )
        }
        _ => format!(
            "{age}; a change is proposed, and nothing was launched there in the last 30 days: at that pace waiting costs nothing"
        ),
    }
}

/// What an operator should know about the record itself.
pub(super) fn notes(counted: &Counted, settings: &Settings) -> Vec<String> {
    let mut notes = Vec::new();
    if counted.basis == Basis::CostPerConversion {
        let how = "starts are ranked by cost per conversion, and opt-outs cost nothing";
        notes.push(format!("no value is configured: {how}; set `value` under [learning]"));
    }
    if settings.decay_per_h > 0.0 {
        let left = percent((-24.0 * settings.decay_per_h).exp());
        notes.push(format!("a conversion loses worth with time: after a day {left} of its value is left"));
    }
    let unsent: u64 = counted.segments.iter().map(|of| of.excluded.unsent).sum();
    let cut: u64 = counted.segments.iter().map(|of| of.excluded.cut_short).sum();
    if cut > 0 {
        notes.push(format!(
            "{cut} {CUT_SHORT}: left out, since only whoever had answered by then would be left"
        ));
    }
    if unsent > 0 {
        notes.push(format!("{unsent} never sent anything: left out"));
    }
    let left_out: u64 = counted.others.iter().map(|(_, n)| n).sum();
    if left_out > 0 {
        let named = counted
            .others
            .iter()
            .take(OTHERS_NAMED)
            .map(|(version, n)| format!("{n} under {}", short(version)));
        let named: Vec<String> = named.collect();
        let more = if counted.others.len() > OTHERS_NAMED { ", …" } else { "" };
        notes.push(format!(
            "{left_out} cascades ran under other rules or texts and are left out of starts and costs ({}{more}); `equivalent` \
             under [learning] names those that come to the same. Waits count their contacts, too, each for as long as it \
             was followed",
            named.join(", ")
        ));
    }
    if settings.explore == Some(0.0) {
        notes.push("`explore` is 0 in the rules: nothing more is learnt about starts".to_owned());
    }
    notes
}

/// Rules and texts as people abbreviate them.
fn short(version: &str) -> String {
    let (rules, texts) = parts(version);
    let cut = |hash: &str| crate::model::clean(&hash.chars().take(7).collect::<String>());
    match (rules, texts) {
        ("", "") => "unnamed ones".to_owned(),
        (rules, "") => cut(rules),
        (rules, texts) => format!("{}+{}", cut(rules), cut(texts)),
    }
}

/// Whole percents.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A time as people write waits: `6h`, `45m`, `1h30m`.
pub(super) fn span(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes:02}m"),
    }
}
