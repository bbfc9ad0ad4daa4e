//! Pull requests: opened once, read, refused in clear words; and `cascade propose` as people run it.

use crate::forge::{Backend, Hub, serve};
use crate::repo::{OLD, RULES, Repo, git, has_git};
use cascade::trail::github::{Checks, Github, Phase, Review, Settings, State, Trouble};
use cascade::trail::{Evidence, NotPushed, Onto, Proposal, Remote, proposal};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn settings(base_url: &str) -> Settings {
    Settings { base_url: base_url.into(), repository: Some("acme/rules".into()), ..Settings::default() }
}

fn github(base_url: &str, token: &str) -> Github {
    let token = token.to_owned();
    Github::of(&settings(base_url), None, &move |name| (name == "GITHUB_TOKEN").then(|| token.clone()))
        .unwrap()
}

fn wanted() -> Proposal {
    let text = |text: &str| text.to_owned();
    Proposal {
        branch: text("cascade/2026-11-27-too-slow"),
        commit: "ab".repeat(20),
        base: text("main"),
        title: text("4h"),
        body: text("why"),
    }
}

#[tokio::test]
async fn a_pull_request_is_opened_once() {
    let (hub, url) = Hub::start();
    let github = github(&url, "gh-token");
    let opened = github.open(&wanted()).await.unwrap();
    assert_eq!((opened.number, opened.is_new), (1, true));
    assert_eq!(opened.url.raw(), "https://github.com/acme/rules/pull/1");
    let again = github.open(&wanted()).await.unwrap();
    assert_eq!((again.number, again.is_new), (1, false));
    let asked = hub.inside().asked.clone();
    let posts: Vec<_> = asked.iter().filter(|asked| asked.line.starts_with("POST")).collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].body["head"], "cascade/2026-11-27-too-slow");
    assert_eq!(posts[0].body["base"], "main");
    // Merged, it is not open any more, and still the one of what it merged; of what was saved since it says nothing.
    let (merged, open) = (json!({"state": "closed", "merged": true}), hub.inside().pulls[0].clone());
    for (key, value) in merged.as_object().unwrap() {
        hub.inside().pulls[0][key] = value.clone();
    }
    assert!(github.find("cascade/2026-11-27-too-slow", "main").await.unwrap().is_none());
    let latest = async |tip: &str| github.latest("cascade/2026-11-27-too-slow", "main", tip).await.unwrap();
    assert!(latest("5aced").await.is_none());
    let latest = latest("c0ffee").await.unwrap();
    assert_eq!(github.state(latest.number).await.unwrap().to_string(), "#1 merged");
    hub.inside().pulls[0] = open;
    // Another's list lags: the refusal says that there is one, and nothing is doubled.
    hub.inside().blind = true;
    assert_eq!(github.open(&wanted()).await.unwrap_err(), Trouble::Exists);
    assert_eq!(hub.inside().pulls.len(), 1);
}

/// How the pull request stands with these checks and reviews.
async fn state(change: impl FnOnce(&mut crate::forge::Inside)) -> State {
    let (hub, url) = Hub::start();
    let github = github(&url, "gh-token");
    github.open(&wanted()).await.unwrap();
    change(&mut hub.inside());
    github.state(1).await.unwrap()
}

fn run(name: &str, status: &str, conclusion: Value) -> Value {
    json!({"name": name, "status": status, "conclusion": conclusion})
}

fn reviewed(who: &str, state: &str) -> Value {
    json!({"user": {"login": who}, "state": state})
}

