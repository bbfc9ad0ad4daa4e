//! Whole screens through the real loop on a fake terminal: keys in, the last frame out.

#![expect(clippy::unwrap_used, clippy::too_many_lines, reason = "test code: a failure is a panic")]

#[path = "screens/attached.rs"]
mod attached;
#[path = "screens/changes.rs"]
mod changes;
#[path = "screens/editing.rs"]
mod editing;
#[path = "screens/fixture.rs"]
mod fixture;
#[path = "screens/learnt.rs"]
mod learnt;
#[path = "screens/restored.rs"]
mod restored;
#[path = "screens/saving.rs"]
mod saving;
#[path = "screens/stage.rs"]
mod stage;
#[path = "screens/told.rs"]
mod told;

use cascade::clock::Clock;
use cascade::engine::event::End;
use cascade::engine::snapshot::{Phase, Place};
use cascade::model::{Channel, Mode};
use cascade::runtime::handle::{Command, Level, Notice, Picture, Settling, Trouble};
use cascade::tui::{self, Exit, Interrupt, Options, keys};
use ratatui::crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::{Color, Modifier};
use stage::{Seen, Step, play, play_on};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn options() -> Options {
    Options::new(false).unwrap()
}

/// A running rehearsal at this size after these keys.
async fn after(size: (u16, u16), script: &'static str) -> Seen {
    let script = if script.is_empty() { vec![] } else { vec![Step::Keys(script)] };
    play(size, fixture::running(Mode::Rehearsal), options(), settled(script)).await
}

fn settled(mut script: Vec<Step>) -> Vec<Step> {
    script.push(Step::Wait(Duration::from_millis(200)));
    script
}

fn paused() -> Picture {
    let mut picture = fixture::running(Mode::Rehearsal);
    fixture::on_hold(&mut picture);
    picture
}

macro_rules! screen {
    ($name:ident, $size:expr, $keys:expr) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            insta::assert_snapshot!(after($size, $keys).await.text());
        }
    };
}

screen!(running_120x40, (120, 40), "");
screen!(running_80x24, (80, 24), "");
screen!(running_80x24_next, (80, 24), "6");
screen!(running_200x60, (200, 60), "");
screen!(running_60x16, (60, 16), "");
screen!(running_60x16_timeline, (60, 16), "2");
screen!(running_80x50_stacked, (80, 50), "");
screen!(too_small_59x15, (59, 15), "");
screen!(person_120x40, (120, 40), "Down Enter");
screen!(failures_120x40, (120, 40), "F");
screen!(failure_120x40, (120, 40), "F Enter");
screen!(breaker_120x40, (120, 40), "5 Enter");
screen!(inbox_120x40, (120, 40), "i Down Down");
screen!(help_120x60, (120, 60), "?");
screen!(actions_120x40, (120, 40), "Down x");
screen!(actions_all_120x40, (120, 40), "X");
screen!(stop_all_listed_120x40, (120, 40), "X s");
screen!(stop_all_listed_60x16, (60, 16), "X s");
screen!(stop_campaign_80x24, (80, 24), ": s t o p - c Enter");
screen!(orders_120x40, (120, 40), "A");
screen!(order_120x40, (120, 40), "A Enter Down Down");
screen!(order_80x24, (80, 24), "A Enter");
screen!(order_60x16, (60, 16), "A Enter");
screen!(quit_120x40, (120, 40), "q");
screen!(palette_120x40, (120, 40), ":");
screen!(zoomed_timeline_120x40, (120, 40), "2 z");

#[tokio::test(start_paused = true)]
async fn idle_120x40() {
    let seen = play((120, 40), fixture::idle(Mode::Rehearsal), options(), settled(vec![])).await;
    insta::assert_snapshot!(seen.text());
}

