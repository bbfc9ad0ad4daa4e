//! Webhooks that are not as they should be: copies that are forged, garbled or about nobody, and batches.

use super::acts::Act;
use super::deliver::{Again, Body, Delivery, Part};
use super::ledger::Provider;
use super::sign::ascii_json;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Updates in one POST at most (PROVIDERS.md 1.7).
const TOGETHER: usize = 1000;

impl Delivery {
    fn copy(&self, what: &str, body: Body) -> Self {
        Self { what: what.to_owned(), body, again: Again::Never, outcome: None, ..self.clone() }
    }

    /// A copy that nobody may believe.
    pub(super) fn forged(&self) -> Self {
        Self { forged: true, ..self.copy("forged", self.body.clone()) }
    }

    /// A copy that is signed and cannot be read.
    pub(super) fn garbled(&self) -> Self {
        let body = match &self.body {
            // What we send is ASCII, so any byte is a border.
            Body::Json(text) => Body::Json(text.get(..text.len() / 2).unwrap_or_default().to_owned()),
            Body::Form(params) => {
                Body::Form(params.iter().map(|(name, value)| (format!("{name}?"), value.clone())).collect())
            }
        };
        self.copy("garbled", body)
    }

    /// A copy about a message and a person that are nobody's; `None` if it is about no person. `id` is new.
    pub(super) fn of_nobody(&self, id: &str) -> Option<Self> {
        let digits: String = id.bytes().rev().take(4).map(|b| char::from(b'0' + b % 10)).collect();
        let nobody = format!("+1999555{digits}");
        let body = match &self.body {
            Body::Form(params) => {
                let person = if params.iter().any(|(name, _)| name == "Body") { "From" } else { "To" };
                let foreign = |(name, value): &(String, String)| match name.as_str() {
                    "MessageSid" | "SmsSid" | "SmsMessageSid" => (name.clone(), format!("SM{id}")),
                    name if name == person => (name.to_owned(), nobody.clone()),
                    _ => (name.clone(), value.clone()),
                };
                Body::Form(params.iter().map(foreign).collect())
            }
            Body::Json(text) => {
                let mut body: Value = serde_json::from_str(text).ok()?;
                let changed = match self.provider {
                    Provider::Whatsapp => foreign_update(&mut body, id, nobody.trim_start_matches('+')),
                    Provider::Vapi => foreign_call(&mut body, id, &nobody),
                    Provider::Twilio => false,
                };
                changed.then(|| Body::Json(ascii_json(&body)))?
            }
        };
        // Our attempt stands in the address of a text message's report.
        let url = self.url.split('?').next().unwrap_or_default().to_owned();
        Some(Self { to: Some(nobody), url, ..self.copy("unknown", body) })
    }
}

fn foreign_update(body: &mut Value, id: &str, digits: &str) -> bool {
    let Some(value) = body.pointer_mut("/entry/0/changes/0/value") else { return false };
    if let Some(contact) = value.pointer_mut("/contacts/0") {
        contact["wa_id"] = json!(digits);
    }
    if let Some(Value::Object(status)) = value.pointer_mut("/statuses/0") {
        status.remove("biz_opaque_callback_data");
        status.insert("id".into(), json!(format!("wamid.{id}")));
        status.insert("recipient_id".into(), json!(digits));
    } else if let Some(Value::Object(message)) = value.pointer_mut("/messages/0") {
        message.remove("context");
        message.insert("id".into(), json!(format!("wamid.IN{id}")));
        message.insert("from".into(), json!(digits));
        if let Some(payload) = message.get_mut("button").and_then(|button| button.get_mut("payload")) {
            *payload = json!("positive:att_nobody");
        }
    } else if let Some(preference) = value.pointer_mut("/user_preferences/0") {
        preference["wa_id"] = json!(digits);
    } else {
        return false;
    }
    true
}

