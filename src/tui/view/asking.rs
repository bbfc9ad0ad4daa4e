//! The question before an order: what it does and cannot undo, to how many, why others are left alone, and how it is
//! confirmed.

use super::Ctx;
use super::dialog::{choice, says};
use crate::engine::forecast::{PauseRow, StopForecast, lasts_s};
use crate::engine::order::Deed;
use crate::model::{Channel, Scope, clean};
use crate::phrases::{self, people, span};
use crate::tui::alarms;
use crate::tui::asking::{self, Asking, Field, Reach, Wanted, Whom};
use crate::tui::input::LineInput;
use crate::tui::keys::{self, Cmd};
use crate::tui::needs;
use crate::tui::text::{cut, width};
use ratatui::text::{Line, Span};

/// Names that a question about many gives as examples.
const NAMED: usize = 3;

/// What a question shows: its title, its words, and the lines to type into below them.
pub struct Shown<'a> {
    /// On the frame.
    pub title: String,
    /// Above what is typed.
    pub lines: Vec<Line<'a>>,
    /// Label, line, and whether the keys go there.
    pub fields: Vec<(String, &'a LineInput, bool)>,
    /// Below what is typed.
    pub choices: Vec<Line<'a>>,
}

/// The question as it stands.
pub fn shown<'a>(ctx: &Ctx, asking: &'a Asking, cells: usize) -> Shown<'a> {
    let (title, words) = match &asking.wanted {
        Wanted::Resume(only) => resume(ctx, *only),
        Wanted::Mended(channel, scope) => mended(ctx, *channel, scope),
        Wanted::StopCampaign => {
            let forecast = asking::stopping(ctx.model, None);
            let open = people(forecast.open());
            let mut words =
                vec![format!("{open} have not ended: this campaign sends them nothing more, for good.")];
            words.extend(stopping(forecast));
            ("Stop the campaign for good?".to_owned(), words)
        }
        Wanted::People(deed, Whom::One(cascade)) => one(ctx, *deed, *cascade),
        Wanted::People(deed, whom @ Whom::Listed { .. }) => many(ctx, *deed, whom),
    };
    let mut fields = Vec::new();
    if asking.field != Field::Choice || !asking.reason.text().is_empty() {
        let needed = if asking.needs_reason { "why" } else { "why, if you like" };
        fields.push((needed.to_owned(), &asking.reason, asking.field == Field::Reason));
    }
    if let Some(word) = &asking.word {
        fields.push((format!("type {}", asking.confirming()), word, asking.field == Field::Word));
    }
    Shown { title, lines: says(ctx, &words, cells), fields, choices: choices(ctx, asking) }
}

fn choices<'a>(ctx: &Ctx, asking: &Asking) -> Vec<Line<'a>> {
    let leave = ("Esc", "leave it as it is");
    let does = keys::key(Cmd::Yes);
    let reason = if asking.needs_reason { "say why" } else { "say why, if you like" };
    match (asking.field, &asking.wanted) {
        (Field::Reason, _) => vec![choice(ctx, &[("Enter", "go on"), ("Esc", "leave it as it is")])],
        (Field::Word, _) => {
            vec![choice(ctx, &[("Enter", "do it"), ("Tab", "say why"), ("Esc", "leave it as it is")])]
        }
        (Field::Choice, Wanted::Resume(only)) => {
            let row = pause(ctx, *only);
            let due = |due: &[(Channel, u64)]| match due.iter().map(|(_, count)| count).sum::<u64>() {
                0 => "nobody at once".to_owned(),
                count => format!("{} at once", people(count)),
            };
            let (now, later) = row.map_or_else(
                || (String::new(), String::new()),
                |row| (format!(", {}", due(&row.due)), format!(", {}", due(&row.due_extended))),
            );
            vec![
                choice(ctx, &[(does, &format!("go on{now}"))]),
                choice(ctx, &[(keys::key(Cmd::Extend), &format!("go on, waits lengthened{later}"))]),
                choice(ctx, &[(keys::key(Cmd::Reason), reason), ("Esc", "stay on hold")]),
            ]
        }
        (Field::Choice, wanted) => {
            let what = match wanted {
                Wanted::Mended(..) => "it is mended",
                Wanted::People(deed, _) => phrases::orders::ask(deed.ask()),
                Wanted::StopCampaign | Wanted::Resume(_) => "do it",
            };
            vec![choice(ctx, &[(does, what)]), choice(ctx, &[(keys::key(Cmd::Reason), reason), leave])]
        }
    }
}

