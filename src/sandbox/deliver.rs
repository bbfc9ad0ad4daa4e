//! What leaves the sandbox over HTTP: signed webhooks, redelivered as each provider does, and people's clicks.
//! Loopback only, no proxy, no redirects.

use super::acts::Act;
use super::ledger::{EventLine, Provider};
use super::memory::MemoryError;
use super::sign;
use super::world::{App, Secrets};
use crate::clock;
use crate::model::At;
use chrono::TimeDelta;
use reqwest::{Client, Method, RequestBuilder, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Meta: at once, then ever more rarely (seconds), for seven days.
const META_PAUSES: &[i64] = &[0, 15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200, 14_400];
const META_GIVES_UP: TimeDelta = TimeDelta::days(7);

/// Wall time for one delivery: Twilio's total; Vapi's and Meta's are no shorter.
const PATIENCE: Duration = Duration::from_secs(15);

const BROWSER: &str = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36";
const SCANNER: &str = "Mozilla/5.0 (compatible; LinkPreviewBot/1.0; +http://preview.example/bot)";

/// The body, in the form in which it is signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Body {
    /// As it stands on the wire.
    Json(String),
    /// A form.
    Form(Vec<(String, String)>),
}

/// When a webhook is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Again {
    /// Meta: anything but 200, for seven days.
    Days,
    /// Vapi's `backoffPlan`.
    Plan {
        /// At most.
        retries: u32,
        /// Of the first pause, in seconds.
        base_s: f64,
        /// Or always the same pause.
        exponential: bool,
    },
    /// Twilio: once, and only if nobody answered.
    OnceUnheard,
    /// Not at all.
    Never,
}

/// One of the webhooks in a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub to: Option<String>,
    pub what: String,
    pub outcome: Option<String>,
}

/// One webhook on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub provider: Provider,
    /// The person it is about.
    pub to: Option<String>,
    pub url: String,
    pub body: Body,
    /// For the line in the events.
    pub what: String,
    pub outcome: Option<String>,
    pub again: Again,
    /// Vapi signs only with a credential that it knows.
    pub signed: bool,
    /// Carries a wrong signature on purpose.
    pub forged: bool,
    /// Goes together with all others that are due.
    #[serde(default)]
    pub batched: bool,
    /// What is in a batch.
    #[serde(default)]
    pub parts: Vec<Part>,
    pub tries: u32,
    pub first: At,
    /// Stays the same over retries.
    pub token: String,
}

impl Delivery {
    /// When it is due again after this answer; `None`: never.
    fn next(&self, status: Option<u16>, now: At) -> Option<At> {
        let pause = match self.again {
            Again::Never => return None,
            Again::Days if status == Some(200) || now - self.first > META_GIVES_UP => return None,
            Again::Days => {
                let last = META_PAUSES.len() - 1;
                META_PAUSES.get((self.tries as usize).min(last)).map(|s| TimeDelta::seconds(*s))?
            }
            Again::Plan { retries, .. } if self.tries >= retries => return None,
            Again::Plan { .. } if status.is_some_and(|s| (200..300).contains(&s)) => return None,
            Again::Plan { base_s, exponential, .. } => {
                let factor = if exponential { f64::from(2_u32.pow(self.tries.min(16))) } else { 1.0 };
                TimeDelta::milliseconds((base_s * factor * 1000.0) as i64)
            }
            Again::OnceUnheard if status.is_some() || self.tries > 0 => return None,
            Again::OnceUnheard => TimeDelta::seconds(1),
        };
        Some(now + pause)
    }

    fn request(&self, http: &Client, url: url::Url, secrets: &Secrets) -> RequestBuilder {
        let spoil = if self.forged { "0" } else { "" };
        match &self.body {
            Body::Json(text) => {
                let request = http
                    .post(url)
                    .timeout(PATIENCE)
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(text.clone());
                match self.provider {
                    Provider::Vapi if self.signed => {
                        // Freshness is judged by wall time.
                        let stamp = (clock::wall_at().millis() / 1000).to_string();
                        let secret = format!("{}{spoil}", secrets.webhook_secret);
                        let signature = sign::vapi(&secret, &stamp, text.as_bytes());
                        request.header("x-timestamp", stamp).header("x-signature", signature)
                    }
                    Provider::Vapi | Provider::Twilio => request,
                    Provider::Whatsapp => {
                        let secret = format!("{}{spoil}", secrets.app_secret);
                        request
                            .header(header::USER_AGENT, "facebookexternalua")
                            .header("x-hub-signature-256", sign::hub(&secret, text.as_bytes()))
                    }
                }
            }
            Body::Form(params) => {
                let secret = format!("{}{spoil}", secrets.auth_token);
                http.post(url)
                    .timeout(PATIENCE)
                    .header(header::USER_AGENT, "TwilioProxy/1.1")
                    .header("i-twilio-idempotency-token", &self.token)
                    .header("x-twilio-signature", sign::twilio(&secret, &self.url, params))
                    .form(params)
            }
        }
    }
}

