//! What stands under the header until it is over: why nothing is sent, or who is held by what, and which key helps. The
//! gravest first, and as many lines as the window can spare.

use super::keys::{self, Cmd};
use super::model::Model;
use super::needs;
use super::text::{cut, left, when, width, wrap};
use crate::engine::forecast::PauseRow;
use crate::engine::snapshot::{BreakerRow, Place};
use crate::model::{At, Channel, Class, clean};
use crate::phrases::{self, span};
use crate::runtime::handle::{Level, Settling};
use chrono_tz::Tz;

/// Lines in a low window, and in any other.
const LINES: (usize, usize) = (3, 5);

/// From this height on a window is not low.
const NOT_LOW: u16 = 24;

/// From this height on it has room for what is shut and what to do about it, each on lines of its own.
const ROOMY: u16 = 30;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing works any more.
    Alarm,
    /// Nothing is sent.
    Hold,
    /// Somebody is held.
    Bad,
    /// Look at it.
    Warning,
    /// What belongs to the line before.
    Detail,
}

/// One line, as wide as the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it looks.
    pub look: Look,
    /// What it says.
    pub text: String,
}

/// Something that keeps people from going on, until somebody or something mends it.
#[derive(Clone, Copy, Debug)]
pub enum Stop<'a> {
    /// A shut scope.
    Breaker(&'a BreakerRow),
    /// A channel on hold.
    Pause(&'a PauseRow),
}

impl Stop<'_> {
    /// People it keeps.
    pub const fn people(&self) -> u64 {
        match self {
            Self::Breaker(row) => row.held,
            Self::Pause(row) => row.waiting,
        }
    }
}

/// Shut scopes that hold somebody and channels on hold, the most people first.
fn stops(model: &Model) -> Vec<Stop<'_>> {
    let snapshot = &model.picture.snapshot;
    let breakers = snapshot.breakers.iter().filter(|row| row.held > 0).map(Stop::Breaker);
    let pauses = snapshot.pauses.iter().filter(|row| row.only.is_some()).map(Stop::Pause);
    let mut stops: Vec<_> = breakers.chain(pauses).collect();
    stops.sort_by_key(|stop| std::cmp::Reverse(stop.people()));
    stops
}

/// What keeps most people.
pub fn worst(model: &Model) -> Option<Stop<'_>> {
    stops(model).into_iter().next()
}

/// The lines of this window.
pub fn lines(model: &Model) -> Vec<Line> {
    let page = Page {
        cells: model.area.width as usize,
        zone: model.picture.place.timezone.parse().unwrap_or(Tz::UTC),
        now: model.now,
        tight: model.area.height < ROOMY,
    };
    let most = if model.area.height < NOT_LOW { LINES.0 } else { LINES.1 };
    let mut lines = page.nothing_is_sent(model);
    let stops = stops(model);
    if let Some(worst) = stops.first() {
        let on_disk = usize::from(!model.on_disk.is_empty());
        let room = most.saturating_sub(lines.len() + on_disk).max(1);
        let others = page.troubles(model, |level| level < Level::Error).len() + on_disk;
        // What to do may take a second line where nothing else is pushed out by it.
        let told = page.stop(*worst, stops.len() - 1, lines.len() + others + 3 <= most);
        lines.extend(told.into_iter().take(room));
    }
    lines.extend(page.on_disk(model));
    lines.extend(page.troubles(model, |level| level < Level::Error));
    let hidden = lines.len().saturating_sub(most);
    lines.truncate(most);
    if let Some(last) = lines.last_mut().filter(|_| hidden > 0) {
        last.text = page.line(last.text.trim_end(), &format!("and {hidden} more ··· "));
    }
    lines
}

/// Cells that are enough to say what is shut, or wrong.
const SHUT: usize = 16;

/// After a backup was put back: channels on which nobody can be asked what was said, and how many stand at a step there.
pub fn unheard(model: &Model) -> Vec<(Channel, u64)> {
    let pauses = &model.picture.snapshot.pauses;
    let channels = pauses.iter().find(|row| row.only.is_none()).map_or(&[][..], |row| &row.untold);
    let here = |channel: Channel| {
        let rows = model.picture.snapshot.rows.iter();
        let open = rows.filter(|row| row.channel == channel && !matches!(row.place, Place::Ended(..)));
        open.filter(|row| row.contacted).count() as u64
    };
    channels.iter().map(|channel| (*channel, here(*channel))).collect()
}

/// What a line needs to know of the window.
struct Page {
    cells: usize,
    zone: Tz,
    now: At,
    tight: bool,
}

