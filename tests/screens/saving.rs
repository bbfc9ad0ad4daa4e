//! Before a save: what somebody else changed, what nobody committed, what a choice comes to; and whose drafts stand on the
//! disk.

use crate::attached::{another, seated};
use crate::changes::{self, RULES};
use crate::fixture;
use crate::stage::{Seen, Step, play, play_on};
use crate::{options, settled};
use cascade::engine::retime::Choice;
use cascade::engine::snapshot::Phase;
use cascade::model::{CampaignId, Mode};
use cascade::runtime::attach::InControl;
use cascade::runtime::handle::{Level, Notice, Picture, Signature};
use cascade::runtime::saving::{SaveState, Saved};
use cascade::tui::Options;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn pause() -> Step {
    Step::Wait(Duration::from_secs(1))
}

fn at(dir: &Path) -> Options {
    Options { workspace: Some(dir.to_owned()), ..options() }
}

/// A workspace whose rules file holds this.
fn workspace(rules: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/cascade.json"), rules).unwrap();
    dir
}

fn drafts(dir: &Path) -> Vec<String> {
    let Ok(found) = fs::read_dir(dir.join(".cascade/drafts")) else { return Vec::new() };
    found.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

/// Six hours made four, and the console left with that.
async fn drafted(dir: &Path) {
    let script = settled(vec![pause(), Step::Keys("4 -"), pause()]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), at(dir), script).await;
    assert!(seen.text().contains("draft: WhatsApp 6h → 4h, not saved"), "{}", seen.text());
    assert_eq!(drafts(dir).len(), 1);
}

/// The console once more, after somebody has changed the file.
async fn again(dir: &Path, stands: &str, keys: Vec<Step>) -> Seen {
    fs::write(dir.join("rules/cascade.json"), stands).unwrap();
    let (handle, mut engine) = fixture::handle(fixture::running(Mode::Rehearsal));
    engine.stands = Some(stands.into());
    let script = std::iter::once(pause()).chain(keys).chain([pause()]).collect();
    play_on((120, 40), handle, engine, at(dir), settled(script)).await
}

fn asks<'s>(seen: &'s Seen, what: &str) -> Vec<&'s String> {
    seen.asked.iter().filter(|asked| asked.starts_with(what)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_changed_since_the_draft_began_is_not_saved_over() {
    let dir = workspace(RULES);
    drafted(dir.path()).await;
    let theirs = RULES.replace("2h", "3h");
    let first = again(dir.path(), &theirs, vec![Step::Keys("S"), pause(), Step::Keys("y")]).await;
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("review_changed_on_disk_120x40", first.text());
    });
    let text = first.text();
    assert!(text.contains("was changed on disk since this draft began"), "{text}");
    assert!(text.contains("phone 2h → 3h") && text.contains(" t on top of theirs"), "{text}");
    assert!(text.contains("not saved: choose first"), "{text}");
    assert!(asks(&first, "Save").is_empty(), "{:?}", first.asked);

    let keys = vec![
        Step::Keys("S"),
        pause(),
        Step::Keys("t"),
        pause(),
        Step::Keys("y"),
        Step::Type("sooner"),
        Step::Keys("Enter y"),
        pause(),
    ];
    let onto = again(dir.path(), &theirs, keys).await;
    let text = onto.text();
    assert!(text.contains("in no commit: rules/cascade.json"), "{text}");
    assert!(text.contains("nobody committed: y again includes them"), "{text}");
    assert!(text.contains("! 480 of 480 finished cascades stop counting in what was learnt (7)"), "{text}");
    assert!(asks(&onto, "Save").is_empty(), "{:?}", onto.asked);
    let both = theirs.replace("6h", "4h");
    let wanted = onto.asked.iter().rfind(|asked| asked.starts_with("Preview")).unwrap();
    assert!(wanted.contains(&format!("{both:?}")) && wanted.contains(&format!("{theirs:?}")), "{wanted}");
    assert!(drafts(dir.path())[0].contains("3h"), "the draft goes on from theirs");

    let keys = vec![
        Step::Keys("S"),
        pause(),
        Step::Keys("y"),
        Step::Type("sooner"),
        Step::Keys("Enter y y"),
        pause(),
    ];
    let done = again(dir.path(), &theirs, keys).await;
    let saves = asks(&done, "Save");
    assert_eq!(saves.len(), 1, "{:?}", done.asked);
    assert!(saves[0].ends_with("because sooner, with what nobody committed"), "{saves:?}");
}

