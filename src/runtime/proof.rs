//! Deaf is mute: in live, our public address is asked for our own words again and again, as Meta would ask.
//!
//! Without an answer, or a valid webhook, within [`super::ears::PROOF_AGE`] nothing is sent.

use super::ears::Hearing;
use super::links;
use super::news::News;
use crate::model::Mode;
use crate::providers::http::{Http, Patience};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use tokio::sync::mpsc;

/// Wall time between two round trips.
const EVERY: Duration = Duration::from_mins(1);

/// Wall time for one.
const PATIENCE: Patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(10) };

/// Asks until the driver is gone, and tells it whenever the answer changes. `token` is this process' own: whatever
/// stands in between sees no secret that is good for anything else.
pub async fn keep(token: SecretString, public_url: String, hearing: Hearing, news: mpsc::Sender<News>) {
    let http = Http::new(Mode::Live, PATIENCE);
    loop {
        if round_trip(&http, &token, &public_url).await {
            hearing.proved();
        }
        if news.send(News::Hearing).await.is_err() {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Whether our receiver answers at its public address (PROVIDERS.md 1.5).
async fn round_trip(http: &Http, token: &SecretString, public_url: &str) -> bool {
    let Ok(challenge) = links::new_code() else { return false };
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.challenge", challenge.as_str()),
        ("hub.verify_token", token.expose_secret()),
    ];
    let Ok(request) = http.request(Method::GET, &format!("{public_url}/hooks/whatsapp")) else {
        return false;
    };
    http.send(request.query(&query))
        .await
        .is_ok_and(|answer| answer.is_ok() && answer.body.trim_ascii() == challenge.as_bytes())
}
