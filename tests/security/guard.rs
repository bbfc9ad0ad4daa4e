//! The sandbox's listener, spoken to byte by byte: only programs that mean its address get in. And the listeners apart.

use crate::house::{House, Sandbox, raw};

/// A sandbox of its own for each test.
struct Guarded {
    sandbox: Sandbox,
    _house: House,
}

impl Guarded {
    fn new() -> Self {
        let house = House::with(&[]);
        Self { sandbox: Sandbox::start(&house, &["--speed", "1"]), _house: house }
    }

    /// What it answers to exactly these lines.
    fn status(&self, lines: &[&str]) -> u16 {
        let host = self.sandbox.host();
        let port = host.rsplit_once(':').unwrap().1;
        let lines: Vec<String> = lines.iter().map(|line| line.replace("PORT", port)).collect();
        raw(host, &format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"))).0
    }
}

const ASKED: &str = "GET /sandbox/config HTTP/1.1";
const OURS: &str = "Host: 127.0.0.1:PORT";

#[test]
fn programs_that_mean_this_address_get_in() {
    let guarded = Guarded::new();
    let status = |lines: &[&str]| guarded.status(lines);
    assert_eq!(status(&[ASKED, OURS]), 200);
    assert_eq!(status(&[ASKED, "Host: localhost:PORT"]), 200);
    assert_eq!(status(&[ASKED, "host: LOCALHOST:PORT"]), 200);
    assert_eq!(status(&["GET http://127.0.0.1:PORT/sandbox/config HTTP/1.1", OURS]), 200);
    assert_eq!(status(&[ASKED, OURS, "Sec-Fetch-Site: none"]), 200, "typed into a browser's address bar");
}

#[test]
fn a_foreign_or_missing_or_doubled_host_does_not() {
    let guarded = Guarded::new();
    let status = |lines: &[&str]| guarded.status(lines);
    for lines in [
        &[ASKED, "Host: evil.example:PORT"][..],
        // A name that was rebound to us, with our port.
        &[ASKED, "Host: 127.0.0.1.evil.example:PORT"],
        &[ASKED, "Host: localhost.evil.example:PORT"],
        &[ASKED, "Host: sandbox.localhost:PORT"],
        &[ASKED, "Host: 127.0.0.1"],
        &[ASKED, "Host: 127.0.0.1:1"],
        &[ASKED, "Host: localhost"],
        &[ASKED, "Host: 0.0.0.0:PORT"],
        &[ASKED, "Host: user@127.0.0.1:PORT"],
        &[ASKED, "Host: 127.0.0.1:PORT, evil.example"],
        &[ASKED, "Host:"],
        &[ASKED],
        &["GET /sandbox/config HTTP/1.0"],
        &[ASKED, OURS, "Host: evil.example:PORT"],
        &[ASKED, "Host: evil.example:PORT", OURS],
        &[ASKED, OURS, OURS],
        // The whole address counts before the Host (RFC 9112, 3.2.2).
        &["GET http://evil.example/sandbox/config HTTP/1.1", OURS],
        &["GET http://evil.example:PORT/sandbox/config HTTP/1.1", OURS],
        &["GET http://127.0.0.1:PORT/sandbox/config HTTP/1.1", "Host: evil.example"],
        &["GET http://127.0.0.1:PORT@evil.example/sandbox/config HTTP/1.1", OURS],
    ] {
        let code = status(lines);
        assert!([400, 403].contains(&code), "{lines:?} is answered {code}");
    }
}

#[test]
fn no_page_of_a_browser_gets_in() {
    let guarded = Guarded::new();
    let status = |lines: &[&str]| guarded.status(lines);
    for origin in ["null", "https://evil.example", "http://127.0.0.1:PORT", "http://localhost:PORT", ""] {
        let origin = format!("Origin: {origin}");
        assert_eq!(status(&[ASKED, OURS, &origin]), 403, "{origin}");
        let fault = "POST /sandbox/faults HTTP/1.1";
        assert_eq!(status(&[fault, OURS, &origin, "Content-Length: 0"]), 403, "{origin}");
        assert_eq!(status(&["POST /call HTTP/1.1", OURS, &origin, "Content-Length: 0"]), 403, "{origin}");
    }
    for site in ["cross-site", "same-site", "anything"] {
        assert_eq!(status(&[ASKED, OURS, &format!("Sec-Fetch-Site: {site}")]), 403, "{site}");
    }
}

#[test]
fn the_listeners_are_apart() {
    let guarded = Guarded::new();
    let status = |lines: &[&str]| guarded.status(lines);
    // The sandbox serves no webhook and no link; `tests/webhooks.rs` holds that the receiver serves nothing else.
    for path in ["/hooks/whatsapp", "/hooks/vapi", "/l/AAAAAAAAAAAAAAAAAAAAAA", "/", "/sandbox", "/sandbox/"]
    {
        assert_eq!(status(&[&format!("GET {path} HTTP/1.1"), OURS]), 404, "{path}");
    }
    for (asked, code) in [
        ("GET /v23.0/1/messages HTTP/1.1", 401),
        ("GET /call HTTP/1.1", 401),
        ("GET /2010-04-01/Accounts/AC1.json HTTP/1.1", 401),
    ] {
        assert_eq!(status(&[asked, OURS]), code, "{asked} without a key");
        for key in ["Bearer ", "Bearer x", "Basic ", "Basic QUM6", ""] {
            assert_eq!(status(&[asked, OURS, &format!("Authorization: {key}")]), code, "{asked} with {key}");
        }
    }
}
