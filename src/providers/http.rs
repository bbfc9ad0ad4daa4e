//! One HTTP client for all providers: it sends once and follows no redirect. A rehearsal reaches nothing but
//! loopback, live nothing beyond this machine without TLS; what stays on this machine meets no proxy. It knows
//! nothing of what it carries.

mod trouble;

pub use trouble::Trouble;

use crate::clock;
use crate::model::{At, Mode};
use chrono::TimeDelta;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::{Host, Url};

/// Lists of a hundred calls with their transcripts fit; an endless answer does not.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// How long a request may take, in wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Name, TCP and TLS together. Shorter than `total`, so that running out of it proves that no byte of the
    /// request has left.
    pub connect: Duration,
    /// From the start to the last byte of the answer.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(20) }
    }
}

/// The shared client. Built at the first request, because reading the system's TLS roots takes longer than
/// the first frame of the console may.
#[derive(Debug)]
pub struct Http {
    mode: Mode,
    patience: Patience,
    /// Our own time, where the providers' is meant to be the same. A rehearsal has one clock for all.
    now: Option<fn() -> At>,
    /// For this machine's own addresses.
    near: OnceLock<Result<Client, String>>,
    /// The same over TLS: live alone.
    near_tls: OnceLock<Result<Client, String>>,
    /// For all others: live alone.
    far: OnceLock<Result<Client, String>>,
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, as seconds.
    pub retry_after_s: Option<u64>,
    /// How far the answer's `Date` is ahead of our clock, if it has one and there are two clocks.
    pub ahead: Option<TimeDelta>,
    /// As far as it arrived.
    pub body: Vec<u8>,
    /// Whether all of it did.
    pub whole: bool,
}

impl Reply {
    /// Whether the request was taken.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; `None` if it is none.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text, for an operator's eyes.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().chars().take(500).collect()
    }
}

/// A client for `mode` with the usual patience.
pub fn client(mode: Mode) -> Arc<Http> {
    Arc::new(Http::new(mode, Patience::default()))
}

impl Http {
    /// Costs nothing: the real client is made at the first request.
    pub fn new(mode: Mode, patience: Patience) -> Self {
        let now: Option<fn() -> At> = match mode {
            Mode::Live => Some(clock::wall_at),
            Mode::Rehearsal => None,
        };
        Self { mode, patience, now, near: OnceLock::new(), near_tls: OnceLock::new(), far: OnceLock::new() }
    }

    /// Takes this for our own time.
    #[must_use]
    pub fn at(self, now: fn() -> At) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Begins a request. Fails if the address is none, in a rehearsal if it leaves this machine, and in live if it
    /// does so without TLS.
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, Trouble> {
        let refuse = |detail: String| Trouble { code: "refused_address", reached: false, detail };
        // The address itself may be a secret.
        let parsed = Url::parse(url).map_err(|why| refuse(format!("it is no address: {why}")))?;
        let host = || parsed.host_str().unwrap_or("it");
        let secure = parsed.scheme() == "https";
        let client = match (self.mode, is_loopback(&parsed)) {
            (Mode::Live, true) if secure => {
                self.near_tls.get_or_init(|| built(near(self.patience, Arc::new(LoopbackOnly))))
            }
            // No roots at all: a sandbox speaks plain HTTP.
            (Mode::Rehearsal | Mode::Live, true) => self
                .near
                .get_or_init(|| built(near(self.patience, Arc::new(LoopbackOnly)).tls_certs_only([]))),
            (Mode::Rehearsal, false) => {
                return Err(refuse(format!(
                    "{} is not on this machine, and a rehearsal never leaves it",
                    host()
                )));
            }
            (Mode::Live, false) if !secure => {
                return Err(refuse(format!(
                    "{} is not reached over TLS, and live sends nothing in the clear",
                    host()
                )));
            }
            (Mode::Live, false) => self.far.get_or_init(|| built(usual(self.patience).https_only(true))),
        };
        match client {
            Ok(client) => Ok(client.request(method, parsed)),
            Err(why) => Err(Trouble { code: "no_client", reached: false, detail: why.clone() }),
        }
    }

    /// Sends once and reads the whole answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Reply, Trouble> {
        let answer = request.send().await.map_err(|error| trouble::of(&error))?;
        let status = answer.status().as_u16();
        let retry_after_s = retry_after(&answer);
        let ahead = self.now.and_then(|now| Some(date(&answer)? - now()));
        let (body, whole) = read(answer).await;
        Ok(Reply { status, retry_after_s, ahead, body, whole })
    }
}

