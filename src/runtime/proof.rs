//! Deaf is mute: in live, our public address is asked for our own words again and again, as Meta would ask.
//!
//! Without an answer, or a valid webhook, within [`super::ears::PROOF_AGE`] nothing is sent.

use super::ears::Hearing;
use super::links;
use super::news::News;
use crate::config::Config;
use futures::future::{BoxFuture, FutureExt as _};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Wall time between two round trips.
const EVERY: Duration = Duration::from_mins(1);

/// Wall time for one.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// By the question with which Meta verifies an address (PROVIDERS.md 1.5). Without a client nothing is ever proved.
pub fn over_http(config: &Config, public_url: &str) -> RoundTrip {
    crate::providers::http::tls_ready();
    let built = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
    let client = built.inspect_err(|error| tracing::error!(%error, "hearing cannot be proved")).ok();
    let (token, url) = (config.whatsapp.verify_token.clone(), format!("{public_url}/hooks/whatsapp"));
    Arc::new(move || {
        let (client, token, url) = (client.clone(), token.clone(), url.clone());
        async move {
            match client {
                Some(client) => asked(&client, &token, &url).await,
                None => false,
            }
        }
        .boxed()
    })
}

async fn asked(client: &Client, token: &SecretString, url: &str) -> bool {
    let Ok(challenge) = links::new_code() else { return false };
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.challenge", challenge.as_str()),
        ("hub.verify_token", token.expose_secret()),
    ];
    match client.get(url).query(&query).send().await {
        Ok(answer) if answer.status().is_success() => {
            answer.text().await.is_ok_and(|text| text.len() < 200 && text.trim() == challenge)
        }
        Ok(_) | Err(_) => false,
    }
}
