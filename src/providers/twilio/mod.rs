//! Twilio SMS (PROVIDERS.md 2).

mod heard;

pub use heard::{Form, heard_inbound, heard_status};

use super::errors::{self, Subject, Told, Words};
use super::http::{Http, Reply, Trouble};
use super::wire::{Skew, list, phone, scalar, step, text};
use super::{Answer, Heard, Listed, Lookup, Message, Outgoing, Provider, Recall};
use crate::config;
use crate::model::{At, Channel, Failure, Scope, Untrusted};
use chrono::TimeDelta;
use futures::future::{BoxFuture, FutureExt as _};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

const NAME: &str = "twilio";

/// Pages of a list at most; a list that never ends is a broken one.
const PAGES_MAX: usize = 1000;

/// The same where every message since a backup is kept.
const PAGES_OF_ALL: usize = 200;

/// Twilio's dates are cut to the second, and both sides take a moment.
const MARGIN: TimeDelta = TimeDelta::seconds(5);

/// The client of one account and sender.
#[derive(Debug)]
pub struct Twilio {
    config: config::Twilio,
    http: Arc<Http>,
    /// What each message reports to, less its attempt.
    callback: String,
    skew: Skew,
}

fn subject(country: Option<&str>) -> Subject<'_> {
    Subject { channel: Channel::Sms, provider: NAME, template: None, country }
}

fn refusal(reply: &Reply, about: Subject<'_>, told: Told) -> Failure {
    let body = reply.json().unwrap_or(Value::Null);
    let code = scalar(&body, "/code");
    let row = code
        .as_deref()
        .and_then(|code| errors::find(errors::TWILIO, code))
        .unwrap_or_else(|| errors::by_reply(reply));
    let words = Words {
        code: code.unwrap_or_else(|| reply.status.to_string()),
        detail: text(&body, "/message").map_or_else(|| reply.text(), str::to_owned),
        retry_after_s: reply.retry_after_s,
    };
    errors::failure(row, about, words, told)
}

/// The account answers, and says itself that it cannot send.
fn suspended() -> Failure {
    let code = "30002".to_owned();
    let row = errors::find(errors::TWILIO, &code).unwrap_or_else(|| errors::by_status(403));
    errors::failure(row, subject(None), Words { code, ..Words::default() }, Told::Later)
}

impl Twilio {
    /// A client for `config` whose messages report to `{webhooks}/hooks/twilio/status?a={attempt}`.
    pub fn new(config: config::Twilio, http: Arc<Http>, webhooks: &str) -> Self {
        let callback = format!("{}/hooks/twilio/status", webhooks.trim_end_matches('/'));
        Self { config, http, callback, skew: Skew::default() }
    }

    fn base(&self) -> &str {
        self.config.base_url.trim_end_matches('/')
    }