#[tokio::test]
async fn its_state_is_read_for_the_header() {
    let found = state(|_| ()).await;
    assert_eq!((found.phase, &found.checks, found.review), (Phase::Open, &Checks::None, Review::Awaited));
    assert_eq!(found.to_string(), "#1 open, no checks, review awaited");
    let found = state(|hub| {
        hub.runs = vec![run("check", "completed", json!("success")), run("slow", "in_progress", Value::Null)];
        hub.reviews = vec![
            reviewed("bo", "CHANGES_REQUESTED"),
            reviewed("bo", "COMMENTED"),
            reviewed("cy", "APPROVED"),
        ];
    })
    .await;
    assert_eq!(found.to_string(), "#1 open, 1 check running, changes requested");
    let found = state(|hub| {
        hub.runs =
            vec![run("check\u{1b}[2J", "completed", json!("failure")), run("slow", "queued", Value::Null)];
        hub.statuses = vec![json!({"context": "old/ci", "state": "error"})];
        hub.reviews = vec![reviewed("bo", "CHANGES_REQUESTED"), reviewed("bo", "APPROVED")];
    })
    .await;
    assert_eq!(found.to_string(), "#1 open, failed: check·[2J, old/ci, approved");
    let found = state(|hub| {
        hub.statuses = vec![json!({"context": "old/ci", "state": "success"})];
        hub.runs = vec![run("skipped", "completed", json!("skipped"))];
        hub.reviews = vec![reviewed("bo", "CHANGES_REQUESTED"), reviewed("bo", "DISMISSED")];
    })
    .await;
    assert_eq!(found.to_string(), "#1 open, checks passed, review awaited");
    assert_eq!(state(|hub| hub.no_checks = true).await.checks, Checks::Unknown);
    let merged = |hub: &mut crate::forge::Inside| {
        hub.pulls[0]["state"] = "closed".into();
        hub.pulls[0]["merged"] = true.into();
    };
    assert_eq!(state(merged).await.to_string(), "#1 merged");
    assert_eq!(state(|hub| hub.pulls[0]["state"] = "closed".into()).await.to_string(), "#1 closed");
    assert_eq!(state(|hub| hub.pulls[0]["draft"] = true.into()).await.phase, Phase::Draft);
}

#[tokio::test]
async fn every_refusal_is_a_sentence_of_its_own() {
    let limit =
        || vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", "1795780800".to_owned())];
    let later = || vec![("retry-after", "30".to_owned())];
    let moved = || vec![("location", "https://evil.example/repositories/1".to_owned())];
    let invalid = |message: &str| json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": message}]});
    let field = json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "base", "code": "invalid"}]});
    let said = |text: &str| json!({ "message": text });
    for (status, headers, body, says) in [
        (401, vec![], said("Bad credentials"), "did not take the token"),
        (403, vec![], said("Resource not accessible by \u{1b}[31mtoken"), "by ·[31mtoken); it needs"),
        (403, limit(), said("API rate limit exceeded"), "wait until 2026-11-27T12:00:00.000Z"),
        (403, later(), said("You have exceeded a secondary rate limit"), "wait for 30 s"),
        (403, vec![], said("You have exceeded a secondary rate limit"), "wait for a minute"),
        (429, later(), said("slow down"), "wait for 30 s"),
        (404, vec![], said("Not Found"), "no repository acme/rules that this token can see"),
        (301, moved(), said("Moved Permanently"), "has moved at GitHub"),
        (422, vec![], invalid("No commits between main and x"), "nothing to propose"),
        (422, vec![], field, "refused the pull request: Validation Failed; base is invalid"),
        (502, vec![], said("Server Error"), "trouble of its own (HTTP 502)"),
        (200, vec![], json!("<html>"), "is no GitHub (HTTP 200)"),
        (418, vec![], json!({}), "is no GitHub (HTTP 418)"),
    ] {
        let (hub, url) = Hub::start();
        hub.inside().always = Some((status, headers, body));
        let error = github(&url, "gh-token").open(&wanted()).await.unwrap_err();
        assert!(error.to_string().contains(says), "{status}: {error}");
        assert_eq!(hub.inside().asked.len(), 1, "{status}: asked once, and nobody else");
    }
    let (_hub, url) = Hub::start();
    let error = github(&url, "wrong").open(&wanted()).await.unwrap_err();
    assert_eq!(error, Trouble::Login);
    let error = github("http://127.0.0.1:9", "gh-token").open(&wanted()).await.unwrap_err();
    assert!(matches!(&error, Trouble::Unreachable(_)) && !error.to_string().contains("gh-token"), "{error}");
}

