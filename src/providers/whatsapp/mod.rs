//! WhatsApp Cloud API (PROVIDERS.md 1).

mod heard;
mod templates;

pub use heard::heard;
pub use templates::{Button, Header, TemplateSpec};

use super::errors::{self, Row, Subject, Told, Words};
use super::http::{Http, Reply, Trouble};
use super::wire::{list, scalar, text};
use super::{Answer, Heard, Lookup, Message, Outgoing, Provider, Recall, Template};
use crate::config;
use crate::model::{At, Channel, Class, Failure, Scope};
use futures::future::{BoxFuture, FutureExt as _};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::sync::Arc;

const NAME: &str = "whatsapp";

/// The client of one phone number.
///
/// `message_status: held_for_quality_assessment` is an ordinary acceptance here: Meta has the message, may
/// release it any time and says by webhook what became of it (132015 if it drops it), so it must neither be
/// sent again nor count as sent; [`Answer::Accepted`] claims no more than that.
#[derive(Debug)]
pub struct Whatsapp {
    config: config::Whatsapp,
    http: Arc<Http>,
}

fn subject<'a>(template: Option<&'a str>, country: Option<&'a str>) -> Subject<'a> {
    Subject { channel: Channel::Whatsapp, provider: NAME, template, country }
}

/// Sorts an `error` object (1.4): by `code` and `details` alone, because Meta's HTTP statuses contradict each
/// other. Without a code, by the `reply` that it stands in.
fn sort(error: &Value, reply: Option<&Reply>, subject: Subject<'_>, told: Told) -> Failure {
    let details = text(error, "/error_data/details").unwrap_or_default();
    let message = text(error, "/message").or_else(|| text(error, "/title")).unwrap_or_default();
    let code = scalar(error, "/code");
    let row = match code.as_deref().and_then(|code| errors::find(errors::WHATSAPP, code)) {
        Some(row) if errors::BAD_RECIPIENT.codes == row.codes && names_recipient(details) => {
            &errors::BAD_RECIPIENT
        }
        Some(row) => row,
        None => reply.map_or(&UNKNOWN_LATER, errors::by_reply),
    };
    let code = code.or_else(|| reply.map(|r| r.status.to_string())).unwrap_or_else(|| "failed".to_owned());
    let retry_after_s = reply.and_then(|r| r.retry_after_s);
    let detail = [message, details].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(": ");
    errors::failure(row, subject, Words { code, detail, retry_after_s }, told)
}

/// A message that failed after acceptance by a code nobody documents: one person's affair until more is known.
const UNKNOWN_LATER: Row = Row {
    codes: &[],
    title: "failed for an unknown reason",
    class: Class::Outage,
    about: errors::About::Person,
    sent: crate::model::Sent::Maybe,
    remedy: "See Meta's words; the cascade goes on to the next step by itself.",
};

fn names_recipient(details: &str) -> bool {
    let details = details.to_lowercase();
    ["recipient", "phone number", "parameter to", "'to'", "\"to\"", "wa_id"]
        .iter()
        .any(|w| details.contains(w))
}

impl Whatsapp {
    /// A client for `config`; nothing is sent yet.
    pub fn new(config: config::Whatsapp, http: Arc<Http>) -> Self {
        Self { config, http }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.config.base_url.trim_end_matches('/'), self.config.api_version)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, Trouble> {
        let request = self
            .http
            .request(method, &self.url(path))?
            .bearer_auth(self.config.access_token.expose_secret())
            .query(query);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.http.send(request).await
    }

