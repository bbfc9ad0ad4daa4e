//! `cascade trust`: what live refuses, what it shows, what it opens and what closes it again.

use crate::house::House;
use crate::live::Trial;
use cascade::config::trust::{Ask, Trust, TrustError};
use cascade::config::{Config, load, load_trusting};
use cascade::rules::Problem;
use std::cell::RefCell;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A live section for text messages, and what stands in it.
fn sms(lines: &str) -> String {
    format!(
        "mode = \"live\"\n[sms]\naccount_sid = \"AC1\"\nfrom = \"+15550002222\"\n{lines}\n[webhooks]\n\
         public_url = \"https://hooks.example.com\"\n"
    )
}

/// Every variable is set.
const ENV: &dyn Fn(&str) -> Option<String> = &|name| Some(format!("value of {name}"));

/// What is refused, with its place.
fn refused(text: &str, trusted: bool) -> (Option<Config>, Vec<(u64, u64, &'static str)>) {
    let (config, problems) = load_trusting(Path::new("cascade.toml"), text, ENV, &|_| trusted);
    let place = |p: &Problem| (p.line, p.column, p.code);
    (config, problems.iter().map(place).collect())
}

#[test]
fn the_providers_own_host_and_the_usual_variables_need_no_trust() {
    for lines in ["", "base_url = \"https://api.twilio.com/\"", "auth_token_env = \"TWILIO_AUTH_TOKEN\""] {
        let (config, problems) = load(Path::new("cascade.toml"), &sms(lines), ENV);
        assert_eq!(problems, [], "{lines}");
        assert!(config.is_some());
    }
}

#[test]
fn every_other_host_and_variable_is_refused_at_its_place_until_trusted() {
    for (lines, places) in [
        ("base_url = \"https://gateway.example\"", vec![(5, 12, "untrusted-host")]),
        ("base_url = \"https://api.twilio.com:8443\"", vec![(5, 12, "untrusted-host")]),
        ("base_url = \"https://api.twilio.com.\"", vec![(5, 12, "untrusted-host")]),
        ("base_url = \"https://api.twilio.com.evil.example\"", vec![(5, 12, "untrusted-host")]),
        ("base_url = \"https://аpi.twilio.com\"", vec![(5, 12, "untrusted-host")]),
        ("base_url = \"http://127.0.0.1:8788\"", vec![(5, 12, "untrusted-host")]),
        ("auth_token_env = \"AWS_SECRET_ACCESS_KEY\"", vec![(5, 18, "untrusted-variable")]),
        (
            "base_url = \"https://x.example\"\nauth_token_env = \"OTHER\"",
            vec![(5, 12, "untrusted-host"), (6, 18, "untrusted-variable")],
        ),
    ] {
        let (config, found) = refused(&sms(lines), false);
        assert_eq!((config.is_none(), &found), (true, &places), "{lines}");
        let (config, found) = refused(&sms(lines), true);
        assert_eq!(found, [], "{lines}");
        assert!(config.is_some(), "{lines}");
    }
}

#[test]
fn what_nobody_can_trust() {
    for (lines, code) in [
        ("base_url = \"http://api.twilio.com\"", "untrusted-host"),
        ("base_url = \"http://gateway.example\"", "untrusted-host"),
        ("base_url = \"http://127.0.0.1.example\"", "untrusted-host"),
        ("base_url = \"http://10.0.0.1:8788\"", "untrusted-host"),
        ("base_url = \"http://0.0.0.0:8788\"", "untrusted-host"),
        ("base_url = \"https://user@gateway.example\"", "bad-url"),
        ("base_url = \"https://:word@api.twilio.com\"", "bad-url"),
        ("base_url = \"https://api.twilio.com?x=\"", "bad-url"),
        ("base_url = \"https://api.twilio.com#\"", "bad-url"),
        ("base_url = \"ftp://127.0.0.1\"", "bad-url"),
    ] {
        let (config, found) = refused(&sms(lines), true);
        assert_eq!((config.is_none(), found), (true, vec![(5, 12, code)]), "{lines}");
    }
}

#[test]
fn a_public_address_without_tls_is_for_providers_on_this_machine_alone() {
    let near = sms("base_url = \"http://127.0.0.1:8788\"");
    let plain = |text: String, url: &str| text.replace("https://hooks.example.com", url);
    let (config, found) = refused(&plain(near.clone(), "http://127.0.0.1:8787"), true);
    assert_eq!(found, []);
    assert!(config.unwrap().is_on_this_machine());
    for (text, url) in [
        (near.clone(), "http://hooks.example.com"),
        (sms(""), "http://127.0.0.1:8787"),
        (sms("base_url = \"https://gateway.example\""), "http://127.0.0.1:8787"),
        (
            near + "[whatsapp]\nphone_number_id = \"1\"\nbusiness_account_id = \"2\"\n",
            "http://127.0.0.1:8787",
        ),
    ] {
        let (config, found) = refused(&plain(text.clone(), url), true);
        assert!(
            config.is_none() && found.iter().all(|(_, _, code)| *code == "bad-url"),
            "{url} in\n{text}: {found:?}"
        );
    }
}

fn ask(text: &str) -> Ask {
    let asks = RefCell::new(Vec::new());
    load_trusting(Path::new("cascade.toml"), text, ENV, &|ask| {
        asks.borrow_mut().push(ask.clone());
        true
    });
    asks.into_inner().pop().unwrap()
}

#[test]
fn trust_is_for_one_workspace_one_host_and_these_variables() {
    let (home, one, two) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let env = |name: &str| (name == "HOME").then(|| home.path().to_str().unwrap().to_owned());
    let of = |dir: &Path| Trust::of(dir, &env).unwrap();
    let wanted = ask(&sms("base_url = \"https://gateway.example\""));
    assert!(!of(one.path()).covers(&wanted), "nothing is trusted at first");
    of(one.path()).keep(std::slice::from_ref(&wanted)).unwrap();
    assert!(of(one.path()).covers(&wanted));
    let link = two.path().join("link");
    std::os::unix::fs::symlink(one.path(), &link).unwrap();
    assert!(of(&link).covers(&wanted), "the same workspace by another name");
    assert!(!of(two.path()).covers(&wanted), "another workspace");
    for other in [
        "base_url = \"https://gateway.example:8443\"",
        "base_url = \"https://other.example\"",
        "base_url = \"https://gateway.example\"\nauth_token_env = \"OTHER\"",
    ] {
        assert!(!of(one.path()).covers(&ask(&sms(other))), "{other}");
    }
    let phone = Ask { section: "phone", ..wanted.clone() };
    assert!(!of(one.path()).covers(&phone), "another section");
    of(two.path()).keep(&[phone]).unwrap();
    assert!(of(one.path()).covers(&wanted), "one workspace's trust takes nothing from another's");
    let file = home.path().join(".local/state/cascade/trusted.json");
    assert_eq!(of(one.path()).file(), file);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    of(one.path()).keep(&[]).unwrap();
    assert!(!of(one.path()).covers(&wanted), "taken back");
}

#[test]
fn a_record_that_anybody_could_have_written_trusts_nothing() {
    let (home, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let state = home.path().join("state");
    let env = |name: &str| (name == "XDG_STATE_HOME").then(|| state.to_str().unwrap().to_owned());
    let trust = Trust::of(dir.path(), &env).unwrap();
    let wanted = ask(&sms("base_url = \"https://gateway.example\""));
    trust.keep(std::slice::from_ref(&wanted)).unwrap();
    let file = state.join("cascade/trusted.json");
    for (place, open, close) in [(file.clone(), 0o620, 0o600), (state.join("cascade"), 0o777, 0o700)] {
        fs::set_permissions(&place, Permissions::from_mode(open)).unwrap();
        assert!(!trust.covers(&wanted));
        assert!(matches!(trust.grants(), Err(TrustError::Open(which)) if which == place));
        fs::set_permissions(&place, Permissions::from_mode(close)).unwrap();
        assert!(trust.covers(&wanted));
    }
    fs::write(&file, "{\"schema\":\"cascade.trusted/2\",\"workspaces\":{}}").unwrap();
    assert!(matches!(trust.grants(), Err(TrustError::Garbled { .. })));
    assert!(trust.keep(&[wanted]).is_err(), "what cannot be read is not written over");
}

#[test]
fn the_record_has_a_place_outside_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let within = |home: &str| {
        let home = home.to_owned();
        Trust::of(dir.path(), &move |name| (name == "XDG_STATE_HOME").then(|| home.clone()))
    };
    assert!(matches!(Trust::of(dir.path(), &|_| None), Err(TrustError::NoHome)));
    assert!(matches!(within("relative/state"), Err(TrustError::NoHome)), "XDG: a relative path is none");
    let own = dir.path().join("state").to_str().unwrap().to_owned();
    assert!(matches!(within(&own), Err(TrustError::Inside(_))), "a workspace brings no trust along");
    let outside = tempfile::tempdir().unwrap();
    let link = outside.path().join("link");
    std::os::unix::fs::symlink(dir.path(), &link).unwrap();
    assert!(matches!(within(link.to_str().unwrap()), Err(TrustError::Inside(_))), "by another name neither");
}

#[test]
fn the_command_shows_asks_and_is_heard_by_the_others() {
    let mut house = House::with(&[(
        "cascade.toml",
        &sms("base_url = \"https://gateway.example\"\nauth_token_env = \"MY_TOKEN\""),
    )]);
    house.set("MY_TOKEN", "a secret that is never shown");
    let check = house.run(&["check"]);
    assert!(check.out.contains("cascade.toml:5:12") && check.out.contains("cascade trust"), "{}", check.out);
    assert!(check.out.contains("cascade.toml:6:18") && check.out.contains("MY_TOKEN"), "{}", check.out);
    let missing = house.run(&["trust", "--json"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    let json = missing.json();
    assert_eq!((&json["schema"], &json["trusted"]), (&"cascade.trust/1".into(), &false.into()));
    assert_eq!(json["sections"][0]["state"], "new");
    assert_eq!(json["sections"][0]["host"], "https://gateway.example");
    assert_eq!(json["sections"][0]["secrets"]["auth_token_env"], "MY_TOKEN");
    let nobody = house.run(&["trust"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(2), ""));
    for word in ["[sms] https://gateway.example", "MY_TOKEN", "--yes"] {
        assert!(nobody.err.contains(word), "{word} is not said: {}", nobody.err);
    }
    assert_eq!(house.run(&["trust", "--json"]).code, Some(1), "it was only looked at");
    let agreed = house.run(&["trust", "--yes"]);
    assert_eq!(agreed.code, Some(0), "{agreed:?}");
    assert_eq!(house.run(&["trust", "--json"]).json()["trusted"], true);
    let check = house.run(&["check"]);
    assert!(!check.out.contains("untrusted"), "{}", check.out);
    // A service manager's unit is for the trusted workspace too, and what says where trust is kept is no secret.
    house.write("rules/cascade.json", include_bytes!("../../rules/cascade.json"));
    house.write("customers.csv", b"name,phone,segment\nAna,+14155550111,smb\n");
    let unit = house.run(&["run", "--unit"]);
    assert!(unit.code == Some(0) && unit.out.lines().count() > 10, "{unit:?}");
    assert!(unit.err.contains("MY_TOKEN") && !unit.err.contains("HOME"), "{}", unit.err);
    // One line changed: closed again, and it says what was trusted before.
    let toml = fs::read_to_string(house.path("cascade.toml")).unwrap();
    house.write("cascade.toml", toml.replace("gateway.example", "gateway2.example").as_bytes());
    let changed = house.run(&["trust"]);
    assert!(changed.err.contains("trusted before: https://gateway.example with MY_TOKEN"), "{}", changed.err);
    assert!(house.run(&["check"]).out.contains("cascade.toml:5:12"));
    house.write("cascade.toml", toml.as_bytes());
    assert_eq!(house.run(&["trust", "--revoke"]).code, Some(0));
    assert!(house.run(&["check"]).out.contains("cascade.toml:5:12"), "taken back");
    for done in [check, missing, nobody, agreed, changed] {
        assert!(!format!("{done:?}").contains("never shown"), "{done:?}");
    }
}

#[test]
fn nothing_to_trust_is_said_so() {
    let rehearsal = House::with(&[]);
    let done = rehearsal.run(&["trust"]);
    assert_eq!(done.code, Some(0));
    assert!(done.out.contains("rehearses"), "{}", done.out);
    let usual = House::with(&[("cascade.toml", &sms(""))]);
    let done = usual.run(&["trust", "--json"]);
    assert_eq!((done.code, done.json()["sections"][0]["state"].as_str()), (Some(0), Some("usual")));
    let broken = House::with(&[("cascade.toml", &sms("base_url = \"http://gateway.example\""))]);
    let done = broken.run(&["trust", "--yes"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("cascade.toml:5:12") && done.err.contains("TLS"), "{}", done.err);
    assert!(!broken.home.path().join(".local").exists(), "nothing was kept");
}

#[test]
fn live_can_be_tried_against_a_sandbox_that_is_trusted() {
    let trial = Trial::new(12);
    let house = &trial.house;
    let prepared = trial.sandbox.lines("ledger");
    let closed = house.run(&["pilot", "--yes", "--json"]);
    assert_eq!(closed.code, Some(2), "{closed:?}");
    assert!(
        closed.err.contains("cascade.toml:4:12") && closed.err.contains("cascade trust"),
        "{}",
        closed.err
    );
    assert_eq!(trial.sandbox.lines("ledger"), prepared, "nobody was asked anything");
    assert_eq!(house.run(&["trust", "--yes"]).code, Some(0));
    assert_eq!(house.run(&["check"]).code, Some(0), "{}", house.run(&["check"]).out);
    let done = house.run(&["pilot", "--yes", "--json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let report = done.json();
    assert_eq!(report["campaign"]["mode"], "live");
    assert_eq!(
        (&report["cascades"]["total"], &report["cascades"]["running"]),
        (&12.into(), &0.into()),
        "{report:#}"
    );
    let ledger = trial.sandbox.lines("ledger");
    for channel in ["whatsapp", "phone", "sms"] {
        let sent = ledger.iter().filter(|line| line["kind"] == "send" && line["channel"] == channel).count();
        assert!(sent > 0, "nothing was sent by {channel}");
    }
    let heard =
        trial.sandbox.lines("events").iter().filter(|e| e["kind"] == "webhook" && e["status"] == 200).count();
    assert!(heard > 12, "{heard} webhooks were heard");
    trial.no_proxy_was_asked();
    trial.change("[sms]\n", "[sms]\nauth_token_env = \"WHATSAPP_TOKEN\"\n");
    let closed = house.run(&["resume", "--yes"]);
    assert_eq!(closed.code, Some(2), "a changed variable closes it again: {closed:?}");
}