#[test]
fn the_token_goes_where_it_belongs_or_nowhere() {
    let remote = |host: &str| Remote {
        name: "origin".into(),
        host: Some(host.into()),
        repository: Some("acme/rules".into()),
    };
    let env = |_: &str| Some("gh-token".to_owned());
    let of = |settings: &Settings, host: &str| Github::of(settings, Some(&remote(host)), &env).map(drop);
    let plain = Settings::default();
    let error = of(&plain, "gitlab.example").unwrap_err();
    assert!(matches!(error, Trouble::Elsewhere { .. }), "{error}");
    let error = of(&plain, "github.com.evil.example").unwrap_err();
    assert!(matches!(error, Trouble::Elsewhere { .. }), "{error}");
    let own =
        Settings { base_url: "https://git.corp.example/api/v3".into(), is_trusted: false, ..plain.clone() };
    assert!(matches!(of(&own, "git.corp.example").unwrap_err(), Trouble::NotTrusted { .. }));
    let error = of(&Settings { is_trusted: true, ..own }, "github.com").unwrap_err();
    assert!(matches!(error, Trouble::Elsewhere { .. }), "{error}");
    assert_eq!(Github::of(&plain, None, &env).map(drop).unwrap_err(), Trouble::NoRemote);
    let error = Github::of(&plain, Some(&remote("github.com")), &|_| None).map(drop).unwrap_err();
    assert_eq!(error, Trouble::NoToken("GITHUB_TOKEN".into()));
    let shown = format!("{:?}", github("http://127.0.0.1:9", "gh-token"));
    assert!(!shown.contains("gh-token"), "{shown}");
}

#[test]
fn a_body_calls_nobody_and_leads_nowhere() {
    let repo = Repo::new();
    let nasty = "@everyone see [this](https://evil.example) ``` `` <img src=x> | #1\n- fixes #2";
    let draft = repo.save(nasty).unwrap().commit.unwrap().branch.name;
    repo.save_as("rules/content/sms.txt", None, "```\n@ana https://evil.example\n````\n", "more").unwrap();
    let evidence = [Evidence { title: "So far".into(), rows: vec![("@bo".into(), "![](x)|`y`".into())] }];
    let made = proposal(&repo.workspace(), None, &repo.settings, &evidence).unwrap();
    assert_eq!((made.branch.as_str(), made.base.as_str()), (draft.as_str(), "main"));
    assert!(made.body.contains("- ` more `, by ` Ana Ops <ana@example.com> `\n"), "{}", made.body);
    assert!(
        made.body.contains("-{ \"wait\": \"6h\" }") && made.body.contains("+{ \"wait\": \"4h\" }"),
        "{}",
        made.body
    );
    let outside = outside_of_code(&made.body);
    for harm in ["@", "evil", "<img", "#1", "#2", "![", "]("] {
        assert!(!outside.contains(harm), "{harm} in {outside}");
    }
}

#[test]
fn a_branch_that_saves_keep_clear_of_is_never_guessed() {
    let repo = Repo::new().onto(Onto::Draft);
    repo.switch_to_new("feature/x");
    std::fs::write(repo.root().join("others.txt"), "unfinished\n").unwrap();
    repo.commit_all("Unfinished");
    let draft = repo.save("too slow").unwrap().commit.unwrap();
    let propose = |named| proposal(&repo.workspace(), named, &repo.settings, &[]);
    let made = propose(None).unwrap();
    assert_eq!((&made.branch, &made.commit), (&draft.branch.name, &draft.id));
    assert!(!made.body.contains("nfinished"), "{}", made.body);
    // The only draft there is, and the working files do not hold it.
    repo.write(RULES, OLD);
    let error = propose(None).unwrap_err();
    let NotPushed::NothingNew { base, drafts } = &error else { panic!("{error}") };
    assert_eq!((base.as_str(), drafts), ("main", &vec![draft.branch.name.clone()]));
    assert!(error.to_string().contains(&format!("--branch: {}", draft.branch.name)), "{error}");
    repo.write(RULES, "{}\n");
    let error = propose(None).unwrap_err();
    assert!(matches!(error, NotPushed::NotHeld { .. }), "{error}");
    assert_eq!(propose(Some(&draft.branch.name)).unwrap().commit, draft.id);
}

