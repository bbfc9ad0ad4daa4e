//! A WhatsApp message as Meta would bring it: signed, to the address that the sandbox was told of.

use crate::house::{House, Sandbox};
use cascade::model::Phone;
use hmac::{Hmac, Mac as _};
use serde_json::json;
use std::io::Write as _;
use std::net::TcpStream;

/// Where a running house hears, and what it believes.
pub struct Inbound {
    port: u16,
    secret: String,
}

impl Inbound {
    pub fn of(house: &House, sandbox: &Sandbox) -> Self {
        let secret = sandbox.lines("config")[0]["whatsapp"]["app_secret"].as_str().unwrap().to_owned();
        Self { port: house.reader().meta("webhook_port").unwrap().unwrap().parse().unwrap(), secret }
    }

    /// They write `text`, in a message of this id. Nobody has read the answer yet.
    pub fn writes(&self, phone: &Phone, id: &str, text: &str) -> TcpStream {
        let digits = phone.as_str().trim_start_matches('+');
        let message = json!({ "from": digits, "id": format!("wamid.{id}.{digits}"), "timestamp": "1767623000",
            "type": "text", "text": { "body": text } });
        let value = json!({ "messaging_product": "whatsapp", "messages": [message] });
        let body = json!({ "object": "whatsapp_business_account",
            "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": value }] }] });
        let body = body.to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "POST /hooks/whatsapp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
    }
}