#[tokio::test(start_paused = true)]
async fn launch_question_120x40() {
    let script = settled(vec![Step::Keys("L")]);
    let seen = play((120, 40), fixture::idle(Mode::Rehearsal), options(), script).await;
    insta::assert_snapshot!(seen.text());
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_says_what_is_still_coming_up() {
    let picture = Picture { starting: Some("starting the sandbox".into()), ..Picture::default() };
    let seen = play((80, 24), picture, options(), vec![]).await;
    assert!(seen.text().contains("starting the sandbox"), "{}", seen.text());
}

#[tokio::test(start_paused = true)]
async fn the_header_reconciles() {
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let text = after(size, "").await.text();
        let line = text.lines().nth(2).unwrap();
        let (total, parts) = line.split_once('=').unwrap();
        let parts = parts.split('(').next().unwrap();
        let sum: u64 = parts.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).sum();
        assert_eq!(total.trim().parse::<u64>().unwrap(), sum, "{line}");
        assert_eq!(sum, 100);
    }
}

#[tokio::test(start_paused = true)]
async fn without_colour_no_cell_has_one() {
    for (keys, picture) in [
        ("1", fixture::running(Mode::Live)),
        ("?", fixture::running(Mode::Rehearsal)),
        ("x", paused()),
        ("L", fixture::idle(Mode::Live)),
    ] {
        let options = Options::new(true).unwrap();
        let seen = play((120, 40), picture, options, settled(vec![Step::Keys(keys)])).await;
        for cell in seen.buffer.content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{cell:?} after {keys}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn live_is_reversed_across_the_whole_line() {
    for no_color in [false, true] {
        let options = Options::new(no_color).unwrap();
        let seen = play((120, 40), fixture::running(Mode::Live), options, settled(vec![])).await;
        assert!((0..120).all(|x| seen.buffer[(x, 0)].modifier.contains(Modifier::REVERSED)));
        assert!(seen.text().starts_with(" LIVE "));
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_would_clear_the_screen_is_shown_clean() {
    let script = settled(vec![Step::Keys("/"), Step::Type("mallory"), Step::Keys("Enter Enter")]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await;
    assert!(seen.text().contains("[2JMallory"));
    for cell in seen.buffer.content() {
        assert!(cell.symbol().chars().all(|c| !c.is_control()), "{cell:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_selection_stays_on_a_person_when_rows_come_and_go() {
    let script = settled(vec![
        Step::Keys("/"),
        Step::Type("status:open"),
        Step::Keys("Enter Down Down"),
        Step::Engine(Box::new(|engine| {
            let mut picture = fixture::running(Mode::Rehearsal);
            let mut rows = (*picture.snapshot.rows).clone();
            for i in [0, 1] {
                let mut row = (*rows[i]).clone();
                row.place = Place::Ended(End::Converted, Some(Channel::Phone));
                rows[i] = Arc::new(row);
            }
            picture.snapshot.rows = Arc::new(rows);
            picture.snapshot.seq += 1;
            engine.picture.send(Arc::new(picture)).unwrap();
        })),
    ]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await;
    let text = seen.text();
    assert!(text.lines().any(|line| line.contains("▸") && line.contains("Cy Chen")), "{text}");
    assert!(!text.contains("Ana Silva        retail"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_filter_lists_whom_it_names_and_says_what_it_cannot_read() {
    for (line, shown) in [
        ("status:held", " 4 of 100"),
        ("status:open segment:retail", " 20 of 100"),
        ("status:converted channel:phone", " 5 of 100"),
        ("+14155550144", " 1 of 100"),
        ("小明", " 1 of 100"),
        ("status:hled", "no status `hled`"),
    ] {
        let script = settled(vec![Step::Keys("/"), Step::Type(line), Step::Keys("Enter")]);
        let text = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await.text();
        assert!(text.lines().nth(6).unwrap().contains(shown), "{line}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_command_stands_in_help_exactly_once() {
    let mut picture = fixture::running(Mode::Rehearsal);
    picture.starting = None;
    // A page leaves out what the panes alone know, and the panes what a page alone does.
    for (script, missing) in [("?", "a page"), ("5 Enter ?", "panes")] {
        let seen = play((200, 160), picture.clone(), options(), settled(vec![Step::Keys(script)])).await;
        let text = seen.text();
        for row in keys::COMMANDS {
            let shown = text.matches(row.help).count();
            let wanted = usize::from(row.place.title() != missing);
            assert_eq!(shown, wanted, "{} after {script}\n{text}", row.id);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_table_has_every_command() {
    let table = keys::markdown();
    assert_eq!(table.lines().count(), keys::COMMANDS.len() + 2);
    assert!(table.contains("| `P` `Ctrl-p` | everywhere | Nothing is sent"));
}

#[tokio::test(start_paused = true)]
async fn p_holds_at_once_even_while_something_is_typed() {
    for script in ["P", "/ a Ctrl-p", ": h Ctrl-p", "q P"] {
        let seen = after((120, 40), script).await;
        assert!(seen.asked[0].starts_with("Pause { only: None, "), "{script}: {:?}", seen.asked);
        assert!(seen.text().contains("‖ HOLD  nothing is sent"), "{}", seen.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_is_launched_by_y_and_never_by_enter() {
    let idle = || fixture::idle(Mode::Rehearsal);
    let seen = play((120, 40), idle(), options(), settled(vec![Step::Keys("L Enter")])).await;
    assert_eq!(seen.asked, ["Quit"]);
    let seen = play((120, 40), idle(), options(), settled(vec![Step::Keys("L y")])).await;
    assert_eq!(seen.asked, ["Launch", "Quit"]);
}

#[tokio::test(start_paused = true)]
async fn live_is_launched_by_the_typed_name_alone() {
    let live = || fixture::idle(Mode::Live);
    let wrong = vec![Step::Keys("L y"), Step::Keys("Enter")];
    let seen = play((120, 40), live(), options(), settled(wrong)).await;
    assert_eq!(seen.asked, ["Quit"]);
    assert!(seen.text().contains("not launched: type spring-renewal"));
    let right = vec![Step::Keys("L"), Step::Type("spring-renewal"), Step::Keys("Enter")];
    let seen = play((120, 40), live(), options(), settled(right)).await;
    assert_eq!(seen.asked, ["Launch", "Quit"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_blocked_cannot_be_launched() {
    let mut picture = fixture::idle(Mode::Rehearsal);
    let mut preflight = fixture::preflight();
    preflight.blocked = vec!["the template renewal is not approved".into()];
    picture.preflight = Some(Arc::new(preflight));
    let seen = play((120, 40), picture, options(), settled(vec![Step::Keys("L y")])).await;
    assert_eq!(seen.asked, ["Quit"]);
}

#[tokio::test(start_paused = true)]
async fn resume_asks_about_the_waits() {
    let seen = play((120, 40), paused(), options(), settled(vec![Step::Keys("p")])).await;
    insta::assert_snapshot!("resume_120x40", seen.text());
    let seen = play((120, 40), paused(), options(), settled(vec![Step::Keys("p y")])).await;
    assert_eq!(seen.asked[0], "Resume { only: None, extend_timers: false }");
    let seen = play((120, 40), paused(), options(), settled(vec![Step::Keys("p e")])).await;
    assert_eq!(seen.asked[0], "Resume { only: None, extend_timers: true }");
}

/// Somebody ends, somebody else comes to be held: another picture of the same campaign.
fn meanwhile(ends: usize, joins: usize) -> Step {
    Step::Engine(Box::new(move |engine| {
        let mut picture = fixture::running(Mode::Rehearsal);
        let mut rows = (*picture.snapshot.rows).clone();
        let held = rows[ends].place.clone();
        for (at, place) in [(ends, Place::Ended(End::Converted, None)), (joins, held)] {
            let mut row = (*rows[at]).clone();
            row.place = place;
            rows[at] = Arc::new(row);
        }
        picture.snapshot.rows = Arc::new(rows);
        picture.snapshot.seq += 1;
        engine.picture.send(Arc::new(picture)).unwrap();
    }))
}

#[tokio::test(start_paused = true)]
async fn who_left_the_list_is_named_and_left_and_who_joined_it_is_not_touched() {
    // 19, 20, 21 and 22 are held; 19 converts and 30 comes to be held while the question stands.
    let script = settled(vec![
        Step::Keys("/"),
        Step::Type("status:held"),
        Step::Keys("Enter X s"),
        meanwhile(18, 29),
        Step::Keys("y"),
    ]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await;
    let target =
        |id: u64| format!("Target {{ cascade: CascadeId({id}), step: 0, attempt: Some(AttemptId({id})) }}");
    let of = [20, 21, 22].map(target).join(", ");
    assert_eq!(seen.asked[0], format!("People {{ deed: Stop, of: [{of}], gone: [CascadeId(19)] }}"));
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_cannot_be_read_reaches_nobody() {
    for line in ["status:hled", "status:hel", "chanel:phone can:fly", "can:re"] {
        let script = settled(vec![Step::Keys("/"), Step::Type(line), Step::Keys("Enter X")]);
        let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await;
        let text = seen.text();
        assert!(
            text.contains("of the filter cannot be read") || text.contains("the filter lists nobody"),
            "{line}: {text}"
        );
        assert!(!text.contains("stop for good"), "{line}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_filter_knows_codes_and_what_can_be_done() {
    for (line, shown) in [
        ("can:was_sent", " 1 of 100"),
        ("can:retry", " 1 of 100"),
        ("can:release", " 2 of 100"),
        ("code:132015", " 2 of 100"),
        ("code:1310", " 4 of 100"),
    ] {
        let script = settled(vec![Step::Keys("/"), Step::Type(line), Step::Keys("Enter")]);
        let text = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await.text();
        assert!(text.lines().nth(6).unwrap().contains(shown), "{line}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reason_goes_along() {
    let script =
        settled(vec![Step::Keys("x s r"), Step::Type("they wrote an e-mail"), Step::Keys("Enter y")]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await;
    assert!(seen.asked[0].ends_with("because they wrote an e-mail"), "{:?}", seen.asked);
}

#[tokio::test(start_paused = true)]
async fn live_asks_why_and_takes_a_word_for_what_is_grave_or_about_many() {
    let live = || fixture::running(Mode::Live);
    let ask = |script| play((120, 40), live(), options(), settled(script));
    // Without a reason nothing goes on, and `y` is a letter of it.
    let seen = ask(vec![Step::Keys("x s Enter")]).await;
    assert!(seen.text().contains("say why, in a few words"), "{}", seen.text());
    assert_eq!(seen.asked, ["Quit"]);
    let wrong = vec![
        Step::Keys("x s"),
        Step::Type("gone"),
        Step::Keys("Enter"),
        Step::Type("y"),
        Step::Keys("Enter"),
    ];
    let seen = ask(wrong).await;
    assert!(seen.text().contains("not done: type stop to do it"), "{}", seen.text());
    assert_eq!(seen.asked, ["Quit"]);
    let right = vec![
        Step::Keys("x s"),
        Step::Type("gone"),
        Step::Keys("Enter"),
        Step::Type("stop"),
        Step::Keys("Enter"),
    ];
    let seen = ask(right).await;
    assert!(seen.asked[0].ends_with("because gone"), "{:?}", seen.asked);
    let seen = ask(vec![Step::Keys("Down Down Down x k"), Step::Type("late"), Step::Keys("Enter y")]).await;
    assert!(seen.asked[0].starts_with("People { deed: SkipWait"), "one wait takes y: {:?}", seen.asked);
    let many = vec![Step::Keys("X k"), Step::Type("late"), Step::Keys("Enter y Enter")];
    assert_eq!(ask(many).await.asked, ["Quit"], "many waits take a word");
    let all = vec![
        Step::Keys(":"),
        Step::Type("stop-campaign"),
        Step::Keys("Enter"),
        Step::Type("wrong list"),
        Step::Keys("Enter"),
        Step::Type("stop"),
        Step::Keys("Enter"),
    ];
    assert_eq!(ask(all).await.asked[0], "StopAll because wrong list");
}

#[tokio::test(start_paused = true)]
async fn what_came_of_an_order_about_many_is_shown_when_it_is_there() {
    let script = settled(vec![
        Step::Keys("X s y"),
        Step::Engine(Box::new(|engine| {
            let mut picture = fixture::running(Mode::Rehearsal);
            picture.audit = Arc::new(fixture::audit_and_one_more());
            picture.snapshot.seq += 1;
            engine.picture.send(Arc::new(picture)).unwrap();
        })),
    ]);
    let text = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await.text();
    assert!(text.contains("Order 4: stop for good") && text.contains("asked by      ops@desk"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_the_way_is_shown_at_every_size() {
    let trouble = |level, words: &str| Trouble { level, words: words.into(), since: fixture::now() };
    let picture = |settling| Picture {
        settling: Some(settling),
        troubles: vec![
            trouble(Level::Error, "DEAF  nothing is sent"),
            trouble(Level::Warning, "the disk is slow"),
        ],
        ..fixture::running(Mode::Rehearsal)
    };
    let until = Settling::Until(cascade::model::At(fixture::now().0 + 540_000));
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let text = play(size, picture(until), options(), settled(vec![])).await.text();
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert!(lines[0].contains("◌ LISTENING") && lines[0].contains("in 9m"), "{text}");
        assert!(lines[1].contains("✗ DEAF"), "{text}");
        assert!(lines[2].contains("✗ 2 HELD"), "{text}");
        let slow = text.contains("! the disk is slow");
        assert!(if size.1 < 24 { text.contains("and 1 more ···") } else { slow }, "{text}");
    }
    let text = play((120, 40), picture(Settling::Asking), options(), settled(vec![])).await.text();
    assert!(text.contains("◌ CATCHING UP  providers are asked"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_paused_itself_stands_under_the_header_and_m_asks() {
    let mut picture = fixture::running(Mode::Rehearsal);
    fixture::paused_itself(&mut picture);
    let seen = play((120, 40), picture.clone(), options(), settled(vec![])).await;
    let text = seen.text();
    let line = text.lines().nth(3).unwrap();
    assert!(line.contains("✗ 7 WAIT  SMS paused itself: 3 opt-outs among 40"), "{text}");
    assert!(line.ends_with("and 1 more: 5"), "{text}");
    let seen = play((120, 40), picture.clone(), options(), settled(vec![Step::Keys("m")])).await;
    assert!(seen.text().contains("Go on with SMS?"), "{}", seen.text());
    let seen = play((120, 40), picture, options(), settled(vec![Step::Keys("m e")])).await;
    assert_eq!(seen.asked[0], "Resume { only: Some(Sms), extend_timers: true }");
}

#[tokio::test(start_paused = true)]
async fn p_on_a_channel_pauses_that_channel() {
    assert!(after((120, 40), "3 Down p").await.asked[0].starts_with("Pause { only: Some(Phone), "));
    assert!(after((120, 40), "p").await.asked[0].starts_with("Pause { only: None, "));
}

#[tokio::test(start_paused = true)]
async fn actions_are_confirmed_and_reach_the_selected_person() {
    let one = |deed: &str, id: u64, step: u32| {
        let of =
            format!("Target {{ cascade: CascadeId({id}), step: {step}, attempt: Some(AttemptId({id})) }}");
        format!("People {{ deed: {deed}, of: [{of}], gone: [] }}")
    };
    assert_eq!(after((120, 40), "Down x w y").await.asked[0], one("WasSent", 2, 1));
    assert_eq!(after((120, 40), "Down Down x t y").await.asked[0], one("Retry", 3, 1));
    assert_eq!(after((120, 40), "Down Down Down x k y").await.asked[0], one("SkipWait", 4, 1));
    assert_eq!(after((120, 40), "x s y").await.asked[0], one("Stop", 1, 1));
    assert_eq!(after((120, 40), "x o y").await.asked[0], one("OptOut", 1, 1));
    assert_eq!(after((120, 40), "x s Esc").await.asked, ["Quit"]);
    assert_eq!(after((120, 40), "x w y").await.asked, ["Quit"], "nothing is in doubt for the first customer");
    let asked = after((120, 40), "5 Enter m y").await.asked;
    assert!(
        asked[0].starts_with(r#"CloseBreaker { channel: Whatsapp, scope: Template("renewal/"#),
        "{asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn errors_stay_until_they_are_dismissed() {
    let tell = |level, text: &'static str| {
        Step::Engine(Box::new(move |engine: &fixture::Engine| {
            engine.notices.try_send(Notice { level, text: text.into() }).unwrap();
        }))
    };
    let script = || vec![tell(Level::Error, "the launch failed\x1b[2J"), tell(Level::Info, "noted")];
    let mut kept = script();
    kept.push(Step::Keys("Down Down"));
    let text = play((80, 24), fixture::running(Mode::Rehearsal), options(), settled(kept)).await.text();
    assert!(text.contains("✗ the launch failed·[2J") && !text.contains("noted"), "{text}");
    let mut gone = script();
    gone.push(Step::Keys("Down Esc"));
    let text = play((80, 24), fixture::running(Mode::Rehearsal), options(), settled(gone)).await.text();
    assert!(!text.contains("the launch failed"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_store_stands_under_the_header() {
    let mut picture = fixture::running(Mode::Rehearsal);
    picture.store_failed = Some("disk full; free some space and start again".into());
    let text = play((80, 24), picture, options(), settled(vec![])).await.text();
    assert!(text.lines().nth(3).unwrap().contains("STORE FAILED  nothing is sent; disk full"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_scrolled_timeline_stands_still_and_counts_what_is_new() {
    let script = settled(vec![
        Step::Keys("2 Down"),
        Step::Engine(Box::new(|engine| {
            let mut picture = fixture::running(Mode::Rehearsal);
            let mut entries = fixture::timeline();
            let mut newest = (*entries[0]).clone();
            newest.seq = 1000;
            entries.push_back(Arc::new(newest));
            picture.timeline = Arc::new(entries);
            picture.snapshot.seq += 1;
            engine.picture.send(Arc::new(picture)).unwrap();
        })),
    ]);
    let text = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await.text();
    assert!(text.contains("stands still, 1 newer"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_mouse_selects_and_opens() {
    let click = |column, row| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        Step::Event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
    };
    // Lines 3 and 4 say what is shut, 5 is the pane's frame, 6 the filter, 7 the heads, 8 the first customer.
    let seen =
        play((120, 40), fixture::running(Mode::Rehearsal), options(), settled(vec![click(10, 10)])).await;
    assert!(
        seen.text().lines().any(|line| line.contains("▸") && line.contains("Cy Chen")),
        "{}",
        seen.text()
    );
    let twice = settled(vec![click(10, 10), click(10, 10)]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), twice).await;
    assert!(seen.asked[0].starts_with("History(CascadeId(3)"), "{:?}", seen.asked);
    let off = settled(vec![Step::Keys(":"), Step::Type("mouse"), Step::Keys("Enter"), click(10, 10)]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), off).await;
    assert!(
        seen.text().lines().any(|line| line.contains("▸") && line.contains("Ana Silva")),
        "{}",
        seen.text()
    );
}

#[tokio::test(start_paused = true)]
async fn leaving_asks_while_something_runs() {
    let seen = after((120, 40), "q y").await;
    assert_eq!((seen.exit, seen.asked.last().unwrap().as_str()), (Exit::Key, "Quit"));
    let seen = play((120, 40), fixture::idle(Mode::Rehearsal), options(), vec![Step::Keys("q")]).await;
    assert_eq!(seen.exit, Exit::Key);
    let seen = after((120, 40), "q N").await;
    assert_eq!(seen.exit, Exit::Interrupted(Interrupt::Closed));
}

/// A source of events that keeps the first waker it is given until it has fired, as the terminal's own does.
#[derive(Clone, Default)]
struct FirstWaker(Arc<Mutex<(VecDeque<Event>, Option<Waker>)>>);

impl FirstWaker {
    fn push(&self, event: Event) {
        let mut state = self.0.lock().unwrap();
        state.0.push_back(event);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

impl futures::Stream for FirstWaker {
    type Item = std::io::Result<Event>;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.lock().unwrap();
        if let Some(event) = state.0.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        state.1.get_or_insert_with(|| cx.waker().clone());
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn every_key_is_heard_and_not_only_the_first() {
    let (handle, _engine) = fixture::handle(fixture::running(Mode::Rehearsal));
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
    let source = FirstWaker::default();
    let typist = source.clone();
    tokio::spawn(async move {
        for key in ["j", "j", "q", "y"] {
            tokio::time::sleep(Duration::from_millis(100)).await;
            typist.push(stage::key(key));
        }
    });
    let console = tui::run_on(&mut terminal, handle, options(), source, futures::stream::pending());
    // Not `timeout`: that looks at the console once more when time is up, and would hear for it.
    tokio::select! {
        biased;
        () = tokio::time::sleep(MINUTE) => panic!("deaf after the first key"),
        exit = console => assert_eq!(exit.unwrap(), Exit::Key),
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it_and_the_engine_is_told() {
    let (handle, mut engine) = fixture::handle(fixture::running(Mode::Live));
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
    let signals = futures::stream::iter([Interrupt::Signal("SIGTERM")]);
    let exit =
        tui::run_on(&mut terminal, handle, options(), futures::stream::pending(), signals).await.unwrap();
    assert_eq!(exit, Exit::Interrupted(Interrupt::Signal("SIGTERM")));
    assert!(matches!(engine.commands.recv().await, Some(Command::Quit)));
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn an_idle_minute_costs_no_frame() {
    let mut ended = fixture::running(Mode::Rehearsal);
    ended.snapshot.phase = Phase::Ended;
    for picture in [fixture::idle(Mode::Rehearsal), ended] {
        let (handle, engine) = fixture::handle(picture);
        // Time that runs is no reason to draw when nothing waits for it.
        let handle = cascade::runtime::handle::Handle { clock: Clock::live(), ..handle };
        let seen = play_on((120, 40), handle, engine, options(), vec![Step::Wait(MINUTE)]).await;
        assert_eq!(seen.frames, 2, "the first frame, and the last one when the terminal closes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_countdown_ticks_once_a_second_and_at_most_ten_times() {
    for (speed, frames) in [(1.0, 60..=63), (720.0, 570..=610)] {
        let clock = Clock::scaled(fixture::now(), speed);
        clock.run(true);
        let (handle, engine) = fixture::handle(fixture::running(Mode::Rehearsal));
        let handle = cascade::runtime::handle::Handle { clock, ..handle };
        let seen = play_on((120, 40), handle, engine, options(), vec![Step::Wait(MINUTE)]).await;
        assert!(frames.contains(&seen.frames), "{} frames at x{speed}", seen.frames);
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_pictures_is_drawn_30_times_a_second_and_the_last_one_is_seen() {
    let (handle, engine) = fixture::handle(fixture::running(Mode::Rehearsal));
    let base = Arc::new(fixture::running(Mode::Rehearsal));
    let sender = engine.picture.clone();
    let storm = tokio::spawn(async move {
        for i in 1..=1000_u64 {
            let mut picture = (*base).clone();
            picture.snapshot.seq += i;
            picture.snapshot.unmatched = i;
            sender.send(Arc::new(picture)).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let script = vec![Step::Keys("5 z"), Step::Wait(Duration::from_secs(2))];
    let seen = play_on((120, 40), handle, engine, options(), script).await;
    storm.await.unwrap();
    assert!((20..=36).contains(&seen.frames), "{} frames", seen.frames);
    assert!(seen.text().contains("1000 messages that fit nobody"), "{}", seen.text());
}

/// To look at it: `cargo test --test screens -- --ignored --nocapture show`, with `FIXTURE=idle|live|paused|starting`.
#[tokio::test]
#[ignore = "takes the terminal; for people to look at"]
async fn show() {
    let picture = match std::env::var("FIXTURE").as_deref() {
        Ok("idle") => fixture::idle(Mode::Rehearsal),
        Ok("live") => fixture::running(Mode::Live),
        Ok("paused") => paused(),
        Ok("starting") => Picture { starting: Some("starting the sandbox".into()), ..Picture::default() },
        _ => fixture::running(Mode::Rehearsal),
    };
    let (handle, mut engine) = fixture::handle(picture);
    tokio::spawn(async move {
        while let Some(command) = engine.commands.recv().await {
            if let Command::History(_, answer) = command {
                _ = answer.send(fixture::timeline().into_iter().collect());
            }
        }
    });
    let options = Options::new(std::env::var_os("NO_COLOR").is_some()).unwrap();
    tui::run(handle, options).await.unwrap();
}