    /// A question whose answer must be JSON; nothing here can contact anybody.
    async fn ask_json(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Box<Failure>> {
        let about = subject(None, None);
        let reply = self
            .ask(method, path, query, body)
            .await
            .map_err(|trouble| Box::new(errors::no_answer(about, &trouble, Told::Later)))?;
        if !reply.is_ok() {
            return Err(Box::new(refusal(&reply, about, Told::Later)));
        }
        reply.json().ok_or_else(|| Box::new(errors::unreadable(about, &reply, Told::Later)))
    }

    async fn create(&self, out: &Outgoing) -> Answer {
        let Message::Template(template) = &out.message else {
            return super::wrong_message(Channel::Whatsapp, NAME);
        };
        let key = format!("{}/{}", template.name, template.language);
        let about = subject(Some(&key), out.country.as_deref());
        let path = format!("{}/messages", self.config.phone_number_id);
        match self.ask(Method::POST, &path, &[], Some(&request(out, template))).await {
            Err(trouble) => {
                super::failed(errors::no_answer(about, &trouble, Told::AtCreate), trouble.reached)
            }
            Ok(reply) if !reply.is_ok() => super::failed(refusal(&reply, about, Told::AtCreate), true),
            Ok(reply) => match reply.json().as_ref().and_then(|json| text(json, "/messages/0/id")) {
                Some(id) => Answer::Accepted { provider_id: id.to_owned(), segments: None, control: None },
                None => super::failed(errors::unreadable(about, &reply, Told::AtCreate), true),
            },
        }
    }

    async fn is_mended(&self, scope: &Scope) -> Result<bool, Box<Failure>> {
        match scope {
            Scope::Template(key) => {
                let (name, language) = key.rsplit_once('/').unwrap_or((key, ""));
                let found = self.templates(Some(name)).await?;
                Ok(found.iter().any(|t| {
                    text(t, "/name") == Some(name)
                        && text(t, "/language") == Some(language)
                        && text(t, "/status") == Some("APPROVED")
                }))
            }
            Scope::Sender | Scope::Account => {
                let fields = [("fields", "id,status,quality_rating")];
                let number = self.ask_json(Method::GET, &self.config.phone_number_id, &fields, None).await?;
                Ok(text(&number, "/status").is_none_or(|status| status == "CONNECTED"))
            }
            // Meta has no question for these.
            Scope::Person | Scope::Country(_) => Ok(false),
        }
    }

    async fn subscribe(&self, webhooks: &str) -> Result<(), Box<Failure>> {
        let body = json!({
            "override_callback_uri": format!("{}/hooks/whatsapp", webhooks.trim_end_matches('/')),
            "verify_token": self.config.verify_token.expose_secret(),
        });
        let path = format!("{}/subscribed_apps", self.config.business_account_id);
        self.ask_json(Method::POST, &path, &[], Some(&body)).await.map(|_| ())
    }

    /// All templates of the account, or those of one name.
    async fn templates(&self, name: Option<&str>) -> Result<Vec<Value>, Box<Failure>> {
        let path = format!("{}/message_templates", self.config.business_account_id);
        let mut found = Vec::new();
        let mut after = String::new();
        // No account has 10,000 templates; a list that never ends is a broken one.
        for _ in 0..100 {
            let mut query = vec![("fields", "name,status,category,language"), ("limit", "100")];
            query.extend(name.map(|name| ("name", name)));
            if !after.is_empty() {
                query.push(("after", &after));
            }
            let page = self.ask_json(Method::GET, &path, &query, None).await?;
            found.extend(list(&page, "/data").iter().cloned());
            match (text(&page, "/paging/next"), text(&page, "/paging/cursors/after")) {
                (Some(_), Some(next)) if next != after => next.clone_into(&mut after),
                _ => break,
            }
        }
        Ok(found)
    }

    /// Creates those of `wanted` that the account does not have; how many were created. For rehearsals: live
    /// templates are written and approved in WhatsApp Manager.
    pub async fn ensure_templates(&self, wanted: &[TemplateSpec]) -> Result<usize, Box<Failure>> {
        let there = self.templates(None).await?;
        let path = format!("{}/message_templates", self.config.business_account_id);
        let mut created = 0;
        for spec in wanted {
            let same = |t: &&Value| {
                text(t, "/name") == Some(&spec.name) && text(t, "/language") == Some(&spec.language)
            };
            if !there.iter().any(|t| same(&t)) {
                self.ask_json(Method::POST, &path, &[], Some(&spec.wire())).await?;
                created += 1;
            }
        }
        Ok(created)
    }
}

fn refusal(reply: &Reply, about: Subject<'_>, told: Told) -> Failure {
    let body = reply.json().unwrap_or(Value::Null);
    let plain = json!({ "message": reply.text() });
    sort(body.get("error").unwrap_or(&plain), Some(reply), about, told)
}

/// The body of 1.2.
fn request(out: &Outgoing, template: &Template) -> Value {
    let said = |texts: &[String]| -> Vec<Value> {
        texts.iter().map(|text| json!({ "type": "text", "text": text })).collect()
    };
    let mut components = Vec::new();
    if let Some((kind, link)) = &template.header_media {
        let mut media = json!({ "type": kind });
        media[kind.as_str()] = json!({ "link": link });
        components.push(json!({ "type": "header", "parameters": [media] }));
    } else if !template.header_text.is_empty() {
        components.push(json!({ "type": "header", "parameters": said(&template.header_text) }));
    }
    if !template.body.is_empty() {
        components.push(json!({ "type": "body", "parameters": said(&template.body) }));
    }
    for (index, payload) in &template.quick_replies {
        components.push(json!({ "type": "button", "sub_type": "quick_reply", "index": index.to_string(),
            "parameters": [{ "type": "payload", "payload": payload }] }));
    }
    for (index, suffix) in &template.urls {
        components.push(json!({ "type": "button", "sub_type": "url", "index": index.to_string(),
            "parameters": [{ "type": "text", "text": suffix }] }));
    }
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": out.to.digits(),
        "type": "template",
        "template": {
            "name": template.name,
            "language": { "policy": "deterministic", "code": template.language },
            "components": components,
        },
        "biz_opaque_callback_data": out.key,
    })
}

impl Provider for Whatsapp {
    fn channel(&self) -> Channel {
        Channel::Whatsapp
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, Answer> {
        self.create(out).boxed()
    }

    /// Meta lists neither by recipient nor by callback data (1.6): its webhook is awaited.
    fn look_up<'a>(&'a self, _out: &'a Outgoing, _since: At) -> BoxFuture<'a, Lookup> {
        futures::future::ready(Lookup::Impossible).boxed()
    }

    fn status<'a>(&'a self, _provider_id: &'a str) -> BoxFuture<'a, Lookup> {
        futures::future::ready(Lookup::Impossible).boxed()
    }

    fn recall<'a>(&'a self, _provider_id: &'a str, _control: Option<&'a str>) -> BoxFuture<'a, Recall> {
        futures::future::ready(Recall::Impossible).boxed()
    }

    /// Meta redelivers by itself (1.11).
    fn inbound_since(&self, _since: At) -> BoxFuture<'_, Result<Vec<Heard>, Box<Failure>>> {
        futures::future::ready(Ok(Vec::new())).boxed()
    }

    fn check<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool, Box<Failure>>> {
        self.is_mended(scope).map(super::not_mended_by_config).boxed()
    }

    fn set_up<'a>(&'a self, webhooks: &'a str) -> BoxFuture<'a, Result<(), Box<Failure>>> {
        self.subscribe(webhooks).boxed()
    }
}
