//! `cascade check` and the command line's manners, through the built binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn cascade(workspace: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.arg("--workspace").arg(workspace).args(args).stdin(Stdio::null());
    command.output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn write(dir: &TempDir, file: &str, text: &str) {
    let path = dir.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Severity, file, line, column and code of each problem, and the `ok` beside them.
fn problems(dir: &TempDir, args: &[&str]) -> (bool, Vec<String>) {
    let output = cascade(dir.path(), &[&["check", "--format", "json"], args].concat());
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["schema"], "cascade.check/1");
    let line = |p: &Value| {
        let word = |key: &str| p[key].as_str().unwrap().to_owned();
        assert!(!word("message").is_empty() && !word("hint").is_empty());
        let (severity, file, code) = (word("severity"), word("file"), word("code"));
        format!("{severity} {file}:{}:{} {code}", p["line"], p["column"])
    };
    let ok = object["ok"].as_bool().unwrap();
    assert_eq!(code(&output), i32::from(!ok));
    (ok, object["problems"].as_array().unwrap().iter().map(line).collect())
}

#[test]
fn in_an_empty_directory_the_built_in_files_are_without_fault() {
    let dir = TempDir::new().unwrap();
    assert_eq!(problems(&dir, &[]), (true, vec![]));
    let human = cascade(dir.path(), &["check"]);
    assert_eq!(
        out(&human),
        "0 errors, 0 warnings · rules: built-in; content: built-in; customers: built-in (100 usable)\n"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "looking leaves nothing behind");
}

#[test]
fn rules_content_settings_and_list_are_looked_at_together() {
    let dir = TempDir::new().unwrap();
    write(&dir, "cascade.toml", "curency = \"EUR\"\n");
    write(&dir, "rules/cascade.json", "{ \"start\": \"whatsapp\",\n  \"steps\": [ }");
    write(&dir, "rules/content/sms.txt", "Hi {{nmae}}, {{plan|your plan}} is due {{quux}}");
    write(&dir, "rules/content/voice.md", "---\nfirst_message: Hello\n---\nBe kind.");
    write(&dir, "customers.csv", "name,phone,segment\nAna,12,a\nBo,+14155550132,a\nBo,+14155550132,a\n");
    let (ok, found) = problems(&dir, &[]);
    assert!(!ok);
    for expected in [
        "error cascade.toml:1:1 unknown-key",
        "error rules/cascade.json:2:14 json",
        "error rules/content/sms.txt:1:4 unknown-field",
        "warning rules/content/sms.txt:1:14 unknown-field",
        "warning rules/content/sms.txt:1:1 no-link",
        "warning customers.csv:4:4 duplicate",
    ] {
        assert!(found.iter().any(|f| f == expected), "{expected} is not in {found:#?}");
    }
    assert!(found.iter().any(|f| f.starts_with("error customers.csv:2:5 phone")), "{found:#?}");
    // What every list has is named once, whether or not its header says it.
    let human = out(&cascade(dir.path(), &["check"]));
    let hint =
        human.lines().skip_while(|line| !line.contains("no column `quux`")).take(2).collect::<String>();
    assert_eq!(hint.matches("segment").count(), 1, "{hint}");
    write(&dir, "rules/cascade.json", include_str!("../rules/cascade.json"));
    let (_, found) = problems(&dir, &[]);
    let opener = "warning rules/content/voice.md:2:1 opener-unaware";
    assert!(found.iter().any(|f| f == opener), "{found:#?}");
}

#[test]
fn what_the_rules_need_must_be_there() {
    let dir = TempDir::new().unwrap();
    let rules = r#"{"start": "email", "steps": [{"channel": "email", "wait": null, "terminal": true}]}"#;
    write(&dir, "other.json", rules);
    let rules = dir.path().join("other.json");
    let (ok, found) = problems(&dir, &["--rules", rules.to_str().unwrap()]);
    assert!(!ok);
    assert_eq!(found, [format!("error {}:1:1 not-built", rules.display())]);
}

