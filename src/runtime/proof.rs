//! Deaf is mute: in live, our public address is asked for our own words again and again, as Meta would ask.
//!
//! Without an answer, or a valid webhook, within [`super::ears::PROOF_AGE`] nothing is sent.

use super::ears::Hearing;
use super::links;
use super::news::News;
use crate::config::Config;
use reqwest::Client;
use secrecy::ExposeSecret as _;
use std::time::Duration;
use tokio::sync::mpsc;

/// Wall time between two round trips.
const EVERY: Duration = Duration::from_mins(1);

/// Wall time for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks until the driver is gone, and tells it whenever the answer changes.
pub async fn keep(config: Config, public_url: String, hearing: Hearing, news: mpsc::Sender<News>) {
    crate::providers::http::tls_ready();
    let built = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
    let Ok(client) = built else { return };
    loop {
        if round_trip(&client, &config, &public_url).await {
            hearing.proved();
        }
        if news.send(News::Hearing).await.is_err() {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Whether our receiver answers at its public address (PROVIDERS.md 1.5).
async fn round_trip(client: &Client, config: &Config, public_url: &str) -> bool {
    let Ok(challenge) = links::new_code() else { return false };
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.challenge", challenge.as_str()),
        ("hub.verify_token", config.whatsapp.verify_token.expose_secret()),
    ];
    let asked = client.get(format!("{public_url}/hooks/whatsapp")).query(&query).send().await;
    match asked {
        Ok(answer) if answer.status().is_success() => {
            answer.text().await.is_ok_and(|text| text.len() < 200 && text.trim() == challenge)
        }
        Ok(_) | Err(_) => false,
    }
}
