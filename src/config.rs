//! Settings: flags over environment over `cascade.toml` over defaults, resolved once, all problems reported
//! together. Secrets are named by environment variable and live in [`SecretString`], which prints as `***`.

mod defaults;
mod forge;
mod load;
mod policy;
mod providers;
mod sandbox;
mod table;
pub mod trust;

use crate::model::{Channel, Mode, Money, QuietHours};
use crate::trail;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

pub use load::{Env, Trusted, load, load_trusting, mode};
pub use providers::usual_variable;
pub use sandbox::{SandboxRefused, is_loopback};

/// Everything `cascade.toml` says, with defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    /// Rehearsal unless the file says `live`.
    pub mode: Mode,
    /// For numbers without a country code, ISO 3166-1 alpha-2.
    pub default_region: String,
    /// IANA zone for customers whose own column and number tell none.
    pub timezone: chrono_tz::Tz,
    /// ISO 4217 code, printed beside every amount.
    pub currency: String,
    /// The sender's name, which a first text must show; for lints alone.
    pub brand: Option<String>,
    /// Meta WhatsApp Cloud API.
    pub whatsapp: Whatsapp,
    /// The voice agent.
    pub phone: Vapi,
    /// Twilio SMS.
    pub sms: Twilio,
    /// Our own listener and its public address.
    pub webhooks: Webhooks,
    /// What a pilot must show.
    pub pilot: PilotLimits,
    /// What no campaign may exceed.
    pub limits: Limits,
    /// What a conversion is worth.
    pub learning: Learning,
    /// Where changes of rules are committed.
    pub git: trail::Settings,
    /// Where they are proposed.
    pub github: trail::github::Settings,
    /// Channels that can be used: in live those with a section of their own, in a rehearsal all that are built.
    pub channels: Vec<Channel>,
}

/// Rate and price of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Used where the provider reports no price: a message, a segment, an attempt.
    pub cost: Money,
    /// Calls: for every minute, by the second.
    pub cost_per_minute: Money,
    /// Requests started per campaign second.
    pub per_second: f64,
    /// Requests claimed at once, and calls in progress: what a crash can leave in doubt.
    pub concurrent: usize,
}

/// `[whatsapp]`
#[derive(Clone, Debug)]
pub struct Whatsapp {
    /// `https://graph.facebook.com`
    pub base_url: String,
    /// `v23.0`
    pub api_version: String,
    /// Our number's id.
    pub phone_number_id: String,
    /// The WhatsApp business account (WABA).
    pub business_account_id: String,
    /// Bearer token.
    pub access_token: SecretString,
    /// Signs webhooks.
    pub app_secret: SecretString,
    /// Proves the webhook's address as ours.
    pub verify_token: SecretString,
    /// Rate and price.
    pub pace: Pace,
}

/// `[phone]` with `provider = "vapi"`
#[derive(Clone, Debug)]
pub struct Vapi {
    /// `https://api.vapi.ai`
    pub base_url: String,
    /// The number that calls.
    pub phone_number_id: String,
    /// Private key.
    pub api_key: SecretString,
    /// Signs webhooks (HMAC) or stands in `X-Vapi-Secret`.
    pub webhook_secret: SecretString,
    /// The provider's credential that makes it sign.
    pub webhook_credential_id: String,
    /// Rate and price.
    pub pace: Pace,
}

/// `[sms]`
#[derive(Clone, Debug)]
pub struct Twilio {
    /// `https://api.twilio.com`
    pub base_url: String,
    /// `AC...`
    pub account_sid: String,
    /// Signs requests and webhooks.
    pub auth_token: SecretString,
    /// `+1...`; empty with a messaging service.
    pub from: String,
    /// `MG...`, in place of `from`.
    pub messaging_service_sid: Option<String>,
    /// Rate and price.
    pub pace: Pace,
}

/// `[webhooks]` and `[links]`
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// Where we listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What providers call; `http://listen` in a rehearsal.
    pub public_url: Option<String>,
    /// Short links: `{base}/CODE`; `{public_url}/l` unless set.
    pub links_base: Option<String>,
    /// Where a short link leads; [`Webhooks::target`] has the address a rehearsal uses.
    pub links_target: Option<String>,
}

/// `[pilot]`
#[derive(Clone, Debug, PartialEq)]
pub struct PilotLimits {
    /// Final failures of class config, outage, in_doubt ÷ customers attempted, per channel.
    pub max_failure_share: f64,
    /// Opt-outs ÷ customers attempted, per channel.
    pub max_optout_share: f64,
    /// A smaller pilot proves nothing.
    pub min_customers: u64,
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Off in a rehearsal without a `cascade.toml`.
    pub quiet_hours: Option<QuietHours>,
    /// Contacts with one person in 24 h, all campaigns.
    pub per_person_24h: u32,
    /// Seconds before a full launch contacts somebody again.
    pub recontact_after_s: u64,
    /// Hard cap for one campaign.
    pub budget: Money,
}

/// `[learning]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learning {
    /// What a conversion is worth; absent: channels are compared by cost per conversion.
    pub value: Option<Money>,
    /// What an opt-out costs us.
    pub optout_penalty: Money,
    /// What a conversion loses in worth with every hour since the launch, as a rate: 0.01 leaves 79 % after a day.
    pub decay_per_h: f64,
    /// Hashes of rules or texts whose cascades count as those of what is in force.
    pub equivalent: Vec<String>,
}
