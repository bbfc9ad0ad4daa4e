//! What an operator is told: messages whole, the keys that hold while something is typed, what a window with few lines
//! keeps, and what another editor left wrong on the disk.

use crate::changes;
use crate::fixture;
use crate::stage::{Step, play};
use crate::{options, settled};
use cascade::model::{Channel, Mode, PersonId};
use cascade::runtime::handle::{Before, Level, Notice, Picture};
use cascade::tui::Options;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SMALL: (u16, u16) = (80, 24);
const WIDE: (u16, u16) = (120, 40);

async fn after(size: (u16, u16), script: Vec<Step>) -> String {
    play(size, fixture::running(Mode::Rehearsal), options(), settled(script)).await.text()
}

fn foot(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn while_a_line_is_typed_the_foot_shows_the_keys_that_hold() {
    let pause = || Step::Wait(Duration::from_millis(300));
    for (script, what) in [
        (vec![Step::Keys("4 - S"), pause(), Step::Keys("y")], "a reason"),
        (vec![Step::Keys("/ a")], "a filter"),
        (vec![Step::Keys(": h")], "a command"),
        (vec![Step::Keys("x s r")], "why an order"),
        (vec![Step::Keys("e Ctrl-f")], "words to find"),
    ] {
        let text = after(WIDE, script).await;
        let foot = foot(&text);
        assert!(foot.contains(" Enter done  Esc leave it "), "{what}: {text}");
        assert!(foot.contains(" Ctrl-p HOLD") && foot.contains(" Ctrl-c quit"), "{what}: {text}");
        assert!(!foot.contains(" r say why") && !foot.contains(" q quit"), "{what}: {text}");
    }
    let text = after(WIDE, vec![Step::Keys("4 - S"), pause(), Step::Keys("y Enter")]).await;
    assert!(foot(&text).contains(" r say why"), "{text}");
}

/// A launch may be on its way to the disk, or another process may send what this screen has not read yet.
#[tokio::test(start_paused = true)]
async fn holding_is_asked_for_also_where_nothing_seems_to_run() {
    for picture in
        [fixture::idle(Mode::Live), Picture { starting: Some("starting".into()), ..Picture::default() }]
    {
        let seen = play(WIDE, picture, options(), settled(vec![Step::Keys("P")])).await;
        assert!(seen.asked.iter().any(|asked| asked.contains("Pause")), "{:?}", seen.asked);
    }
}

#[tokio::test(start_paused = true)]
async fn beside_a_shut_template_a_low_window_keeps_four_customers_and_the_whole_remedy() {
    let shut = |remedy: &str| {
        let mut picture = fixture::running(Mode::Rehearsal);
        picture.snapshot.breakers[0].failure.remedy = remedy.into();
        picture
    };
    // Of those that providers' tables hold, a short one and the longest.
    for remedy in [
        "Register the number once; held people go on then.",
        "Edit the template or use another one; held people go on by themselves once it is unpaused.",
        "Check phone_number_id, api_version and the template's parameters; held people go on once it is right.",
        "Check the number's quality in WhatsApp Manager and reduce the volume; held people go on once it is lifted.",
    ] {
        let text = play(SMALL, shut(remedy), options(), settled(vec![])).await.text();
        let heads = text.lines().position(|line| line.contains("NAME  ")).unwrap();
        let customers = text.lines().skip(heads + 1).take_while(|line| !line.starts_with('┗')).count();
        assert!(customers >= 4, "{customers}\n{text}");
        let banner: Vec<&str> = text.lines().skip(3).take_while(|line| !line.starts_with('╭')).collect();
        let words = banner.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(remedy), "{text}");
        assert!(words.contains("WhatsApp templ") && words.contains("· m"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cut_names_the_key_that_shows_it_whole() {
    let long = "saved: rules 77c0ffe, texts aa00bb1; 57 people moved, 3 left as they are because they had moved on; \
                committed as 9f8e7d6 on cascade/2026-01-06-phones-are-free, which nobody has pushed yet: THE END";
    let tell = |level| {
        Step::Engine(Box::new(move |engine: &fixture::Engine| {
            engine.notices.try_send(Notice { level, text: long.into() }).unwrap();
        }))
    };
    let text = after(SMALL, vec![tell(Level::Info)]).await;
    assert!(!text.contains("THE END") && text.contains("  M whole"), "{text}");
    let text = after(SMALL, vec![tell(Level::Warning)]).await;
    assert!(text.contains("  M whole, Esc dismisses"), "{text}");
    // Every word of it, though the key has taken the line away.
    let text = after(SMALL, vec![tell(Level::Info), Step::Keys("M")]).await;
    let words = text.replace(['┃', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Messages, newest first") && words.contains(long), "{text}");
    let text = after(SMALL, vec![Step::Keys("M")]).await;
    assert!(text.contains("Nothing has been told yet."), "{text}");
    // Where letters are typed, by its control key.
    let text = after(SMALL, vec![Step::Keys("e"), tell(Level::Info), Step::Keys("Ctrl-l")]).await;
    assert!(text.contains("Messages, newest first") && text.contains("THE END"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_draft_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let own = || Options { workspace: Some(dir.path().to_owned()), ..options() };
    let second = || Step::Wait(Duration::from_secs(1));
    let change = settled(vec![Step::Keys("4 -"), second()]);
    play(WIDE, fixture::running(Mode::Rehearsal), own(), change).await;
    let kept = "a draft of rules/cascade.json is here from the last time";
    let text = play(WIDE, fixture::running(Mode::Rehearsal), own(), settled(vec![second()])).await.text();
    assert!(text.contains(kept), "{text}");
    let script = settled(vec![second(), Step::Keys("e Esc d"), second()]);
    let text = play(WIDE, fixture::running(Mode::Rehearsal), own(), script).await.text();
    assert!(!text.contains(kept), "{text}");
}

fn broken(dir: &Path) {
    fs::create_dir_all(dir.join("rules")).unwrap();
    fs::write(dir.join("rules/cascade.json"), "{ \"start\": \"whatsapp\",\n  \"steps\": [ }").unwrap();
}

fn mended(dir: &Path) {
    fs::write(dir.join("rules/cascade.json"), changes::RULES).unwrap();
}

#[tokio::test(start_paused = true)]
async fn rules_that_another_editor_left_wrong_are_told_until_they_are_mended() {
    let dir = tempfile::tempdir().unwrap();
    let own = || Options { workspace: Some(dir.path().to_owned()), ..options() };
    let watch = || Step::Wait(Duration::from_secs(5));
    // From the start.
    broken(dir.path());
    for size in [(60, 16), SMALL, WIDE, (200, 60)] {
        let text = play(size, fixture::running(Mode::Rehearsal), own(), settled(vec![watch()])).await.text();
        assert!(text.contains("✗ ON DISK  rules/cascade.json:2:14: "), "{text}");
        assert!(size.0 < 80 || text.contains("those in flight go on"), "{text}");
    }
    let script = settled(vec![watch(), Step::Keys("5 z")]);
    let text = play(WIDE, fixture::running(Mode::Rehearsal), own(), script).await.text();
    assert!(text.contains("✗ on disk rules/cascade.json:2:14: "), "{text}");
    assert!(text.contains("those in flight go on by the rules they were launched with"), "{text}");
    let script = settled(vec![watch(), Step::Keys("5 Enter"), Step::Wait(Duration::from_secs(1))]);
    let text = play(WIDE, fixture::running(Mode::Rehearsal), own(), script).await.text();
    assert!(text.contains("✗ 1 error") && text.contains("✗ 2:14"), "the editor has it: {text}");
    // While it runs, and until it is mended.
    mended(dir.path());
    let at = dir.path().to_owned();
    let breaks = Step::Engine(Box::new(move |_| broken(&at)));
    let script = settled(vec![watch(), breaks, watch()]);
    let text = play(WIDE, fixture::running(Mode::Rehearsal), own(), script).await.text();
    assert!(text.contains("✗ ON DISK  rules/cascade.json:2:14: "), "{text}");
    let at = dir.path().to_owned();
    let script = settled(vec![watch(), Step::Engine(Box::new(move |_| mended(&at))), watch()]);
    let text = play(WIDE, fixture::running(Mode::Rehearsal), own(), script).await.text();
    assert!(!text.contains("ON DISK"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn leaving_a_failed_store_promises_nothing() {
    let picture = Picture { store_failed: Some("disk full".into()), ..fixture::running(Mode::Rehearsal) };
    let text = play(WIDE, picture, options(), settled(vec![Step::Keys("q")])).await.text();
    assert!(text.contains("NOT") && text.contains("everything is saved: the store failed."), "{text}");
    assert!(!text.contains(". Everything is saved") && !text.contains("save and leave"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_doubt_says_when_it_is_given_up() {
    let text = after(WIDE, vec![Step::Keys("5 z")]).await;
    let said = "did the call reach Bo Silva? Left alone, the next step follows in 1h50m.";
    assert!(text.contains(said), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_launch_counts_who_is_left_out_and_who_is_contacted_again() {
    let mut preflight = fixture::preflight();
    preflight.before = Before {
        opted_out: 3,
        unreachable: 1,
        declined: 12,
        recent: 40,
        recontact_after_s: 30 * 86_400,
        uncounted: false,
    };
    let picture = Picture { preflight: Some(Arc::new(preflight)), ..fixture::idle(Mode::Rehearsal) };
    for size in [SMALL, WIDE] {
        let text = play(size, picture.clone(), options(), settled(vec![Step::Keys("L")])).await.text();
        for said in [
            "3 people opted out before: left out",
            "1 person consented to no channel of the rules: sent nothing",
            "12 people declined in an earlier campaign: contacted again",
            "40 people heard from an earlier campaign less than 30d ago:",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_calls_cost_is_an_estimate_until_they_are_over() {
    let mut picture = fixture::running(Mode::Rehearsal);
    for row in picture.snapshot.channels.iter_mut().filter(|row| row.channel == Some(Channel::Phone)) {
        row.in_flight = 3;
    }
    for size in [(60, 16), SMALL, WIDE] {
        let text = play(size, picture.clone(), options(), settled(vec![])).await.text();
        assert!(text.lines().nth(1).unwrap().contains(" spent est. $8.07"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_reason_in_the_history_is_read_whole() {
    let text = after(SMALL, vec![Step::Keys("H"), Step::Wait(Duration::from_millis(300))]).await;
    let words = text.replace(['┃', '\n', '▸'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Tue 6 Jan 14:12 77c0ffe"), "{text}");
    assert!(text.contains("phones are") && text.contains("before four"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn no_sign_is_shown_as_a_picture_whose_width_is_anybodys_guess() {
    let mut picture = fixture::running(Mode::Rehearsal);
    let people = Arc::make_mut(&mut picture.people);
    people.get_mut(&PersonId(1)).unwrap().name = "\u{260e}\u{fe0f} Gus \u{2764}\u{fe0f} Holm".into();
    let seen = play((200, 60), picture, options(), settled(vec![])).await;
    assert!(seen.buffer.content().iter().all(|cell| !cell.symbol().contains('\u{fe0f}')));
    let text = seen.text();
    assert!(text.contains("\u{260e}  Gus \u{2764}  Holm") && text.contains("+14155550100"), "{text}");
}
