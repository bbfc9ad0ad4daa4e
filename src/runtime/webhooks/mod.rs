//! What providers tell us: an axum listener that verifies raw bytes, parses, and answers 2xx after the commit.
//!
//! ```text
//!  bytes ─► limit (413, 408) ─► signature (401, 403) ─► parse ─► Inbox::take ─► committed? 200 : 503
//! ```

mod callers;
mod reading;
mod refused;
mod routes;
mod serve;
pub mod signature;

pub use callers::Limits;
pub use routes::router;
pub use serve::{serve, serve_within};

use crate::providers::Heard;
use futures::future::BoxFuture;
use secrecy::SecretString;

/// Takes in verified facts. The future resolves when the commit that holds them is done (or they were
/// duplicates of what is in the log): only then may the provider be answered 2xx.
pub trait Inbox: Send + Sync {
    /// Everything one request carried. Nothing at all is still proof that the provider can reach us.
    fn take(&self, heard: Vec<Heard>) -> BoxFuture<'_, Result<(), NotTaken>>;

    /// Where a short link leads, and its click recorded as a fact; `None`: no such code. `suspected` says what
    /// gave a scanner or prefetch away.
    fn follow(
        &self,
        code: String,
        suspected: Option<String>,
    ) -> BoxFuture<'_, Result<Option<String>, NotTaken>>;

    /// A report in this provider's name was refused, because its signature is missing or wrong.
    fn disbelieved(&self, _provider: &'static str) {}
}

/// The store did not take it: the provider gets 503 and sends it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store did not take it")]
pub struct NotTaken;

/// What proves a webhook.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Signs WhatsApp's.
    pub whatsapp_app_secret: SecretString,
    /// Proves our address to WhatsApp.
    pub whatsapp_verify_token: SecretString,
    /// Proves our address to ourselves: made for this process, told to nobody else.
    pub own_token: SecretString,
    /// Signs Vapi's, or stands in a header.
    pub vapi: SecretString,
    /// Signs Twilio's.
    pub twilio_auth_token: SecretString,
    /// What providers call, without a slash at its end: Twilio signs it.
    pub public_url: String,
}

impl Secrets {
    /// From the settings, and the address that the listener was given.
    pub fn new(config: &crate::config::Config, public_url: &str, own_token: SecretString) -> Self {
        Self {
            own_token,
            whatsapp_app_secret: config.whatsapp.app_secret.clone(),
            whatsapp_verify_token: config.whatsapp.verify_token.clone(),
            vapi: config.phone.webhook_secret.clone(),
            twilio_auth_token: config.sms.auth_token.clone(),
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }
}