#[test]
fn ones_own_branch_is_proposed_once_it_has_what_the_working_files_hold() {
    let repo = Repo::new();
    let draft = repo.save("too slow").unwrap().commit.unwrap().branch.name;
    let propose = || proposal(&repo.workspace(), None, &repo.settings, &[]).unwrap().branch;
    assert_eq!(propose(), draft);
    repo.switch_to_new("spring");
    assert_eq!(propose(), draft, "the branch has nothing of it");
    repo.commit_all("Taken in");
    assert_eq!(propose(), "spring");
    // Work that no commit holds yet is still work on that branch.
    repo.write(RULES, "{}\n");
    assert_eq!(propose(), "spring");
}

#[test]
fn a_draft_of_texts_alone_is_found_by_its_texts() {
    let repo = Repo::new();
    repo.save("too slow").unwrap();
    repo.write(RULES, OLD);
    let texts = repo.save_as("rules/content/sms.txt", None, "Hi\n", "a text").unwrap().commit.unwrap();
    assert_eq!(proposal(&repo.workspace(), None, &repo.settings, &[]).unwrap().branch, texts.branch.name);
}

/// What a reader of Markdown takes for text: by CommonMark's own rules, a fence or a span ends with as many backticks as
/// it began with.
fn outside_of_code(text: &str) -> String {
    let mut outside = String::new();
    let mut fence: Option<usize> = None;
    for line in text.lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            Some(open) if ticks >= open && line.chars().all(|c| c == '`') => fence = None,
            Some(_) => {}
            None if ticks >= 3 && !line[ticks..].contains('`') => fence = Some(ticks),
            None => outside.push_str(&without_spans(line)),
        }
    }
    outside
}

fn without_spans(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let after = &rest[at + ticks..];
        let mut end = None;
        let mut from = 0;
        while let Some(next) = after[from..].find('`') {
            let run = after[from + next..].chars().take_while(|c| *c == '`').count();
            if run == ticks {
                end = Some(from + next + run);
                break;
            }
            from += next + run;
        }
        let Some(end) = end else {
            outside.push_str(rest);
            return outside;
        };
        rest = &after[end..];
    }
    outside + rest
}

/// The built program in a workspace whose remote and forge are on this machine.
struct Desk {
    repo: Repo,
    place: tempfile::TempDir,
    home: tempfile::TempDir,
    hub: Hub,
}

impl Desk {
    fn new() -> Option<Self> {
        if !has_git() {
            return None;
        }
        let (repo, place, home) = (Repo::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let Some(backend) = Backend::find(place.path()) else {
            println!("skipped: this git has no http-backend");
            return None;
        };
        git(place.path(), &["init", "-q", "--bare", "-b", "main", "acme/rules.git"]);
        let server = serve(backend.router());
        git(repo.root(), &["remote", "add", "origin", &format!("http://ana:s3cret@{server}/acme/rules.git")]);
        let (hub, url) = Hub::start();
        repo.write("cascade.toml", &format!("[github]\nbase_url = \"{url}\"\nrepository = \"acme/rules\"\n"));
        repo.commit_all("Where to propose");
        git(repo.root(), &["push", "-q", "origin", "main"]);
        Some(Self { repo, place, home, hub })
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
        command.args(args).current_dir(self.repo.root()).env("HOME", self.home.path());
        let done = command.env_remove("XDG_STATE_HOME").env("GITHUB_TOKEN", "gh-token").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout), text(done.stderr))
    }

    fn there(&self, branch: &str) -> bool {
        let dir = self.place.path().join("acme/rules.git");
        crate::repo::bare_git(&dir, &["rev-parse", "--verify", "-q", branch]).status.success()
    }
}