#[tokio::test(start_paused = true)]
async fn where_both_changed_the_same_line_the_operator_chooses_and_sees_what_is_lost() {
    let dir = workspace(RULES);
    drafted(dir.path()).await;
    let theirs = RULES.replace("6h", "3h");
    let keys = |more| vec![Step::Keys("S"), pause(), Step::Keys(more), pause()];
    let seen = again(dir.path(), &theirs, keys("t")).await;
    assert!(seen.text().contains("both changed the same lines: d drops the draft"), "{}", seen.text());
    assert!(seen.text().contains("not possible: both changed the same lines"), "{}", seen.text());
    let seen = again(dir.path(), &theirs, keys("o")).await;
    let lost = "! takes back what was changed on disk in rules/cascade.json: WhatsApp 6h → 3h";
    assert!(seen.text().contains(lost), "{}", seen.text());
    assert!(seen.text().contains("puts another text in its place, and no commit has it"), "{}", seen.text());
    // Left, and come back to: it is asked once more.
    let seen = again(dir.path(), &theirs, keys("o Esc S")).await;
    assert!(seen.text().contains("was changed on disk since this draft began"), "{}", seen.text());
    let seen = again(dir.path(), &theirs, keys("d")).await;
    assert!(
        seen.text().contains("the draft is dropped: the file stays as it stands on disk"),
        "{}",
        seen.text()
    );
    assert!(!seen.text().contains("not saved"), "{}", seen.text());
    assert_eq!(drafts(dir.path()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn whoever_only_reads_writes_no_draft_and_changes_nobody_elses() {
    let dir = workspace(RULES);
    let reads = || seated(another(false), None);
    let script = || settled(vec![pause(), Step::Keys("4 - -"), pause()]);
    let seen = play((120, 40), reads(), at(dir.path()), script()).await;
    assert!(seen.text().contains("draft here alone: WhatsApp 6h → 3h, not saved"), "{}", seen.text());
    assert_eq!(drafts(dir.path()), [""; 0]);
    drafted(dir.path()).await;
    let theirs = drafts(dir.path());
    let seen = play((120, 40), reads(), at(dir.path()), script()).await;
    assert!(seen.text().contains("draft here alone: WhatsApp 6h → 3h, not saved"), "{}", seen.text());
    assert_eq!(drafts(dir.path()), theirs);
    let leaves = settled(vec![pause(), Step::Keys("4 - q")]);
    let seen = play((120, 40), reads(), at(dir.path()), leaves).await;
    assert!(seen.text().contains("This console only reads"), "{}", seen.text());

    // In control by now, with a draft of their own: the other one stays on the disk.
    let control: Box<dyn FnOnce(&fixture::Engine) + Send> =
        Box::new(|engine| drop(engine.picture.send(Arc::new(seated(InControl::Us, None)))));
    let script = settled(vec![pause(), Step::Keys("4 - -"), pause(), Step::Engine(control), pause()]);
    let seen = play((120, 40), reads(), at(dir.path()), script).await;
    let told = "another console keeps a draft of rules/cascade.json: the one here stays in memory";
    assert!(seen.text().contains(told), "{}", seen.text());
    assert_eq!(drafts(dir.path()), theirs);
    // Without one they go on with it.
    let control: Box<dyn FnOnce(&fixture::Engine) + Send> =
        Box::new(|engine| drop(engine.picture.send(Arc::new(seated(InControl::Us, None)))));
    let script =
        settled(vec![pause(), Step::Keys("4"), Step::Engine(control), pause(), Step::Keys("-"), pause()]);
    let seen = play((120, 40), reads(), at(dir.path()), script).await;
    assert!(seen.text().contains("draft: WhatsApp 6h → 3h, not saved"), "{}", seen.text());
    assert_ne!(drafts(dir.path()), theirs);
}

/// Saved in the campaign on the screen, with those in flight as they were.
fn kept() -> Picture {
    let saved = Saved {
        number: 1,
        edition: changes::versions().remove(0).edition,
        files: vec!["rules/cascade.json".into()],
        choice: Choice::Keep,
        signature: Signature { campaign: Some(CampaignId(1)), ..Signature::default() },
        why: "for the next one".into(),
        state: SaveState::InForce { note: String::new() },
        begun: None,
        dropped: None,
    };
    Picture { saved: Some(Arc::new(saved)), ..fixture::running(Mode::Rehearsal) }
}

#[tokio::test(start_paused = true)]
async fn what_is_saved_for_the_next_launch_is_not_what_they_go_by() {
    let seen = play((160, 45), kept(), options(), settled(vec![])).await;
    let words = "3f2a1c4 in flight · next launch 77c0ffe";
    let text = seen.text();
    assert!(text.lines().next().unwrap().contains(words), "{text}");
    let pane = text.lines().find(|line| line.contains("4 Rules")).unwrap();
    assert!(pane.contains(words), "{text}");
    // In a narrower window the header has the rules of those in flight alone.
    let narrow = play((120, 40), kept(), options(), settled(vec![])).await.text();
    let head = narrow.lines().next().unwrap();
    assert!(head.contains("· 3f2a1c4 ·") && !head.contains("77c0ffe"), "{narrow}");
    // Saved between two campaigns: what ran is not what the next one would.
    let mut ended = fixture::running(Mode::Rehearsal);
    let campaign = Arc::make_mut(ended.snapshot.campaign.as_mut().unwrap());
    campaign.ended_at = Some(fixture::now());
    ended.snapshot.phase = Phase::Ended;
    ended.preflight = fixture::idle(Mode::Rehearsal).preflight;
    Arc::make_mut(ended.preflight.as_mut().unwrap()).rules_hash = "77c0ffee".into();
    let text = play((160, 45), ended, options(), settled(vec![])).await.text();
    assert!(text.lines().next().unwrap().contains("3f2a1c4 ran · next launch 77c0ffe"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_choice_says_what_it_comes_to_and_for_whom() {
    let script = |keys| settled(vec![Step::Keys(keys), pause()]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script("4 - S 1")).await;
    let text = seen.text();
    assert!(text.contains("Nobody: those in flight go on as they were launched."), "{text}");
    assert!(text.contains("Otherwise, of spring-renewal: 12 people would wait"), "{text}");
    assert!(!text.contains("other steps later") && text.contains("as it is"), "{text}");
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script("4 - S")).await;
    assert!(!seen.text().contains("Nobody: those in flight"), "{}", seen.text());

    let dir = workspace(RULES);
    let script = vec![
        Step::Keys("c"),
        pause(),
        Step::Keys("End"),
        Step::Type(" NEW"),
        Step::Wait(Duration::from_secs(1)),
        Step::Keys("Ctrl-s"),
        pause(),
    ];
    let seen = play((80, 40), fixture::running(Mode::Rehearsal), at(dir.path()), settled(script)).await;
    let text = seen.text();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("review_of_a_text_80x40", text);
    });
    assert!(text.contains("nobody would wait for another time"), "{text}");
    assert!(text.contains("61 are still to get the new SMS text"), "{text}");
    assert!(text.contains("the new text later") && !text.contains("other steps"), "{text}");
    assert!(text.contains("2 ● send the new ones") && !text.contains("3 ○"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_save_that_is_refused_is_shown_anew_and_the_same_key_goes_on() {
    let refused: Box<dyn FnOnce(&fixture::Engine) + Send> = Box::new(|engine| {
        let text = "not saved: this preview is not known here any more; what it does now is shown in its place, and y saves that";
        engine.notices.try_send(Notice { level: Level::Error, text: text.into() }).unwrap();
    });
    let script = settled(vec![
        Step::Keys("4 - S"),
        pause(),
        Step::Keys("y"),
        Step::Type("sooner"),
        Step::Keys("Enter y"),
        pause(),
        Step::Keys("y"),
        pause(),
        Step::Engine(refused),
        pause(),
        Step::Keys("y"),
        pause(),
    ]);
    let seen = play((120, 40), fixture::running(Mode::Rehearsal), options(), script).await;
    let saves = asks(&seen, "Save");
    assert_eq!(saves.len(), 2, "{:?}", seen.asked);
    assert_ne!(saves[0], saves[1], "a preview that is made anew, not the one that was refused");
}
