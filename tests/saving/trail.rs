//! Saving beside git: what nobody committed is asked about, a slow signature loses nothing, and a save that is stopped half way
//! goes on as it was begun.

use crate::house::{House, Running};
use crate::{FILE, LIST, SIX, come, draft, four, give, launch, look, run, saves, seen};
use cascade::engine::retime::Choice;
use cascade::runtime::handle::{Command, Handle, Level, Picture, Signature};
use cascade::runtime::saving::{EditPreview, META, NOT_SAVED, SaveState, Saved, Wanted};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn git(house: &House, args: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    let out = command.args(args).current_dir(house.path("")).output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// On a branch of its own, so that the index belongs to it.
fn repository() -> House {
    let house = House::with(&[(FILE, SIX), ("customers.csv", LIST), (".gitignore", ".cascade/\n")]);
    git(&house, &["init", "-q", "-b", "main"]);
    for (key, value) in [("user.name", "Ana"), ("user.email", "ana@example.com"), ("commit.gpgsign", "false")]
    {
        git(&house, &["config", key, value]);
    }
    git(&house, &["add", "."]);
    git(&house, &["commit", "-q", "-m", "As it begins"]);
    git(&house, &["switch", "-q", "-c", "spring"]);
    house
}

async fn ready(house: &House) -> Handle {
    let mut ana = come(house).await;
    seen(&mut ana, "ready", |p| p.starting.is_none() && p.preflight.is_some()).await;
    ana
}

async fn ask(handle: &Handle, preview: &EditPreview, why: &str, include: bool) {
    let (choice, signature) = (Choice::Keep, Signature::here());
    give(handle, Command::Save { preview: preview.number, choice, why: why.into(), include, signature })
        .await;
}

/// What it was refused with.
async fn refused(handle: &mut Handle) -> String {
    loop {
        let notice = handle.notices.recv().await.unwrap();
        if notice.level == Level::Error && notice.text.starts_with(NOT_SAVED) {
            return notice.text;
        }
    }
}

fn is_in_force(picture: &Picture) -> bool {
    picture.saved.as_ref().is_some_and(|saved| matches!(saved.state, SaveState::InForce { .. }))
}

fn ends(process: Running) {
    assert_eq!(process.terminate().code, Some(0));
}

/// Saves, as a process that ended in between left them.
fn write(house: &House, saves: &[Saved]) {
    let db = rusqlite::Connection::open(house.path(".cascade/rehearsal.db")).unwrap();
    let written = serde_json::to_string(saves).unwrap();
    db.execute("UPDATE meta SET value = ?2 WHERE key = ?1", [META, &written]).unwrap();
}

fn audit(house: &House) -> Value {
    serde_json::from_str(&house.run(&["audit", "--json"]).stdout).unwrap()
}

#[test]
fn what_nobody_committed_is_shown_and_not_taken_along_unasked() {
    let house = repository();
    let theirs = SIX.replace("2h", "3h");
    house.write(FILE, &theirs);
    let process = run(&house);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut ana = ready(&house).await;
        let both = theirs.replace("6h", "4h");
        let shown = look(&ana, draft(&both, Some(&theirs))).await.unwrap();
        let loose = &shown.loose[0];
        assert_eq!(
            (loose.name.as_str(), loose.committed.as_str(), loose.stands.as_str()),
            (FILE, SIX, &*theirs)
        );
        assert!(!shown.trail.iter().any(|line| line.contains("in no commit")), "{:?}", shown.trail);
        ask(&ana, &shown, "sooner", false).await;
        let why = refused(&mut ana).await;
        assert!(why.contains("changes that nobody committed") && why.contains("y again"), "{why}");
        assert_eq!((git(&house, &["rev-list", "--count", "spring"]).as_str(), saves(&house).len()), ("1", 0));
        ask(&ana, &shown, "sooner", true).await;
        seen(&mut ana, "in force", is_in_force).await;
        assert_eq!(git(&house, &["show", &format!("spring:{FILE}")]), both.trim());
        let clean = look(&ana, draft(SIX, Some(&both))).await.unwrap();
        assert!(clean.loose.is_empty(), "{:?}", clean.loose);
    });
    ends(process);
}

#[test]
fn a_reason_that_names_somebody_is_kept_nowhere() {
    let house = repository();
    let process = run(&house);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut ana = ready(&house).await;
        let shown = look(&ana, draft(&four(), Some(SIX))).await.unwrap();
        let branch = shown.trail[0].clone();
        assert!(branch.starts_with("a commit on spring as Ana"), "{branch}");
        ask(&ana, &shown, "+1 555 000 1111 complained", false).await;
        let why = refused(&mut ana).await;
        assert!(why.contains("looks like a phone number"), "{why}");
    });
    ends(process);
    assert_eq!(saves(&house).len(), 0, "what is refused is not kept either");
    assert_eq!(audit(&house)["saves"].as_array().unwrap().len(), 0);
}