#[test]
fn a_long_message_and_an_empty_column_are_counted_over_the_list() {
    let dir = TempDir::new().unwrap();
    write(&dir, "rules/content/sms.txt", &format!("{{{{name}}}} {} {{{{link}}}}", "x".repeat(100)));
    let template = include_str!("../rules/content/whatsapp.json").replace("plan|Sunnyside", "plan");
    write(&dir, "rules/content/whatsapp.json", &template);
    let list = "name,phone,plan\nŁukasz,+14155550132,\nBo,+14155550133,Basic\nCy,+14155550134,\n";
    write(&dir, "customers.csv", list);
    let human = out(&cascade(dir.path(), &["check"]));
    assert!(human.contains("1 of 3 customers get a text message of up to 3 segments"), "{human}");
    assert!(human.contains("`Ł` makes each segment 70"), "{human}");
    assert!(human.contains("2 of 3 customers cannot be sent WhatsApp: their `plan` is empty"), "{human}");
    assert!(human.contains("the first is on line 2"), "{human}");
}

#[test]
fn people_see_the_first_rows_and_programs_see_all() {
    let dir = TempDir::new().unwrap();
    let rows: Vec<String> = (0..30).map(|n| format!("Ana {n},none,a,b\n")).collect();
    let list = format!("name,phone,segment,plan\n{}Bo,+14155550132,a,b\n", rows.concat());
    write(&dir, "customers.csv", &list);
    let human = out(&cascade(dir.path(), &["check"]));
    assert_eq!(human.lines().filter(|l| l.starts_with("customers.csv:")).count(), 20);
    assert!(human.contains("… and 10 more problems with rows") && human.contains("30 errors"), "{human}");
    assert_eq!(problems(&dir, &[]).1.len(), 30);
    let github = out(&cascade(dir.path(), &["check", "--format", "github"]));
    assert_eq!(github.lines().filter(|l| l.starts_with("::error file=customers.csv,line=")).count(), 30);
}

#[test]
fn nothing_in_a_file_reaches_the_terminal_unclean() {
    let dir = TempDir::new().unwrap();
    write(&dir, "rules/content/sms.txt", "{{#\x1b[2J}} {{\x1b[31mx}} {{link}}");
    write(&dir, "customers.csv", "name,phone\n\x1b[2J,\x1b[2Jnone\n");
    write(&dir, "cascade.toml", "\"\\u001b[2J\" = 1\ntimezone = \"\\u001b[2J\"\n");
    for format in ["human", "github"] {
        let output = cascade(dir.path(), &["check", "--format", format]);
        assert!(!output.stdout.contains(&0x1b), "{}", out(&output).escape_debug());
    }
}

#[test]
fn what_cannot_be_read_is_wrong_usage() {
    let dir = TempDir::new().unwrap();
    for args in [
        &["check", "--rules", "nowhere.json"][..],
        &["check", "--customers", "nowhere.csv"],
        &["check", "--format", "xml"],
        &["--speed", "5", "check"],
        &["launch"],
        &["pilot", "--speed", "0"],
        &["pilot", "--limit", "0"],
        &["pilot", "--start", "monday"],
        &["pilot", "--sandbox", "http://example.com"],
        &["pilot", "--sandbox", "http://127.0.0.1:1", "--seed", "2"],
        &["sandbox", "--listen", "0.0.0.0:80"],
    ] {
        let output = cascade(dir.path(), args);
        assert_eq!(code(&output), 2, "{args:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{args:?}");
    }
    let output = cascade(&dir.path().join("none"), &["check"]);
    assert_eq!((code(&output), err(&output).contains("--workspace")), (2, true));
    write(&dir, "cascade.toml", "mode = \"live\"\n[webhooks]\npublic_url = \"https://h.example.com\"\n");
    let output = cascade(dir.path(), &["check"]);
    assert_eq!((code(&output), err(&output).contains("rules/cascade.json is missing")), (2, true));
}

