//! What stands where `cascade.toml` says nothing: the values printed in CONTRACT.md.

use super::{Config, Learning, Limits, Pace, PilotLimits, Twilio, Vapi, Webhooks, Whatsapp, is_loopback};
use crate::model::{Channel, Mode, Money, QuietHours};
use rust_decimal::Decimal;
use secrecy::SecretString;
use std::net::{Ipv4Addr, SocketAddr};

/// Where short links lead in a rehearsal that names no `target`; nobody follows it further.
const REHEARSAL_TARGET: &str = "https://example.com/renew";

/// Where the webhooks listen in live.
pub(super) const LIVE_PORT: u16 = 8787;

impl Config {
    /// A rehearsal without a `cascade.toml`: every default, and quiet hours off.
    pub fn rehearsal_defaults() -> Self {
        Self {
            mode: Mode::Rehearsal,
            default_region: "US".into(),
            timezone: chrono_tz::America::New_York,
            currency: "USD".into(),
            brand: None,
            whatsapp: Whatsapp::default(),
            phone: Vapi::default(),
            sms: Twilio::default(),
            webhooks: Webhooks::default(),
            pilot: PilotLimits { max_failure_share: 0.05, max_optout_share: 0.05, min_customers: 50 },
            limits: Limits {
                quiet_hours: None,
                per_person_24h: 3,
                recontact_after_s: 30 * 24 * 3600,
                budget: Money(Decimal::ONE_HUNDRED),
            },
            learning: Learning::default(),
            git: crate::trail::Settings::default(),
            github: crate::trail::github::Settings::default(),
            channels: vec![Channel::Whatsapp, Channel::Phone, Channel::Sms],
        }
    }

    /// Whether every provider in use is a host on this machine: in live, `cascade trust` let a trial do so.
    pub fn is_on_this_machine(&self) -> bool {
        let is_here = |channel: &Channel| match channel {
            Channel::Whatsapp => is_loopback(&self.whatsapp.base_url),
            Channel::Phone => is_loopback(&self.phone.base_url),
            Channel::Sms => is_loopback(&self.sms.base_url),
            Channel::Email => false,
        };
        !self.channels.is_empty() && self.channels.iter().all(is_here)
    }

    /// Rate and price of a channel; `None` for e-mail, which is not built yet.
    pub const fn pace(&self, channel: Channel) -> Option<&Pace> {
        match channel {
            Channel::Whatsapp => Some(&self.whatsapp.pace),
            Channel::Phone => Some(&self.phone.pace),
            Channel::Sms => Some(&self.sms.pace),
            Channel::Email => None,
        }
    }
}

/// Quiet hours of a `cascade.toml` that does not name them: 20:00 to 09:00.
pub(super) const QUIET_HOURS: QuietHours = QuietHours { from_min: 20 * 60, to_min: 9 * 60 };

fn cents(amount: i64) -> Money {
    Money(Decimal::new(amount, 2))
}

fn secret() -> SecretString {
    SecretString::from(String::new())
}

impl Default for Whatsapp {
    fn default() -> Self {
        Self {
            base_url: "https://graph.facebook.com".into(),
            api_version: "v23.0".into(),
            phone_number_id: String::new(),
            business_account_id: String::new(),
            access_token: secret(),
            app_secret: secret(),
            verify_token: secret(),
            pace: Pace { cost: cents(5), cost_per_minute: Money::ZERO, per_second: 20.0, concurrent: 8 },
        }
    }
}

impl Default for Vapi {
    fn default() -> Self {
        Self {
            base_url: "https://api.vapi.ai".into(),
            phone_number_id: String::new(),
            api_key: secret(),
            webhook_secret: secret(),
            webhook_credential_id: String::new(),
            pace: Pace { cost: cents(20), cost_per_minute: cents(10), per_second: 1.0, concurrent: 10 },
        }
    }
}

impl Default for Twilio {
    fn default() -> Self {
        Self {
            base_url: "https://api.twilio.com".into(),
            account_sid: String::new(),
            auth_token: secret(),
            from: String::new(),
            messaging_service_sid: None,
            pace: Pace { cost: cents(4), cost_per_minute: Money::ZERO, per_second: 1.0, concurrent: 4 },
        }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            links_base: None,
            links_target: None,
        }
    }
}

impl Webhooks {
    /// Where a short link leads.
    pub fn target(&self) -> &str {
        self.links_target.as_deref().unwrap_or(REHEARSAL_TARGET)
    }

    /// The address that short links begin with, once it is known where the listener listens.
    pub fn links_base(&self, listening: SocketAddr) -> String {
        match (&self.links_base, &self.public_url) {
            (Some(base), _) => base.trim_end_matches('/').to_owned(),
            (None, Some(public)) => format!("{}/l", public.trim_end_matches('/')),
            (None, None) => format!("http://{listening}/l"),
        }
    }
}
