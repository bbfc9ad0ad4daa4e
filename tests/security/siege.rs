//! The webhook receiver among people who mean harm: silent crowds, requests spoken letter by letter, endless ones. First
//! the listener with small limits, then the built program with its own, a pilot going on meanwhile.

use crate::house::{House, SHORT};
use cascade::providers::Heard;
use cascade::runtime::store::Reader;
use cascade::runtime::webhooks::{Inbox, Limits, NotTaken, Secrets, router, serve_within};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const SECRET: &str = "app secret";
const BODY: &str = r#"{"entry":[]}"#;

/// Takes everything in as soon as it may.
struct Slow(Semaphore);

impl Inbox for Slow {
    fn take(&self, _: Vec<Heard>) -> BoxFuture<'_, Result<(), NotTaken>> {
        async { self.0.acquire().await.map(drop).map_err(|_| NotTaken) }.boxed()
    }

    fn follow(&self, _: String, _: Option<String>) -> BoxFuture<'_, Result<Option<String>, NotTaken>> {
        async { Ok(None) }.boxed()
    }
}

struct Listener {
    address: String,
    inbox: Arc<Slow>,
}

/// Served until the test's runtime ends.
async fn listener(limits: Limits, commits: usize) -> Listener {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let inbox = Arc::new(Slow(Semaphore::new(commits)));
    let secrets = Secrets {
        whatsapp_app_secret: SECRET.into(),
        whatsapp_verify_token: "verify".into(),
        own_token: "own".into(),
        vapi: "vapi".into(),
        twilio_auth_token: "twilio".into(),
        public_url: format!("http://{address}"),
    };
    let serving = serve_within(limits, listener, router(inbox.clone(), secrets), std::future::pending());
    tokio::spawn(serving);
    Listener { address, inbox }
}

/// Short enough for a test, and told apart by a factor of ten and more.
fn short() -> Limits {
    Limits {
        places: 8,
        greeting: Duration::from_millis(100),
        head: Duration::from_millis(100),
        idle: Duration::from_secs(30),
    }
}

/// A crowd is as large as it likes, and nobody is told to go for being slow.
fn patient() -> Limits {
    let long = Duration::from_mins(10);
    Limits { places: 8, greeting: long, head: long, idle: long }
}

/// A whole request, as Meta would sign it.
fn signed() -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(BODY.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    head(&format!("X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}", BODY.len())) + BODY
}

fn head(headers: &str) -> String {
    format!("POST /hooks/whatsapp HTTP/1.1\r\nHost: hooks\r\n{headers}\r\n\r\n")
}

impl Listener {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    async fn connects_and_says(&self, words: &str) -> TcpStream {
        let mut line = self.connect().await;
        line.write_all(words.as_bytes()).await.unwrap();
        line
    }
}

/// The status of the next answer; `None`: the line was cut. One of the two comes soon.
async fn answer(line: &mut TcpStream) -> Option<u16> {
    tokio::time::timeout(Duration::from_secs(20), answered(line)).await.unwrap()
}

async fn answered(line: &mut TcpStream) -> Option<u16> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match line.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            Ok(_) | Err(_) => return None,
        }
    }
    std::str::from_utf8(&head).unwrap().get(9..12)?.parse().ok()
}

#[tokio::test]
async fn a_silent_crowd_keeps_no_provider_out() {
    let listener = listener(patient(), 1000).await;
    let mut crowd = Vec::new();
    for _ in 0..50 {
        crowd.push(listener.connect().await);
        let mut provider = listener.connects_and_says(&signed()).await;
        assert_eq!(answer(&mut provider).await, Some(200), "after {} of the crowd", crowd.len());
    }
    // Whoever came first was sent away first, without a word.
    assert_eq!(answer(&mut crowd[0]).await, None);
}

#[tokio::test]
async fn a_crowd_that_speaks_in_halves_keeps_none_out_either() {
    let listener = listener(patient(), 1000).await;
    let halves = [
        "POST /hooks/whatsapp HTT".to_owned(),
        head("X-Hub-Signature-256: sha256=00\r\nContent-Length: 3000000") + "{",
        head("X-Hub-Signature-256: sha256=00\r\nTransfer-Encoding: chunked") + "1\r\n{\r\n",
    ];
    let mut crowd = Vec::new();
    for half in halves.iter().cycle().take(60) {
        crowd.push(listener.connects_and_says(half).await);
        let mut provider = listener.connects_and_says(&signed()).await;
        assert_eq!(answer(&mut provider).await, Some(200), "after {} of the crowd", crowd.len());
    }
}

