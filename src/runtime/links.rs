//! Short links: codes that nobody can guess, and telling people from machines that follow links. Pure, but
//! for the system's random numbers.

use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes in a code.
const CODE_BYTES: usize = 16;

/// Part of the name under which link scanners, previewers and scripts announce themselves, in lower case.
const MACHINES: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "scan",
    "preview",
    "facebookexternalhit",
    "facebookcatalog",
    "whatsapp/",
    "skypeuripreview",
    "slack-imgproxy",
    "embedly",
    "iframely",
    "vkshare",
    "pinterest/",
    "barracuda",
    "proofpoint",
    "mimecast",
    "symantec",
    "messagelabs",
    "trendmicro",
    "trend micro",
    "forcepoint",
    "zscaler",
    "sophos",
    "fireeye",
    "cisco",
    "ironport",
    "paloalto",
    "safelinks",
    "safebrowsing",
    "google-safety",
    "googleimageproxy",
    "google-read-aloud",
    "feedfetcher",
    "virustotal",
    "phishtank",
    "checkpoint",
    "netcraft",
    "headlesschrome",
    "phantomjs",
    "puppeteer",
    "playwright",
    "lighthouse",
    "curl/",
    "wget/",
    "python-",
    "aiohttp",
    "httpx",
    "go-http-client",
    "java/",
    "okhttp",
    "apache-httpclient",
    "libwww",
    "axios/",
    "node-fetch",
    "undici",
    "ruby",
    "php/",
    "guzzle",
    "postman",
    "monitor",
    "validator",
    "linkcheck",
];

/// A new code: 128 random bits in 22 characters that need no escaping. Fails if the system has no random
/// numbers to give; then nothing may be sent with a link.
pub fn new_code() -> Result<String, getrandom::Error> {
    let mut bytes = [0; CODE_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether `code` can be one of ours; anything else needs no look into the store.
pub fn is_code(code: &str) -> bool {
    URL_SAFE_NO_PAD.decode(code).is_ok_and(|bytes| bytes.len() == CODE_BYTES)
}

/// What gives a request away as a link scanner, a preview or a prefetch; `None`: a person, as far as one
/// request can tell. Following faster than anybody can tap is for whoever knows when it was sent.
pub fn suspicion(headers: &HeaderMap, method: &Method) -> Option<String> {
    if method == Method::HEAD {
        return Some("asked for the head alone".to_owned());
    }
    for name in ["purpose", "sec-purpose", "x-purpose", "x-moz"] {
        let fetched_ahead = headers.get_all(name).iter().any(|value| {
            let value = value.as_bytes().to_ascii_lowercase();
            ["prefetch", "prerender", "preview"].iter().any(|word| contains(&value, word.as_bytes()))
        });
        if fetched_ahead {
            return Some(format!("prefetch ({name})"));
        }
    }
    let Some(agent) = headers.get(header::USER_AGENT).map(|agent| agent.as_bytes().to_ascii_lowercase())
    else {
        return Some("no user agent".to_owned());
    };
    if agent.trim_ascii().is_empty() {
        return Some("no user agent".to_owned());
    }
    // A maker of telephones, and no bot.
    let agent = String::from_utf8_lossy(&agent).replace("cubot", "");
    MACHINES
        .iter()
        .find(|name| agent.contains(**name))
        .map(|name| format!("link scanner ({})", name.trim_end_matches(['/', '-'])))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
                         (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";

    fn asked(headers: &[(&'static str, &str)], method: &Method) -> Option<String> {
        let map = headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        suspicion(&map, method)
    }

    #[test]
    fn codes_differ_and_look_like_codes() {
        let codes: HashSet<String> = (0..1000).map(|_| new_code().unwrap()).collect();
        assert_eq!(codes.len(), 1000);
        assert!(codes.iter().all(|code| code.len() == 22 && is_code(code)));
        for other in ["", "abc", "../../../etc/passwd", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA="] {
            assert!(!is_code(other), "{other}");
        }
    }

    #[test]
    fn people_are_not_suspected() {
        let android = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/131.0.0.0 Mobile Safari/537.36";
        let desktop = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
        let cubot = "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 Mobile Safari/537.36";
        for agent in [PHONE, android, desktop, cubot] {
            assert_eq!(asked(&[("user-agent", agent)], &Method::GET), None, "{agent}");
        }
    }

    #[test]
    fn machines_are_suspected() {
        for agent in [
            "WhatsApp/2.24.1 A",
            "facebookexternalhit/1.1",
            "Mozilla/5.0 (compatible; bingbot/2.0)",
            "Slackbot-LinkExpanding 1.0",
            "curl/8.5.0",
            "Mozilla/5.0 HeadlessChrome/120.0",
            " ",
        ] {
            assert!(asked(&[("user-agent", agent)], &Method::GET).is_some(), "{agent}");
        }
        assert!(asked(&[], &Method::GET).is_some());
        assert!(asked(&[("user-agent", PHONE)], &Method::HEAD).is_some());
        for (name, value) in
            [("purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("x-moz", "Prefetch")]
        {
            assert!(asked(&[("user-agent", PHONE), (name, value)], &Method::GET).is_some(), "{name}");
        }
    }
}