    /// The address of a resource of the account: `Messages`, `Messages/SM1`.
    fn url(&self, resource: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}/{resource}.json", self.base(), self.config.account_sid)
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        query: &[(&str, &str)],
        form: Option<&[(&str, &str)]>,
    ) -> Result<Reply, Trouble> {
        let request = self
            .http
            .request(method, url)?
            .basic_auth(&self.config.account_sid, Some(self.config.auth_token.expose_secret()));
        let request = if query.is_empty() { request } else { request.query(query) };
        let request = match form {
            Some(form) => request.form(form),
            None => request,
        };
        self.http.send(request).await.inspect(|reply| self.skew.note(reply))
    }

    async fn get(&self, url: &str, query: &[(&str, &str)]) -> Result<Value, Box<Failure>> {
        let about = subject(None);
        let reply = self
            .ask(Method::GET, url, query, None)
            .await
            .map_err(|trouble| Box::new(errors::no_answer(about, &trouble, Told::Later)))?;
        if !reply.is_ok() {
            return Err(Box::new(refusal(&reply, about, Told::Later)));
        }
        reply.json().ok_or_else(|| Box::new(errors::unreadable(about, &reply, Told::Later)))
    }

    async fn create(&self, out: &Outgoing) -> Answer {
        let Message::Text { body, validity_s } = &out.message else {
            return super::wrong_message(Channel::Sms, NAME);
        };
        let callback = format!("{}?a={}", self.callback, out.key);
        let validity = validity_s.clamp(&5, &36_000).to_string();
        let sender = match &self.config.messaging_service_sid {
            Some(service) => ("MessagingServiceSid", service.as_str()),
            None => ("From", self.config.from.as_str()),
        };
        let form = [
            ("To", out.to.as_str()),
            sender,
            ("Body", body),
            ("StatusCallback", &callback),
            ("ValidityPeriod", &validity),
        ];
        let about = subject(out.country.as_deref());
        match self.ask(Method::POST, &self.url("Messages"), &[], Some(&form)).await {
            Err(trouble) => {
                super::failed(errors::no_answer(about, &trouble, Told::AtCreate), trouble.reached)
            }
            Ok(reply) if !reply.is_ok() => super::failed(refusal(&reply, about, Told::AtCreate), true),
            Ok(reply) => match reply.json().as_ref().and_then(|json| Some((json, text(json, "/sid")?))) {
                Some((json, sid)) => Answer::Accepted {
                    provider_id: sid.to_owned(),
                    segments: scalar(json, "/num_segments").and_then(|n| n.parse().ok()),
                    control: None,
                },
                None => super::failed(errors::unreadable(about, &reply, Told::AtCreate), true),
            },
        }
    }

    /// Messages that fit `query` and were made since then by our clock, page by page, newest first, until `enough`
    /// says so of a page. All of them, or an error.
    ///
    /// Whether they are sorted by when they were made or by when they were sent is nothing to rely on, and one that
    /// waited in the queue is sent hours after it was made: only behind a whole page that is old by both dates does
    /// nothing new follow.
    async fn pages(
        &self,
        query: &[(&str, &str)],
        since: At,
        most: usize,
        mut enough: impl FnMut(Vec<&Value>) -> bool,
    ) -> Result<(), Box<Failure>> {
        let mut page = self.get(&self.url("Messages"), query).await?;
        let since = self.skew.theirs(since).unwrap_or(since) - MARGIN;
        let mut read = HashSet::new();
        while read.len() < most {
            let items = list(&page, "/messages");
            let old = |m: &Value| heard::newest(m).is_some_and(|at| at < since);
            let behind = !items.is_empty() && items.iter().all(old);
            let new = items.iter().filter(|m| heard::created(m).is_none_or(|at| at >= since)).collect();
            if enough(new) || behind {
                return Ok(());
            }
            // Our credentials go with it: a path of the same host, or nothing.
            let next = text(&page, "/next_page_uri").filter(|uri| uri.starts_with("/2010-04-01/"));
            let Some(uri) = next.map(str::to_owned) else { return Ok(()) };
            let url = format!("{}{uri}", self.base());
            if !read.insert(uri) {
                break;
            }
            page = self.get(&url, &[]).await?;
        }
        Err(Box::new(errors::endless(subject(None))))
    }

    async fn search(&self, out: &Outgoing, since: At) -> Lookup {
        let Message::Text { body, .. } = &out.message else { return Lookup::Impossible };
        let query = [("To", out.to.as_str()), ("PageSize", "100")];
        let ours = |m: &&Value| {
            text(m, "/direction") == Some("outbound-api")
                && text(m, "/to") == Some(out.to.as_str())
                && text(m, "/body") == Some(body)
        };
        let mut message = None;
        let found_it = |page: Vec<&Value>| {
            message = page.into_iter().find(ours).map(found);
            message.is_some()
        };
        match self.pages(&query, since, PAGES_MAX, found_it).await {
            Ok(()) => message.unwrap_or(Lookup::NotSeen),
            Err(failure) => Lookup::Failed(failure),
        }
    }

    /// What names our number as `way`, `To` or `From`. A messaging service has many numbers, and its messages have
    /// none before one is picked: then every message is ours.
    fn our_number<'a>(&'a self, way: &'a str) -> Option<(&'a str, &'a str)> {
        (!self.config.from.is_empty()).then_some((way, self.config.from.as_str()))
    }

    /// What we sent since then, oldest first. No filter by day: a queued message has no `DateSent`, and would not be
    /// listed although it leaves in an hour.
    async fn outbound(&self, since: At) -> Result<Vec<Listed>, Box<Failure>> {
        let mut query = vec![("PageSize", "1000")];
        query.extend(self.our_number("From"));
        let (mut listed, mut seen) = (Vec::new(), HashSet::new());
        let keep = |page: Vec<&Value>| {
            let ours = page.into_iter().filter(|m| text(m, "/direction") == Some("outbound-api"));
            let new = ours.filter_map(|m| self.listed(m)).filter(|m| seen.insert(m.provider_id.clone()));
            listed.extend(new);
            false
        };
        self.pages(&query, since, PAGES_OF_ALL, keep).await?;
        listed.reverse();
        listed.sort_by_key(|one| one.at);
        Ok(listed)
    }

    fn listed(&self, message: &Value) -> Option<Listed> {
        Some(Listed {
            to: text(message, "/to").and_then(phone)?,
            at: self.skew.ours(heard::created(message)?),
            provider_id: text(message, "/sid")?.to_owned(),
            attempt_key: None,
            body: text(message, "/body").map(Untrusted::new),
            heard: heard::of_message(message),
        })
    }

    /// What was said to us since then, oldest first. Inbound messages wait in no queue: they have their `DateSent`.
    async fn inbound(&self, since: At) -> Result<Vec<Heard>, Box<Failure>> {
        // The filter knows days alone; a day's margin costs a page.
        let day = (self.skew.theirs(since).unwrap_or(since) - TimeDelta::days(1))
            .utc()
            .format("%Y-%m-%d")
            .to_string();
        let mut query = vec![("DateSent>", day.as_str()), ("PageSize", "1000")];
        query.extend(self.our_number("To"));
        let mut heard = Vec::new();
        let keep = |page: Vec<&Value>| {
            let inbound = page.into_iter().filter(|m| text(m, "/direction") == Some("inbound"));
            heard.extend(inbound.filter_map(heard::of_inbound));
            false
        };
        self.pages(&query, since, PAGES_MAX, keep).await?;
        heard.reverse();
        Ok(heard)
    }

    async fn cancel(&self, sid: &str) -> Recall {
        let Some(sid) = step(sid) else { return Recall::TooLate };
        let url = self.url(&format!("Messages/{sid}"));
        match self.ask(Method::POST, &url, &[], Some(&[("Status", "canceled")])).await {
            Ok(reply) if reply.is_ok() => {
                let status = reply.json().and_then(|json| scalar(&json, "/status"));
                if status.as_deref() == Some("canceled") { Recall::Done } else { Recall::TooLate }
            }
            // A refusal means that it has left; an answer that was lost proves nothing better.
            Ok(_) | Err(_) => Recall::TooLate,
        }
    }

    async fn account_is_active(&self) -> Result<bool, Box<Failure>> {
        let url = format!("{}/2010-04-01/Accounts/{}.json", self.base(), self.config.account_sid);
        let account = self.get(&url, &[]).await?;
        Ok(text(&account, "/status").is_none_or(|status| status == "active"))
    }
}