#[test]
fn without_a_terminal_the_console_names_the_pilot() {
    let dir = TempDir::new().unwrap();
    let output = cascade(dir.path(), &[]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("cascade pilot"), "{}", err(&output));
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let dir = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.arg("--workspace").arg(dir.path()).args(["check", "--json"]);
    // The reading end is closed before a byte is written.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn annotations_name_files_by_their_place_in_the_repository() {
    let dir = TempDir::new().unwrap();
    write(&dir, "spring/rules/content/sms.txt", "Sunnyside Energy: 100% ready, {{nmae}} {{link}} Reply STOP");
    write(&dir, "other.json", "{ }");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.args(["--workspace", "./spring", "check", "--format", "github", "--rules", "other.json"]);
    let output = command.current_dir(dir.path()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(code(&output), 1);
    let said = out(&output);
    assert!(
        said.contains(
            "::error file=spring/rules/content/sms.txt,line=1,col=31,title=cascade unknown-field::"
        ),
        "{said}"
    );
    assert!(said.contains("::error file=other.json,line=1,col=1,title=cascade missing-start::"), "{said}");
}

#[test]
fn columns_that_texts_ask_for_and_the_list_lacks_are_named() {
    let dir = TempDir::new().unwrap();
    write(&dir, "rules/content/sms.txt", "Sunnyside Energy: {{email|you}} {{city}} {{link}} Reply STOP");
    write(&dir, "customers.csv", "name,phone,plan\nAna,+14155550132,Basic\n");
    let (ok, found) = problems(&dir, &[]);
    assert!(!ok);
    assert!(found.contains(&"warning rules/content/sms.txt:1:19 unknown-field".to_owned()), "{found:#?}");
    assert!(found.contains(&"error rules/content/sms.txt:1:33 unknown-field".to_owned()), "{found:#?}");
    write(&dir, "customers.csv", "name,phone,plan,E-Mail,City\nAna,+14155550132,Basic,a@example.com,Rome\n");
    let (ok, found) = problems(&dir, &[]);
    assert!(ok && !found.iter().any(|f| f.contains("unknown-field")), "{found:#?}");
}

#[test]
fn a_segment_that_nobody_is_in_is_named() {
    let dir = TempDir::new().unwrap();
    let own = "], \"segments\": {\n  \"Retail\": { \"start\": \"sms\" }, \"smb\": { \"start\": \"sms\" } } }";
    write(&dir, "rules/cascade.json", &include_str!("../rules/cascade.json").replace("] }", own));
    let (ok, found) = problems(&dir, &[]);
    assert!(ok);
    assert_eq!(found, ["warning rules/cascade.json:6:3 unused-segment"]);
    assert!(out(&cascade(dir.path(), &["check"])).contains("did you mean \"retail\"?"));
}

#[test]
fn rules_that_nobody_changed_for_long_are_named() {
    let dir = TempDir::new().unwrap();
    write(&dir, "rules/cascade.json", include_str!("../rules/cascade.json"));
    assert_eq!(problems(&dir, &[]), (true, vec![]));
    let file = fs::File::options().write(true).open(dir.path().join("rules/cascade.json")).unwrap();
    let days = |n: u64| std::time::Duration::from_secs(n * 86_400);
    file.set_modified(fs::metadata(dir.path()).unwrap().modified().unwrap() - days(91)).unwrap();
    let stale = ["warning rules/cascade.json:1:1 stale-rules"];
    assert_eq!(problems(&dir, &[]).1, stale);
    // Where git knows better than the file's date, git is believed.
    let repo = git2::Repository::init(dir.path()).unwrap();
    let commit = |days_ago: i64, parents: &[git2::Oid]| {
        let mut index = repo.index().unwrap();
        index.add_path(Path::new("rules/cascade.json")).unwrap();
        let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
        let now = cascade::clock::wall_at().millis() / 1_000;
        let who =
            git2::Signature::new("Ana", "ana@example.com", &git2::Time::new(now - days_ago * 86_400, 0))
                .unwrap();
        let parents: Vec<git2::Commit<'_>> =
            parents.iter().map(|id| repo.find_commit(*id).unwrap()).collect();
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        repo.commit(Some("HEAD"), &who, &who, "rules", &tree, &parents).unwrap()
    };
    let first = commit(3, &[]);
    assert_eq!(problems(&dir, &[]).1, [""; 0], "committed three days ago");
    write(&dir, "rules/cascade.json", &include_str!("../rules/cascade.json").replace("6h", "5h"));
    let second = commit(120, &[first]);
    commit(1, &[second]);
    assert_eq!(problems(&dir, &[]).1, stale, "the newest commit changed something else");
    write(&dir, "rules/cascade.json", &include_str!("../rules/cascade.json").replace("6h", "4h"));
    assert_eq!(problems(&dir, &[]).1, [""; 0], "changed just now, and not committed");
}

#[test]
fn a_new_workspace_is_without_fault_and_overwrites_nothing() {
    let dir = TempDir::new().unwrap();
    let output = cascade(dir.path(), &["init", dir.path().join("spring").to_str().unwrap()]);
    assert_eq!((code(&output), err(&output)), (0, String::new()));
    for step in ["cd ", "cascade check", "customers.csv", "git init"] {
        assert!(out(&output).contains(step), "{}", out(&output));
    }
    let spring = dir.path().join("spring");
    let read = |name: &str| fs::read_to_string(spring.join(name)).unwrap();
    assert_eq!(read(".gitignore"), "/.cascade/\n/customers.csv\n");
    assert_eq!(read("rules/cascade.schema.json"), include_str!("../rules/cascade.schema.json"));
    assert_eq!(read("rules/content/sms.txt"), include_str!("../rules/content/sms.txt"));
    let check = |args: &[&str]| out(&cascade(&spring, &[&["check"], args].concat()));
    assert!(check(&[]).starts_with("0 errors, 0 warnings"), "{}", check(&[]));
    let example = spring.join("customers.example.csv");
    let example = check(&["--customers", example.to_str().unwrap()]);
    assert!(example.starts_with("0 errors, 0 warnings") && example.contains("(3 usable)"), "{example}");
    let (rules, _) = cascade::rules::parse(Path::new("r.json"), read("rules/cascade.json").as_bytes());
    let (own, _) = cascade::rules::parse(Path::new("r.json"), include_bytes!("../rules/cascade.json"));
    assert_eq!(rules.as_ref().map(|r| (&r.main, r.explore)), own.as_ref().map(|r| (&r.main, 0.2)));
    let laid = cascade::rules::format(Path::new("r.json"), &read("rules/cascade.json")).unwrap();
    assert_eq!(laid, read("rules/cascade.json"), "it is laid out as a save would");
    // Again: nothing is touched.
    fs::write(spring.join("rules/cascade.json"), "mine").unwrap();
    fs::remove_file(spring.join("cascade.toml")).unwrap();
    let again = cascade(&spring, &["init"]);
    assert_eq!(code(&again), 2);
    assert!(
        err(&again).contains("rules/cascade.json") && err(&again).contains("nothing was written"),
        "{}",
        err(&again)
    );
    assert_eq!(read("rules/cascade.json"), "mine");
    assert!(!spring.join("cascade.toml").exists());
}

#[test]
fn what_git_must_not_take_in_is_added_to_what_it_ignores() {
    let dir = TempDir::new().unwrap();
    write(&dir, ".gitignore", "target\ncustomers.csv");
    let output = cascade(dir.path(), &["init", "--json"]);
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["schema"], "cascade.init/1");
    assert_eq!(object["written"].as_array().unwrap().len(), 8);
    let ignored = fs::read_to_string(dir.path().join(".gitignore")).unwrap();
    assert_eq!(ignored, "target\ncustomers.csv\n/.cascade/\n");
    let dir = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/nowhere", dir.path().join("rules")).unwrap();
    let output = cascade(dir.path(), &["init"]);
    assert_eq!((code(&output), err(&output).contains("is a link")), (2, true), "{}", err(&output));
}