impl Page {
    /// The first that leaves the words their half of the line; the last one is the shortest.
    fn fitting<'t>(&self, tails: &'t [String]) -> &'t str {
        let fits = |tail: &&String| width(tail) <= self.cells / 2;
        tails.iter().find(fits).or(tails.last()).map_or("", String::as_str)
    }

    /// Words on the left, cut if they must be; what must be seen on the right.
    fn line(&self, words: &str, tail: &str) -> String {
        let tail = cut(tail, self.cells);
        let gap = usize::from(!tail.is_empty());
        left(words, self.cells.saturating_sub(width(&tail) + gap)) + &" ".repeat(gap) + &tail
    }

    fn nothing_is_sent(&self, model: &Model) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut add = |look, words: &str, tail: &str| lines.push(Line { look, text: self.line(words, tail) });
        if let Some(why) = model.lost() {
            add(Look::Alarm, &format!(" ✗ DETACHED  {}", clean(why)), "");
        }
        if let Some(why) = &model.picture.store_failed {
            add(Look::Alarm, &format!(" ✗ STORE FAILED  nothing is sent; {}", clean(why)), "");
        }
        if let Some(why) = model.held_by() {
            let goes_on = format!("{} goes on ", keys::key(Cmd::Pause));
            let tail = if model.asks_what_was_lost() { String::new() } else { goes_on };
            add(Look::Hold, &format!(" ‖ HOLD  nothing is sent: {}", clean(why)), &tail);
            if let Some(doubts) = needs::doubts_first(model) {
                let (needs, all) =
                    (keys::key(Cmd::Go(super::layout::Pane::Needs)), keys::key(Cmd::ActionsAll));
                let words = format!(
                    "   {doubts} in doubt: sent or not? {needs} Enter lists them, {all} there settles all"
                );
                add(Look::Detail, &words, "");
            }
            for (channel, here) in unheard(model) {
                add(Look::Detail, &format!("   {}", phrases::restored::unheard(channel, here)), "");
            }
        }
        match model.picture.settling {
            Some(Settling::Asking) => {
                add(Look::Hold, " ◌ CATCHING UP  providers are asked what was said", "nothing is sent ");
            }
            Some(Settling::Until(until)) if until > model.now => {
                let (left, at) = (span((until - self.now).num_seconds()), when(until, self.now, self.zone));
                let tails = [format!("nothing is sent before {at}, in {left} "), format!("sends in {left} ")];
                let tail = self.fitting(&tails);
                add(Look::Hold, " ◌ LISTENING  for what was said meanwhile", tail);
            }
            Some(Settling::Until(_)) | None => {}
        }
        lines.extend(self.troubles(model, |level| level == Level::Error));
        lines
    }

    /// Another editor left the files wrong.
    fn on_disk(&self, model: &Model) -> Option<Line> {
        let problem = model.on_disk.first()?;
        let place = format!(" ✗ ON DISK  {}: ", needs::place(problem));
        let key = keys::key(Cmd::Go(super::layout::Pane::Needs));
        let tails = [format!("{}: {key} ", needs::IN_FLIGHT), format!("those in flight go on: {key} ")];
        let said = |tail: &&String| {
            model.in_flight() && self.has_room(&place, &format!("{tail}{}", " ".repeat(SHUT)))
        };
        let tail = tails.iter().find(said).cloned().unwrap_or_else(|| format!("{key} "));
        Some(Line { look: Look::Bad, text: self.line(&(place + &clean(&problem.message)), &tail) })
    }

    fn troubles(&self, model: &Model, which: impl Fn(Level) -> bool) -> Vec<Line> {
        let troubles = model.picture.troubles.iter().filter(|trouble| which(trouble.level));
        troubles
            .map(|trouble| {
                let (glyph, look) = match trouble.level {
                    Level::Error => ("✗", Look::Bad),
                    Level::Warning => ("!", Look::Warning),
                    Level::Info => ("·", Look::Detail),
                };
                let words = format!(" {glyph} {}", clean(&trouble.words));
                let tail = format!("since {} ", when(trouble.since, self.now, self.zone));
                Line { look, text: self.line(&words, &tail) }
            })
            .collect()
    }

    /// What is shut or on hold, in the provider's words and ours; then what to do, when it is looked at again, and
    /// which key helps.
    fn stop(&self, stop: Stop<'_>, others: usize, roomy: bool) -> Vec<Line> {
        let needs = keys::key(Cmd::Go(super::layout::Pane::Needs));
        let more = if others == 0 { String::new() } else { format!("and {others} more: {needs} ") };
        match stop {
            Stop::Breaker(row) => self.breaker(row, &more, roomy),
            Stop::Pause(row) => self.pause(row, &more, roomy),
        }
    }

    fn breaker(&self, row: &BreakerRow, more: &str, roomy: bool) -> Vec<Line> {
        let failure = &row.failure;
        let (scope, fault) = (clean(&row.scope.to_string()), phrases::fault(failure));
        let what = format!(" ✗ {} HELD  {} {scope} is shut: {fault}", row.held, row.channel.label());
        let said = failure.detail.screen();
        let quoted = if said.is_empty() { what.clone() } else { format!("{what}, \"{said}\"") };
        let itself = matches!(failure.class, Class::Throttle | Class::Outage);
        let key = keys::key(Cmd::Mended);
        let again = match row.retry_at.map(|at| span((at - self.now).num_seconds())) {
            _ if row.by_word => [format!("only your word opens it: {key} "), format!("{key} mends ")],
            Some(left) if itself => {
                [format!("opens by itself, asked in {left} · {key} now "), format!("in {left} · {key} ")]
            }
            Some(left) => {
                [format!("asked again in {left} · {key} you mended it "), format!("again in {left} · {key} ")]
            }
            None => [format!("being asked now · {key} you mended it "), format!("asked now · {key} ")],
        };
        let remedy = clean(&failure.remedy);
        if self.tight && !again.iter().any(|tail| self.has_room(&format!("   {remedy}"), tail)) {
            let shut = format!("{} {scope}: {fault}", row.channel.label());
            return self.remedy_first(&format!("✗ {} HELD", row.held), &remedy, &shut, (more, &again));
        }
        let mut lines = vec![Line { look: Look::Bad, text: self.line(&quoted, more) }];
        lines.extend(self.detail(&remedy, &again, roomy));
        lines
    }

    /// Where every line is a customer's: what to do first and whole, then what is shut, as far as there is room.
    fn remedy_first(
        &self,
        held: &str,
        remedy: &str,
        shut: &str,
        (more, again): (&str, &[String]),
    ) -> Vec<Line> {
        let parts = wrap(&format!("{held}  {remedy}"), self.cells.saturating_sub(4));
        let indent = |i: usize| if i == 0 { " " } else { "   " };
        let mut texts: Vec<String> =
            parts.iter().enumerate().map(|(i, part)| format!("{}{part}", indent(i))).collect();
        let others = if more.is_empty() { String::new() } else { format!("{}· ", more.trim_start()) };
        let tails: Vec<String> = again.iter().map(|again| format!("{others}{again}")).collect();
        let tail = tails.last().map_or("", String::as_str);
        let last = texts.pop().unwrap_or_default();
        if texts.is_empty() || !self.has_room(&format!("{last} {}", "x".repeat(SHUT)), tail) {
            texts.extend([self.line(&last, ""), self.line(&format!("   {shut}"), self.fitting(&tails))]);
        } else {
            texts.push(self.line(&format!("{last}  {shut}"), tail));
        }
        let look = |i: usize| if i == 0 { Look::Bad } else { Look::Detail };
        texts
            .into_iter()
            .enumerate()
            .map(|(i, text)| Line { look: look(i), text: self.line(&text, "") })
            .collect()
    }

    fn has_room(&self, words: &str, tail: &str) -> bool {
        width(words) < self.cells.saturating_sub(width(tail))
    }

    /// What to do, whole: beside the longest tail that leaves it room, else on two lines if there is room for them.
    fn detail(&self, words: &str, tails: &[String], roomy: bool) -> Vec<Line> {
        let detail = |text: String| Line { look: Look::Detail, text };
        let words = format!("   {words}");
        if let Some(tail) = tails.iter().find(|tail| self.has_room(&words, tail)) {
            return vec![detail(self.line(&words, tail))];
        }
        let tail = self.fitting(tails);
        if !roomy {
            return vec![detail(self.line(&words, tail))];
        }
        let mut parts = wrap(words.trim_start(), self.cells.saturating_sub(3)).into_iter();
        let first = parts.next().unwrap_or_default();
        let rest = parts.collect::<Vec<_>>().join(" ");
        vec![detail(self.line(&format!("   {first}"), "")), detail(self.line(&format!("   {rest}"), tail))]
    }

    fn pause(&self, row: &PauseRow, more: &str, roomy: bool) -> Vec<Line> {
        let channel = row.only.map_or("everything", Channel::label);
        let since = span((self.now - row.since).num_seconds());
        let (look, glyph) = if row.by_itself { (Look::Bad, "✗") } else { (Look::Warning, "‖") };
        let by = if row.by_itself { " itself" } else { "" };
        let why = clean(&row.why);
        // A channel that pauses itself says again which one it is.
        let why = why.strip_prefix(&format!("{channel}: ")).unwrap_or(&why);
        let what = format!(" {glyph} {} WAIT  {channel} paused{by}: {why}, {since} ago", row.waiting);
        let what_to_do = if row.by_itself {
            "Look at its failures (F) and what people wrote (i) before it goes on"
        } else {
            "Everybody else goes on"
        };
        let key = keys::key(Cmd::Mended);
        let how = [format!("{key} goes on, and asks about the waits "), format!("{key} goes on ")];
        let mut lines = vec![Line { look, text: self.line(&what, more) }];
        lines.extend(self.detail(what_to_do, &how, roomy));
        lines
    }
}
