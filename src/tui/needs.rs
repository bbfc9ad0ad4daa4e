//! What waits for a person, the gravest first: the lines of pane 5 and what `Enter` opens on each.

use super::editor;
use super::editor::draft::File;
use super::model::{Model, What};
use crate::engine::event::Hold;
use crate::engine::snapshot::{DueKind, Phase, Place};
use crate::model::{At, Channel, Class, Disposition, Scope, clean};
use crate::phrases::{self, Tone, counted, people, span};
use crate::rules::Problem;
use crate::runtime::saving::SaveState;

/// One line of pane 5.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// How grave.
    pub tone: Tone,
    /// What, in one sentence.
    pub words: String,
    /// The key that helps.
    pub key: &'static str,
    /// People it is about; the pane's title adds them up.
    pub people: u64,
    /// What `Enter` opens.
    pub opens: Target,
    /// Stands under the line before it.
    pub indented: bool,
}

/// What `Enter` opens on a need.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Nothing; the words say what to do.
    Nothing,
    /// A shut scope.
    Breaker(Channel, Scope),
    /// Failures by cause.
    Failures,
    /// One cause.
    Failure(Channel, String, Scope),
    /// What people wrote.
    Inbox,
    /// The cohort, filtered.
    Filter(&'static str),
    /// The question how to go on.
    Resume(Option<Channel>),
    /// What was saved and is not in force.
    Saved,
    /// A file that another editor left wrong.
    OnDisk(File),
}

impl Target {
    /// The page it stands for.
    pub fn page(&self) -> Option<What> {
        match self {
            Self::Breaker(channel, scope) => Some(What::Breaker(*channel, scope.clone())),
            Self::Failures => Some(What::Failures),
            Self::Failure(channel, code, scope) => Some(What::Failure(*channel, code.clone(), scope.clone())),
            Self::Inbox => Some(What::Inbox),
            Self::Nothing | Self::Filter(_) | Self::Resume(_) | Self::Saved | Self::OnDisk(_) => None,
        }
    }
}

fn need(tone: Tone, words: String, key: &'static str, people: u64, opens: Target) -> Need {
    Need { tone, words, key, people, opens, indented: false }
}

/// Everything that waits for a person.
pub fn list(model: &Model) -> Vec<Need> {
    let mut needs = Vec::new();
    saved(model, &mut needs);
    on_disk(model, &mut needs);
    if doubts_first(model).is_some() {
        doubts(model, &mut needs);
    }
    pauses(model, &mut needs);
    breakers(model, &mut needs);
    if doubts_first(model).is_none() {
        doubts(model, &mut needs);
    }
    people_in_need(model, &mut needs);
    failures(model, &mut needs);
    leftovers(model, &mut needs);
    needs
}

/// How many doubts a campaign that paused itself, as after a restore, wants settled before it goes on.
pub fn doubts_first(model: &Model) -> Option<u64> {
    let snapshot = &model.picture.snapshot;
    let paused_itself = snapshot.pauses.iter().any(|row| row.only.is_none() && row.by_itself);
    Some(snapshot.tally.in_doubt).filter(|count| paused_itself && *count > 0)
}

/// A crash between the commit and its effect leaves a save that nobody goes by.
fn saved(model: &Model, needs: &mut Vec<Need>) {
    let Some(saved) = model.picture.saved.as_ref().filter(|saved| saved.state == SaveState::NotInForce)
    else {
        return;
    };
    let words = format!("saved, not in force: {}: {}", clean(&saved.files.join(", ")), clean(&saved.why));
    needs.push(need(Tone::Bad, words, "S", 0, Target::Saved));
}

