//! A workspace in which everything is nasty, through every command: what comes out moves no terminal, and the log knows
//! nobody.

use crate::house::{Done, House, Sandbox, raw};
use crate::sinks::{corpus, harm};
use cascade::runtime::store::Reader;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

fn number(at: usize) -> String {
    format!("+1415555{:04}", 1000 + at)
}

/// A customer for every line of the corpus, who has it in every column.
fn list() -> String {
    let row = |(at, text): (usize, String)| {
        let cell = text.replace('"', "\"\"");
        format!("\"{cell}\",{},\"{cell}\",\"{cell}\"\n", number(at))
    };
    let short = corpus().into_iter().map(|line| line.text.chars().take(300).collect::<String>());
    let rows: String = short.enumerate().map(row).collect();
    // Nobody writes for this one, so that there is a campaign until the last line of the corpus was heard.
    format!("name,phone,segment,note\nZed,+14155559998,last,\n{rows}")
}

/// A provider's webhook, posted to the pilot under way: somebody wrote this.
pub fn wrote(port: &str, secret: &str, from: &str, id: &str, text: &str) -> u16 {
    let message = json!({ "from": from.trim_start_matches('+'), "id": id, "timestamp": "1767625200", "type": "text",
        "text": { "body": text } });
    let body =
        json!({ "entry": [{ "changes": [{ "field": "messages", "value": { "messages": [message] } }] }] });
    let body = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let proof = hex::encode(mac.finalize().into_bytes());
    let head = "POST /hooks/whatsapp HTTP/1.1\r\nHost: hooks\r\nConnection: close";
    let request = format!(
        "{head}\r\nX-Hub-Signature-256: sha256={proof}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    raw(&format!("127.0.0.1:{port}"), &request).0
}

/// Where the store's process listens, once it does.
pub fn port(house: &House) -> Option<String> {
    Reader::open(&house.path(".cascade/rehearsal.db")).ok()?.meta("webhook_port").ok()?
}

/// Lines for people move nothing; documents for programs are what they say.
fn is_harmless(done: &Done, what: &str, is_json: bool) {
    for line in done.out.lines().chain(done.err.lines()) {
        // Programs take floods of marks as they come; everything that acts is escaped for them too.
        let harm = harm(line).filter(|harm| !is_json || !harm.contains("flood"));
        assert!(harm.is_none(), "{what}: {harm:?} in {line:?}");
    }
}

#[test]
fn nothing_that_comes_out_moves_a_terminal_and_the_log_knows_nobody() {
    let desk = House::with(&[("customers.csv", &list())]);
    let sandbox = Sandbox::start(&desk, &["--speed", "3600"]);
    let secret = sandbox.lines("config")[0]["whatsapp"]["app_secret"].as_str().unwrap().to_owned();
    let mut house = House::with(&[
        ("customers.csv", &list()),
        ("rules/content/sms.txt", "{{name|x}}, {{note|x}}: {{link}}"),
    ]);
    house.set("CASCADE_LOG", "trace");
    for format in ["human", "json", "github"] {
        let done = house.run(&["check", "--format", format]);
        assert!(done.out.len() > 200, "{done:?}");
        is_harmless(&done, &format!("check --format {format}"), format == "json");
    }
    let mut pilot = house.start(&["pilot", "--limit", "200", "--sandbox", &sandbox.url, "--json"]);
    pilot.until(|| port(&house).is_some());
    let port = port(&house).unwrap();
    for (at, line) in corpus().into_iter().enumerate() {
        let status = wrote(&port, &secret, &number(at), &format!("wamid.{at}"), &line.text);
        assert_eq!(status, 200, "{}", line.what);
    }
    // Half a minute has not passed: whoever was not written for still waits.
    let done = pilot.terminate();
    assert_eq!(done.code, Some(130), "{}", done.err);
    is_harmless(&done, "pilot --json", true);
    let people = done.json()["cascades"]["total"].as_u64().unwrap();
    assert!(people > 50, "{people} of the corpus can be customers");
    for (args, is_json) in [
        (&["report"][..], false),
        (&["report", "--json"], true),
        (&["events"], false),
        (&["events", "--json"], true),
        (&["events", "--customer", &number(7)], false),
        (&["person", &number(7)], false),
        (&["person", &number(7), "--json"], true),
        (&["forget", &number(24)], false),
    ] {
        let done = house.run(args);
        assert_eq!(done.code, Some(0), "{args:?}: {}", done.err);
        assert!(done.out.len() > 100, "{args:?} says little: {}", done.out);
        is_harmless(&done, &args.join(" "), is_json);
    }
    let said = house.run(&["events"]).out;
    assert!(said.contains("<script>alert(1)</script>") && said.contains("·[2J"), "what they wrote is shown");
    let segments: Value = house.run(&["report", "--json"]).json()["segments"].clone();
    let nasty = |text: &str| segments.as_array().unwrap().iter().any(|row| row["segment"] == text);
    assert!(
        nasty("invoice\u{202e}fdp.exe") && nasty("=1+1"),
        "JSON has the values as they are: {segments:#}"
    );
    log_knows_nobody(&house);
}

fn log_knows_nobody(house: &House) {
    let logs: Vec<_> =
        house.files().into_iter().filter(|(path, _)| path.parent().unwrap().ends_with("log")).collect();
    assert!(!logs.is_empty());
    let words = corpus().into_iter().map(|line| line.text).filter(|text| text.trim().len() > 12);
    let people: Vec<String> =
        words.chain((0..200).map(|at| number(at).trim_start_matches('+').to_owned())).collect();
    for (path, bytes) in logs {
        let text = String::from_utf8(bytes).unwrap();
        for line in text.lines() {
            assert_eq!(harm(line), None, "{line:?} in {}", path.display());
            let named = people.iter().find(|words| line.contains(words.trim()));
            assert_eq!(named, None, "in {}: {line}", path.display());
        }
    }
}

#[test]
fn what_is_typed_moves_no_terminal_either() {
    let house = House::with(&[]);
    for word in ["\x1b[2J", "\u{9b}31mred", "\u{202e}tolip", "a\rb", "\u{e0041}"] {
        for args in [
            &[word][..],
            &["pilot", word],
            &["pilot", "--speed", word],
            &["pilot", "--start", word],
            &["pilot", "--sandbox", word],
            &["pilot", "--segment", word],
            &["events", "--customer", word],
            &["report", "--campaign", word],
            &["sandbox", "--listen", word],
            &["sandbox", "--scenario", word],
            &["trust", word],
        ] {
            let done = house.run(args);
            assert!(matches!(done.code, Some(1 | 2)), "{args:?}: {done:?}");
            is_harmless(&done, &format!("{args:?}"), false);
        }
    }
}

#[test]
fn names_of_files_move_no_terminal_either() {
    let house = House::with(&[]);
    for name in
        [&b"l\x1b[2Jist\r.csv"[..], "\u{202e}vsc\u{9b}31m.csv".as_bytes(), b"\xff\xfe\x1b]0;x\x07.csv"]
    {
        let name = OsStr::from_bytes(name);
        for command in [&["check", "--customers"][..], &["pilot", "--customers"], &["check", "--rules"]] {
            let missing: Done = house.command(command).arg(name).output().unwrap().into();
            assert_eq!(missing.code, Some(2), "{missing:?}");
            is_harmless(&missing, &format!("{command:?} {name:?}"), false);
        }
        std::fs::write(house.dir().join(name), "name,phone,segment\nA,12,x\n{").unwrap();
        for format in ["human", "json", "github"] {
            let mut check = house.command(&["check", "--format", format, "--customers"]);
            let found: Done = check.arg(name).output().unwrap().into();
            assert!(found.code == Some(1) && found.out.contains("csv"), "{found:?}");
            is_harmless(&found, &format!("check {name:?}"), format == "json");
        }
        let mut other: Done = house.command(&["check", "--workspace"]).arg(name).output().unwrap().into();
        assert_eq!(other.code, Some(2));
        is_harmless(&other, &format!("--workspace {name:?}"), false);
        other = house.command(&["report", "--db"]).arg(name).output().unwrap().into();
        is_harmless(&other, &format!("--db {name:?}"), false);
    }
}
