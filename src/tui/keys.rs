//! The command table: one row per command. Dispatch, footer, help, palette, the README's key table and the
//! conflict test all read these rows; adding a command touches this table and `update`.

pub use super::having::available;
use super::layout::Pane;
use super::learning::View;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt::Write as _;

/// What the operator can ask of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is described by its row in COMMANDS")]
pub enum Cmd {
    Hold,
    Pause,
    Launch,
    Inbox,
    Failures,
    Rules,
    Content,
    Actions,
    ActionsAll,
    Orders,
    Messages,
    LineDone,
    LineLeave,
    Filter,
    Palette,
    Help,
    Zoom,
    NextPane,
    PreviousPane,
    Go(Pane),
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Back,
    Close,
    Mended,
    Mouse,
    StopCascade,
    OptOut,
    WasSent,
    WasNotSent,
    Release,
    SkipWait,
    Retry,
    StopCampaign,
    TakeControl,
    GiveControl,
    Yes,
    Extend,
    Reason,
    No,
    Quit,
    Longer,
    Shorter,
    Save,
    LeaveEditor,
    Review,
    Undo,
    Redo,
    Find,
    FindNext,
    NextProblem,
    Complete,
    SelectAll,
    Copy,
    Cut,
    PasteYank,
    Tidy,
    ToLadder,
    NextFile,
    NextCustomer,
    PreviousCustomer,
    EditorHelp,
    ToText,
    StartHere,
    Later,
    Earlier,
    Split,
    Join,
    UndoStep,
    KeepDraft,
    DropDraft,
    History,
    Restore,
    PersonVersion,
    WhoStands,
    ChooseKeep,
    ChooseRetime,
    ChooseSpread,
    SayWhy,
    SaveNow,
    Reapply,
    DropMoved,
    SaveOver,
    DropSaved,
    Propose,
    Learning(View),
    Draft,
}

/// Where a command applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Panes, pages and dialogs alike.
    Everywhere,
    /// Panes and pages.
    Screen,
    /// The six panes.
    Panes,
    /// A page over the panes: a customer, failures, inbox, rules, help.
    Page,
    /// The menu on one person, or on all that are listed.
    Actions,
    /// A question.
    Question,
    /// The question before an order.
    Order,
    /// The question whether waits are lengthened.
    Resume,
    /// A line being typed: a filter, a reason, a word that confirms.
    Line,
    /// The text of the editor: letters are typed, so that its commands are control and function keys.
    Editor,
    /// The ladders of the editor.
    Ladder,
    /// The question what becomes of a draft.
    Unsaved,
    /// The page before a save.
    Review,
    /// The pages of the history.
    Versions,
    /// A customer's page.
    Person,
    /// The pages of what was learnt.
    Learning,
}

impl Place {
    /// As the key table heads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Screen => "panes and pages",
            Self::Panes => "panes",
            Self::Page => "a page",
            Self::Actions => "actions on people",
            Self::Question => "a question",
            Self::Order => "an order",
            Self::Resume => "resume",
            Self::Line => "a line typed",
            Self::Editor => "the editor",
            Self::Ladder => "its ladders",
            Self::Unsaved => "a draft left",
            Self::Review => "before a save",
            Self::Versions => "history",
            Self::Person => "a customer",
            Self::Learning => "what was learnt",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// Identity.
    pub cmd: Cmd,
    /// In the palette: `hold`.
    pub id: &'static str,
    /// In the footer.
    pub label: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Where it applies.
    pub place: Place,
    /// The first one is shown.
    pub keys: &'static [&'static str],
    /// Rank in the footer; 0 keeps it out.
    pub footer: u8,
}

const fn row(
    cmd: Cmd,
    id: &'static str,
    label: &'static str,
    place: Place,
    keys: &'static [&'static str],
    footer: u8,
    help: &'static str,
) -> Row {
    Row { cmd, id, label, help, place, keys, footer }
}