/// Rules or texts on disk that nobody could launch: where, what, and by what those in flight go on.
fn on_disk(model: &Model, needs: &mut Vec<Need>) {
    let Some(first) = model.on_disk.first() else { return };
    let file = File::ALL.into_iter().find(|file| editor::is_about(first, *file));
    let target = file.map_or(Target::Nothing, Target::OnDisk);
    let more = match model.on_disk.len() - 1 {
        0 => String::new(),
        1 => " (and 1 more error)".to_owned(),
        more => format!(" (and {more} more errors)"),
    };
    let words = format!("on disk {}: {}{more}", place(first), clean(&first.message));
    let key = if file.is_some() { "Enter" } else { "" };
    needs.push(need(Tone::Bad, words, key, 0, target));
    let open = model.in_flight();
    let goes_on = if open { IN_FLIGHT } else { "nothing is in flight; a launch needs it mended" };
    let words = format!("{goes_on}. {}", clean(&first.hint));
    needs.push(Need { indented: true, ..need(Tone::Muted, words, "", 0, needs_target(needs)) });
}

/// What wrong files on disk mean for whoever is under way.
pub const IN_FLIGHT: &str = "those in flight go on by the rules they were launched with";

/// `rules/cascade.json:3:12`
pub fn place(problem: &Problem) -> String {
    format!("{}:{}:{}", clean(&problem.file.to_string_lossy()), problem.line, problem.column)
}

fn pauses(model: &Model, needs: &mut Vec<Need>) {
    let snapshot = &model.picture.snapshot;
    if let Phase::Paused(why) = &snapshot.phase {
        let words = format!("on hold: {}", clean(why));
        needs.push(need(Tone::Bad, words, "p", 0, Target::Resume(None)));
    }
    for row in &snapshot.channels {
        if let (Some(channel), Some(why)) = (row.channel, &row.paused) {
            let words = format!("{} paused: {}", channel.label(), clean(why));
            needs.push(need(Tone::Warning, words, "p", 0, Target::Resume(Some(channel))));
        }
    }
}

fn breakers(model: &Model, needs: &mut Vec<Need>) {
    // A shut scope that holds nobody asks nothing of anybody.
    for row in model.picture.snapshot.breakers.iter().filter(|row| row.held > 0) {
        let scope = clean(&row.scope.to_string());
        let again = match row.retry_at {
            Some(at) => Some(format!(", tried again in {}", span((at - model.now).num_seconds()))),
            None => row.by_word.then(|| ", only your word opens it".to_owned()),
        };
        let words = format!(
            "{} held: {} {scope} {}{}",
            row.held,
            row.channel.label(),
            phrases::fault(&row.failure),
            again.unwrap_or_default(),
        );
        let target = Target::Breaker(row.channel, row.scope.clone());
        needs.push(need(Tone::Bad, words, "Enter", row.held, target));
        let remedy = clean(&row.failure.remedy);
        needs.push(Need { indented: true, ..need(Tone::Muted, remedy, "", 0, needs_target(needs)) });
    }
}

/// The target of the line before, for the line that belongs to it.
fn needs_target(needs: &[Need]) -> Target {
    needs.last().map_or(Target::Nothing, |n| n.opens.clone())
}

fn doubts(model: &Model, needs: &mut Vec<Need>) {
    let snapshot = &model.picture.snapshot;
    if snapshot.tally.in_doubt > 0 {
        let doubtful = || snapshot.rows.iter().filter(|row| row.place == Place::InDoubt);
        let words = match (snapshot.tally.in_doubt, doubtful().next()) {
            (1, Some(row)) => {
                format!("1 in doubt: did the {} reach {}?", contact(row.channel), model.name(row.cascade))
            }
            (n, _) => format!("{n} in doubt: sent or not? Enter lists them, X there settles all."),
        };
        let words = format!("{words}{}", left_alone(model, doubtful().filter_map(|row| row.next).min()));
        let target = Target::Filter("status:in_doubt");
        needs.push(need(Tone::Warning, words, "Enter", snapshot.tally.in_doubt, target));
    }
}

/// When a doubt that nobody settles ends by itself: its wait runs out and the next step follows.
fn left_alone(model: &Model, first: Option<(At, DueKind)>) -> String {
    match first {
        // A campaign that waits for the operator's word lets no doubt run out.
        _ if doubts_first(model).is_some() => " None is given up before you go on.".to_owned(),
        Some((due, _)) if due > model.now => {
            let (left, all) = (span((due - model.now).num_seconds()), model.picture.snapshot.tally.in_doubt);
            let whose = if all == 1 { "the" } else { "the first one's" };
            format!(" Left alone, {whose} next step follows in {left}.")
        }
        Some(_) | None => String::new(),
    }
}

