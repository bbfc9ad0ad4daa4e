//! A console that is attached to another process: what it says of its seat, and what can be had from there.

use crate::fixture;
use crate::stage::{Seen, Step, play, play_on};
use crate::{options, settled};
use cascade::engine::order::Who;
use cascade::model::{At, Mode};
use cascade::runtime::attach::{InControl, Seat};
use cascade::runtime::handle::Picture;
use cascade::tui::Exit;
use std::sync::Arc;
use tokio::sync::mpsc;

pub fn seated(control: InControl, lost: Option<&str>) -> Picture {
    let (program, lost) = ("cascade run".to_owned(), lost.map(str::to_owned));
    let seat = Seat { program, process: 4711, control, lost };
    Picture { seat: Some(Arc::new(seat)), ..fixture::running(Mode::Rehearsal) }
}

/// Somebody else is in control since 13:05 in New York.
pub fn another(for_good: bool) -> InControl {
    let who = Who { user: "ana".into(), host: "desk".into(), tty: Some("/dev/pts/3".into()) };
    InControl::Another { who, since: At::parse("2026-01-05T18:05:00Z").unwrap(), for_good }
}

fn lost() -> Picture {
    let why = "cascade run (process 4711) is gone: ended, everything is saved · the last picture; looking for it again";
    seated(InControl::Us, Some(why))
}

/// Beside the other screens.
fn is_as_it_was(name: &str, seen: &Seen) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, seen.text());
    });
}

async fn after(size: (u16, u16), picture: Picture, keys: &'static str) -> Seen {
    let script = if keys.is_empty() { vec![] } else { vec![Step::Keys(keys)] };
    play(size, picture, options(), settled(script)).await
}

#[tokio::test(start_paused = true)]
async fn who_is_in_control_is_seen_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let text = after(size, seated(InControl::Us, None), "").await.text();
        assert!(text.contains("in control"), "{size:?}\n{text}");
        let text = after(size, seated(another(false), None), "").await.text();
        assert!(
            text.contains(if size.0 < 80 { "reading" } else { "attached · reading" }),
            "{size:?}\n{text}"
        );
        assert_eq!(text.contains("(ana@desk pts/3 is in control)"), size.0 >= 120, "{size:?}\n{text}");
        let text = after(size, lost(), "").await.text();
        assert!(text.contains("✗ detached") && text.contains("✗ DETACHED  cascade run"), "{size:?}\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn attached_reading_120x40() {
    is_as_it_was("attached_reading_120x40", &after((120, 40), seated(another(false), None), "p").await);
}

#[tokio::test(start_paused = true)]
async fn attached_lost_80x24() {
    is_as_it_was("attached_lost_80x24", &after((80, 24), lost(), "").await);
}

#[tokio::test(start_paused = true)]
async fn take_control_80x24() {
    let keys = ": t a k e - c Enter";
    is_as_it_was("take_control_80x24", &after((80, 24), seated(another(false), None), keys).await);
}

#[tokio::test(start_paused = true)]
async fn whoever_reads_changes_nothing_and_holds_all_the_same() {
    for keys in ["p", "L", "x s", "x o", "x k", "m", ": s t o p - c Enter"] {
        let seen = after((120, 40), seated(another(false), None), keys).await;
        assert_eq!(seen.asked, ["Quit"], "{keys}");
        let text = seen.text();
        assert!(
            text.contains(
                "ana@desk pts/3 is in control since 13:05 by the wall clock: :take-control takes over"
            ),
            "{text}"
        );
    }
    let seen = after((120, 40), seated(another(false), None), "P").await;
    assert!(seen.asked[0].starts_with("Pause { only: None"), "{:?}", seen.asked);
    let text = after((120, 40), seated(another(true), None), ": t a k e - c Enter").await.text();
    assert!(text.contains("it runs in their console and they keep it"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_lost_changes_nothing_either() {
    let seen = after((120, 40), lost(), "p").await;
    assert_eq!(seen.asked, ["Quit"]);
    assert!(seen.text().contains("nobody is at the other end"), "{}", seen.text());
}

#[tokio::test(start_paused = true)]
async fn an_attached_console_leaves_without_a_question() {
    let seen = after((120, 40), seated(InControl::Us, None), "q").await;
    assert_eq!((seen.exit, seen.asked), (Exit::Key, vec!["Quit".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn control_is_asked_for_by_y_and_given_back_without_a_question() {
    for (control, keys, asked) in [
        (another(false), ": t a k e - c Enter Enter y", Some(true)),
        (another(false), ": t a k e - c Enter Esc", None),
        (InControl::Nobody, ": t a k e - c Enter y", Some(true)),
        (InControl::Us, ": g i v e - c Enter", Some(false)),
        (InControl::Us, ": t a k e - c Enter y", None),
        (another(false), ": g i v e - c Enter", None),
    ] {
        let (handle, engine) = fixture::handle(seated(control.clone(), None));
        let (wish, mut wanted) = mpsc::channel(4);
        let handle = cascade::runtime::handle::Handle { control: Some(wish), ..handle };
        play_on((120, 40), handle, engine, options(), settled(vec![Step::Keys(keys)])).await;
        assert_eq!(wanted.recv().await, asked, "{control:?} {keys}");
    }
}
