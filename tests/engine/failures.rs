//! Failures by a short name, as the error tables of PROVIDERS.md sort them.

use cascade::engine::journey::Journey;
use cascade::model::{Channel, Class, Failure, Scope, Sent, Untrusted};

/// The failure called `name`, on `channel`; its template or country is this journey's.
pub fn failure(name: &str, channel: Channel, journey: &Journey) -> Failure {
    let template = || {
        let leg = journey.start.walk.iter().find(|leg| leg.channel == channel);
        Scope::Template(leg.and_then(|leg| leg.template.clone()).unwrap_or_default())
    };
    let country = || Scope::Country(journey.start.country.clone().unwrap_or_default());
    let (name, retry_after_s) = match name.split_once('=') {
        Some((name, seconds)) => (name, Some(seconds.parse().unwrap())),
        None => (name, None),
    };
    let (code, class, scope, sent) = match name {
        "throttle" => ("429", Class::Throttle, Scope::Account, Sent::No),
        "pair_rate" => ("131056", Class::Throttle, Scope::Person, Sent::No),
        "outage" => ("connect", Class::Outage, Scope::Account, Sent::No),
        "not_on_whatsapp" => ("131026", Class::Recipient, Scope::Person, Sent::No),
        "landline" => ("30006", Class::Recipient, Scope::Person, Sent::No),
        "sms_blocked" => ("21610", Class::Suppress, Scope::Person, Sent::No),
        "marketing_stopped" => ("131050", Class::Suppress, Scope::Person, Sent::No),
        "template_paused" => ("132015", Class::Config, template(), Sent::No),
        "country_off" => ("21408", Class::Config, country(), Sent::No),
        "sender_off" => ("21606", Class::Config, Scope::Sender, Sent::No),
        "token_expired" => ("190", Class::Config, Scope::Account, Sent::No),
        "template_outage" => ("132999", Class::Outage, template(), Sent::No),
        "carrier_congested" => ("30017", Class::Outage, Scope::Account, Sent::No),
        "odd_end" => ("39999", Class::Outage, Scope::Person, Sent::Maybe),
        "fault_502" => ("502", Class::InDoubt, Scope::Account, Sent::Maybe),
        "unknown_later" => ("30008", Class::Outage, Scope::Person, Sent::Maybe),
        "timeout" => ("timeout", Class::InDoubt, Scope::Person, Sent::Maybe),
        other => panic!("no failure is called {other:?}"),
    };
    Failure {
        channel,
        provider: "provider".into(),
        code: code.into(),
        class,
        scope,
        sent,
        title: name.into(),
        remedy: "mend it".into(),
        detail: Untrusted::default(),
        retry_after_s,
    }
}
