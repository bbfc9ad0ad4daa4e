//! The built binary in a real terminal: launch, watch, resize, leave, come back; and every way to be ended from
//! outside, after which the terminal is as it was.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure is a panic"
)]

#[path = "terminal/editing.rs"]
mod editing;
#[path = "trail/forge.rs"]
#[expect(dead_code, reason = "the trail's own tests ask more of it")]
mod forge;
#[path = "terminal/proposing.rs"]
mod proposing;
#[path = "terminal/pty.rs"]
mod pty;

use pty::{End, Pty, cascade};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const WIDE: (u16, u16) = (120, 40);

/// What gives a terminal back, in the order in which it is given back.
const GIVEN_BACK: [&str; 4] = ["\x1b[?1000l", "\x1b[?2004l", "\x1b[?1049l", "\x1b[?25h"];

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A console with a pilot running.
fn launched(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Pty {
    let mut console = Pty::start(WIDE, dir, args, env);
    console.sees("Press  L");
    console.keys("L");
    console.sees("not now");
    console.keys("y");
    console.sees("PILOT 100");
    console
}

#[track_caller]
fn is_restored(end: &End) {
    assert_eq!(end.restored, Ok(()), "left behind");
    let raw = String::from_utf8_lossy(&end.raw);
    let mut from = raw.rfind("\x1b[?1049h").expect("it took the alternate screen");
    for given in GIVEN_BACK {
        from += raw[from..].find(given).unwrap_or_else(|| panic!("{given:?} is missing, or too early"));
    }
    assert_eq!(raw[from..].matches("\x1b[?1049h").count(), 0);
}

/// The cohort's line adds up: `100 = 34 converted · … · 54 running (3 on the phone now)`.
fn reconciles(text: &str) -> bool {
    let Some(line) = text.lines().find(|line| line.trim_start().starts_with("100 = ")) else { return false };
    let (_, parts) = line.split_once('=').unwrap();
    let parts = parts.split('(').next().unwrap_or_default();
    parts.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).sum::<u64>() == 100
}

/// How many in the cohort's line stand at `word`.
fn count(text: &str, word: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.trim_start().starts_with("100 = "))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).find(|pair| pair[1] == word)?[0].parse().ok()
}

/// Minutes since the week began, from the header's `Mon 09:32`.
fn minute(text: &str) -> Option<u32> {
    let mut words = text.lines().next()?.split_whitespace();
    let day = words.by_ref().find_map(|word| {
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().position(|day| *day == word)
    })?;
    let (hours, minutes) = words.next()?.split_once(':')?;
    Some(u32::try_from(day).ok()? * 1440 + hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().ok()?)
}

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(cascade()).args(args).current_dir(dir).output().unwrap()
}

