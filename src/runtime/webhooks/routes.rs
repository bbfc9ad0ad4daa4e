//! One function for each address that we serve.

use super::callers::Caller;
use super::reading::{BATCH_MAX, ORDINARY_MAX, Reading, Unread};
use super::signature::{self, Disbelief};
use super::{Inbox, Secrets, refused};
use crate::model::Channel;
use crate::providers::{Fact, Heard, twilio, vapi, whatsapp, wire};
use crate::runtime::links;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use url::form_urlencoded;

/// Longest challenge echoed to Meta.
const CHALLENGE_MAX: usize = 256;

struct Ear {
    inbox: Arc<dyn Inbox>,
    secrets: Secrets,
    reading: Reading,
}

type Served = State<Arc<Ear>>;

/// Every address we serve; all others are 404.
pub fn router(inbox: Arc<dyn Inbox>, secrets: Secrets) -> Router {
    Router::new()
        .route("/hooks/whatsapp", get(verify_whatsapp).post(take_whatsapp))
        .route("/hooks/vapi", post(take_vapi))
        .route("/hooks/twilio/status", post(take_twilio_status))
        .route("/hooks/twilio/inbound", post(take_twilio_inbound))
        .route("/l/{code}", get(follow))
        .layer(middleware::from_fn_with_state(Arc::clone(&inbox), refused::tell))
        .with_state(Arc::new(Ear { inbox, secrets, reading: Reading::new() }))
}

/// What is answered in place of 200.
enum No {
    Unread(Unread),
    Disbelieved(Disbelief),
    NotTaken,
}

impl From<Disbelief> for No {
    fn from(why: Disbelief) -> Self {
        Self::Disbelieved(why)
    }
}

impl From<Unread> for No {
    fn from(why: Unread) -> Self {
        Self::Unread(why)
    }
}