#[test]
fn the_settings_of_a_new_workspace_are_live_once_they_are_switched_on() {
    let text = include_str!("../assets/init/cascade.toml");
    let on = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting.to_owned(),
        Some(_) | None => line.replace("mode = \"rehearsal\"", "mode = \"live\""),
    };
    let live: String = text.lines().map(|line| on(line) + "\n").collect();
    let (config, problems) =
        cascade::config::load(Path::new("cascade.toml"), &live, &|_| Some("a secret".to_owned()));
    assert!(problems.is_empty(), "{problems:?}");
    let config = config.unwrap();
    assert_eq!((config.mode, config.channels.len()), (cascade::model::Mode::Live, 3));
    assert_eq!(config.brand.as_deref(), Some("Sunnyside Energy"));
}

#[test]
fn a_live_workspace_is_checked_where_no_secrets_are() {
    let dir = TempDir::new().unwrap();
    assert_eq!(code(&cascade(dir.path(), &["init"])), 0);
    let readme = include_str!("../README.md").split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    write(&dir, "cascade.toml", readme);
    let list = dir.path().join("customers.example.csv");
    let errors = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
        command
            .arg("--workspace")
            .arg(dir.path())
            .args(["check", "--json", "--customers"])
            .arg(&list)
            .args(more);
        for variable in readme.split('"').filter(|word| word.contains('_') && word.to_uppercase() == *word) {
            command.env_remove(variable);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors = object["problems"].as_array().unwrap().iter().filter(|p| p["severity"] == "error");
        let codes: Vec<String> = errors.map(|p| p["code"].as_str().unwrap().to_owned()).collect();
        (code(&output), codes)
    };
    let (code, without) = errors(&[]);
    assert!(code == 1 && without.len() >= 3, "the variables are not set: {without:?}");
    assert_eq!(errors(&["--without-secrets"]), (0, vec![]));
}

