//! The voice agent, Vapi (PROVIDERS.md 4).

mod heard;

pub use heard::heard;

use super::errors::{self, Subject, Told, Words};
use super::http::{Http, Reply, Trouble};
use super::wire::{Skew, list, phone, rfc3339, step, text};
use super::{Answer, Call, Control, Heard, Listed, Lookup, Message, Outgoing, Provider, Recall};
use crate::config;
use crate::model::{At, Channel, Disposition, Failure, Scope};
use chrono::TimeDelta;
use futures::future::{BoxFuture, FutureExt as _};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

const NAME: &str = "vapi";

/// Longest `name`, `customer.name` and `customer.externalId`.
const NAME_MAX: usize = 40;

/// Calls in one page of a list.
const PAGE: usize = 100;

/// Pages at most: as many as an hour of a busy account; more would be somebody else's traffic.
const PAGES_MAX: usize = 20;

/// The same where every call since a backup is asked for.
const PAGES_OF_ALL: usize = 2000;

/// Both sides take a moment; and much more than that while we do not know how far their clock is ahead.
const MARGIN: TimeDelta = TimeDelta::seconds(5);
const MARGIN_UNKNOWN: TimeDelta = TimeDelta::minutes(5);

/// The client of one calling number.
#[derive(Debug)]
pub struct Vapi {
    config: config::Vapi,
    http: Arc<Http>,
    /// What each call reports to.
    webhook: String,
    skew: Skew,
}

fn subject(country: Option<&str>) -> Subject<'_> {
    Subject { channel: Channel::Phone, provider: NAME, template: None, country }
}

/// Vapi refuses with words and a status, without a code.
fn refusal(reply: &Reply, about: Subject<'_>, told: Told) -> Failure {
    let body = reply.json().unwrap_or(Value::Null);
    let detail = match body.get("message") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        Some(_) | None => reply.text(),
    };
    let lower = detail.to_lowercase();
    let by_words = errors::VAPI_REFUSALS.iter().find(|(word, _)| lower.contains(word)).map(|(_, row)| row);
    let row = match reply.status {
        // Their words help where the status says only "bad request".
        400 | 422 => by_words.unwrap_or_else(|| errors::by_reply(reply)),
        _ => errors::by_reply(reply),
    };
    let words = Words { code: reply.status.to_string(), detail, retry_after_s: reply.retry_after_s };
    errors::failure(row, about, words, told)
}

/// The number is there, and Vapi says itself that it cannot call.
fn inactive() -> Failure {
    let code = "call.start.error-get-phone-number".to_owned();
    let row = errors::find(errors::VAPI, &code).unwrap_or_else(|| errors::by_status(404));
    let detail = "the number is not active".to_owned();
    errors::failure(row, subject(None), Words { code, detail, retry_after_s: None }, Told::Later)
}

