//! Deaf is mute: in live, our public address is asked for our own words again and again, as Meta would ask.
//!
//! Without an answer, or a valid webhook, within [`super::ears::PROOF_AGE`] nothing is sent.

use super::ears::Hearing;
use super::links;
use super::news::News;
use crate::model::Mode;
use crate::providers::http::{Http, Patience};
use futures::future::{BoxFuture, FutureExt as _};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Wall time between two round trips.
const EVERY: Duration = Duration::from_mins(1);

/// Wall time for one.
const PATIENCE: Patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(10) };

/// Whether our receiver answers at its public address.
pub type RoundTrip = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Asks until the driver is gone, and tells it after each answer.
pub async fn keep(round_trip: RoundTrip, hearing: Hearing, news: mpsc::Sender<News>) {
    loop {
        if round_trip().await {
            hearing.proved();
        } else {
            hearing.failed();
        }
        if news.send(News::Hearing).await.is_err() {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// As [`keep`], but not at once: the last one ended badly.
pub async fn keep_later(round_trip: RoundTrip, hearing: Hearing, news: mpsc::Sender<News>) {
    tokio::time::sleep(EVERY).await;
    keep(round_trip, hearing, news).await;
}

/// By the question with which Meta verifies an address (PROVIDERS.md 1.5). `token` is this process' own: whatever
/// stands in between sees no secret that is good for anything else. Without a client nothing is ever proved.
pub fn over_http(token: SecretString, public_url: &str) -> RoundTrip {
    let http = Arc::new(Http::new(Mode::Live, PATIENCE));
    let url = format!("{public_url}/hooks/whatsapp");
    Arc::new(move || {
        let (http, token, url) = (Arc::clone(&http), token.clone(), url.clone());
        async move { asked(&http, &token, &url).await }.boxed()
    })
}

async fn asked(http: &Http, token: &SecretString, url: &str) -> bool {
    let Ok(challenge) = links::new_code() else { return false };
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.challenge", challenge.as_str()),
        ("hub.verify_token", token.expose_secret()),
    ];
    let request = match http.request(Method::GET, url) {
        Ok(request) => request.query(&query),
        Err(trouble) => {
            tracing::error!(%trouble, "hearing cannot be proved");
            return false;
        }
    };
    http.send(request)
        .await
        .is_ok_and(|answer| answer.is_ok() && answer.body.trim_ascii() == challenge.as_bytes())
}