fn foreign_call(body: &mut Value, id: &str, nobody: &str) -> bool {
    let Some(Value::Object(message)) = body.get_mut("message") else { return false };
    let customer = json!({ "number": nobody });
    message.insert("customer".into(), customer.clone());
    if let Some(Value::Object(call)) = message.get_mut("call") {
        call.remove("name");
        call.insert("id".into(), json!(id));
        call.insert("customer".into(), customer);
    }
    true
}

/// What is due now, webhooks that go together made into one.
pub(super) fn batches(due: Vec<(u64, Act)>) -> Vec<(Vec<u64>, Act)> {
    let mut ready = Vec::new();
    let mut together: BTreeMap<String, Vec<(u64, Delivery)>> = BTreeMap::new();
    for (id, act) in due {
        match act {
            Act::Deliver(delivery) if delivery.batched => {
                together.entry(delivery.url.clone()).or_default().push((id, *delivery));
            }
            act => ready.push((vec![id], act)),
        }
    }
    for some in together.values().flat_map(|all| all.chunks(TOGETHER)) {
        if let Some(merged) = merged(some) {
            ready.push((some.iter().map(|(id, _)| *id).collect(), Act::Deliver(Box::new(merged))));
        }
    }
    ready
}

/// One POST for all of them; each keeps its line in the events.
fn merged(some: &[(u64, Delivery)]) -> Option<Delivery> {
    let (_, first) = some.first()?;
    let mut entries = Vec::new();
    let mut parts = Vec::new();
    for (_, delivery) in some {
        let Body::Json(text) = &delivery.body else { continue };
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        entries.extend(body["entry"].as_array().cloned().unwrap_or_default());
        let Delivery { to, what, outcome, .. } = delivery.clone();
        parts.push(Part { to, what, outcome });
    }
    let body = json!({"object": "whatsapp_business_account", "entry": entries});
    Some(Delivery {
        to: None,
        what: format!("batch of {}", parts.len()),
        outcome: None,
        body: Body::Json(ascii_json(&body)),
        batched: false,
        parts,
        ..first.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::At;

    fn delivery(n: usize) -> Delivery {
        let status = json!({"id": format!("wamid.{n}"), "recipient_id": "14155550100", "biz_opaque_callback_data": "a"});
        let value = json!({"contacts": [{"wa_id": "14155550100"}], "statuses": [status]});
        let body = json!({"entry": [{"changes": [{"value": value}]}]});
        Delivery {
            provider: Provider::Whatsapp,
            to: Some("+14155550100".into()),
            url: "http://127.0.0.1:1/hooks/whatsapp?a=1".into(),
            body: Body::Json(body.to_string()),
            what: "delivered".into(),
            outcome: Some("delivered".into()),
            again: Again::Days,
            signed: true,
            forged: false,
            batched: true,
            parts: Vec::new(),
            tries: 0,
            first: At::default(),
            token: String::new(),
        }
    }

    fn json_of(delivery: &Delivery) -> Value {
        let Body::Json(text) = &delivery.body else { panic!("a form") };
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_copy_about_nobody_names_nobody() {
        let copy = delivery(1).of_nobody("00000000000000000000000000000007").unwrap();
        let text = json_of(&copy).to_string();
        assert!(
            !text.contains("14155550100") && !text.contains("wamid.1") && !text.contains("biz_"),
            "{text}"
        );
        assert!(text.contains("1999555") && !copy.url.contains('?'));
        assert_eq!((copy.outcome, copy.again), (None, Again::Never));
    }

    #[test]
    fn a_thousand_go_together_and_no_more() {
        let due = (0..1500).map(|n| (n as u64, Act::Deliver(Box::new(delivery(n))))).collect();
        let sent = batches(due);
        let sizes: Vec<_> = sent
            .iter()
            .map(|(ids, act)| {
                let Act::Deliver(delivery) = act else { panic!("{act:?}") };
                assert_eq!((ids.len(), delivery.parts.len()), (ids.len(), ids.len()));
                json_of(delivery)["entry"].as_array().unwrap().len()
            })
            .collect();
        assert_eq!(sizes, [1000, 500]);
    }
}