fn found(message: &Value) -> Lookup {
    match text(message, "/sid") {
        Some(sid) => Lookup::Found { provider_id: sid.to_owned(), heard: heard::of_message(message) },
        None => Lookup::NotSeen,
    }
}

impl Provider for Twilio {
    fn channel(&self) -> Channel {
        Channel::Sms
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, Answer> {
        self.create(out).boxed()
    }

    fn look_up<'a>(&'a self, out: &'a Outgoing, since: At) -> BoxFuture<'a, Lookup> {
        self.search(out, since).boxed()
    }

    fn status<'a>(&'a self, provider_id: &'a str) -> BoxFuture<'a, Lookup> {
        async move {
            let Some(sid) = step(provider_id) else { return Lookup::NotSeen };
            match self.get(&self.url(&format!("Messages/{sid}")), &[]).await {
                Ok(message) => found(&message),
                Err(failure) if failure.code == "20404" || failure.code == "404" => Lookup::NotSeen,
                Err(failure) => Lookup::Failed(failure),
            }
        }
        .boxed()
    }

    fn recall<'a>(&'a self, provider_id: &'a str, _control: Option<&'a str>) -> BoxFuture<'a, Recall> {
        self.cancel(provider_id).boxed()
    }

    fn inbound_since(&self, since: At) -> BoxFuture<'_, Result<Vec<Heard>, Box<Failure>>> {
        self.inbound(since).boxed()
    }

    fn sent_since(&self, since: At) -> BoxFuture<'_, Result<Option<Vec<Listed>>, Box<Failure>>> {
        self.outbound(since).map(super::told_or_endless).boxed()
    }

    fn check<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool, Box<Failure>>> {
        match scope {
            Scope::Sender | Scope::Account => {
                self.account_is_active().map(super::not_mended_by_config).boxed()
            }
            // Twilio has no question for these.
            Scope::Person | Scope::Template(_) | Scope::Country(_) => {
                futures::future::ready(Ok(false)).boxed()
            }
        }
    }

    fn set_up<'a>(&'a self, _webhooks: &'a str) -> BoxFuture<'a, Result<(), Box<Failure>>> {
        self.account_is_active()
            .map(|active| if active? { Ok(()) } else { Err(Box::new(suspended())) })
            .boxed()
    }
}