/// While git waits for a password, others may look at drafts of theirs as often as they like.
#[test]
fn a_save_that_is_being_signed_is_not_pushed_out_by_other_previews() {
    let house = repository();
    let signs = "#!/bin/sh\nwhile [ ! -e \"$GO\" ]; do sleep 0.05; done\n\
                 printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nnone\\n-----END PGP SIGNATURE-----\\n'\n\
                 printf '\\n[GNUPG:] SIG_CREATED D\\n' >&2\n";
    house.write("signs", signs);
    fs::set_permissions(house.path("signs"), fs::Permissions::from_mode(0o755)).unwrap();
    git(&house, &["config", "gpg.program", house.path("signs").to_str().unwrap()]);
    git(&house, &["config", "commit.gpgsign", "true"]);
    let go = house.path("go");
    let mut process =
        house.start_in(&["run", "--seed", "1", "--speed", "60"], &[("GO", go.to_str().unwrap())]);
    process.says();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut ana = ready(&house).await;
        launch(&mut ana).await;
        let shown = look(&ana, draft(&four(), Some(SIX))).await.unwrap();
        let signature = Signature::here();
        let (preview, choice, why) = (shown.number, Choice::Retime, "sooner".to_owned());
        give(&ana, Command::Save { preview, choice, why, include: false, signature }).await;
        let writes = |p: &Picture| p.saved.as_ref().is_some_and(|saved| saved.state == SaveState::Committing);
        seen(&mut ana, "being signed", writes).await;
        let bo = come(&house).await;
        for hours in ["1h", "2h", "3h", "5h", "7h"] {
            look(&bo, draft(&SIX.replace("6h", hours), None)).await.unwrap();
        }
        house.write("go", "");
        seen(&mut ana, "in force", is_in_force).await;
    });
    ends(process);
    let moved = house.campaign().journeys().iter().filter(|journey| journey.edition == 1).count();
    assert!(moved > 0, "in force, and for nobody");
    house.log_gives_the_rows();
}

#[test]
fn a_save_that_goes_on_after_a_crash_and_meets_an_obstacle_is_offered_again() {
    let house = repository();
    let process = run(&house);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut ana = ready(&house).await;
        let shown = look(&ana, draft(&four(), Some(SIX))).await.unwrap();
        house.write(".git/index.lock", "");
        ask(&ana, &shown, "sooner", false).await;
        let why = refused(&mut ana).await;
        assert!(why.contains("nothing is changed") && why.contains("index.lock"), "{why}");
        let failed =
            |p: &Picture| p.saved.as_ref().is_some_and(|s| matches!(s.state, SaveState::Failed { .. }));
        seen(&mut ana, "failed", failed).await;
        // What was shown can still be saved.
        fs::remove_file(house.path(".git/index.lock")).unwrap();
        ask(&ana, &shown, "sooner", false).await;
        seen(&mut ana, "in force", is_in_force).await;
    });
    process.kill();
    // As if it had died in between.
    git(&house, &["reset", "-q", "--hard", "main"]);
    let mut begun = saves(&house);
    let newest = begun.last_mut().unwrap();
    newest.state = SaveState::Committing;
    let begun_with = cascade::runtime::saving::Begun {
        reason: newest.why.clone(),
        at: newest.signature.wall_at,
        counts: Vec::new(),
        before: vec![(FILE.into(), Some(SIX.into()))],
        include: false,
    };
    newest.begun = Some(Box::new(begun_with));
    write(&house, &begun);
    let process = run(&house);
    runtime.block_on(async {
        let mut ana = ready(&house).await;
        house.write(".git/index.lock", "");
        let shown = look(&ana, Wanted::Saved).await.unwrap();
        ask(&ana, &shown, "sooner", false).await;
        let why = refused(&mut ana).await;
        assert!(why.contains("not saved to the end") && !why.contains("nothing is changed"), "{why}");
        fs::remove_file(house.path(".git/index.lock")).unwrap();
        let offered =
            |p: &Picture| p.saved.as_ref().is_some_and(|saved| saved.state == SaveState::NotInForce);
        seen(&mut ana, "offered again", offered).await;
        let shown = look(&ana, Wanted::Saved).await.unwrap();
        ask(&ana, &shown, "sooner", false).await;
        seen(&mut ana, "in force", is_in_force).await;
    });
    ends(process);
    assert_eq!(git(&house, &["rev-list", "--count", "spring"]), "2");
    // Once more cut off, and this time it is dropped: by whom stands beside who had saved it.
    let mut cut_off = saves(&house);
    cut_off.last_mut().unwrap().state = SaveState::Committing;
    write(&house, &cut_off);
    let process = run(&house);
    runtime.block_on(async {
        let mut ana = ready(&house).await;
        give(&ana, Command::DropSaved(Signature::here())).await;
        let dropped = |p: &Picture| p.saved.as_ref().is_some_and(|saved| saved.state == SaveState::Dropped);
        seen(&mut ana, "dropped", dropped).await;
    });
    ends(process);
    let told = audit(&house);
    assert!(told["saves"][1]["dropped"]["user"].is_string(), "{told}");
    let states: Vec<&str> =
        told["saves"].as_array().unwrap().iter().map(|save| save["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "dropped"], "{told}");
    assert!(told["saves"][0]["because"].as_str().unwrap().contains("index.lock"), "{told}");
}
