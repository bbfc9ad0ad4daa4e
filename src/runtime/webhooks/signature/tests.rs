//! The vectors of PROVIDERS.md section 8, computed with the providers' own validators, and ways to cheat.

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, value.parse().unwrap());
    }
    map
}

fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

const APP_SECRET: &str = "app-secret-for-tests";
const META_BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
const META_SIGNATURE: &str = "sha256=1ca363dab318df784e1963b29dca91e2098e6cf2fbf0d3c14e09580a90684a61";

#[test]
fn whatsapp_vector() {
    let signed = headers(&[("x-hub-signature-256", META_SIGNATURE)]);
    assert_eq!(whatsapp(APP_SECRET, &signed, META_BODY), Ok(()));
    assert_eq!(whatsapp("another", &signed, META_BODY), Err(Disbelief::Wrong));
    assert_eq!(whatsapp(APP_SECRET, &signed, b"{}"), Err(Disbelief::Wrong));
    assert_eq!(whatsapp(APP_SECRET, &headers(&[]), META_BODY), Err(Disbelief::Missing));
    for bad in [&META_SIGNATURE[7..], "sha256=", "sha256=zz", &META_SIGNATURE[..40], "sha1=00"] {
        let signed = headers(&[("x-hub-signature-256", bad)]);
        assert_eq!(whatsapp(APP_SECRET, &signed, META_BODY), Err(Disbelief::Wrong), "{bad}");
    }
    let doubled =
        headers(&[("x-hub-signature-256", META_SIGNATURE), ("x-hub-signature-256", META_SIGNATURE)]);
    assert_eq!(whatsapp(APP_SECRET, &doubled, META_BODY), Err(Disbelief::Wrong));
}

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const STATUS_URL: &str = "https://hooks.example.test/twilio/sms/status?attempt=42";

#[test]
fn twilio_form_vector() {
    let values = form(&[
        ("To", "+15005550009"),
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("ApiVersion", "2010-04-01"),
        ("ErrorCode", "30003"),
        ("From", "+15005550006"),
        ("MessageSid", "SM00000000000000000000000000000001"),
        ("SmsSid", "SM00000000000000000000000000000001"),
        ("MessageStatus", "undelivered"),
        ("SmsStatus", "undelivered"),
    ]);
    let signed = headers(&[("x-twilio-signature", "exLlzoN2fZvL8rVIfxjS0ENSMSQ=")]);
    let check = |token, url, values: &[(String, String)]| twilio(token, &signed, url, Some(values), b"");
    assert_eq!(check(TOKEN, STATUS_URL, &values), Ok(()));
    // The port may stand there on our side and not on theirs.
    assert_eq!(check(TOKEN, "https://hooks.example.test:443/twilio/sms/status?attempt=42", &values), Ok(()));
    assert_eq!(check(TOKEN, "https://hooks.example.test:8787/twilio/sms/status?attempt=42", &values), Ok(()));
    assert_eq!(
        check(TOKEN, "https://hooks.example.test/twilio/sms/status?attempt=43", &values),
        Err(Disbelief::Wrong)
    );
    assert_eq!(
        check(TOKEN, "http://hooks.example.test/twilio/sms/status?attempt=42", &values),
        Err(Disbelief::Wrong)
    );
    assert_eq!(check("wrong", STATUS_URL, &values), Err(Disbelief::Wrong));
    assert_eq!(check(TOKEN, STATUS_URL, &values[1..]), Err(Disbelief::Wrong));
    assert_eq!(twilio(TOKEN, &headers(&[]), STATUS_URL, Some(&values), b""), Err(Disbelief::Missing));
}

#[test]
fn twilio_repeated_names_vector() {
    let values = form(&[("A", "2"), ("A", "1"), ("A", "2"), ("B", "x")]);
    let signed = headers(&[("x-twilio-signature", "bwDrVUbp78tdRXTvGUAKWeTtxno=")]);
    assert_eq!(twilio(TOKEN, &signed, STATUS_URL, Some(&values), b""), Ok(()));
}

#[test]
fn twilio_json_vector() {
    let url = "https://hooks.example.test/twilio/json?bodySHA256=\
               93a23971a914e5eacbf0a8d25154cda309c3c1c72fbb9914d47c60f3cb681588";
    let signed = headers(&[("x-twilio-signature", "9Ton+uaiaeILI0LTR9dAhygjxHc=")]);
    assert_eq!(twilio(TOKEN, &signed, url, None, br#"{"hello":"world"}"#), Ok(()));
    assert_eq!(twilio(TOKEN, &signed, url, None, br#"{"hello":"earth"}"#), Err(Disbelief::Wrong));
}

const VAPI_KEY: &str = "vapi-hmac-for-tests";
const VAPI_BODY: &[u8] =
    br#"{"message":{"type":"status-update","status":"ended","endedReason":"customer-did-not-answer"}}"#;
const VAPI_SIGNATURE: &str = "5b66f1c4f27307aaceff084f4c6be44079dcb56b09a7da2517812c3856915924";

#[test]
fn vapi_hmac_vector_and_its_freshness() {
    let signed = headers(&[("x-signature", VAPI_SIGNATURE), ("x-timestamp", "1767225600")]);
    let check = |at: i64| vapi(VAPI_KEY, &signed, VAPI_BODY, At::from_secs(at));
    assert_eq!(check(1_767_225_600), Ok(()));
    assert_eq!(check(1_767_225_600 + 300), Ok(()));
    assert_eq!(check(1_767_225_600 - 300), Ok(()));
    assert_eq!(check(1_767_225_600 + 301), Err(Disbelief::Wrong));
    assert_eq!(check(1_767_225_600 - 301), Err(Disbelief::Wrong));
    assert!(is_fresh("1767225600000", At::from_secs(1_767_225_600)), "milliseconds");
    for odd in ["", "soon", "9223372036854775807", "-9223372036854775808"] {
        assert!(!is_fresh(odd, At::from_secs(1_767_225_600)), "{odd}");
    }
    let now = At::from_secs(1_767_225_600);
    assert_eq!(vapi("wrong", &signed, VAPI_BODY, now), Err(Disbelief::Wrong));
    assert_eq!(vapi(VAPI_KEY, &signed, b"{}", now), Err(Disbelief::Wrong));
    let no_stamp = headers(&[("x-signature", VAPI_SIGNATURE)]);
    assert_eq!(vapi(VAPI_KEY, &no_stamp, VAPI_BODY, now), Err(Disbelief::Missing));
    // A right secret does not make a wrong signature good.
    let mixed = headers(&[("x-signature", "00"), ("x-timestamp", "1767225600"), ("x-vapi-secret", VAPI_KEY)]);
    assert_eq!(vapi(VAPI_KEY, &mixed, VAPI_BODY, now), Err(Disbelief::Wrong));
}

#[test]
fn vapi_bearer_and_bare_secret() {
    let check =
        |pairs: &[(&'static str, &str)], secret| vapi(secret, &headers(pairs), b"{}", At::from_secs(0));
    assert_eq!(check(&[("authorization", "Bearer s3cret")], "s3cret"), Ok(()));
    assert_eq!(check(&[("x-vapi-secret", "s3cret")], "s3cret"), Ok(()));
    assert_eq!(check(&[("x-vapi-secret", "s3cres")], "s3cret"), Err(Disbelief::Wrong));
    assert_eq!(check(&[("x-vapi-secret", "")], ""), Err(Disbelief::Wrong));
    assert_eq!(check(&[], "s3cret"), Err(Disbelief::Missing));
}