/// The client for everything that leaves.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    // Another part of the program may have chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .resolve("localhost", ([127, 0, 0, 1], 0).into())
        .connect_timeout(Duration::from_secs(5))
        .timeout(PATIENCE)
        .build()
}

/// The address, if it is plain HTTP on this machine: nothing of a rehearsal leaves it.
pub(super) fn loopback(text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    let here = match url.host()? {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(ip) => ip.is_loopback(),
        url::Host::Ipv6(ip) => ip.is_loopback(),
    };
    (here && url.scheme() == "http").then_some(url)
}

/// Sends a webhook, writes down what was answered, and plans the next try if there is one.
pub(super) async fn send(app: &App, ids: &[u64], mut delivery: Delivery) -> Result<(), MemoryError> {
    let secrets = app.lock().secrets.clone();
    let status = match loopback(&delivery.url) {
        Some(url) => answer(delivery.request(&app.http, url, &secrets)).await,
        None => None,
    };
    app.change(|world, now| {
        let (provider, channel) = (delivery.provider.as_str(), delivery.provider.channel());
        let Delivery { to, what, outcome, .. } = delivery.clone();
        for part in std::iter::once(&Part { to, what, outcome }).chain(&delivery.parts) {
            let (to, outcome) = (part.to.as_deref(), part.outcome.as_deref());
            let (kind, what) = ("webhook", part.what.as_str());
            world.event(&EventLine { at: now, provider, channel, to, kind, what, outcome, status });
        }
        let next = delivery.next(status, now);
        world.done(ids);
        if let Some(due) = next {
            delivery.tries += 1;
            world.plan(due, Act::Deliver(Box::new(delivery)));
        }
    })
    .await
}

async fn answer(request: RequestBuilder) -> Option<u16> {
    match request.send().await {
        Ok(response) => Some(response.status().as_u16()),
        Err(error) => {
            // Without the address: it has a link's code or an attempt in it.
            tracing::debug!(error = %error.without_url(), "nobody answered the sandbox");
            None
        }
    }
}

/// Fetches a link, as a person's browser or as a scanner does.
pub(super) async fn follow(
    app: &App,
    ids: &[u64],
    provider: Provider,
    to: &str,
    link: &str,
    scanner: bool,
) -> Result<(), MemoryError> {
    let status = match loopback(link) {
        None => None,
        Some(url) if scanner => {
            // A preview by a bot's name, then a safety check that hides behind HEAD.
            let bot = app.http.get(url.clone()).header(header::USER_AGENT, SCANNER);
            let status = answer(bot.header("purpose", "prefetch")).await;
            answer(app.http.request(Method::HEAD, url).header(header::USER_AGENT, BROWSER)).await;
            status
        }
        Some(url) => answer(app.http.get(url).header(header::USER_AGENT, BROWSER)).await,
    };
    let what = if scanner { "scanned" } else { "clicked" };
    app.change(|world, now| {
        world.saw_answer(now, provider, to, what, status);
        world.done(ids);
    })
    .await
}

/// The first link in a text.
pub(super) fn first_link(text: &str) -> Option<&str> {
    let start = text.find("http://").or_else(|| text.find("https://"))?;
    let link = text[start..].split(char::is_whitespace).next()?;
    Some(link.trim_end_matches(['.', ',', ')', '!', '?', '"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached() {
        assert!(loopback("http://127.0.0.1:8787/hooks").is_some());
        assert!(loopback("http://localhost:1/").is_some());
        for far in
            ["http://example.test/", "https://127.0.0.1/", "http://127.0.0.1.example.test/", "ftp://[::1]/"]
        {
            assert!(loopback(far).is_none(), "{far}");
        }
    }

    #[test]
    fn links_end_where_people_see_them_end() {
        assert_eq!(first_link("See http://127.0.0.1:1/l/aB3. Bye"), Some("http://127.0.0.1:1/l/aB3"));
        assert_eq!(first_link("no link"), None);
    }
}
