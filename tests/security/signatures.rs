//! Every signature check: what is validly signed is believed, and any change of it is not. Signed here by the
//! providers' own words, not by the code under test.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cascade::model::At;
use cascade::runtime::links;
use cascade::runtime::webhooks::signature::{self, Disbelief};
use hmac::{Hmac, Mac as _};
use proptest::prelude::*;
use proptest::sample::Index;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

const NOW_S: i64 = 1_767_225_600;

fn hex256(key: &str, bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(bytes);
    hex::encode(mac.finalize().into_bytes())
}

fn sha1_64(key: &str, bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(bytes);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// Another body: a byte changed, put in, or taken out.
fn another(bytes: &[u8], at: Index, by: u8, how: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match how % 3 {
        _ if bytes.is_empty() => bytes.push(by),
        0 => *at.get_mut(&mut bytes) ^= by.max(1),
        1 => bytes.insert(at.index(bytes.len() + 1), by),
        // One of a row of equal bytes taken out leaves the row shorter, so it is another body in any case.
        _ => drop(bytes.remove(at.index(bytes.len()))),
    }
    bytes
}

/// Another text of hexadecimal or base64 digits.
fn another_proof(proof: &str, at: Index) -> String {
    let mut bytes = proof.as_bytes().to_vec();
    let at = at.index(bytes.len());
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    String::from_utf8(bytes).unwrap()
}

fn secret() -> impl Strategy<Value = String> {
    "[ -~]{1,40}"
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

proptest! {
    #[test]
    fn whatsapp(key in secret(), other in secret(), body in body(), at: Index, by: u8, how: u8) {
        let proof = hex256(&key, &body);
        let signed = |proof: &str| headers(&[("x-hub-signature-256", &format!("sha256={proof}"))]);
        prop_assert_eq!(signature::whatsapp(&key, &signed(&proof), &body), Ok(()));
        let changed = another(&body, at, by, how);
        prop_assert_eq!(signature::whatsapp(&key, &signed(&proof), &changed), Err(Disbelief::Wrong));
        let forged = signed(&another_proof(&proof, at));
        prop_assert_eq!(signature::whatsapp(&key, &forged, &body), Err(Disbelief::Wrong));
        let short = signed(&proof[..at.index(64)]);
        prop_assert_eq!(signature::whatsapp(&key, &short, &body), Err(Disbelief::Wrong));
        if other != key {
            prop_assert_eq!(signature::whatsapp(&other, &signed(&proof), &body), Err(Disbelief::Wrong));
        }
        // What everybody can sign is believed of nobody.
        let empty = signed(&hex256("", &body));
        prop_assert_eq!(signature::whatsapp("", &empty, &body), Err(Disbelief::Wrong));
        let bare = headers(&[("x-hub-signature-256", &proof)]);
        prop_assert_eq!(signature::whatsapp(&key, &bare, &body), Err(Disbelief::Wrong));
        prop_assert_eq!(signature::whatsapp(&key, &HeaderMap::new(), &body), Err(Disbelief::Missing));
    }

    #[test]
    fn vapi(key in secret(), body in body(), at: Index, by: u8, how: u8, age in -600_i64..600, in_ms: bool) {
        let now = At::from_secs(NOW_S);
        let stamp = (NOW_S - age) * if in_ms { 1000 } else { 1 };
        let stamp = stamp.to_string();
        let proof = hex256(&key, &[stamp.as_bytes(), b".", &body].concat());
        let signed = |proof: &str, stamp: &str| headers(&[("x-signature", proof), ("x-timestamp", stamp)]);
        let fresh = if age.abs() <= 300 { Ok(()) } else { Err(Disbelief::Wrong) };
        prop_assert_eq!(signature::vapi(&key, &signed(&proof, &stamp), &body, now), fresh);
        let changed = another(&body, at, by, how);
        prop_assert_eq!(signature::vapi(&key, &signed(&proof, &stamp), &changed, now), Err(Disbelief::Wrong));
        let forged = signed(&another_proof(&proof, at), &stamp);
        prop_assert_eq!(signature::vapi(&key, &forged, &body, now), Err(Disbelief::Wrong));
        // A fresh time in place of the signed one.
        let renewed = (NOW_S + 1).to_string();
        if renewed != stamp {
            let renewed = signed(&proof, &renewed);
            prop_assert_eq!(signature::vapi(&key, &renewed, &body, now), Err(Disbelief::Wrong));
        }
        let empty = hex256("", &[stamp.as_bytes(), b".", &body].concat());
        prop_assert_eq!(signature::vapi("", &signed(&empty, &stamp), &body, now), Err(Disbelief::Wrong));
    }

    #[test]
    fn vapi_by_a_secret_in_a_header(key in "[!-~]{1,40}", guess in "[!-~]{0,41}") {
        let (now, body) = (At::from_secs(NOW_S), b"{}".as_slice());
        let of = |name: &'static str, value: &str| signature::vapi(&key, &headers(&[(name, value)]), body, now);
        let right = if guess == key { Ok(()) } else { Err(Disbelief::Wrong) };
        prop_assert_eq!(of("x-vapi-secret", &key), Ok(()));
        prop_assert_eq!(of("x-vapi-secret", &guess), right);
        prop_assert_eq!(of("authorization", &format!("Bearer {key}")), Ok(()));
        prop_assert_eq!(of("authorization", &format!("Bearer {guess}")), right);
        let both = headers(&[("authorization", "Bearer wrong-one"), ("x-vapi-secret", &key)]);
        prop_assert!(key == "wrong-one" || signature::vapi(&key, &both, body, now).is_err());
        prop_assert!(signature::vapi("", &headers(&[("x-vapi-secret", "")]), body, now).is_err());
    }

    #[test]
    fn twilio_forms(
        key in secret(),
        form in prop::collection::vec(("[A-Za-z]{1,8}", "\\PC{0,12}"), 1..8),
        path in "[a-z/]{0,20}",
        at: Index,
        by: char,
        turned: Index,
    ) {
        let url = format!("https://hooks.example.test/{path}?a=att_1");
        let text = |form: &[(String, String)]| -> String {
            let sorted: BTreeSet<_> = form.iter().collect();
            sorted.into_iter().flat_map(|(name, value)| [name.as_str(), value]).collect()
        };
        let proof = sha1_64(&key, format!("{url}{}", text(&form)).as_bytes());
        let check = |url: &str, form: &[(String, String)], proof: &str| {
            signature::twilio(&key, &headers(&[("x-twilio-signature", proof)]), url, Some(form), b"")
        };
        prop_assert_eq!(check(&url, &form, &proof), Ok(()));
        let mut order = form.clone();
        order.rotate_left(turned.index(form.len()));
        prop_assert_eq!(check(&url, &order, &proof), Ok(()), "the order on the wire is not signed");
        prop_assert_eq!(check(&url.replace("test/", "test:443/"), &form, &proof), Ok(()), "the port may be written");
        let mut changed = form.clone();
        changed[at.index(form.len())].1.push(by);
        // Twilio signs names and values without a mark between them; only another text can be told apart.
        if text(&changed) != text(&form) {
            prop_assert_eq!(check(&url, &changed, &proof), Err(Disbelief::Wrong));
        }
        let forged = another_proof(&proof, at);
        let same = STANDARD.decode(&forged).ok() == STANDARD.decode(&proof).ok();
        prop_assert!(same || check(&url, &form, &forged).is_err());
        for other in [url.replace("att_1", "att_2"), url.replace("hooks.", "hooks2."), url.replace("https", "http")] {
            prop_assert_eq!(check(&other, &form, &proof), Err(Disbelief::Wrong));
        }
        let empty = sha1_64("", format!("{url}{}", text(&form)).as_bytes());
        let by_nobody = signature::twilio("", &headers(&[("x-twilio-signature", &empty)]), &url, Some(&form), b"");
        prop_assert_eq!(by_nobody, Err(Disbelief::Wrong));
    }

    #[test]
    fn twilio_json(key in secret(), body in body(), at: Index, by: u8, how: u8) {
        let of = |body: &[u8]| hex::encode(Sha256::digest(body));
        let url = format!("https://hooks.example.test/x?bodySHA256={}", of(&body));
        let proof = sha1_64(&key, url.as_bytes());
        let signed = headers(&[("x-twilio-signature", &proof)]);
        prop_assert_eq!(signature::twilio(&key, &signed, &url, None, &body), Ok(()));
        let changed = another(&body, at, by, how);
        prop_assert!(signature::twilio(&key, &signed, &url, None, &changed).is_err());
        let renamed = url.replace(&of(&body), &of(&changed));
        prop_assert!(signature::twilio(&key, &signed, &renamed, None, &changed).is_err(), "the address is signed");
    }

    /// A code is the only way to write its 16 bytes: no second spelling of it leads anywhere.
    #[test]
    fn codes_of_links(bytes: [u8; 16], text in "\\PC{0,30}", letters in "[A-Za-z0-9_=-]{20,24}") {
        prop_assert!(links::is_code(&URL_SAFE_NO_PAD.encode(bytes)));
        for text in [text, letters] {
            let read = URL_SAFE_NO_PAD.decode(&text).ok().filter(|bytes| bytes.len() == 16);
            let plain = text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            let only = read.is_some_and(|bytes| URL_SAFE_NO_PAD.encode(bytes) == text);
            prop_assert_eq!(links::is_code(&text), plain && only, "{}", text);
        }
    }
}
