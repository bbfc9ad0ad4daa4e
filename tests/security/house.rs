//! A workspace, a home of its own, and the built binary in them.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// Three waves in two campaign hours.
pub const SHORT: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "steps": [
    { "channel": "whatsapp", "wait": "40m", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

/// No command takes so long, on a busy machine either.
const LIMIT: Duration = Duration::from_mins(2);

/// A workspace and a home.
pub struct House {
    dir: TempDir,
    pub home: TempDir,
    pub env: Vec<(String, String)>,
}

impl House {
    pub fn with(files: &[(&str, &str)]) -> Self {
        let house =
            Self { dir: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap(), env: Vec::new() };
        for (name, text) in files {
            house.write(name, text.as_bytes());
        }
        house
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_remove("XDG_STATE_HOME").env("HOME", self.home.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, args: &[&str]) -> Done {
        self.start(args).wait()
    }

    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        Running(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    /// Every file under the workspace and the home.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        gather(self.dir.path(), &mut found);
        gather(self.home.path(), &mut found);
        found
    }
}

fn gather(dir: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }
}

/// A process of ours; ended with its test.
pub struct Running(Option<Child>);

impl Running {
    pub fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub fn is_over(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// Waits for the end; what has not ended by then never will.
    pub fn wait(mut self) -> Done {
        let child = self.0.take().unwrap();
        let id = child.id().to_string();
        let (told, ended) = mpsc::channel();
        std::thread::spawn(move || told.send(child.wait_with_output()));
        if let Ok(output) = ended.recv_timeout(LIMIT) {
            return output.unwrap().into();
        }
        let killed = Command::new("kill").args(["-9", &id]).status();
        panic!("it would go on for ever; {killed:?}");
    }

    /// SIGTERM.
    pub fn terminate(self) -> Done {
        assert!(Command::new("kill").arg(self.id().to_string()).status().unwrap().success());
        self.wait()
    }

    /// Looks until it is so. A process that ends first never gets there.
    pub fn until(&mut self, so: impl Fn() -> bool) {
        while !so() {
            assert!(!self.is_over(), "it ended before it was so: {:?}", Self(self.0.take()).wait());
            // Between two looks, not for anything to happen.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// `cascade sandbox` in a process of its own.
pub struct Sandbox {
    pub url: String,
    /// What it printed after that.
    pub said: Vec<String>,
    _process: Running,
}

impl Sandbox {
    pub fn start(house: &House, args: &[&str]) -> Self {
        Self::saying(house, args, 1)
    }

    /// The same, where more lines are read than the first.
    pub fn saying(house: &House, args: &[&str], lines: usize) -> Self {
        let mut process = house.start(&[&["sandbox"], args].concat());
        let out = process.0.as_mut().unwrap().stdout.take().unwrap();
        let mut said = BufReader::new(out).lines().take(lines).map(Result::unwrap);
        let url = said.next().unwrap_or_default();
        Self { url, said: said.collect(), _process: process }
    }

    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// One request of ours; its status and body.
    pub fn ask(&self, line: &str, headers: &[String], body: &str) -> (u16, String) {
        let own = format!("Host: {}\r\nConnection: close\r\nContent-Length: {}", self.host(), body.len());
        let head: Vec<&str> =
            std::iter::once(own.as_str()).chain(headers.iter().map(String::as_str)).collect();
        raw(self.host(), &format!("{line} HTTP/1.1\r\n{}\r\n\r\n{body}", head.join("\r\n")))
    }

    /// The lines of `/sandbox/ledger` or `/sandbox/events`, or the one of `/sandbox/config`.
    pub fn lines(&self, what: &str) -> Vec<Value> {
        let (status, body) = self.ask(&format!("GET /sandbox/{what}"), &[], "");
        assert_eq!(status, 200, "{body}");
        body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks for a fault.
    pub fn fault(&self, fault: &Value) {
        let (status, body) = self.ask("POST /sandbox/faults", &[], &fault.to_string());
        assert_eq!(status, 201, "{body}");
    }
}

/// Says exactly this to a listener, and reads to the end; the status and the body.
pub fn raw(host: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A server that closes with something unread resets the connection after its answer.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, body.to_owned())
}