fn pause<'p>(ctx: &'p Ctx, only: Option<Channel>) -> Option<&'p PauseRow> {
    ctx.picture.snapshot.pauses.iter().find(|row| row.only == only)
}

/// `40 phone over about 27m, 2 SMS over 1s`.
fn over_time(ctx: &Ctx, due: &[(Channel, u64)]) -> String {
    let part = |(channel, count): &(Channel, u64)| {
        let pace = ctx.picture.place.paces.iter().find(|(of, ..)| of == channel);
        let over = pace.map(|(_, rate, at_once)| lasts_s(*channel, *count, *rate, *at_once).ceil() as i64);
        let over = over.filter(|s| *s > 0).map(|s| format!(" over about {}", span(s))).unwrap_or_default();
        format!("{count} by {}{over}", channel.label())
    };
    due.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn resume(ctx: &Ctx, only: Option<Channel>) -> (String, Vec<String>) {
    let title = format!("Go on with {}?", only.map_or("everything", Channel::label));
    let Some(row) = pause(ctx, only) else {
        return (title, vec!["The hold has not been written down yet; what is due then goes out.".into()]);
    };
    let stood = span((ctx.now - row.since).num_seconds());
    let mut words = vec![format!("On hold for {stood}: {}. {} wait.", clean(&row.why), people(row.waiting))];
    if let Some(doubts) = needs::doubts_first(ctx.model).filter(|_| only.is_none()) {
        words.push(format!(
            "{doubts} in doubt: sent or not? Settle that first: left alone, the next step follows after its wait."
        ));
    }
    if only.is_none() {
        let unheard = alarms::unheard(ctx.model).into_iter();
        words.extend(unheard.map(|(channel, here)| phrases::restored::unheard_in_full(channel, here)));
    }
    let covered = match only {
        Some(_) => ctx.picture.snapshot.pauses.iter().any(|p| p.only.is_none()),
        None => false,
    };
    if covered {
        words.push("Everything is on hold besides: nothing goes out here before that is lifted.".into());
    }
    let due = |due: &[(Channel, u64)]| match over_time(ctx, due) {
        none if none.is_empty() => "nobody is due at once".to_owned(),
        some => format!("due at once: {some}"),
    };
    words.push(format!("The waits went on meanwhile: {}.", due(&row.due)));
    words.push(format!("Or lengthen the waits by {stood}: {}.", due(&row.due_extended)));
    (title, words)
}

fn mended(ctx: &Ctx, channel: Channel, scope: &Scope) -> (String, Vec<String>) {
    let open = ctx.picture.snapshot.breakers.iter();
    let held = open.filter(|b| b.channel == channel && b.scope == *scope).map(|b| b.held).sum();
    let scope = clean(&scope.to_string());
    let over = over_time(ctx, &[(channel, held)]);
    let words = format!(
        "By your word {} {scope} works again: {} held by it go on, {over}. If it is not mended, the first refusal \
         shuts it again.",
        channel.label(),
        people(held)
    );
    ("Mended?".to_owned(), vec![words])
}

/// What cannot be undone, and what is tried.
fn stopping(forecast: StopForecast) -> Vec<String> {
    let StopForecast { calls, requests, sent, unsent } = forecast;
    let said = [
        (calls, "on a call, which is called back if the provider still can"),
        (requests, "being sent to just now: a call is called back, a message cannot be"),
        (sent, "sent something before, which cannot be called back"),
        (unsent, "sent nothing yet, and never will be"),
    ];
    said.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}.")).collect()
}

