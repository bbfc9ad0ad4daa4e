//! The providers' signatures, as the sender makes them (PROVIDERS.md 1.7, 2.6, 4.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// `X-Hub-Signature-256` over the bytes as they are sent.
pub(super) fn hub(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_sha256(secret, &[body]))
}

/// Vapi's `x-signature`: hex over `{timestamp}.{body}`.
pub(super) fn vapi(secret: &str, timestamp: &str, body: &[u8]) -> String {
    hmac_sha256(secret, &[timestamp.as_bytes(), b".", body])
}

/// `X-Twilio-Signature` over the configured URL (without fragment) and the sorted, distinct parameters.
pub(super) fn twilio(token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut text = url.split('#').next().unwrap_or(url).to_owned();
    for (name, value) in params.iter().collect::<BTreeSet<_>>() {
        text.push_str(name);
        text.push_str(value);
    }
    let mut mac = keyed::<Hmac<Sha1>>(token);
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn hmac_sha256(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = keyed::<Hmac<Sha256>>(secret);
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length, so this cannot fail")]
fn keyed<M: Mac + hmac::digest::KeyInit>(key: &str) -> M {
    <M as Mac>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length")
}

/// Lowercase hex SHA-256.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// JSON with everything beyond ASCII as `\u00e4`, the form over which Meta signs.
pub(super) fn ascii_json(value: &serde_json::Value) -> String {
    let plain = value.to_string();
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_official_validators_hold() {
        let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
        let hub = hub("app-secret-for-tests", body);
        assert_eq!(hub, "sha256=1ca363dab318df784e1963b29dca91e2098e6cf2fbf0d3c14e09580a90684a61");
        let token = "0123456789abcdef0123456789abcdef";
        let url = "https://hooks.example.test/twilio/sms/status?attempt=42";
        let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let params = pairs(&[("A", "2"), ("A", "1"), ("A", "2"), ("B", "x")]);
        assert_eq!(twilio(token, url, &params), "bwDrVUbp78tdRXTvGUAKWeTtxno=");
        let params = pairs(&[
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("ApiVersion", "2010-04-01"),
            ("ErrorCode", "30003"),
            ("From", "+15005550006"),
            ("MessageSid", "SM00000000000000000000000000000001"),
            ("SmsSid", "SM00000000000000000000000000000001"),
            ("MessageStatus", "undelivered"),
            ("SmsStatus", "undelivered"),
            ("To", "+15005550009"),
        ]);
        assert_eq!(twilio(token, url, &params), "exLlzoN2fZvL8rVIfxjS0ENSMSQ=");
        let body = br#"{"message":{"type":"status-update","status":"ended","endedReason":"customer-did-not-answer"}}"#;
        let hex = "5b66f1c4f27307aaceff084f4c6be44079dcb56b09a7da2517812c3856915924";
        assert_eq!(vapi("vapi-hmac-for-tests", "1767225600", body), hex);
    }

    #[test]
    fn beyond_ascii_is_escaped() {
        let text = serde_json::json!({"a": "ä 👍"});
        assert_eq!(ascii_json(&text), "{\"a\":\"\\u00e4 \\ud83d\\udc4d\"}");
    }
}