#[test]
fn from_a_save_to_a_pull_request_and_its_state() {
    let Some(desk) = Desk::new() else { return };
    let saved = desk.repo.save("too slow").unwrap().commit.unwrap();
    let draft = &saved.branch.name;
    // The workspace names a host that this machine was not told to trust: the branch goes, the token does not.
    let (code, _, err) = desk.run(&["propose", "--json"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("is pushed to origin") && err.contains("cascade trust"), "{err}");
    assert!(desk.there(draft) && desk.hub.inside().asked.is_empty());
    let (code, out, err) = desk.run(&["trust", "--yes", "--json"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("\"github\"") && err.contains("GITHUB_TOKEN"), "{out}{err}");

    let (code, out, err) = desk.run(&["propose", "--json"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(said["schema"], "cascade.propose/1");
    assert_eq!(
        (&said["branch"], &said["base"], &said["commit"]),
        (&json!(draft), &json!("main"), &json!(saved.id))
    );
    assert_eq!(said["pull_request"]["new"], true);
    assert_eq!(said["pull_request"]["state"], "open");
    assert_eq!(said["pull_request"]["url"], "https://github.com/acme/rules/pull/1");
    let body = desk.hub.inside().pulls[0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("too slow") && body.contains("60 re-timed"), "{body}");
    desk.hub.inside().runs = vec![run("cascade check", "completed", json!("success"))];
    let (code, out, _) = desk.run(&["propose"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("already open: #1 open, checks passed, review awaited"), "{out}");
    assert!(![out, body].concat().contains("s3cret"));
    assert_eq!(desk.hub.inside().pulls.len(), 1);
}

#[test]
fn the_history_in_words_and_for_programs() {
    let Some(desk) = Desk::new() else { return };
    let saved = desk.repo.save("too slow").unwrap().commit.unwrap();
    let (code, out, err) = desk.run(&["history"]);
    assert_eq!(code, Some(0), "{err}");
    let short = saved.short();
    assert!(
        out.contains(short) && out.contains("too slow") && out.contains("not on the base branch"),
        "{out}"
    );
    assert!(out.contains("-{ \"wait\": \"6h\" }") && out.contains("in flight: 60 re-timed"), "{out}");
    let (code, out, _) = desk.run(&["history", "--json"]);
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &said["schema"], &said["file"]), (Some(0), &json!("cascade.history/1"), &json!(RULES)));
    assert_eq!((&said["now"]["commit"], &said["now"]["uncommitted"]), (&json!(saved.id), &json!(false)));
    assert_eq!(said["versions"].as_array().unwrap().len(), 2);
    assert_eq!(said["versions"][0]["reason"], "too slow");
    // A reason of one line is the commit's subject: it is said once.
    desk.repo.with_subject("", "short of staff").unwrap();
    let (_, out, _) = desk.run(&["history"]);
    assert_eq!(out.matches("short of staff").count(), 1, "{out}");
    desk.repo.write(RULES, "{}\n");
    let (_, out, _) = desk.run(&["history", "--json"]);
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&said["now"]["uncommitted"], &said["now"]["commit"]), (&json!(true), &Value::Null));
}

#[test]
fn two_drafts_are_each_beside_what_they_were_made_from() {
    let (repo, home) = (Repo::new(), tempfile::tempdir().unwrap());
    repo.save("too slow").unwrap();
    repo.write(RULES, OLD);
    repo.save_as(RULES, Some(OLD), "{ \"wait\": \"5h\" }\n", "a little").unwrap();
    let history = |limit: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
        command
            .args(["history", "--json", "--limit", limit])
            .current_dir(repo.root())
            .env("HOME", home.path());
        let said: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let diffs = said["versions"].as_array().unwrap().iter().map(|version| version["diff"].clone());
        diffs.map(|diff| diff.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for limit in ["1", "2"] {
        let diffs = history(limit);
        assert_eq!(diffs.len().to_string(), limit);
        assert!(diffs.iter().all(|diff| diff.contains("-{ \"wait\": \"6h\" }")), "{diffs:?}");
    }
    assert_eq!(history("2").iter().filter(|diff| diff.contains("4h") && diff.contains("5h")).count(), 0);
}

#[test]
fn without_git_or_a_remote_the_words_say_how_to_go_on() {
    let repo = Repo::new();
    let home = tempfile::tempdir().unwrap();
    repo.save("too slow").unwrap();
    let run = |path: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
        command.arg("propose").current_dir(repo.root()).env("HOME", home.path()).env("PATH", path);
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, err) = run(Path::new("/nonexistent"));
    assert!(code == Some(1) && err.contains("git remote add origin"), "{err}");
    repo.git2().remote("origin", "https://github.com/acme/rules.git").unwrap();
    let (code, err) = run(Path::new("/nonexistent"));
    assert!(code == Some(1) && err.contains("git itself is needed to push"), "{err}");
}