#[tokio::test]
async fn whoever_was_believed_keeps_the_line_until_the_commit_and_after() {
    let listener = listener(patient(), 0).await;
    let mut provider = listener.connects_and_says(&signed()).await;
    let mut crowd = Vec::new();
    for _ in 0..50 {
        crowd.push(listener.connect().await);
    }
    assert_eq!(answer(&mut crowd[0]).await, None, "the crowd was thinned");
    listener.inbox.0.add_permits(1000);
    assert_eq!(answer(&mut provider).await, Some(200));
    for _ in 0..50 {
        crowd.push(listener.connect().await);
    }
    assert_eq!(answer(&mut crowd[50]).await, None, "the crowd was thinned again");
    provider.write_all(signed().as_bytes()).await.unwrap();
    assert_eq!(answer(&mut provider).await, Some(200), "a provider's idle line is not the first to go");
}

#[tokio::test]
async fn silence_and_letters_one_by_one_have_an_end() {
    let listener = listener(short(), 1000).await;
    assert_eq!(answer(&mut listener.connect().await).await, None, "it never said a word");
    let mut slow = listener.connects_and_says("POST /hooks/whatsapp HTTP/1.1\r\nX-Slow: ").await;
    let mut said = 0;
    while slow.write_all(b"a").await.is_ok() {
        said += 1;
        assert!(said < 1000, "it could go on for ever");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // A line that was served is kept open for much longer than a new one.
    let mut provider = listener.connects_and_says(&signed()).await;
    assert_eq!(answer(&mut provider).await, Some(200));
    tokio::time::sleep(Duration::from_millis(300)).await;
    provider.write_all(signed().as_bytes()).await.unwrap();
    assert_eq!(answer(&mut provider).await, Some(200));
}

#[tokio::test]
async fn a_gigabyte_is_refused_before_it_comes() {
    let listener = listener(patient(), 1000).await;
    let announced = head("X-Hub-Signature-256: sha256=00\r\nContent-Length: 1073741824");
    assert_eq!(answer(&mut listener.connects_and_says(&announced).await).await, Some(413));
    let unsigned = head("Content-Length: 1073741824");
    assert_eq!(answer(&mut listener.connects_and_says(&unsigned).await).await, Some(401));
    for (path, name) in [("vapi", "x-vapi-secret"), ("twilio/inbound", "x-twilio-signature")] {
        let announced = announced.replace("whatsapp", path).replace("X-Hub-Signature-256", name);
        assert_eq!(answer(&mut listener.connects_and_says(&announced).await).await, Some(413), "{path}");
    }
    let endless = head("X-Hub-Signature-256: sha256=00\r\nTransfer-Encoding: chunked");
    let mut line = listener.connects_and_says(&endless).await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let mut sent = 0_u64;
    while line.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 0x10000;
        assert!(sent < 1 << 28, "nobody stopped it");
    }
}

#[tokio::test]
async fn heads_have_an_end() {
    let listener = listener(patient(), 1000).await;
    let many: Vec<String> = (0..200).map(|n| format!("X-{n}: y")).collect();
    let long = format!("X-Long: {}", "y".repeat(1_000_000));
    let path = format!("GET /l/{} HTTP/1.1\r\nHost: hooks\r\n\r\n", "y".repeat(1_000_000));
    for (what, request) in [("many", head(&many.join("\r\n"))), ("long", head(&long)), ("path", path)] {
        let mut line = listener.connect().await;
        // It may be cut before all of it is said.
        let _ = line.write_all(request.as_bytes()).await;
        let answer = answer(&mut line).await;
        assert!(answer.is_none_or(|status| [414, 431].contains(&status)), "{what}: {answer:?}");
    }
}