impl axum::response::IntoResponse for No {
    fn into_response(self) -> Response {
        match self {
            Self::Unread(Unread::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unread(Unread::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            Self::Unread(Unread::Cut) => StatusCode::BAD_REQUEST,
            Self::Disbelieved(Disbelief::Missing) => StatusCode::UNAUTHORIZED,
            Self::Disbelieved(Disbelief::Wrong) => StatusCode::FORBIDDEN,
            Self::NotTaken => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

/// Whoever brings no proof at all is not listened to: their megabytes are never read.
fn any_of(headers: &HeaderMap, names: &[&str]) -> Result<(), No> {
    let shown = names.iter().any(|name| headers.contains_key(*name));
    if shown { Ok(()) } else { Err(Disbelief::Missing.into()) }
}

impl Ear {
    /// 2xx after the commit: the answer waits for it, and whoever is believed keeps the line.
    async fn take(&self, from: Option<Caller>, heard: Vec<Heard>) -> Result<(), No> {
        if let Some(caller) = from {
            caller.believed();
        }
        self.inbox.take(heard).await.map_err(|_| No::NotTaken)
    }

    /// A body that is signed and cannot be read is recorded and shown, not refused: a provider would send the
    /// same bytes for days. Its words stand in no log.
    fn unreadable(provider: &'static str, channel: Channel, body: &[u8]) -> Vec<Heard> {
        let mark = wire::fingerprint(body);
        // Too short to be taken for a telephone number.
        let short = mark.get(..6);
        tracing::warn!(provider, bytes = body.len(), mark = short, "a signed webhook cannot be read");
        let what = format!("a signed webhook of {} bytes cannot be read", body.len());
        vec![Heard {
            provider,
            channel,
            dedup: format!("unreadable:{mark}"),
            happened_at: None,
            provider_id: None,
            attempt_key: None,
            person: None,
            what: Fact::System { what: what.into(), shuts: None },
        }]
    }
}

/// Meta asks whether this address is ours (PROVIDERS.md 1.5).
async fn verify_whatsapp(State(ear): Served, uri: Uri) -> Response {
    let query = pairs(uri.query().unwrap_or_default().as_bytes());
    let value = |name: &str| query.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let shown = value("hub.verify_token");
    let proves = |token: &SecretString| signature::same(shown, token.expose_secret());
    let ours = proves(&ear.secrets.whatsapp_verify_token) | proves(&ear.secrets.own_token);
    let challenge = value("hub.challenge");
    if !ours || value("hub.mode") != "subscribe" || challenge.len() > CHALLENGE_MAX {
        return StatusCode::FORBIDDEN.into_response();
    }
    // Plain text that no browser takes for anything else: the challenge is whatever the caller wrote.
    let kind =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (kind, challenge.to_owned()).into_response()
}

async fn take_whatsapp(State(ear): Served, request: Request) -> Result<StatusCode, No> {
    let (Parts { headers, mut extensions, .. }, body) = request.into_parts();
    any_of(&headers, &["x-hub-signature-256"])?;
    let whole = ear.reading.whole(body, BATCH_MAX).await?;
    let body = whole.bytes.as_slice();
    signature::whatsapp(ear.secrets.whatsapp_app_secret.expose_secret(), &headers, body)?;
    let heard = match serde_json::from_slice(body) {
        Ok(json) => whatsapp::heard(&json),
        Err(_) => Ear::unreadable("whatsapp", Channel::Whatsapp, body),
    };
    ear.take(extensions.remove(), heard).await?;
    Ok(StatusCode::OK)
}

async fn take_vapi(State(ear): Served, request: Request) -> Result<StatusCode, No> {
    let (Parts { headers, mut extensions, .. }, body) = request.into_parts();
    any_of(&headers, &["x-signature", "authorization", "x-vapi-secret"])?;
    let whole = ear.reading.whole(body, ORDINARY_MAX).await?;
    let body = whole.bytes.as_slice();
    signature::vapi(ear.secrets.vapi.expose_secret(), &headers, body, crate::clock::wall_at())?;
    let heard = match serde_json::from_slice(body) {
        Ok(json) => vapi::heard(&json),
        Err(_) => Ear::unreadable("vapi", Channel::Phone, body),
    };
    ear.take(extensions.remove(), heard).await?;
    Ok(StatusCode::OK)
}

/// A Twilio request whose signature is right.
struct TwilioForm {
    from: Option<Caller>,
    body: Vec<u8>,
    form: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

async fn twilio_form(ear: &Ear, request: Request) -> Result<TwilioForm, No> {
    let (Parts { uri, headers, mut extensions, .. }, body) = request.into_parts();
    any_of(&headers, &["x-twilio-signature"])?;
    let body = ear.reading.whole(body, ORDINARY_MAX).await?.bytes;
    let asked = uri.path_and_query().map_or("/", |asked| asked.as_str());
    let url = format!("{}{asked}", ear.secrets.public_url);
    let form = pairs(&body);
    let token = ear.secrets.twilio_auth_token.expose_secret();
    signature::twilio(token, &headers, &url, Some(&form), &body)?;
    let query = pairs(uri.query().unwrap_or_default().as_bytes());
    Ok(TwilioForm { from: extensions.remove(), body, form, query })
}

async fn take_twilio_status(State(ear): Served, request: Request) -> Result<StatusCode, No> {
    let TwilioForm { from, body, form, query } = twilio_form(&ear, request).await?;
    let attempt = query.iter().find(|(name, _)| name == "a").map(|(_, key)| key.as_str());
    let heard = twilio::heard_status(&form, attempt)
        .map_or_else(|| Ear::unreadable("twilio", Channel::Sms, &body), |heard| vec![heard]);
    ear.take(from, heard).await?;
    Ok(StatusCode::OK)
}

async fn take_twilio_inbound(State(ear): Served, request: Request) -> Result<Response, No> {
    let TwilioForm { from, body, form, .. } = twilio_form(&ear, request).await?;
    let heard = twilio::heard_inbound(&form)
        .map_or_else(|| Ear::unreadable("twilio", Channel::Sms, &body), |heard| vec![heard]);
    ear.take(from, heard).await?;
    // No automatic answer: an empty body would have Twilio complain.
    Ok(([(header::CONTENT_TYPE, "text/xml")], "<Response/>").into_response())
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// A short link: the click is a fact before the browser goes on.
async fn follow(
    State(ear): Served,
    Path(code): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, No> {
    if !links::is_code(&code) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let suspected = links::suspicion(&headers, &method);
    match ear.inbox.follow(code, suspected).await {
        Ok(Some(target)) => Ok((
            StatusCode::FOUND,
            [
                (header::LOCATION, target),
                (header::CACHE_CONTROL, "no-store".to_owned()),
                // The target must not learn the code.
                (header::REFERRER_POLICY, "no-referrer".to_owned()),
            ],
        )
            .into_response()),
        Ok(None) => Ok(StatusCode::NOT_FOUND.into_response()),
        Err(_) => Err(No::NotTaken),
    }
}