/// Every command.
#[rustfmt::skip]
pub const COMMANDS: &[Row] = &[
    row(Cmd::Hold, "hold", "HOLD all sending", Place::Everywhere, &["P", "Ctrl-p"], 1, "Nothing is sent from this moment on, on any channel; no question asked"),
    row(Cmd::Pause, "pause", "pause/resume", Place::Screen, &["p"], 2, "Pause the campaign, or the channel under the cursor; resuming asks about the waits"),
    row(Cmd::Launch, "launch", "launch", Place::Screen, &["L"], 3, "Shows whom a launch reaches, when and at what cost, and asks"),
    row(Cmd::Inbox, "inbox", "inbox", Place::Screen, &["i"], 4, "What people wrote and said, newest first"),
    row(Cmd::Failures, "failures", "failures", Place::Screen, &["F"], 5, "Failures by cause, with who, why and what to do"),
    row(Cmd::Mended, "mended", "mend", Place::Screen, &["m"], 3, "What keeps most people: its page, and there: you mended it, release them at the channel's rate"),
    row(Cmd::Actions, "actions", "actions", Place::Screen, &["x"], 7, "Actions on this customer: stop, try again, skip the wait, settle a doubt, record an opt-out"),
    row(Cmd::ActionsAll, "actions-all", "act on all listed", Place::Panes, &["X"], 8, "The same for everybody that the filter lists, reported one by one"),
    row(Cmd::Orders, "orders", "orders", Place::Screen, &["A"], 0, "What was ordered, by whom, when and why, and what came of it for each"),
    row(Cmd::Messages, "messages", "messages", Place::Everywhere, &["M", "Ctrl-l"], 0, "What you were told, the newest first, every message whole"),
    row(Cmd::Rules, "rules", "rules", Place::Screen, &["e"], 9, "The rules, as text and as ladders, to be edited"),
    row(Cmd::Content, "content", "content", Place::Screen, &["c"], 0, "What is said on each channel, as this customer gets it, to be edited"),
    row(Cmd::Filter, "filter", "filter", Place::Panes, &["/"], 6, "Filter by status:open segment:smb channel:phone code:429 can:retry version:2 sort:due, name or number"),
    row(Cmd::Zoom, "zoom", "zoom", Place::Panes, &["z"], 0, "This pane alone, or all of them again"),
    row(Cmd::NextPane, "next-pane", "next pane", Place::Panes, &["Tab"], 0, "To the next pane"),
    row(Cmd::PreviousPane, "previous-pane", "previous pane", Place::Panes, &["Shift-Tab"], 0, "To the pane before"),
    row(Cmd::Go(Pane::Cohort), "cohort", "cohort", Place::Panes, &["1"], 0, "To Cohort: everybody, where they stand, what comes next"),
    row(Cmd::Go(Pane::Timeline), "timeline", "timeline", Place::Panes, &["2"], 0, "To Timeline: what happens, newest first"),
    row(Cmd::Go(Pane::Channels), "channels", "channels", Place::Panes, &["3"], 0, "To Channels: people by outcome, conversions and cost"),
    row(Cmd::Go(Pane::Rules), "ladder", "ladder", Place::Panes, &["4"], 0, "To Rules: the steps, their waits and who stands there"),
    row(Cmd::Go(Pane::Needs), "needs", "needs you", Place::Panes, &["5"], 0, "To Needs you: what waits for a person"),
    row(Cmd::Go(Pane::Next), "next", "next", Place::Panes, &["6"], 0, "To Next: what falls due, and when"),
    row(Cmd::Learning(View::Starts), "learning", "learning", Place::Screen, &["7"], 10, "What was learnt: the three questions of the week, and the start of each segment"),
    row(Cmd::Learning(View::Waits), "waits", "waits", Place::Screen, &["8"], 0, "When conversions arrive within each wait, and which wait is too long or too short"),
    row(Cmd::Learning(View::Cost), "cost", "cost", Place::Screen, &["9"], 0, "What a conversion costs: by channel, as first contact and as fallback, and by start"),
    row(Cmd::Draft, "draft", "draft it", Place::Learning, &["d"], 1, "This finding as a change of the rules, in a draft; its evidence is the reason of the save"),
    row(Cmd::Up, "up", "up", Place::Screen, &["Up", "k"], 0, "One line up"),
    row(Cmd::Down, "down", "down", Place::Screen, &["Down", "j"], 0, "One line down"),
    row(Cmd::PageUp, "page-up", "page up", Place::Screen, &["PgUp", "Ctrl-b"], 0, "One page up"),
    row(Cmd::PageDown, "page-down", "page down", Place::Screen, &["PgDn", "Ctrl-f", "Space"], 0, "One page down"),
    row(Cmd::First, "first", "first", Place::Screen, &["Home", "g"], 0, "To the first line; in Timeline: follow again"),
    row(Cmd::Last, "last", "last", Place::Screen, &["End", "G"], 0, "To the last line"),
    row(Cmd::Open, "open", "open", Place::Screen, &["Enter", "Right", "l"], 0, "Open what is under the cursor: a customer, a failure, a shut scope"),
    row(Cmd::Back, "back", "back", Place::Screen, &["Esc"], 10, "Back: closes the page, then dismisses notices, then undoes zoom and filter"),
    row(Cmd::Close, "close", "close", Place::Page, &["Left", "h"], 0, "Close this page"),
    row(Cmd::StopCascade, "stop", "stop for good", Place::Actions, &["s"], 0, "End this customer's cascade for good; calls under way are called back"),
    row(Cmd::Retry, "retry", "try again", Place::Actions, &["t"], 0, "The step that failed once more, where it is certain that it did not reach them"),
    row(Cmd::SkipWait, "skip-wait", "skip the wait", Place::Actions, &["k"], 0, "The next step now; quiet hours, caps, budget and pauses hold as ever"),
    row(Cmd::OptOut, "opt-out", "record an opt-out", Place::Actions, &["o"], 0, "They told you: no more contact on any channel, in any campaign"),
    row(Cmd::WasSent, "was-sent", "doubt: it was sent", Place::Actions, &["w"], 0, "You found out that the doubtful attempt reached them"),
    row(Cmd::WasNotSent, "was-not-sent", "doubt: it was not sent", Place::Actions, &["n"], 0, "You found out that it did not; the step is sent again"),
    row(Cmd::Release, "release", "settled: go on", Place::Actions, &["r"], 0, "You found out who answered at a shared number: this customer's cascade goes on"),
    row(Cmd::StopCampaign, "stop-campaign", "stop the campaign", Place::Screen, &[], 0, "End every open cascade for good; a word must be typed"),
    row(Cmd::TakeControl, "take-control", "take control", Place::Screen, &[], 0, "Attached to another process: be in control; whoever was goes on reading"),
    row(Cmd::GiveControl, "give-control", "give control", Place::Screen, &[], 0, "Attached to another process: read on; whoever acts first is in control"),
    row(Cmd::Yes, "yes", "yes", Place::Question, &["y"], 0, "Yes, do it"),
    row(Cmd::Extend, "extend", "lengthen the waits", Place::Resume, &["e"], 0, "Go on, and lengthen every wait by the time it stood still"),
    row(Cmd::Reason, "reason", "say why", Place::Order, &["r"], 0, "Say why; it is written down with your name. In live it is asked for"),
    row(Cmd::No, "no", "no", Place::Question, &["Esc", "N"], 0, "No, leave everything as it is"),
    row(Cmd::LineDone, "line-done", "done", Place::Line, &["Enter"], 1, "What is typed is taken; what is still needed is asked next"),
    row(Cmd::LineLeave, "line-leave", "leave it", Place::Line, &["Esc"], 2, "Leave the line; a question that it belongs to is left with it"),
    row(Cmd::Longer, "longer", "longer wait", Place::Screen, &["+", "="], 0, "In Rules and in the ladders: the step waits longer, in a draft that nobody gets before it is saved"),
    row(Cmd::Shorter, "shorter", "shorter wait", Place::Screen, &["-"], 0, "The step under the cursor waits shorter, in the draft"),
    row(Cmd::Save, "save", "save", Place::Screen, &["S"], 8, "Save the draft: what it changes and whom it moves first, then a reason, then a commit"),
    row(Cmd::History, "history", "history", Place::Screen, &["H"], 0, "Versions of rules and texts that ran: what changed, by whom, why, with how many people"),
    row(Cmd::WhoStands, "who-stands", "who stands here", Place::Screen, &["w"], 0, "In Rules and in the ladders: the customers who stand at this step. In the history: whom this version reached"),
    row(Cmd::PersonVersion, "its-rules", "its rules", Place::Person, &["v"], 0, "The version of the rules under which this customer's newest step ran"),
    row(Cmd::Restore, "restore", "restore", Place::Versions, &["R"], 2, "Save what ran then once more: preview, reason and commit as for any other change"),
    row(Cmd::Propose, "propose", "propose", Place::Screen, &["O"], 0, "Push the branch that holds the rules by your own git, and open a pull request for it with what they have shown"),
    row(Cmd::SaveNow, "save-now", "save", Place::Review, &["y"], 1, "Save what is shown; whoever came to wait meanwhile is shown first"),
    row(Cmd::SayWhy, "say-why", "say why", Place::Review, &["r"], 2, "Why; it stands in the commit, in the history and with your name in the audit trail"),
    row(Cmd::ChooseKeep, "choose-keep", "keep", Place::Review, &["1"], 3, "Those in flight go on as they were launched"),
    row(Cmd::ChooseRetime, "choose-retime", "re-time", Place::Review, &["2"], 4, "Those in flight go by the new waits and steps"),
    row(Cmd::ChooseSpread, "choose-spread", "spread", Place::Review, &["3"], 5, "The same, and whoever would be due at once is spread over what was left"),
    row(Cmd::Reapply, "reapply", "on top of theirs", Place::Review, &["t"], 2, "The file was changed on disk since the draft began: take that, and put the draft's changes on it"),
    row(Cmd::DropMoved, "drop-mine", "drop the draft", Place::Review, &["d"], 3, "The file was changed on disk since the draft began: leave it so, and give the draft up"),
    row(Cmd::SaveOver, "save-over", "save over it", Place::Review, &["o"], 4, "The file was changed on disk since the draft began: preview the draft as it is; what is lost by that is named"),
    row(Cmd::DropSaved, "drop-saved", "drop it", Place::Review, &["D"], 6, "What was saved and is not in force is not to be; its commit stays"),
    row(Cmd::Review, "review", "save", Place::Editor, &["Ctrl-s"], 1, "Lay it out and save it: what it changes and whom it moves first"),
    row(Cmd::ToLadder, "ladders", "ladders", Place::Editor, &["Shift-Tab", "F6"], 2, "To the ladders: waits, starts and order without JSON"),
    row(Cmd::Complete, "complete", "complete", Place::Editor, &["Tab", "Ctrl-Space"], 3, "What may stand here: names, channels, waits, columns; where there is nothing, two spaces"),
    row(Cmd::NextProblem, "next-problem", "next problem", Place::Editor, &["Ctrl-n", "F8"], 4, "To the next thing that the check finds"),
    row(Cmd::Undo, "undo", "undo", Place::Editor, &["Ctrl-z"], 5, "Take back the last change"),
    row(Cmd::Redo, "redo", "redo", Place::Editor, &["Ctrl-y"], 0, "Do it again"),
    row(Cmd::Find, "find", "find", Place::Editor, &["Ctrl-f"], 6, "Find words; Down and Up go on, Enter stays there"),
    row(Cmd::FindNext, "find-next", "find next", Place::Editor, &["Ctrl-g", "F3"], 0, "The same words once more"),
    row(Cmd::NextFile, "next-file", "other channel", Place::Editor, &["Ctrl-o"], 7, "The content of the next channel"),
    row(Cmd::NextCustomer, "next-customer", "next customer", Place::Editor, &["Alt-Down"], 0, "Fill the content in for the next customer of the cohort"),
    row(Cmd::PreviousCustomer, "previous-customer", "customer before", Place::Editor, &["Alt-Up"], 0, "The same for the customer before"),
    row(Cmd::SelectAll, "select-all", "select all", Place::Editor, &["Ctrl-a"], 0, "Select the whole text; Shift with arrows or the mouse selects a part"),
    row(Cmd::Copy, "copy", "copy", Place::Editor, &["Alt-c"], 0, "Copy what is selected, for Ctrl-v"),
    row(Cmd::Cut, "cut", "cut", Place::Editor, &["Ctrl-x"], 0, "Cut what is selected"),
    row(Cmd::PasteYank, "put", "put", Place::Editor, &["Ctrl-v"], 0, "Put what was copied or cut here; the terminal's own paste works as well"),
    row(Cmd::Tidy, "tidy", "lay out", Place::Editor, &["Ctrl-t"], 0, "Lay the JSON out, one step to a line; saving does it, too"),
    row(Cmd::LeaveEditor, "leave", "leave", Place::Editor, &["Esc"], 8, "Leave the editor; asks what becomes of a draft"),
    row(Cmd::EditorHelp, "editor-keys", "keys", Place::Editor, &["F1"], 9, "Every key of the editor"),
    row(Cmd::ToText, "text", "text", Place::Ladder, &["Tab", "Shift-Tab", "F6"], 2, "Back to the text"),
    row(Cmd::StartHere, "start-here", "start here", Place::Ladder, &["t"], 0, "The cascade starts with this channel; the rest follows in its order"),
    row(Cmd::Later, "later", "later", Place::Ladder, &["J"], 0, "This step one place later"),
    row(Cmd::Earlier, "earlier", "earlier", Place::Ladder, &["K"], 0, "This step one place earlier"),
    row(Cmd::Split, "split", "split off", Place::Ladder, &["b"], 3, "A segment gets a ladder of its own"),
    row(Cmd::Join, "join", "join", Place::Ladder, &["B"], 0, "This segment does again what everybody does"),
    row(Cmd::UndoStep, "take-back", "take back", Place::Ladder, &["u", "Ctrl-z"], 4, "The draft without what was changed last"),
    row(Cmd::KeepDraft, "keep-draft", "keep the draft", Place::Unsaved, &["k"], 0, "Leave; the draft stays, also over a restart"),
    row(Cmd::DropDraft, "drop-draft", "drop the draft", Place::Unsaved, &["d"], 0, "Leave, and give the draft up"),
    row(Cmd::Mouse, "mouse", "mouse", Place::Screen, &[], 0, "Switch the mouse off or on, so that the terminal can select text"),
    row(Cmd::Palette, "palette", "command", Place::Screen, &[":"], 11, "Find a command by typing"),
    row(Cmd::Help, "help", "help", Place::Screen, &["?"], 12, "Every key of this place"),
    row(Cmd::Quit, "quit", "quit", Place::Everywhere, &["q", "Ctrl-c"], 13, "Leave; asks while something runs. Everything is saved, the next start goes on"),
];

