//! The editor, the page before a save and the history, through the real loop on a fake terminal.

use crate::changes;
use crate::fixture;
use crate::stage::{Seen, Step, play};
use crate::{options, settled};
use cascade::model::Mode;
use cascade::runtime::handle::Picture;
use cascade::runtime::saving::{SaveState, Saved};
use cascade::tui::Options;
use ratatui::crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::{Color, Modifier};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Beside the other screens.
fn is_as_it_was(name: &str, seen: &Seen) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, seen.text());
    });
}

async fn after(size: (u16, u16), script: Vec<Step>) -> Seen {
    play(size, fixture::running(Mode::Rehearsal), options(), settled(script)).await
}

/// A letter at a time, with time for the check in between.
async fn keys(size: (u16, u16), names: &'static str) -> Seen {
    after(size, vec![Step::Keys(names), Step::Wait(Duration::from_millis(500))]).await
}

#[tokio::test(start_paused = true)]
async fn editor_screens() {
    for (size, keys_, name) in [
        ((120, 40), "e Down Down End", "editor_120x40"),
        ((80, 24), "e", "editor_80x24"),
        ((200, 60), "e", "editor_200x60"),
        ((60, 16), "e", "editor_60x16"),
        ((120, 40), "e Shift-Tab -", "ladders_120x40"),
        ((80, 24), "e Shift-Tab - J", "ladders_80x24"),
        ((200, 60), "e Shift-Tab b Enter t", "ladders_of_a_segment_200x60"),
        ((120, 40), "e Shift-Tab b", "split_question_120x40"),
        ((120, 40), "4 -", "rules_pane_with_a_draft_120x40"),
        ((120, 40), "e x Esc", "editor_left_with_a_draft_120x40"),
    ] {
        is_as_it_was(name, &keys(size, keys_).await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_is_checked_coloured_and_marked() {
    let text = vec![Step::Keys("e Down Down End"), Step::Type("x"), Step::Wait(Duration::from_millis(500))];
    let seen = after((120, 40), text).await;
    is_as_it_was("editor_with_an_error_120x40", &seen);
    let screen = seen.text();
    assert!(screen.contains("✗ 1 error") && screen.contains("✗ 3:69"), "{screen}");
    let line = screen.lines().position(|line| line.contains("\"whatsapp\", \"wait\"")).unwrap();
    let at = screen.lines().nth(line).unwrap().chars().position(|c| c == 'x').unwrap() as u16;
    assert!(seen.buffer[(at, line as u16)].modifier.contains(Modifier::UNDERLINED));
    // Without colour the mark in the gutter and the words still say it.
    let plain = Options::new(true).unwrap();
    let script = vec![Step::Keys("e"), Step::Type("x"), Step::Wait(Duration::from_millis(500))];
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), plain, settled(script)).await;
    assert!(seen.text().contains("✗ 1 error"), "{}", seen.text());
    for cell in seen.buffer.content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{cell:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn words_are_completed_and_taken_back() {
    let script = vec![
        Step::Keys("e Down Down End"),
        Step::Keys("Enter"),
        Step::Type("    { \"channel\": \"e"),
        Step::Keys("Ctrl-Space"),
    ];
    let seen = after((120, 40), script).await;
    assert!(seen.text().contains("{ \"channel\": \"email\""), "{}", seen.text());
    let script = vec![Step::Keys("e Down Down End"), Step::Type(" \"whatsapp\": \"wa"), Step::Keys("Tab")];
    let seen = after((120, 40), script).await;
    is_as_it_was("editor_completion_120x40", &seen);
    let script = vec![Step::Keys("e"), Step::Type("abc"), Step::Keys("Ctrl-z Ctrl-z Ctrl-z Esc")];
    let seen = after((120, 40), script).await;
    assert!(seen.text().contains("1 Cohort"), "an empty draft asks nothing: {}", seen.text());
}

#[tokio::test(start_paused = true)]
async fn pasted_and_clicked() {
    let script = vec![
        Step::Keys("e"),
        Step::Event(Event::Paste("A\x1b[31mB\r\nC".into())),
        Step::Wait(Duration::from_millis(300)),
    ];
    let seen = after((120, 40), script).await;
    let screen = seen.text();
    assert!(screen.contains('A') && screen.contains("C{ \"start\""), "{screen}");
    let mouse = |kind, column, row| {
        Step::Event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
    };
    let found = keys((120, 40), "e").await;
    let row = found.text().lines().position(|line| line.contains("\"steps\"")).unwrap() as u16;
    let column =
        found.text().lines().nth(row as usize).unwrap().chars().position(|c| c == '"').unwrap() as u16;
    let left = MouseButton::Left;
    let script = vec![
        Step::Keys("e"),
        mouse(MouseEventKind::Down(left), column, row),
        mouse(MouseEventKind::Drag(left), column + 7, row),
        Step::Keys("Ctrl-x"),
        Step::Wait(Duration::from_millis(300)),
    ];
    let seen = after((120, 40), script).await;
    let line = seen.text().lines().nth(row as usize).unwrap().to_owned();
    assert!(!line.contains("\"steps\"") && line.contains(": ["), "{line}");
}

#[tokio::test(start_paused = true)]
async fn words_are_found() {
    let script = vec![Step::Keys("e Ctrl-f"), Step::Type("sms"), Step::Keys("Down Enter"), Step::Type("!")];
    let seen = after((120, 40), script).await;
    assert!(seen.text().contains("\"channel\": \"!sms\""), "{}", seen.text());
}

#[tokio::test(start_paused = true)]
async fn content_is_shown_as_one_customer_gets_it() {
    let dir = tempfile::tempdir().unwrap();
    let own = || Options { workspace: Some(dir.path().to_owned()), ..options() };
    for (size, keys, name) in [
        ((120, 40), "c", "content_120x40"),
        ((120, 40), "c Ctrl-o", "content_voice_120x40"),
        ((80, 24), "c Ctrl-o Ctrl-o", "content_sms_80x24"),
    ] {
        let script = vec![Step::Keys("c"), Step::Wait(Duration::from_secs(1))];
        let mut script = script;
        if let Some(more) = keys.strip_prefix("c ") {
            script.push(Step::Keys(more));
            script.push(Step::Wait(Duration::from_secs(1)));
        }
        let seen = play(size, fixture::idle(Mode::Rehearsal), own(), settled(script)).await;
        is_as_it_was(name, &seen);
    }
}

fn kept(dir: &Path) -> Vec<String> {
    let Ok(found) = std::fs::read_dir(dir.join(".cascade/drafts")) else { return Vec::new() };
    found.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_draft_survives_and_is_offered_again() {
    let dir = tempfile::tempdir().unwrap();
    let own = || Options { workspace: Some(dir.path().to_owned()), ..options() };
    let change = vec![Step::Keys("4 -"), Step::Wait(Duration::from_secs(1))];
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), own(), settled(change)).await;
    assert!(seen.text().contains("draft: WhatsApp 6h → 4h, not saved"), "{}", seen.text());
    assert_eq!(kept(dir.path()), ["rules-cascade.json.json"]);
    let again = vec![Step::Wait(Duration::from_secs(1))];
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), own(), settled(again)).await;
    assert!(
        seen.text().contains("a draft of rules/cascade.json is here from the last time"),
        "{}",
        seen.text()
    );
    assert!(seen.text().contains("draft: WhatsApp 6h → 4h"), "{}", seen.text());
    let drop =
        vec![Step::Wait(Duration::from_secs(1)), Step::Keys("e Esc d"), Step::Wait(Duration::from_secs(1))];
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), own(), settled(drop)).await;
    assert!(!seen.text().contains("draft:"), "{}", seen.text());
    assert_eq!(kept(dir.path()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn review_screens() {
    for (size, keys_, name) in [
        ((120, 40), "4 - S", "review_120x40"),
        ((80, 24), "4 - S", "review_80x24"),
        ((200, 60), "4 - S 3", "review_200x60"),
        ((120, 40), "H", "history_120x40"),
    ] {
        is_as_it_was(name, &keys(size, keys_).await);
    }
    for (size, name) in [((80, 24), "version_80x24"), ((120, 40), "version_120x40")] {
        let pause = || Step::Wait(Duration::from_millis(300));
        let script = vec![Step::Keys("H"), pause(), Step::Keys("Enter"), pause()];
        is_as_it_was(name, &after(size, script).await);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_saved_without_a_reason_and_newcomers_are_shown_first() {
    let script = || vec![Step::Keys("4 - S"), Step::Wait(Duration::from_millis(300)), Step::Keys("y")];
    let seen = after((120, 40), script()).await;
    assert!(seen.text().contains("say why, in a few words"), "{}", seen.text());
    assert!(!seen.asked.iter().any(|asked| asked.starts_with("Save")), "{:?}", seen.asked);
    let mut first = script();
    first.extend([
        Step::Type("phones are free"),
        Step::Keys("Enter y"),
        Step::Wait(Duration::from_millis(300)),
    ]);
    let seen = after((120, 40), first).await;
    assert!(seen.text().contains("1 person came to wait there meanwhile"), "{}", seen.text());
    assert!(seen.text().contains(" new "), "{}", seen.text());
    assert!(!seen.asked.iter().any(|asked| asked.starts_with("Save")), "{:?}", seen.asked);
    let mut both = script();
    both.extend([
        Step::Type("phones are free"),
        Step::Keys("Enter y"),
        Step::Wait(Duration::from_millis(300)),
        Step::Keys("y"),
        Step::Wait(Duration::from_millis(300)),
    ]);
    let seen = after((120, 40), both).await;
    let saves: Vec<_> = seen.asked.iter().filter(|asked| asked.starts_with("Save")).collect();
    // What was on the screen, and not the preview that was made to see whether somebody new came.
    assert_eq!(saves, ["Save 2 retime because phones are free"], "{:?}", changes::shown());
}

/// A page that stands open tells what a save would do now, and keeps the reason that is being typed.
#[tokio::test(start_paused = true)]
async fn what_a_save_would_do_is_found_out_anew_while_it_is_looked_at() {
    let script = |wait: Duration| {
        vec![
            Step::Keys("4 - S"),
            Step::Wait(Duration::from_millis(300)),
            Step::Keys("r"),
            Step::Type("phones"),
            Step::Wait(wait),
            Step::Type("!"),
            Step::Wait(Duration::from_millis(300)),
        ]
    };
    let previews = |seen: &Seen| seen.asked.iter().filter(|asked| asked.starts_with("Preview")).count();
    let soon = after((120, 40), script(Duration::from_millis(300))).await;
    assert_eq!(previews(&soon), 1, "{:?}", soon.asked);
    let later = after((120, 40), script(Duration::from_secs(20))).await;
    assert_eq!(previews(&later), 2, "only where somebody is due by now: {:?}", later.asked);
    assert!(later.text().contains("phones!"), "{}", later.text());
}

/// A page that is older than somebody's new time must not say "nobody at once" and be believed.
#[tokio::test(start_paused = true)]
async fn more_who_are_due_at_once_are_shown_before_they_are_moved() {
    let script = |again: &'static str| {
        let wait = || Step::Wait(Duration::from_millis(300));
        let reason = vec![Step::Keys("4 - - S"), wait(), Step::Keys("r"), Step::Type("sooner")];
        reason.into_iter().chain([Step::Keys("Enter y"), wait(), Step::Keys(again), wait()]).collect()
    };
    let saves = |seen: &Seen| seen.asked.iter().filter(|asked| asked.starts_with("Save")).count();
    let once = after((120, 40), script("2")).await;
    assert!(once.text().contains("1 more is due at once by now; y again saves"), "{}", once.text());
    assert_eq!(saves(&once), 0, "{:?}", once.asked);
    let twice = after((120, 40), script("y")).await;
    assert_eq!(saves(&twice), 1, "shown once: {:?}", twice.asked);
}

#[tokio::test(start_paused = true)]
async fn what_was_confirmed_is_not_changed_and_a_closed_page_saves_nothing() {
    let saves = async |then: &'static str| {
        let script = vec![
            Step::Keys("4 - S"),
            Step::Wait(Duration::from_millis(300)),
            Step::Keys("1 r"),
            Step::Type("phones are free"),
            Step::Keys(then),
            Step::Wait(Duration::from_millis(300)),
        ];
        let asked = after((120, 40), script).await.asked;
        asked.into_iter().filter(|asked| asked.starts_with("Save")).collect::<Vec<_>>()
    };
    assert_eq!(saves("Enter y").await, ["Save 1 keep because phones are free"]);
    assert_eq!(saves("Enter y 2").await, ["Save 1 keep because phones are free"]);
    for closes in ["Enter y h", "Enter y Esc"] {
        assert_eq!(saves(closes).await, [""; 0], "{closes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_draft_with_an_error_is_not_saved() {
    let script =
        vec![Step::Keys("e"), Step::Type("x"), Step::Wait(Duration::from_millis(400)), Step::Keys("Ctrl-s")];
    let seen = after((120, 40), script).await;
    assert!(seen.text().contains("has an error; the cursor stands at it"), "{}", seen.text());
    assert!(seen.asked.iter().all(|asked| !asked.starts_with("Preview")), "{:?}", seen.asked);
}

fn left_over() -> Picture {
    let saved = Saved {
        number: 3,
        edition: changes::versions().remove(0).edition,
        files: vec!["rules/cascade.json".into()],
        choice: cascade::engine::retime::Choice::Retime,
        signature: cascade::runtime::handle::Signature::default(),
        why: "phones are free".into(),
        state: SaveState::NotInForce,
        begun: None,
        dropped: None,
    };
    Picture { saved: Some(Arc::new(saved)), ..fixture::running(Mode::Rehearsal) }
}

#[tokio::test(start_paused = true)]
async fn what_was_saved_and_is_not_in_force_is_offered() {
    let script = settled(vec![Step::Keys("5 S"), Step::Wait(Duration::from_millis(300))]);
    let seen = play((120, 40), left_over(), options(), script).await;
    assert!(seen.text().contains("Saved, not in force: put it in force?"), "{}", seen.text());
    assert!(seen.asked.contains(&"Preview Saved".to_owned()), "{:?}", seen.asked);
    let script = settled(vec![Step::Keys("S D"), Step::Wait(Duration::from_millis(300))]);
    let seen = play((120, 40), left_over(), options(), script).await;
    assert!(seen.asked.contains(&"DropSaved".to_owned()), "{:?}", seen.asked);
}

#[tokio::test(start_paused = true)]
async fn a_version_is_restored_by_the_same_page() {
    let script = vec![
        Step::Keys("H"),
        Step::Wait(Duration::from_millis(300)),
        Step::Keys("Down R"),
        Step::Wait(Duration::from_millis(300)),
    ];
    let seen = after((120, 40), script).await;
    assert!(seen.text().contains("Restore rules 3f2a1c4, texts aa00bb1?"), "{}", seen.text());
    assert!(seen.text().contains("back to 3f2a1c4"), "{}", seen.text());
    let (rules, content) = ("3f2a1c4d".repeat(8), "aa00bb11".repeat(8));
    let wanted = format!("Preview Version {{ rules: {rules:?}, content: {content:?} }}");
    assert!(seen.asked.contains(&wanted), "{:?}", seen.asked);
}
