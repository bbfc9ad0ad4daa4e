//! Whether a webhook is from whom it says it is: over raw bytes, before anything is parsed, in constant time.
//! Pure: the wall clock is given.

use crate::model::At;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use subtle::ConstantTimeEq as _;
use url::Url;

/// How old or early a signed timestamp may be, in milliseconds of wall time.
const FRESH_MS: i64 = 5 * 60 * 1000;

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disbelief {
    /// 401
    #[error("the signature is missing")]
    Missing,
    /// 403
    #[error("the signature is wrong, stale or doubled")]
    Wrong,
}

/// The only value of a header; a doubled one is a trick to have two readers see two things.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Disbelief> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.to_str().map(Some).map_err(|_| Disbelief::Wrong),
        (Some(_), Some(_)) => Err(Disbelief::Wrong),
    }
}

fn required<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Disbelief> {
    only(headers, name)?.ok_or(Disbelief::Missing)
}

/// Compares in a time that tells nothing but the length. Without a secret, nothing is the same: a provider that the
/// settings do not have proves nothing with what everybody knows.
pub(super) fn same(shown: &str, secret: &str) -> bool {
    let equal: bool = shown.as_bytes().ct_eq(secret.as_bytes()).into();
    equal && !secret.is_empty()
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]], claimed: &[u8]) -> Result<(), Disbelief> {
    if key.is_empty() {
        return Err(Disbelief::Wrong);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Disbelief::Wrong)?;
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(claimed).map_err(|_| Disbelief::Wrong)
}

/// `X-Hub-Signature-256` (PROVIDERS.md 1.7).
pub fn whatsapp(app_secret: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Disbelief> {
    let claimed = required(headers, "x-hub-signature-256")?;
    let claimed = claimed.strip_prefix("sha256=").and_then(|hex| hex::decode(hex).ok());
    hmac_sha256(app_secret.as_bytes(), &[body], &claimed.ok_or(Disbelief::Wrong)?)
}

/// HMAC over `{timestamp}.{body}`, or else the bare secret as bearer or in `X-Vapi-Secret` (4.4). A wrong one
/// is not made good by a right one of another kind.
pub fn vapi(secret: &str, headers: &HeaderMap, body: &[u8], now: At) -> Result<(), Disbelief> {
    if let Some(claimed) = only(headers, "x-signature")? {
        let stamp = required(headers, "x-timestamp")?;
        let hex = claimed.strip_prefix("sha256=").unwrap_or(claimed);
        let claimed = hex::decode(hex).map_err(|_| Disbelief::Wrong)?;
        hmac_sha256(secret.as_bytes(), &[stamp.as_bytes(), b".", body], &claimed)?;
        return if is_fresh(stamp, now) { Ok(()) } else { Err(Disbelief::Wrong) };
    }
    let bearer = only(headers, "authorization")?;
    let bearer = bearer.map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
    let shown = match bearer {
        Some(bearer) => bearer,
        None => required(headers, "x-vapi-secret")?,
    };
    if same(shown, secret) { Ok(()) } else { Err(Disbelief::Wrong) }
}

/// Seconds or milliseconds: nobody documents which.
fn is_fresh(stamp: &str, now: At) -> bool {
    let Ok(stamp) = stamp.trim().parse::<i64>() else { return false };
    let ms = if stamp < 100_000_000_000 { stamp.saturating_mul(1000) } else { stamp };
    now.millis().saturating_sub(ms).saturating_abs() <= FRESH_MS
}

/// `X-Twilio-Signature` over the public address and the form (2.6). `url` is the address as Twilio was given
/// it; `form` is `None` for a JSON body, whose hash then stands in the address.
pub fn twilio(
    auth_token: &str,
    headers: &HeaderMap,
    url: &str,
    form: Option<&[(String, String)]>,
    body: &[u8],
) -> Result<(), Disbelief> {
    let claimed = STANDARD.decode(required(headers, "x-twilio-signature")?).map_err(|_| Disbelief::Wrong)?;
    if auth_token.is_empty() {
        return Err(Disbelief::Wrong);
    }
    if form.is_none() {
        body_hash(url, body)?;
    }
    let values = sorted(form.unwrap_or(&[]));
    // Both are tried in any case, so that the time does not tell which one fitted.
    let fits = spellings(url).into_iter().filter(|url| {
        Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).is_ok_and(|mut mac| {
            mac.update(url.as_bytes());
            mac.update(values.as_bytes());
            mac.verify_slice(&claimed).is_ok()
        })
    });
    if fits.count() > 0 { Ok(()) } else { Err(Disbelief::Wrong) }
}

/// Names in byte order, each followed by its distinct values in order.
fn sorted(form: &[(String, String)]) -> String {
    let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in form {
        fields.entry(name).or_default().insert(value);
    }
    fields.iter().flat_map(|(name, values)| values.iter().flat_map(move |value| [*name, *value])).collect()
}

fn body_hash(url: &str, body: &[u8]) -> Result<(), Disbelief> {
    let url = Url::parse(url).map_err(|_| Disbelief::Wrong)?;
    let claimed = url.query_pairs().find(|(name, _)| name == "bodySHA256").ok_or(Disbelief::Missing)?.1;
    let actual = hex::encode(Sha256::digest(body));
    if same(&actual, &claimed.to_ascii_lowercase()) { Ok(()) } else { Err(Disbelief::Wrong) }
}

/// The address as it stands, and with its port left out or the scheme's own written in.
fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return all };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let port = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let usual = if scheme == "https" { 443 } else { 80 };
    all.push(match port {
        Some((host, _)) => format!("{scheme}://{host}{path}"),
        None => format!("{scheme}://{authority}:{usual}{path}"),
    });
    all
}

#[cfg(test)]
mod tests;
