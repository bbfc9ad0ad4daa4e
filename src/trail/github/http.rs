//! One request and its answer. No redirect, no retry; over TLS, or to this machine.

use super::answer::Refusal;
use super::trouble::Trouble;
use crate::model::At;
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::error::Error as _;
use std::time::Duration;

/// No answer about a pull request is longer.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// The version of the API that these answers are read by.
const API: &str = "2022-11-28";

#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    base_url: String,
    token: SecretString,
}

/// What came back.
pub(super) struct Answer {
    status: u16,
    wait_s: Option<u64>,
    until: Option<At>,
    body: Vec<u8>,
}

impl Http {
    pub fn new(base_url: &str, token: SecretString) -> Result<Self, Trouble> {
        // A second installation fails and changes nothing: another client of this process chose it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let near = url::Url::parse(base_url).is_ok_and(|url| match url.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        });
        let builder = Client::builder()
            .user_agent(concat!("cascade/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(20));
        let builder = if near { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
        let client = builder.build().map_err(|why| Trouble::Unreachable(why.without_url().to_string()))?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned(), token })
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Trouble> {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base_url))
            .query(query)
            .bearer_auth(self.token.expose_secret())
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", API);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let mut answer = request.send().await.map_err(unreachable)?;
        let number = |name: &str| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
        };
        let spent = number("x-ratelimit-remaining") == Some(0);
        let reset = number("x-ratelimit-reset").filter(|_| spent).and_then(|s| i64::try_from(s).ok());
        let (status, wait_s) = (answer.status().as_u16(), number("retry-after"));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_MAX {
                return Err(Trouble::Strange(status));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, wait_s, until: reset.map(At::from_secs), body })
    }
}

/// Without the address: a query can hold what it likes.
fn unreachable(why: reqwest::Error) -> Trouble {
    let why = why.without_url();
    let mut words = why.to_string();
    let mut cause = why.source();
    while let Some(next) = cause {
        words = next.to_string();
        cause = next.source();
    }
    Trouble::Unreachable(crate::model::clean(&words))
}

impl Answer {
    /// What was asked for, or why not.
    pub fn taken<T: serde::de::DeserializeOwned>(self) -> Result<T, Trouble> {
        let refusal: Refusal = serde_json::from_slice(&self.body).unwrap_or_default();
        match self.status {
            200..=299 => serde_json::from_slice(&self.body).map_err(|_| Trouble::Strange(self.status)),
            301 | 302 | 307 | 308 => Err(Trouble::Moved),
            401 => Err(Trouble::Login),
            403 | 429
                if self.status == 429
                    || self.wait_s.is_some()
                    || self.until.is_some()
                    || refusal.is_limit() =>
            {
                Err(Trouble::Limited { wait_s: self.wait_s, until: self.until })
            }
            403 => Err(Trouble::Forbidden(refusal.words())),
            404 => Err(Trouble::NotFound(String::new())),
            422 if refusal.says("already exists") => Err(Trouble::Exists),
            422 if refusal.says("No commits between") => Err(Trouble::Nothing),
            422 => Err(Trouble::Refused(refusal.words())),
            500..=599 => Err(Trouble::Down(self.status)),
            status => Err(Trouble::Strange(status)),
        }
    }
}