fn people_in_need(model: &Model, needs: &mut Vec<Need>) {
    holds(model, needs);
    let to_read = |d: Disposition| d != Disposition::AutoReply;
    let replies: Vec<_> = model
        .picture
        .inbox
        .iter()
        .filter(|item| item.disposition.is_some_and(to_read) && !item.text.is_empty())
        .collect();
    if let Some(oldest) = replies.iter().map(|item| item.at).min() {
        let age = span((model.now - oldest).num_seconds());
        let words = format!("{} to read, oldest {age}", counted(replies.len() as u64, "reply", "replies"));
        needs.push(need(Tone::Warning, words, "i", replies.len() as u64, Target::Inbox));
    }
}

/// Those who are held, by why; shut scopes have their own lines.
fn holds(model: &Model, needs: &mut Vec<Need>) {
    let snapshot = &model.picture.snapshot;
    if snapshot.tally.held == 0 {
        return;
    }
    let mut counts = [0, 0];
    for row in snapshot.rows.iter() {
        match &row.place {
            Place::Held(Hold::SharedNumber) => counts[0] += 1,
            Place::Held(Hold::Budget) => counts[1] += 1,
            _ => {}
        }
    }
    let words = ["share a number: who answered?", "held: the budget is spent"];
    for (count, words) in counts.into_iter().zip(words).filter(|(count, _)| *count > 0) {
        let words = format!("{} {words}", people(count));
        needs.push(need(Tone::Warning, words, "Enter", count, Target::Filter("status:held")));
    }
}

const fn contact(channel: Channel) -> &'static str {
    match channel {
        Channel::Phone => "call",
        Channel::Whatsapp | Channel::Sms => "message",
        Channel::Email => "e-mail",
    }
}

fn failures(model: &Model, needs: &mut Vec<Need>) {
    let rows = &model.picture.snapshot.failures;
    if rows.is_empty() {
        return;
    }
    let people = |doubts: bool| -> u64 {
        rows.iter()
            .filter(|row| (row.failure.class == Class::InDoubt) == doubts)
            .map(|row| row.customers)
            .sum()
    };
    let causes = counted(rows.len() as u64, "cause", "causes");
    // Whether it was sent was not known: that is no failure.
    let (tone, words) = match (people(false), people(true)) {
        (failed, 0) => (Tone::Bad, format!("{failed} failed, {causes}")),
        (0, doubted) => (Tone::Warning, format!("{doubted} doubtful, {causes}")),
        (failed, doubted) => (Tone::Bad, format!("{failed} failed, {doubted} doubtful, {causes}")),
    };
    needs.push(need(tone, words, "F", 0, Target::Failures));
    for row in rows {
        let failure = &row.failure;
        let tone = match failure.class {
            Class::Config | Class::InDoubt | Class::Outage => Tone::Warning,
            Class::Throttle | Class::Recipient | Class::Suppress => Tone::Muted,
        };
        let words = format!("{} ×{} {}", phrases::fault(failure), row.customers, row.reaction);
        let target = Target::Failure(failure.channel, failure.code.clone(), failure.scope.clone());
        needs.push(Need { indented: true, ..need(tone, words, "", 0, target) });
    }
}

fn leftovers(model: &Model, needs: &mut Vec<Need>) {
    let snapshot = &model.picture.snapshot;
    let late = snapshot.contacted_after_answer;
    if late > 0 {
        let words = format!("{} reached after answering", people(late));
        needs.push(need(Tone::Warning, words, "Enter", late, Target::Filter("status:after_answer")));
    }
    if snapshot.unmatched > 0 {
        let which = counted(snapshot.unmatched, "message that fits", "messages that fit");
        let words = format!("{which} nobody we know");
        needs.push(need(Tone::Warning, words, "", 0, Target::Nothing));
    }
    if snapshot.rejects > 0 {
        let words = format!("{} of the list could not be used", counted(snapshot.rejects, "row", "rows"));
        needs.push(need(Tone::Muted, words, "", 0, Target::Nothing));
    }
}
