//! A directory of its own, the built binary in it, and what it left behind.

use cascade::engine::event::Event;
use cascade::engine::journey::{Journey, State};
use cascade::engine::{self, Campaign};
use cascade::model::{CampaignId, Phone};
use cascade::runtime::store::Reader;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// An empty directory; the program makes everything itself.
pub struct House(TempDir);

impl House {
    pub fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With these files in it, and whatever directories they need.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let house = Self::empty();
        for (name, text) in files {
            house.write(name, text);
        }
        house
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run(&self, args: &[&str]) -> Done {
        self.command(args).output().unwrap().into()
    }

    /// Starts, and leaves it running.
    pub fn start(&self, args: &[&str]) -> Running {
        self.start_in(args, &[])
    }

    /// The same, with these in its environment.
    pub fn start_in(&self, args: &[&str], env: &[(&str, &str)]) -> Running {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        Running(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.path(".cascade/rehearsal.db")).unwrap()
    }

    /// As its rows say; `None` before the launch is on disk.
    pub fn looked_up(&self) -> Option<Campaign> {
        let path = self.path(".cascade/rehearsal.db");
        let reader = path.exists().then(|| Reader::open(&path).ok()).flatten()?;
        reader.campaign(None).ok().flatten()
    }

    pub fn campaign(&self) -> Campaign {
        self.reader().campaign(None).unwrap().unwrap()
    }

    /// What `cascade events --json` prints, line by line.
    pub fn event_lines(&self) -> Vec<Value> {
        let done = self.run(&["events", "--json"]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The campaigns that their own logs make, and those that their rows hold, are the same.
    pub fn log_gives_the_rows(&self) {
        let events = self.reader().events_after(0, None, usize::MAX).unwrap();
        let events: Vec<Event> = events.into_iter().map(|stored| stored.event).collect();
        for id in (1..=self.campaign().id().0).map(CampaignId) {
            let campaign = self.reader().campaign(Some(id)).unwrap().unwrap();
            let own = events.iter().filter(|event| event.campaign == id);
            assert!(engine::replay(own).unwrap() == campaign, "the log gives other rows");
        }
    }

    /// Everybody by number.
    pub fn journeys(&self) -> BTreeMap<Phone, Journey> {
        let campaign = self.campaign();
        let people = self.reader().people(campaign.id()).unwrap();
        campaign.journeys().iter().map(|j| (people[&j.person].phone.clone(), j.clone())).collect()
    }

    /// How everybody stands, by number.
    pub fn ends(&self) -> BTreeMap<Phone, State> {
        self.journeys().into_iter().map(|(phone, journey)| (phone, journey.state)).collect()
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    /// The one JSON object on stdout.
    pub fn report(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A process of ours; ended with its test.
pub struct Running(pub Option<Child>);

impl Running {
    pub fn wait(mut self) -> Done {
        self.0.take().unwrap().wait_with_output().unwrap().into()
    }

    /// Waits for the end, and fails as soon as it is not fine any more: what is broken may never end.
    pub fn wait_while(mut self, fine: impl Fn() -> bool) -> Done {
        while self.0.as_mut().unwrap().try_wait().unwrap().is_none() {
            assert!(fine(), "it would go on for ever");
            // Between two looks, not for anything to happen.
            std::thread::sleep(Duration::from_millis(200));
        }
        self.wait()
    }

    /// SIGKILL: no farewell.
    pub fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        assert_eq!(child.try_wait().unwrap(), None, "it had ended before it was killed");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn terminate(self) -> Done {
        self.signal("TERM");
        self.wait()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// What it says next on stderr.
    pub fn says(&mut self) -> String {
        let err = self.0.as_mut().unwrap().stderr.as_mut().unwrap();
        let mut line = Vec::new();
        // Byte by byte: whatever follows stays for whoever waits for the end.
        let mut byte = [0];
        while byte != *b"\n" {
            err.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    /// Looks until it is so. A process that ends first never gets there.
    pub fn until(&mut self, so: impl Fn() -> bool) {
        let child = self.0.as_mut().unwrap();
        while !so() {
            if let Some(status) = child.try_wait().unwrap() {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("it ended ({status}) before it was so: {said}");
            }
            // Between two looks, not for anything to happen: looking is what costs.
            std::thread::sleep(Duration::from_millis(2));
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
    process: Running,
}

impl Sandbox {
    pub fn start(house: &House, speed: &str) -> Self {
        Self::start_with(house, speed, "{}")
    }

    /// With a scenario of the test's own.
    pub fn start_with(house: &House, speed: &str, scenario: &str) -> Self {
        house.write("scenario.json", scenario);
        let mut args = vec!["sandbox", "--speed", speed, "--seed", "1"];
        if scenario != "{}" {
            args.extend(["--scenario", "scenario.json"]);
        }
        let mut process = house.start(&args);
        let mut url = String::new();
        let out = process.0.as_mut().unwrap().stdout.take().unwrap();
        BufReader::new(out).read_line(&mut url).unwrap();
        Self { url: url.trim().to_owned(), process }
    }

    /// It takes requests and answers none, until [`Sandbox::thaw`].
    pub fn freeze(&self) {
        self.process.signal("STOP");
    }

    /// It goes on where it was.
    pub fn thaw(&self) {
        self.process.signal("CONT");
    }

    /// The lines of `/sandbox/ledger` or `/sandbox/events`, or the one of `/sandbox/config`.
    pub fn lines(&self, what: &str) -> Vec<Value> {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /sandbox/{what} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks the sandbox itself for something.
    pub fn post(&self, what: &str, body: &Value) {
        let (host, body) = (self.url.trim_start_matches("http://"), body.to_string());
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /sandbox/{what} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 20"), "{answer}");
    }

    /// Sends in the ledger, in order of arrival.
    pub fn sends(&self) -> Vec<Value> {
        self.lines("ledger").into_iter().filter(|line| line["kind"] == "send").collect()
    }

    pub fn sends_on(&self, channel: &str) -> usize {
        self.sends().iter().filter(|line| line["channel"] == channel).count()
    }
}
