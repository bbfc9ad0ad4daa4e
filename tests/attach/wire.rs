//! A console that is none: raw lines over the socket, or none at all.

use crate::house::House;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What is not there by then never comes.
const LIMIT: Duration = Duration::from_mins(1);

pub struct Raw {
    lines: BufReader<UnixStream>,
}

impl Raw {
    /// Connected, and not a word said.
    pub fn connect(house: &House) -> Self {
        let lock = std::fs::read_to_string(house.path(".cascade/rehearsal.db.lock")).unwrap();
        let socket = lock.lines().find_map(|line| line.strip_prefix("socket ")).unwrap();
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self { lines: BufReader::new(stream) }
    }

    /// As a console of this protocol.
    pub fn hello(house: &House, protocol: u32) -> (Self, Value) {
        let mut raw = Self::connect(house);
        let who = json!({ "user": "somebody else", "host": "\u{1b}[2Jhost", "tty": "/dev/tty9" });
        raw.say(&json!({ "protocol": protocol, "version": "9.9.9", "who": who }).to_string());
        let answer = raw.hears().expect("an answer");
        (raw, answer)
    }

    pub fn say(&mut self, line: &str) {
        self.lines.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// `None`: the other side hung up.
    pub fn hears(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next line of this sort.
    pub fn until(&mut self, told: &str) -> Value {
        loop {
            let line = self.hears().unwrap_or_else(|| panic!("it hung up before {told}"));
            if line["told"] == told {
                return line;
            }
        }
    }
}

impl Raw {
    /// Bytes without an end of line; the other side may hang up in the middle.
    pub fn pours(&mut self, bytes: usize) {
        let chunk = vec![b'x'; 64 * 1024];
        for _ in 0..bytes / chunk.len() {
            if self.lines.get_mut().write_all(&chunk).is_err() {
                return;
            }
        }
    }
}

/// Going on, as a console asks for it.
pub fn resume() -> String {
    let order = json!({ "resume": { "only": null, "extend_timers": false } });
    let by = json!({ "user": "somebody else", "host": "" });
    let signature = json!({ "by": by, "wall_at": "2026-01-05T14:00:00.000Z", "campaign": null });
    let what = json!({ "order": { "order": order, "signature": signature, "why": "" } });
    json!({ "ask": "command", "what": what }).to_string()
}