fn report(dir: &Path) -> Value {
    let out = run(dir, &["report", "--json"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn events(dir: &Path) -> Vec<Value> {
    let out = run(dir, &["events", "--json"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn launch_watch_leave_and_come_back() {
    let dir = empty();
    let mut console = launched(dir.path(), &["--seed", "1"], &[]);
    let raw = String::from_utf8_lossy(&console.raw()).into_owned();
    let (first, ready) = (raw.find("starting"), raw.find("Press"));
    assert!(first.is_some() && first < ready, "the first frame stands before the parts are up");

    console.until("numbers that add up", |text| {
        reconciles(text) && text.contains("● running") && text.contains("REHEARSAL")
    });
    console.until("rows of the cohort", |text| {
        text.lines().filter(|line| line.contains("retail") && line.contains(" waits ")).count() >= 5
    });
    console.keys("\r");
    let person = console.sees("everything that happened");
    assert!(person.contains("Esc goes back") && person.contains("+1"), "{person}");
    console.keys("\x1b");
    console.until("the panes again", |text| {
        text.contains("1 Cohort 100") && !text.contains("everything that happened")
    });

    console.keys("q");
    console.sees("Not heard: replies, clicks and opt-outs");
    console.keys("\x1b");
    console.loses("Not heard");
    console.keys("q");
    console.sees("Not heard");
    let left_at = minute(&console.until("a clock", |text| minute(text).is_some())).unwrap();
    console.keys("y");
    let end = console.end();
    assert_eq!(end.code, 0, "{}", end.text);
    is_restored(&end);

    let saved = report(dir.path());
    assert_eq!(saved["cascades"]["total"], 100);
    let mut again = Pty::start(WIDE, dir.path(), &[], &[]);
    let text = again.until("the same campaign", |text| text.contains("PILOT 100") && reconciles(text));
    assert!(minute(&text).is_some_and(|now| now >= left_at), "the clock went back from {left_at}:\n{text}");
    again.until("it goes on", |text| minute(text).is_some_and(|now| now > left_at + 10));
    again.keys("q");
    again.sees("Not heard");
    again.keys("y");
    assert_eq!(again.end().code, 0);
    let later = report(dir.path());
    for same in ["id", "name", "seed", "speed", "started_at", "rules_hash"] {
        assert_eq!(later["campaign"][same], saved["campaign"][same], "{same}");
    }
}

#[test]
fn hold_lets_nothing_out_until_p() {
    let dir = empty();
    let mut console = launched(dir.path(), &["--seed", "1", "--speed", "10000"], &[]);
    console.keys("P");
    console.sees("HOLD");
    // The first calls fall due six hours after the launch at 09:00.
    let text = console.until("calls overdue", |text| minute(text).is_some_and(|now| now > 16 * 60));
    assert!(text.contains("‖ on hold"), "{text}");
    console.keys("p");
    let question = console.sees("Go on with everything?");
    assert!(question.contains("due at once: ") && question.contains(" over about "), "{question}");
    console.keys("y");
    console.until("calls", |text| {
        text.contains("● running") && text.contains("phone") && !text.contains("HOLD  ")
    });
    console.until("somebody converted", |text| count(text, "converted").is_some_and(|n| n > 0));
    console.keys("q");
    console.sees("Not heard");
    console.keys("y");
    assert_eq!(console.end().code, 0);

    let log = events(dir.path());
    // The campaign may pause a channel by itself; the hold is the operator's, and of everything.
    let at = |kind: &str| log.iter().position(|event| event["kind"] == kind && event["only"].is_null());
    let (Some(held), Some(resumed)) = (at("paused"), at("resumed")) else { panic!("no hold in the log") };
    let claimed = |events: &[Value]| events.iter().filter(|e| e["kind"] == "attempt_claimed").count();
    assert_eq!(claimed(&log[held..resumed]), 0, "sent while on hold");
    assert!(claimed(&log[resumed..]) > 0, "nothing went out after the hold");
}

#[test]
fn an_order_about_many_is_confirmed_reported_and_written_down() {
    let dir = empty();
    let mut console = launched(dir.path(), &["--seed", "1"], &[]);
    console.until("people who wait", |text| {
        text.lines().filter(|line| line.contains(" waits ")).count() >= 5 && text.contains("✗ 6 HELD")
    });
    console.keys("/");
    console.keys("can:skip_wait\r");
    console.until("the filter", |text| text.contains("/can:skip_wait"));
    console.keys("X");
    console.sees("listed by can:skip_wait");
    console.keys("k");
    console.sees("Skip the wait: ");
    console.keys("\r");
    console.keys("r");
    console.sees("why, if you like");
    console.keys("the shop closes\r");
    console.keys("y");
    console.until("what came of it", |text| {
        text.contains("skip the wait ━") && text.contains("the shop closes") && text.contains("✓ done")
    });
    // A key behind Esc would be taken as Alt and that key.
    console.keys("\x1b");
    let panes = |text: &str| text.contains("6 Next what falls due") && !text.contains("goes back");
    console.until("the panes again", panes);
    console.keys("A");
    console.sees("Orders, newest first");
    console.keys("A");
    console.until("the panes again", panes);
    console.keys(":");
    console.keys("stop-campaign\r");
    console.sees("Stop the campaign for good?");
    console.keys("stop\r");
    console
        .until("the end", |text| text.contains("■ ended") && text.contains("stop the campaign for good ━"));
    console.keys("q");
    assert_eq!(console.end().code, 0);

    let out = run(dir.path(), &["audit", "--json"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let audit: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(audit["schema"], "cascade.audit/1");
    let orders = audit["orders"].as_array().unwrap();
    let words: Vec<&str> = orders.iter().map(|order| order["what"].as_str().unwrap()).collect();
    assert_eq!(words, ["launch", "skip_wait", "stop_campaign"]);
    // Some go on by themselves between the question and the answer; whoever is left is done.
    let (asked, done) = (&orders[1]["people"], &orders[1]["done"]);
    assert_eq!(orders[1]["why"], "the shop closes");
    assert!(done.as_u64() > Some(0) && done.as_u64() <= asked.as_u64(), "{done} of {asked}");
    for order in orders {
        assert!(!order["user"].as_str().unwrap().is_empty() && order["wall_at"].is_string(), "{order}");
    }
    let ended = report(dir.path())["cascades"]["stopped"].as_u64().unwrap();
    assert_eq!(orders[2]["items"].as_array().unwrap().len() as u64, ended);
    let log = String::from_utf8(run(dir.path(), &["events", "--json"]).stdout).unwrap();
    assert!(!log.contains("the shop closes"), "a reason stands in the text table alone");
}

#[test]
fn every_page_and_every_size() {
    let dir = empty();
    let mut console = launched(dir.path(), &["--seed", "1"], &[]);
    console.until("a failure", |text| text.contains("failed, "));
    for (key, shown) in [("F", "Failures by cause"), ("i", "Inbox"), ("?", "Keys of this place")] {
        console.keys(key);
        console.sees(shown);
        console.keys(key);
        console.until("the panes again", |text| text.contains("3 Channels") && text.contains("6 Next"));
    }
    console.keys("z");
    console.until("one pane alone", |text| text.contains("1 Cohort") && !text.contains("3 Channels people"));
    console.keys("z");
    console.sees("3 Channels people");
    for (size, shown) in
        [((80, 24), "3 Channels │"), ((60, 16), "6 Next"), ((50, 10), "This window is 50 columns")]
    {
        console.resize(size);
        console.until("a smaller window", |text| {
            text.contains(shown) && (size.0 == 50 || (reconciles(text) && text.contains("PILOT 100")))
        });
    }
    console.resize(WIDE);
    console.until("everything again", |text| text.contains("6 Next what falls due") && reconciles(text));
}

#[test]
fn signals_end_it_and_the_terminal_is_given_back() {
    for signal in ["TERM", "HUP"] {
        let dir = empty();
        let console = launched(dir.path(), &[], &[]);
        console.signal(signal);
        let end = console.end();
        is_restored(&end);
        assert_eq!(end.code, 0, "SIG{signal}: {}", end.text);
        assert_eq!(report(dir.path())["cascades"]["total"], 100);
    }
}

/// `CASCADE_PANIC_ON` is heard by debug builds alone.
#[cfg(debug_assertions)]
#[test]
fn a_panic_gives_the_terminal_back_and_can_be_read() {
    let dir = empty();
    let mut console = launched(dir.path(), &[], &[("CASCADE_PANIC_ON", "!")]);
    console.keys("!");
    let end = console.end();
    is_restored(&end);
    assert_eq!(end.code, 101);
    assert!(end.text.contains("panicked at"), "{}", end.text);
    assert_eq!(report(dir.path())["cascades"]["total"], 100);
}

#[test]
fn a_closed_window_ends_it_with_everything_saved() {
    let dir = empty();
    let mut console = launched(dir.path(), &[], &[]);
    console.until("numbers that add up", reconciles);
    console.close();
    console.code();
    let saved = report(dir.path());
    assert_eq!(saved["cascades"]["total"], 100);
    let again = Pty::start(WIDE, dir.path(), &[], &[]);
    again.until("it goes on", |text| text.contains("PILOT 100") && reconciles(text));
}

#[test]
fn no_color_means_no_colour() {
    let dir = empty();
    let colours = |raw: &[u8]| {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let codes = raw.split("\x1b[").skip(1).filter_map(|after| {
            let end = after.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':')))?;
            after[end..].starts_with('m').then(|| after[..end].to_owned())
        });
        // 39, 49 and 59 give the terminal's own colours back.
        let coloured = |code: &u16| matches!(code, 30..=38 | 40..=48 | 58 | 90..=107);
        codes
            .flat_map(|codes| codes.split([';', ':']).filter_map(|c| c.parse().ok()).collect::<Vec<u16>>())
            .filter(coloured)
            .count()
    };
    let mut plain = launched(dir.path(), &[], &[("NO_COLOR", "1")]);
    plain.until("numbers that add up", reconciles);
    plain.keys("q");
    plain.sees("Not heard");
    plain.keys("y");
    assert_eq!(colours(&plain.end().raw), 0);
    let dir = empty();
    let coloured = Pty::start(WIDE, dir.path(), &[], &[]);
    coloured.sees("Press  L");
    assert!(colours(&coloured.raw()) > 0, "the same search finds colours where there are some");
}

#[test]
fn without_a_terminal_it_names_the_pilot() {
    let dir = empty();
    let out = run(dir.path(), &[]);
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(said.contains("terminal") && said.contains("cascade pilot"), "{said}");
    assert!(out.stdout.is_empty());
}

#[test]
fn a_name_full_of_escapes_never_reaches_the_terminal() {
    let dir = empty();
    let list = "name,phone,segment\n\"Mal\x1b[2J\x1b]0;x\x07\",+14155550132,retail\n";
    std::fs::write(dir.path().join("customers.csv"), list).unwrap();
    let mut console = Pty::start(WIDE, dir.path(), &[], &[]);
    console.sees("Press  L");
    let start = console.raw().len();
    console.keys("L");
    console.sees("not now");
    console.keys("y");
    console.until("the name, harmless", |text| text.contains("PILOT 1") && text.contains("Mal·[2J·]0;x·"));
    console.keys("\r");
    console.until("their page", |text| {
        text.contains("everything that happened") && text.contains("Mal·[2J·]0;x·")
    });
    let raw = console.raw();
    let has = |what: &str| raw[start..].windows(what.len()).any(|bytes| bytes == what.as_bytes());
    assert!(!has("\x1b[2J") && !has("\x1b]0;") && !has("\x07"), "an escape of a name reached the terminal");
}

/// Names that take two cells a letter, names that take one, and signs of which terminals disagree.
const NAMES: [&str; 8] = [
    "王小明",
    "Gus Holm",
    "佐藤 花子",
    "Bo Chen",
    "김철수",
    "\u{260e}\u{fe0f} Phone",
    "José García",
    "नमस्ते राम",
];

#[test]
fn names_of_every_width_keep_their_cells_while_rows_move() {
    let dir = empty();
    let rows = (0..80).map(|i| format!("{},+1415555{:04},retail\n", NAMES[i % NAMES.len()], 100 + i));
    let list: String = std::iter::once("name,phone,segment\n".to_owned()).chain(rows).collect();
    std::fs::write(dir.path().join("customers.csv"), list).unwrap();
    let mut console = Pty::start(WIDE, dir.path(), &["--seed", "1", "--speed", "100"], &[]);
    console.sees("Press  L");
    console.keys("L");
    console.sees("not now");
    console.keys("y");
    console.sees("PILOT 80");
    // Everywhere the rows of one list take each other's place.
    for keys in ["G", "g", "/status:converted\r", "/status:waiting sort:due\r", "kkk", "jjjjjjjj"] {
        console.keys(keys);
        console.sees("1 Cohort 80");
    }
    for size in [(80, 24), (200, 60)] {
        console.resize(size);
        console.until("another size", |text| text.contains("1 Cohort 80") && text.contains("REHEARSAL"));
    }
    console.keys("P");
    console.sees("HOLD");
    let plain = NAMES.map(|name| name.replace('\u{fe0f}', ""));
    console.until("names, each whole and nothing else", |text| {
        let listed = text.lines().filter_map(|line| {
            let (before, behind) = line.split_once("+1415555")?;
            behind
                .contains("retail")
                .then(|| before.trim_start_matches(|c| "┃│▸ ›↻◷!?✓✗–⊘■·".contains(c)).trim())
        });
        let mut listed = listed.peekable();
        let is_whole = |name: &str| {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            plain.contains(&name)
        };
        listed.peek().is_some() && listed.all(is_whole)
    });
}

#[test]
fn a_store_in_use_is_said_in_words_and_a_second_console_reads() {
    let dir = empty();
    let mut first = launched(dir.path(), &[], &[]);
    let refused = run(dir.path(), &["pilot"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("is in use by another cascade (process"), "{said}");
    assert!(said.contains("`cascade` attaches"), "{said}");

    let mut second = Pty::start(WIDE, dir.path(), &[], &[]);
    second.until("the same campaign", |text| text.contains("PILOT 100") && reconciles(text));
    second.sees("attached · reading (");
    // It runs in the first one's console, which keeps it; holding is for everybody.
    second.keys("p");
    second.sees("it runs in their console and they keep it");
    second.keys("P");
    first.sees("HOLD");
    first.keys("q");
    first.sees("Not heard");
    first.keys("y");
    assert_eq!(first.end().code, 0);
    second.sees("DETACHED");
    second.sees("ended, everything is saved");
    second.keys("q");
    let end = second.end();
    assert_eq!((end.code, end.restored), (0, Ok(())), "{}", end.text);
}

#[test]
fn trust_is_asked_for_by_a_word_and_takes_no_other() {
    let (dir, home) = (empty(), empty());
    let live = "mode = \"live\"\n[sms]\nbase_url = \"https://gateway.example\"\naccount_sid = \"AC1\"\nfrom = \
                \"+15550002222\"\n[webhooks]\npublic_url = \"https://hooks.example.com\"\n";
    std::fs::write(dir.path().join("cascade.toml"), live).unwrap();
    let env = [("HOME", home.path().to_str().unwrap()), ("XDG_STATE_HOME", "")];
    let kept = home.path().join(".local/state/cascade/trusted.json");
    for (typed, code) in [("\r", 1), ("yes\r", 1), ("trust it\r", 1), ("trust\r", 0)] {
        assert!(!kept.exists(), "trusted before the word");
        let mut asked = Pty::start(WIDE, dir.path(), &["trust"], &env);
        let text = asked.sees("Type trust and Enter");
        assert!(
            text.contains("[sms] https://gateway.example") && text.contains("TWILIO_AUTH_TOKEN"),
            "{text}"
        );
        asked.keys(typed);
        assert_eq!(asked.end().code, code, "{typed:?}");
    }
    assert!(kept.exists());
}

#[test]
fn what_a_rehearsal_taught_is_shown_and_becomes_a_draft_with_its_reason() {
    let dir = empty();
    let pilot = run(dir.path(), &["pilot", "--seed", "1", "--speed", "100000"]);
    assert_eq!(pilot.status.code(), Some(0), "{}", String::from_utf8_lossy(&pilot.stderr));

    // Everybody began with WhatsApp: that record cannot say which start is best, whoever answered what.
    let mut console = Pty::start(WIDE, dir.path(), &[], &[]);
    console.sees("PILOT 100");
    console.keys("7");
    console.sees("the record cannot answer: no randomised starts");
    let page = console.sees("naive cost/conv");
    assert!(page.contains("REHEARSAL  no real customers"), "{page}");
    console.keys("8");
    console.sees("80 % by");
    console.keys("9");
    console.sees("by channel");
    console.keys("7");
    console.sees("no randomised starts");
    console.keys("d");
    let draft = console.sees("\"explore\": 0.2");
    assert!(draft.contains("drawn at random"), "{draft}");
    console.keys("S");
    let review = console.sees("starts are not drawn at random");
    assert!(review.contains("Save rules/cascade.json?"), "{review}");
    assert!(!dir.path().join("rules/cascade.json").exists(), "nothing is saved by itself");
    console.keys("y");
    console.until("the save", |_| {
        std::fs::read_to_string(dir.path().join("rules/cascade.json"))
            .is_ok_and(|saved| saved.contains("\"explore\": 0.2"))
    });
    console.sees("saved: rules");
    // Some are held, and would be left behind.
    console.keys("q");
    console.sees("Not heard");
    console.keys("y");
    assert_eq!(console.end().code, 0);
}