/// The row of a command.
pub fn of(cmd: Cmd) -> Option<&'static Row> {
    COMMANDS.iter().find(|row| row.cmd == cmd)
}

/// A command's first key, as it is shown.
pub fn key(cmd: Cmd) -> &'static str {
    of(cmd).and_then(|row| row.keys.first()).copied().unwrap_or("")
}

/// The commands that apply in any of `places`, in the table's order.
pub fn applying(places: &[Place]) -> impl Iterator<Item = &'static Row> {
    COMMANDS.iter().filter(move |row| places.contains(&row.place))
}

/// Which command a key press asks for in these places.
pub fn find(places: &[Place], press: KeyEvent) -> Option<&'static Row> {
    let name = name(press)?;
    applying(places).find(|row| row.keys.contains(&name.as_str()))
}

/// A key press in the table's spelling.
pub fn name(press: KeyEvent) -> Option<String> {
    let base = match press.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if press.modifiers.contains(KeyModifiers::CONTROL) => c.to_lowercase().to_string(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Enter => "Enter".to_owned(),
        KeyCode::Esc => "Esc".to_owned(),
        KeyCode::Tab => "Tab".to_owned(),
        KeyCode::BackTab => "Shift-Tab".to_owned(),
        KeyCode::Up => "Up".to_owned(),
        KeyCode::Down => "Down".to_owned(),
        KeyCode::Left => "Left".to_owned(),
        KeyCode::Right => "Right".to_owned(),
        KeyCode::Home => "Home".to_owned(),
        KeyCode::End => "End".to_owned(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        KeyCode::F(number) => format!("F{number}"),
        _ => return None,
    };
    if press.modifiers.contains(KeyModifiers::ALT) {
        return Some(format!("Alt-{base}"));
    }
    Some(if press.modifiers.contains(KeyModifiers::CONTROL) { format!("Ctrl-{base}") } else { base })
}

/// The README's key table.
pub fn markdown() -> String {
    let mut out = String::from("| Key | Where | Does |\n|---|---|---|\n");
    for row in COMMANDS {
        let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
        let keys = if keys.is_empty() { format!("`:{}`", row.id) } else { keys.join(" ") };
        _ = writeln!(out, "| {keys} | {} | {} |", row.place.title(), row.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The sets of places that can apply at the same time.
    const TOGETHER: &[&[Place]] = &[
        &[Place::Everywhere, Place::Screen, Place::Panes],
        &[Place::Everywhere, Place::Screen, Place::Page],
        &[Place::Everywhere, Place::Question],
        &[Place::Everywhere, Place::Question, Place::Order],
        &[Place::Everywhere, Place::Question, Place::Order, Place::Resume],
        &[Place::Everywhere, Place::Question, Place::Actions],
        &[Place::Everywhere, Place::Line],
        &[Place::Everywhere, Place::Editor],
        &[Place::Everywhere, Place::Screen, Place::Page, Place::Ladder],
        &[Place::Everywhere, Place::Question, Place::Unsaved],
        &[Place::Everywhere, Place::Screen, Place::Page, Place::Review],
        &[Place::Everywhere, Place::Screen, Place::Page, Place::Versions],
        &[Place::Everywhere, Place::Screen, Place::Page, Place::Person],
        &[Place::Everywhere, Place::Screen, Place::Page, Place::Learning],
    ];

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for places in TOGETHER {
            let mut seen = HashSet::new();
            for row in applying(places) {
                for key in row.keys {
                    assert!(seen.insert(*key), "{key} is taken twice in {places:?}, by {}", row.id);
                }
            }
        }
    }

    #[test]
    fn ids_are_unique_and_help_is_given() {
        let ids: HashSet<_> = COMMANDS.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), COMMANDS.len());
        assert!(COMMANDS.iter().all(|row| row.help.len() > 8 && !row.help.ends_with('.')));
    }

    #[test]
    fn every_command_can_be_reached_somewhere() {
        for row in COMMANDS {
            assert!(TOGETHER.iter().any(|places| places.contains(&row.place)), "{}", row.id);
        }
    }
}