fn one(ctx: &Ctx, deed: Deed, cascade: crate::model::CascadeId) -> (String, Vec<String>) {
    let name = ctx.model.name(cascade);
    let (title, said) = match deed {
        Deed::Stop => ("Stop this cascade?", "nothing more is sent, for good. It cannot be undone."),
        Deed::OptOut => (
            "Record an opt-out?",
            "wants no more contact: holds on every channel and in every campaign, until they consent again.",
        ),
        Deed::WasSent => (
            "Settle the doubt?",
            "you found out that it was sent. The wait goes on as if it had been accepted.",
        ),
        Deed::WasNotSent => (
            "Settle the doubt?",
            "you found out that it was NOT sent. The step is sent again: if you are wrong, they get it twice.",
        ),
        Deed::Release => (
            "Go on with this customer?",
            "you found out who answered at the shared number. This cascade goes on with its step.",
        ),
        Deed::SkipWait => (
            "Skip the wait?",
            "the next step follows now. Quiet hours, caps, budget and pauses hold as ever.",
        ),
        Deed::Retry => (
            "Try again?",
            "the step that failed goes into its queue once more. It is certain that it did not reach them.",
        ),
    };
    let mut words = vec![format!("{name}: {said}")];
    if deed == Deed::Stop {
        words.extend(stopping(asking::stopping(ctx.model, Some(&Whom::One(cascade)))));
    }
    if let Err(why) = ctx.model.row(cascade).map_or(Ok(()), |row| row.may(deed)) {
        words.push(format!("Nothing will be done: {}.", phrases::orders::left(why)));
    }
    (title.to_owned(), words)
}

fn many(ctx: &Ctx, deed: Deed, whom: &Whom) -> (String, Vec<String>) {
    let reach = asking::reach(ctx.model, deed, whom);
    let Whom::Listed { of, filter } = whom else { return (String::new(), Vec::new()) };
    let what = phrases::orders::ask(deed.ask());
    let listed =
        if filter.is_empty() { "Everybody".to_owned() } else { format!("Listed by `{}`", clean(filter)) };
    let names: Vec<String> = of.iter().take(NAMED).map(|target| ctx.model.name(target.cascade)).collect();
    let more = match of.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let mut words = vec![format!("{listed}: {}{more}.", names.join(", "))];
    let can = people(reach.can as u64);
    words.push(match deed {
        Deed::Stop => format!("{can}: nothing more is sent, for good. It cannot be undone."),
        Deed::OptOut => format!("{can}: no more contact on any channel, in any campaign."),
        Deed::WasSent => format!("{can}: it was sent. The waits go on."),
        Deed::WasNotSent => {
            format!("{can}: it was NOT sent, and is sent again. Whoever did get it gets it twice.")
        }
        Deed::Release => format!("{can}: their cascades go on with their steps."),
        Deed::SkipWait => {
            format!("{can}: the next step now. Quiet hours, caps, budget and pauses hold as ever.")
        }
        Deed::Retry => format!("{can}: the failed step once more. It is certain that it did not reach them."),
    });
    if deed == Deed::Stop {
        words.extend(stopping(asking::stopping(ctx.model, Some(whom))));
    }
    words.extend(left_alone(&reach));
    (format!("{}: {} of {}?", capital(what), reach.can, reach.people), words)
}

fn left_alone(reach: &Reach) -> Option<String> {
    let mut why: Vec<String> =
        reach.left.iter().map(|(why, count)| format!("{count} {}", phrases::orders::left(*why))).collect();
    if reach.gone > 0 {
        why.push(format!("{} are listed no more", reach.gone));
    }
    (!why.is_empty()).then(|| format!("Left as they are: {}.", why.join(", ")))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A line to type into: its label, and the text with the cursor.
pub fn label<'a>(ctx: &Ctx, text: &str, typing: bool, cells: usize) -> Line<'a> {
    let style = if typing { ctx.theme.strong } else { ctx.theme.muted };
    let text = cut(text, cells);
    let pad = " ".repeat(cells.saturating_sub(width(&text)));
    Line::from(Span::styled(text + &pad, style))
}
