//! The workspace: where files come from, what live refuses, and who may read what is stored.

use cascade::model::{Channel, Mode};
use cascade::workspace::{Named, Source, Unusable, Workspace, on_disk, private_file, state_dir, store_path};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

fn open(dir: &Path) -> Result<Workspace, Unusable> {
    Workspace::open(dir, &Named::default(), &|name| Some(format!("value of {name}")))
}

#[test]
fn an_empty_directory_is_a_whole_rehearsal() {
    let dir = TempDir::new().unwrap();
    let workspace = open(dir.path()).unwrap();
    assert_eq!(workspace.rules.source.to_string(), "built-in");
    assert_eq!(workspace.content_source(), "built-in");
    assert_eq!(workspace.customers, Source::BuiltIn("assets/customers.csv"));
    let ready = workspace.ready().unwrap();
    assert_eq!(ready.warnings, []);
    assert!([Channel::Whatsapp, Channel::Phone, Channel::Sms].iter().all(|c| ready.content.has(*c)));
    let night = ready.config.policy(&ready.rules).quiet_hours;
    assert!(night.is_empty(), "a rehearsal without a file sends at any hour");
    let ana = workspace.list(&ready.config).unwrap().next().unwrap().unwrap();
    let cost = |channel| ready.worst_cost(channel, &ana, "http://127.0.0.1:8787/l").to_string();
    let costs = [Channel::Whatsapp, Channel::Phone, Channel::Sms].map(cost);
    assert_eq!(costs, ["0.05", "0.70", "0.04"], "a call lasts five minutes at most");
    let mut survey = ready.survey();
    let customers: Vec<_> = workspace.list(&ready.config).unwrap().collect();
    for row in &customers {
        survey.see(row.as_ref().unwrap());
    }
    assert_eq!((survey.total(), survey.finish()), (100, vec![]));
}

#[test]
fn each_missing_file_is_taken_from_the_program_by_itself() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("rules/content")).unwrap();
    fs::write(dir.path().join("rules/content/sms.txt"), "Hello {{link}}").unwrap();
    let workspace = open(dir.path()).unwrap();
    assert_eq!(workspace.content_source(), "rules/content (1 of 3, the others built-in)");
    let ready = workspace.ready().unwrap();
    assert!(ready.content.files.contains(&("sms.txt".into(), b"Hello {{link}}".to_vec())));
}

#[test]
fn live_takes_nothing_from_the_program() {
    let dir = TempDir::new().unwrap();
    let write = |file: &str, text: &str| fs::write(dir.path().join(file), text).unwrap();
    fs::create_dir_all(dir.path().join("rules")).unwrap();
    write(
        "cascade.toml",
        "mode = \"live\"\n[webhooks]\npublic_url = \"https://h.example.com\"\n[sms]\naccount_sid = \"AC1\"\nfrom = \"+15550001111\"\n",
    );
    let missing = |file: &str| match open(dir.path()) {
        Err(Unusable::MissingInLive(path)) => assert_eq!(path, Path::new(file)),
        other => assert!(other.is_err(), "{file} was not missed"),
    };
    missing("rules/cascade.json");
    write("rules/cascade.json", include_str!("../rules/cascade.json"));
    missing("customers.csv");
    write("customers.csv", "name,phone,segment\nAna,+14155550132,a\n");
    let Err(Unusable::Problems(found)) = open(dir.path()).unwrap().ready().map(|_| ()) else {
        unreachable!("content and providers are missing")
    };
    let codes: Vec<_> = found.iter().map(|p| p.code).collect();
    let twice = |code| codes.iter().filter(|c| **c == code).count();
    assert_eq!((twice("missing-content"), twice("not-configured")), (3, 2), "{found:#?}");
}

#[test]
fn errors_are_listed_with_place_and_remedy() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/cascade.json"), "{}").unwrap();
    let said = open(dir.path()).unwrap().ready().unwrap_err().to_string();
    assert!(said.contains("to mend first") && said.contains("rules/cascade.json:1:1: error:"), "{said}");
}

#[test]
fn a_text_that_is_no_text_is_named() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("rules/content")).unwrap();
    fs::write(dir.path().join("rules/content/sms.txt"), b"\xff\xfe\x00garbage").unwrap();
    let found = on_disk::errors(dir.path());
    assert!(
        found.iter().any(|problem| problem.code == "not-utf8" && problem.file.ends_with("sms.txt")),
        "{found:#?}"
    );
}

#[test]
fn settings_that_another_editor_broke_are_named() {
    let dir = TempDir::new().unwrap();
    let write = |text: &str| fs::write(dir.path().join("cascade.toml"), text).unwrap();
    write("mode = \"rehearsal\"\n");
    assert_eq!(on_disk::errors(dir.path()), []);
    let before = on_disk::stamp(dir.path());
    write("mode = \"rehearsal\"\n[limits]\nbudget = \"a lot\"\n");
    assert_ne!(on_disk::stamp(dir.path()), before);
    let found = on_disk::errors(dir.path());
    assert!(found[0].file.ends_with("cascade.toml") && found[0].line == 3, "{found:#?}");
}

#[test]
fn a_huge_file_is_not_read() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/cascade.json"), vec![b' '; 2 * 1024 * 1024]).unwrap();
    assert!(matches!(open(dir.path()), Err(Unusable::TooLarge(_))));
}

#[test]
fn the_store_is_for_this_user_alone() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join(".cascade")).unwrap();
    fs::set_permissions(dir.path().join(".cascade"), fs::Permissions::from_mode(0o755)).unwrap();
    let state = state_dir(dir.path()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let file = state.join("rehearsal.db");
    fs::write(&file, "kept").unwrap();
    private_file(&file).unwrap();
    assert_eq!((mode(&file), fs::read_to_string(&file).unwrap().as_str()), (0o600, "kept"));
    assert_eq!(store_path(dir.path(), None, Mode::Live).unwrap(), state.join("live.db"));
    assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "the probe is gone");
}

#[test]
fn a_link_in_our_own_directory_leads_nowhere() {
    let elsewhere = TempDir::new().unwrap();
    let target = elsewhere.path().join("kept");
    fs::write(&target, "kept").unwrap();
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for place in [".cascade", ".cascade/live.db", ".cascade/log/cascade.log"] {
        let dir = TempDir::new().unwrap();
        let link = dir.path().join(place);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        let to = if place == ".cascade" { elsewhere.path() } else { &target };
        std::os::unix::fs::symlink(to, &link).unwrap();
        let said = state_dir(dir.path()).unwrap_err().to_string();
        assert!(said.contains(place) && said.contains("is a link"), "{said}");
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
    let mode = fs::metadata(elsewhere.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode, fs::read_dir(elsewhere.path()).unwrap().count()), (0o755, 1), "nothing was done there");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = TempDir::new().unwrap();
    // A file where the directory should be: nobody can write into that, root included.
    fs::write(dir.path().join(".cascade"), "").unwrap();
    let said = state_dir(dir.path()).unwrap_err().to_string();
    assert!(said.contains(".cascade cannot be written") && said.contains("--workspace"), "{said}");
}