impl Vapi {
    /// A client for `config` whose calls report to `{webhooks}/hooks/vapi`.
    pub fn new(config: config::Vapi, http: Arc<Http>, webhooks: &str) -> Self {
        let webhook = format!("{}/hooks/vapi", webhooks.trim_end_matches('/'));
        Self { config, http, webhook, skew: Skew::default() }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, Trouble> {
        let url = format!("{}{path}", self.config.base_url.trim_end_matches('/'));
        let request = self.http.request(method, &url)?;
        let request = request.bearer_auth(self.config.api_key.expose_secret()).query(query);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.http.send(request).await.inspect(|reply| self.skew.note(reply))
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Box<Failure>> {
        let about = subject(None);
        let reply = self
            .ask(Method::GET, path, query, None)
            .await
            .map_err(|trouble| Box::new(errors::no_answer(about, &trouble, Told::Later)))?;
        if !reply.is_ok() {
            return Err(Box::new(refusal(&reply, about, Told::Later)));
        }
        reply.json().ok_or_else(|| Box::new(errors::unreadable(about, &reply, Told::Later)))
    }

    async fn create(&self, out: &Outgoing) -> Answer {
        let Message::Call(call) = &out.message else {
            return super::wrong_message(Channel::Phone, NAME);
        };
        let about = subject(out.country.as_deref());
        match self.ask(Method::POST, "/call", &[], Some(&self.request(out, call))).await {
            Err(trouble) => {
                super::failed(errors::no_answer(about, &trouble, Told::AtCreate), trouble.reached)
            }
            Ok(reply) if !reply.is_ok() => super::failed(refusal(&reply, about, Told::AtCreate), true),
            Ok(reply) => match reply.json() {
                Some(json) if text(&json, "/id").is_some() => Answer::Accepted {
                    provider_id: text(&json, "/id").unwrap_or_default().to_owned(),
                    segments: None,
                    control: heard::control(&json),
                },
                Some(_) | None => super::failed(errors::unreadable(about, &reply, Told::AtCreate), true),
            },
        }
    }

    /// The body of 4.1.
    fn request(&self, out: &Outgoing, call: &Call) -> Value {
        let mut assistant = json!({
            "firstMessage": literal(&call.first_message),
            "firstMessageMode": "assistant-speaks-first",
            "model": { "provider": "openai", "model": "gpt-4o",
                "messages": [{ "role": "system", "content": literal(&call.prompt) }] },
            "voicemailDetection": { "provider": "vapi" },
            "maxDurationSeconds": call.max_duration_s,
            "serverMessages": ["status-update", "end-of-call-report"],
            "metadata": { "attempt_id": out.key },
            "server": { "url": self.webhook, "timeoutSeconds": 20,
                "credentialId": self.config.webhook_credential_id,
                "backoffPlan": { "type": "exponential", "maxRetries": 5, "baseDelaySeconds": 2 } },
            // Vapi records unless told not to.
            "artifactPlan": { "recordingEnabled": false },
            "analysisPlan": { "structuredDataPlan": { "enabled": true, "schema": schema() } },
            // Without it a call cannot be recalled.
            "monitorPlan": { "controlEnabled": true, "listenEnabled": false },
        });
        if let Some(words) = &call.voicemail {
            assistant["voicemailMessage"] = json!(literal(words));
        }
        if let Some(voice) = &call.voice {
            let (provider, id) = voice.split_once(':').unwrap_or(("vapi", voice));
            assistant["voice"] = json!({ "provider": provider, "voiceId": id });
        }
        let mut customer = json!({ "number": out.to.as_str() });
        let name: String = crate::model::clean(out.name.raw()).chars().take(NAME_MAX).collect();
        if !name.trim().is_empty() {
            customer["name"] = json!(name.trim());
        }
        json!({
            "name": out.key,
            "phoneNumberId": self.config.phone_number_id,
            "customer": customer,
            "assistant": assistant,
        })
    }

    /// Calls since then by our clock, page by page, newest first, until `enough` says so of a page. All of them, or
    /// an error.
    async fn pages(
        &self,
        since: At,
        most: usize,
        mut enough: impl FnMut(&[Value]) -> bool,
    ) -> Result<(), Box<Failure>> {
        let from =
            self.skew.theirs(since).map_or(since - MARGIN_UNKNOWN, |theirs| theirs - MARGIN).to_string();
        let limit = PAGE.to_string();
        let mut until: Option<At> = None;
        for _ in 0..most {
            let before = until.map(|at| at.to_string());
            let mut query = vec![
                ("createdAtGe", from.as_str()),
                ("phoneNumberId", &self.config.phone_number_id),
                ("limit", &limit),
            ];
            // The last page's oldest come again: others may have been made in the same instant.
            query.extend(before.as_deref().map(|before| ("createdAtLe", before)));
            let page = self.get("/call", &query).await?;
            let calls = list(&page, "");
            let oldest = calls.iter().filter_map(|call| rfc3339(call, "/createdAt")).min();
            if enough(calls) || calls.len() < PAGE || oldest.is_none() {
                return Ok(());
            }
            if oldest == until {
                break;
            }
            until = oldest;
        }
        Err(Box::new(errors::endless(subject(None))))
    }

    async fn outbound(&self, since: At) -> Result<Vec<Listed>, Box<Failure>> {
        let mut listed: HashMap<String, Listed> = HashMap::new();
        let keep = |calls: &[Value]| {
            listed.extend(calls.iter().filter_map(|call| {
                let provider_id = text(call, "/id")?.to_owned();
                let one = Listed {
                    to: text(call, "/customer/number").and_then(phone)?,
                    at: self.skew.ours(rfc3339(call, "/createdAt")?),
                    provider_id: provider_id.clone(),
                    attempt_key: heard::key(call),
                    body: None,
                    heard: heard::of_call(call),
                };
                Some((provider_id, one))
            }));
            false
        };
        self.pages(since, PAGES_OF_ALL, keep).await?;
        let mut listed: Vec<_> = listed.into_values().collect();
        listed.sort_by(|a, b| (a.at, &a.provider_id).cmp(&(b.at, &b.provider_id)));
        Ok(listed)
    }

    async fn search(&self, out: &Outgoing, since: At) -> Lookup {
        let ours = |call: &&Value| {
            text(call, "/name") == Some(&out.key)
                || text(call, "/assistant/metadata/attempt_id") == Some(&out.key)
                || text(call, "/assistantOverrides/metadata/attempt_id") == Some(&out.key)
        };
        let mut call = None;
        let found_it = |calls: &[Value]| {
            call = calls.iter().find(ours).cloned();
            call.is_some()
        };
        match self.pages(since, PAGES_MAX, found_it).await {
            Ok(()) => call.as_ref().map_or(Lookup::NotSeen, found),
            Err(failure) => Lookup::Failed(failure),
        }
    }

    async fn hang_up(&self, provider_id: &str, control: Option<&str>) -> Recall {
        // The list tells whether it rings or is over; the control URL of the create call is the fallback.
        let Some(id) = step(provider_id) else { return Recall::TooLate };
        let call = self.get(&format!("/call/{id}"), &[]).await.unwrap_or(Value::Null);
        let status = text(&call, "/status");
        let known = heard::control(&call);
        let url =
            known.as_ref().map(Control::url).or(control).filter(|url| is_theirs(&self.config.base_url, url));
        let Some(url) = url.filter(|_| status != Some("ended")) else { return Recall::TooLate };
        // Without our key: the address came from outside, and the control URL is its own secret.
        let Ok(request) = self.http.request(Method::POST, url) else { return Recall::TooLate };
        let done = self.http.send(request.json(&json!({ "type": "end-call" }))).await;
        // Where it could not be asked they may have been talking: it ends, and did not go unheard.
        let rang = matches!(status, Some(status) if !matches!(status, "in-progress" | "forwarding"));
        if done.is_ok_and(|reply| reply.is_ok()) && rang { Recall::Done } else { Recall::TooLate }
    }

    async fn number_is_fine(&self) -> Result<bool, Box<Failure>> {
        let number = self.get(&format!("/phone-number/{}", self.config.phone_number_id), &[]).await?;
        Ok(text(&number, "/status").is_none_or(|status| status == "active"))
    }
}

/// Whether a control URL leads to the provider: to the host that we call, or over TLS to a host of Vapi's, whose calls
/// are controlled elsewhere. Any other would have us knock at doors of somebody's choice.
fn is_theirs(base_url: &str, control: &str) -> bool {
    let (Ok(base), Ok(control)) = (Url::parse(base_url), Url::parse(control)) else { return false };
    let vapi = control.scheme() == "https"
        && control.port().is_none()
        && control.host_str().is_some_and(|host| host == "vapi.ai" || host.ends_with(".vapi.ai"));
    base.origin() == control.origin() || (vapi && !config::is_loopback(base_url))
}

fn found(call: &Value) -> Lookup {
    match text(call, "/id") {
        Some(id) => Lookup::Found { provider_id: id.to_owned(), heard: heard::of_call(call) },
        None => Lookup::NotSeen,
    }
}

/// What the agent is asked to conclude from the talk; `engine::meaning` reads it back.
fn schema() -> Value {
    let words: Vec<&str> = Disposition::ALL.iter().map(|d| d.as_str()).collect();
    json!({ "type": "object", "properties": {
        "disposition": { "type": "string", "enum": words,
            "description": "What the person's answer meant. auto_reply: a machine talked." },
        "wants_no_more_contact": { "type": "boolean",
            "description": "Whether the person asked not to be contacted again." },
    } })
}

/// Vapi fills `{{...}}` and `{%...%}` in every text; ours is complete, and a name must not become a template.
fn literal(text: &str) -> String {
    text.replace("{{", "{ {").replace("{%", "{ %")
}

impl Provider for Vapi {
    fn channel(&self) -> Channel {
        Channel::Phone
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
            let Some(id) = step(provider_id) else { return Lookup::NotSeen };
            match self.get(&format!("/call/{id}"), &[]).await {
                Ok(call) => found(&call),
                Err(failure) if failure.code == "404" => Lookup::NotSeen,
                Err(failure) => Lookup::Failed(failure),
            }
        }
        .boxed()
    }

    fn recall<'a>(&'a self, provider_id: &'a str, control: Option<&'a str>) -> BoxFuture<'a, Recall> {
        self.hang_up(provider_id, control).boxed()
    }

    /// Nobody calls in.
    fn inbound_since(&self, _since: At) -> BoxFuture<'_, Result<Vec<Heard>, Box<Failure>>> {
        futures::future::ready(Ok(Vec::new())).boxed()
    }

    fn sent_since(&self, since: At) -> BoxFuture<'_, Result<Option<Vec<Listed>>, Box<Failure>>> {
        self.outbound(since).map(super::told_or_endless).boxed()
    }

    fn check<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool, Box<Failure>>> {
        match scope {
            Scope::Sender | Scope::Account => self.number_is_fine().map(super::not_mended_by_config).boxed(),
            // Vapi has no question for these.
            Scope::Person | Scope::Template(_) | Scope::Country(_) => {
                futures::future::ready(Ok(false)).boxed()
            }
        }
    }

    fn set_up<'a>(&'a self, _webhooks: &'a str) -> BoxFuture<'a, Result<(), Box<Failure>>> {
        self.number_is_fine().map(|fine| if fine? { Ok(()) } else { Err(Box::new(inactive())) }).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::is_theirs;

    #[test]
    fn a_control_url_leads_to_the_provider_or_nowhere() {
        let real = "https://api.vapi.ai";
        for theirs in
            ["https://api.vapi.ai/call/1/control", "https://phone-call.production3.vapi.ai/1/control"]
        {
            assert!(is_theirs(real, theirs), "{theirs}");
        }
        for other in [
            "http://phone-call.vapi.ai/1/control",
            "https://vapi.ai.example.test/1/control",
            "https://evilvapi.ai/1",
            "https://phone-call.vapi.ai:8443/1",
            "http://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:6379/",
            "https://user@example.test/",
            "file:///etc/passwd",
            "nonsense",
        ] {
            assert!(!is_theirs(real, other), "{other}");
        }
        let here = "http://127.0.0.1:8788";
        assert!(is_theirs(here, "http://127.0.0.1:8788/call/1/control"));
        assert!(!is_theirs(here, "http://127.0.0.1:8789/call/1/control"));
        assert!(
            !is_theirs(here, "https://phone-call.vapi.ai/1/control"),
            "a trial leaves this machine nowhere"
        );
    }
}