/// The body, and whether that is all of it. A break in the middle leaves what had arrived: the status is known, and
/// an unreadable body is judged by whoever wanted to read it.
async fn read(mut answer: Response) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) | Err(_) => return (body, false),
            Ok(None) => return (body, true),
        }
    }
}

/// Chooses the program's TLS implementation; any HTTP client needs it, even one that speaks plain HTTP.
pub fn tls_ready() {
    // A second installation fails and changes nothing: somebody else in the process has chosen ring too.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn usual(patience: Patience) -> ClientBuilder {
    tls_ready();
    Client::builder()
        .user_agent(concat!("cascade/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // The pool may still hand over a request that it had not begun to write on a connection that had died:
        // no byte had left, so that is no second try.
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(patience.connect)
        .timeout(patience.total)
        .pool_max_idle_per_host(16)
        // Shorter than servers' own keep-alive: a connection that they closed meanwhile breaks a request.
        .pool_idle_timeout(Duration::from_secs(4))
}

/// Neither a proxy nor a name leads anywhere else than to this machine.
fn near(patience: Patience, names: Arc<impl Resolve + 'static>) -> ClientBuilder {
    usual(patience).no_proxy().dns_resolver(names)
}

fn built(client: ClientBuilder) -> Result<Client, String> {
    client.build().map_err(|why| format!("the HTTP client cannot be built: {why}"))
}

/// Whether the host names this machine; names other than `localhost` are left to nobody.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Second lock: whatever a name resolves to, only loopback is dialled.
struct LoopbackOnly;

impl Resolve for LoopbackOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.filter(|a| a.ip().is_loopback()).collect();
            if found.is_empty() {
                return Err(format!("{} is not on this machine", name.as_str()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok().map(str::trim)
}

/// A date of HTTP.
fn moment(text: &str) -> Option<At> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(At::from)
}

/// The provider's clock when it answered.
fn date(answer: &Response) -> Option<At> {
    moment(header(answer, "date")?)
}

/// `Retry-After` in seconds, or as a date, which is compared with the answer's own `Date`. One that has passed, or
/// that cannot be read, asks nothing: the usual backoff follows.
fn retry_after(answer: &Response) -> Option<u64> {
    let wanted = header(answer, "retry-after")?;
    if let Ok(seconds) = wanted.parse::<u64>() {
        return Some(seconds);
    }
    let wait = moment(wanted)? - date(answer)?;
    u64::try_from(wait.num_seconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_refuses_every_address_but_loopback() {
        let http = Http::new(Mode::Rehearsal, Patience::default());
        for (url, fine) in [
            ("http://127.0.0.1:9/x", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:9/", true),
            ("http://localhost:9/", true),
            ("http://example.test/", false),
            ("http://10.0.0.1/", false),
            ("http://0.0.0.0/", false),
            ("http://127.0.0.1.example.test/", false),
            ("http://localhost@example.test/", false),
            ("not an address", false),
        ] {
            assert_eq!(http.request(Method::GET, url).is_ok(), fine, "{url}");
        }
    }

    #[test]
    fn a_live_client_dials_names_that_a_rehearsal_refuses_over_tls_alone() {
        let http = Http::new(Mode::Live, Patience::default());
        let asked = |url: &str| http.request(Method::GET, url);
        // Without a single root on the machine there is no client, and no byte leaves.
        let far = asked("https://graph.example.test/v23.0");
        assert!(far.map_or_else(|trouble| !trouble.reached && trouble.code == "no_client", |_| true));
        for clear in ["http://graph.example.test/", "http://10.0.0.1/", "http://127.0.0.1.example.test/"] {
            assert_eq!(asked(clear).unwrap_err().code, "refused_address", "{clear}");
        }
    }

    /// Knows no name.
    struct Nameless;

    impl Resolve for Nameless {
        fn resolve(&self, name: Name) -> Resolving {
            Box::pin(std::future::ready(Err(format!("nobody knows {}", name.as_str()).into())))
        }
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_is_told_apart_from_a_refusal() {
        let client = built(near(Patience::default(), Arc::new(Nameless)).tls_certs_only([])).unwrap();
        let error = client.get("http://localhost:9/").send().await.unwrap_err();
        let trouble = trouble::of(&error);
        assert_eq!((trouble.code, trouble.reached), ("dns", false));
        assert!(trouble.detail.contains("nobody knows localhost"), "{trouble}");
    }

    #[tokio::test]
    async fn the_resolver_gives_loopback_alone() {
        let found = LoopbackOnly.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(found.into_iter().all(|a| a.ip().is_loopback()));
        assert!(LoopbackOnly.resolve("192.0.2.1".parse().unwrap()).await.is_err());
    }
}