#[test]
fn the_workflow_checks_the_workspace_where_it_lies() {
    let dir = TempDir::new().unwrap();
    git2::Repository::init(dir.path()).unwrap();
    write(&dir, "campaigns/spring/cascade.toml", "");
    let spring = dir.path().join("campaigns/spring");
    let output = cascade(&spring, &["init", "--workflow"]);
    assert_eq!((code(&output), err(&output)), (0, String::new()));
    let file = dir.path().join(".github/workflows/cascade-check.yml");
    let text = fs::read_to_string(&file).unwrap();
    for line in [
        "      - \"campaigns/spring/rules/**\"",
        "          WORKSPACE: \"campaigns/spring\"",
        "  pull_request:",
        "  contents: read",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("{{paths}}") && !text.contains("{{workspace}}"));
    // The command that it runs, as a shell would give it.
    let command = text.lines().find(|l| l.trim().starts_with("cascade check")).unwrap();
    let command = command.replace("\"$WORKSPACE\"", "campaigns/spring").replace("\"${list[@]}\"", "");
    let mut words = command.split_whitespace();
    let mut run = Command::new(env!("CARGO_BIN_EXE_cascade"));
    assert_eq!(words.next(), Some("cascade"));
    let run = run.args(words).current_dir(dir.path()).output().unwrap();
    assert_eq!((code(&run), out(&run)), (0, String::new()), "{}", err(&run));
    let again = cascade(&spring, &["init", "--workflow"]);
    assert_eq!((code(&again), err(&again).contains("cascade-check.yml")), (2, true));
    // Without a repository it stands in the workspace.
    let bare = TempDir::new().unwrap();
    assert_eq!(code(&cascade(bare.path(), &["init", "--workflow"])), 0);
    let text = fs::read_to_string(bare.path().join(".github/workflows/cascade-check.yml")).unwrap();
    assert!(text.contains("WORKSPACE: \".\"") && text.contains("- \"rules/**\""), "{text}");
}