/// What attackers do until the program under siege has ended.
struct Siege {
    address: String,
    over: AtomicBool,
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl Siege {
    fn connect(&self) -> Option<std::net::TcpStream> {
        let line = std::net::TcpStream::connect(&self.address).ok()?;
        line.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        line.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        self.lines.fetch_add(1, Ordering::Relaxed);
        Some(line)
    }

    /// Says it, and what follows every now and then.
    fn say(&self, line: &mut std::net::TcpStream, words: &[u8]) -> bool {
        let said = line.write_all(words).is_ok();
        self.bytes.fetch_add(if said { words.len() as u64 } else { 0 }, Ordering::Relaxed);
        said
    }

    fn on(&self) -> bool {
        std::thread::sleep(Duration::from_millis(3));
        !self.over.load(Ordering::Relaxed)
    }

    /// More than there are places, held for as long as they last; whoever is sent away comes again.
    fn crowd(&self, words: &[u8]) {
        let mut held = std::collections::VecDeque::new();
        while self.on() {
            if let Some(mut line) = held.pop_front()
                && is_open(&mut line)
            {
                held.push_back(line);
            }
            if held.len() < 300
                && let Some(mut line) = self.connect()
                && self.say(&mut line, words)
            {
                held.push_back(line);
            }
        }
    }

    /// Twenty at a time, a letter each.
    fn dribble(&self, words: &str) {
        let mut held: Vec<std::net::TcpStream> = Vec::new();
        while self.on() {
            held.retain_mut(|line| self.say(line, b"x"));
            if held.len() < 20
                && let Some(mut line) = self.connect()
            {
                self.say(&mut line, words.as_bytes());
                held.push(line);
            }
        }
    }

    /// As much as anybody takes.
    fn pour(&self, words: &str, piece: &[u8]) {
        while self.on() {
            let Some(mut line) = self.connect() else { continue };
            let mut open = self.say(&mut line, words.as_bytes());
            while open && !self.over.load(Ordering::Relaxed) {
                open = self.say(&mut line, piece);
            }
            // The answer, if there is one.
            let _ = line.read(&mut [0; 512]);
        }
    }
}

/// Nobody has closed it, and nothing was said.
fn is_open(line: &mut std::net::TcpStream) -> bool {
    line.set_nonblocking(true).unwrap();
    let said = line.read(&mut [0; 64]);
    line.set_nonblocking(false).unwrap();
    said.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The largest that a process has ever been, in KiB.
fn peak_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_pilot_goes_on_under_siege() {
    let house = House::with(&[("rules/cascade.json", SHORT)]);
    let mut pilot = house.start(&["pilot", "--limit", "40", "--speed", "3600", "--json"]);
    let port = || Reader::open(&house.path(".cascade/rehearsal.db")).ok()?.meta("webhook_port").ok()?;
    pilot.until(|| port().is_some());
    let siege = Siege {
        address: format!("127.0.0.1:{}", port().unwrap()),
        over: AtomicBool::new(false),
        lines: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    };
    let giant = head("X-Hub-Signature-256: sha256=00\r\nContent-Length: 1073741824");
    let endless = head("X-Hub-Signature-256: sha256=00\r\nTransfer-Encoding: chunked");
    let body = head("X-Hub-Signature-256: sha256=00\r\nContent-Length: 3000000");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let began = cascade::clock::wall();
    let mut peak = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| siege.crowd(b""));
        scope.spawn(|| siege.crowd(b"POST /hooks/whatsapp HTTP/1.1\r\n"));
        scope.spawn(|| siege.dribble("POST /hooks/vapi HTTP/1.1\r\nX-Slow: "));
        scope.spawn(|| siege.dribble(&body));
        scope.spawn(|| siege.pour(&giant, chunk.as_bytes()));
        scope.spawn(|| siege.pour(&endless, chunk.as_bytes()));
        scope.spawn(|| siege.pour("POST /hooks/whatsapp HTTP/1.1\r\n", b"X-Many: y\r\n"));
        while !pilot.is_over() && began.elapsed() < Duration::from_mins(2) {
            peak = peak_kib(pilot.id()).unwrap_or(0).max(peak);
            std::thread::sleep(Duration::from_millis(20));
        }
        siege.over.store(true, Ordering::Relaxed);
    });
    let done = pilot.wait();
    assert_eq!(done.code, Some(0), "{}", done.err);
    let report = done.json();
    assert_eq!((&report["cascades"]["total"], &report["cascades"]["running"]), (&40.into(), &0.into()));
    let sum = |key: &str| -> u64 {
        report["channels"].as_array().unwrap().iter().map(|row: &Value| row[key].as_u64().unwrap()).sum()
    };
    assert!(
        sum("delivered") > 20 && sum("replied") + sum("answered") > 5,
        "webhooks were kept out: {report:#}"
    );
    let (lines, bytes) = (siege.lines.load(Ordering::Relaxed), siege.bytes.load(Ordering::Relaxed));
    assert!(lines > 300, "{lines} lines are no siege");
    println!("{lines} lines, {} MiB poured, peak {} MiB, {:?}", bytes >> 20, peak >> 10, began.elapsed());
    assert!(peak < 256 * 1024, "{peak} KiB at the most, after {lines} lines and {bytes} bytes");
}
