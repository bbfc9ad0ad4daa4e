//! The table against PROVIDERS.md: each code once, with its class, scope and `sent` (`tests/data/errors.tsv`).

use super::*;

const TABLE: &str = include_str!("../../../tests/data/errors.tsv");

fn rows() -> impl Iterator<Item = [&'static str; 5]> {
    TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        cells.try_into().unwrap_or_else(|_| panic!("five cells: {line}"))
    })
}

fn table(provider: &str) -> &'static [Row] {
    match provider {
        "whatsapp" => WHATSAPP,
        "twilio" => TWILIO,
        "vapi" => VAPI,
        other => panic!("no table for {other}"),
    }
}

fn about(provider: &'static str) -> Subject<'static> {
    let channel = Channel::Sms;
    Subject { channel, provider, template: Some("renewal/de"), country: Some("GB") }
}

fn words(code: &str) -> Words {
    Words { code: code.to_owned(), detail: "their words".to_owned(), retry_after_s: Some(7) }
}

#[test]
fn every_documented_code_is_sorted_as_documented() {
    let mut seen = 0;
    for [provider, code, class, scope, sent] in rows() {
        let row = find(table(provider), code).unwrap_or_else(|| panic!("{provider} {code} is in no row"));
        let told = failure(row, about(provider), words(code), Told::Later);
        let read = (told.class.as_str(), told.scope.as_str(), told.sent.as_str());
        assert_eq!(read, (class, scope, sent), "{provider} {code}");
        assert_eq!((told.code.as_str(), told.detail.raw()), (code, "their words"), "kept verbatim");
        seen += 1;
    }
    assert!(seen > 120, "only {seen} codes were read");
}

#[test]
fn no_row_stands_outside_the_documented_table() {
    for provider in ["whatsapp", "twilio", "vapi"] {
        for row in table(provider) {
            let tested = rows()
                .any(|[p, code, ..]| p == provider && row.covers(code) && find(table(p), code) == Some(row));
            assert!(tested, "{provider}: no code of PROVIDERS.md reaches the row {:?}", row.codes);
        }
    }
}

#[test]
fn each_exact_code_stands_in_one_row() {
    for provider in ["whatsapp", "twilio"] {
        for [_, code, ..] in rows().filter(|[p, ..]| *p == provider) {
            let count = table(provider).iter().filter(|row| row.covers(code)).count();
            assert_eq!(count, 1, "{provider} {code}");
        }
    }
}

#[test]
fn a_remedy_is_a_sentence_that_says_what_happens_next() {
    let all = [WHATSAPP, TWILIO, VAPI, UNANSWERED].concat();
    let refusals = VAPI_REFUSALS.iter().map(|(_, row)| *row);
    for row in all.into_iter().chain(refusals) {
        assert!(!row.title.is_empty() && row.title.len() <= 50, "{}", row.title);
        assert!(row.remedy.ends_with('.') && row.remedy.len() > 30, "{}", row.remedy);
        let next = [
            "go on",
            "goes on",
            "resumes",
            "tried again",
            "follows",
            "contacted on no channel",
            "the day",
            "sending",
        ];
        assert!(next.iter().any(|word| row.remedy.contains(word)), "does the queue go on? {}", row.remedy);
    }
}

#[test]
fn at_create_a_maybe_is_in_doubt_and_keeps_its_code() {
    let row = find(WHATSAPP, "131016").unwrap();
    let at_create = failure(row, about("whatsapp"), words("131016"), Told::AtCreate);
    assert_eq!((at_create.class, at_create.sent), (Class::InDoubt, Sent::Maybe));
    assert_eq!(at_create.code, "131016");
    assert!(at_create.remedy.starts_with("It may have been sent"), "{}", at_create.remedy);
    let later = failure(row, about("whatsapp"), words("131016"), Told::Later);
    assert_eq!(later.class, Class::Outage);
}

#[test]
fn scopes_are_named_by_the_request_or_completed_later() {
    let paused = find(WHATSAPP, "132015").unwrap();
    let named = failure(paused, about("whatsapp"), words("132015"), Told::AtCreate);
    assert_eq!(named.scope, Scope::Template("renewal/de".to_owned()));
    let blind = Subject { template: None, country: None, ..about("whatsapp") };
    let mut told = failure(paused, blind, words("132015"), Told::Later);
    assert_eq!(told.scope, Scope::Template(String::new()));
    complete(&mut told, Some("renewal/en_US"), Some("US"));
    assert_eq!(told.scope, Scope::Template("renewal/en_US".to_owned()));
    complete(&mut told, Some("another/en_US"), None);
    assert_eq!(told.scope, Scope::Template("renewal/en_US".to_owned()), "what was told stays");
    let geo = failure(find(TWILIO, "21408").unwrap(), about("twilio"), words("21408"), Told::AtCreate);
    assert_eq!(geo.scope, Scope::Country("GB".to_owned()));
}

#[test]
fn unknown_codes_go_by_status() {
    let sorted = |status| {
        let row = by_status(status);
        (row.class, row.sent)
    };
    assert_eq!(sorted(400), (Class::Config, Sent::No));
    assert_eq!(sorted(401), (Class::Config, Sent::No));
    assert_eq!(sorted(402), (Class::Config, Sent::No));
    assert_eq!(sorted(404), (Class::Config, Sent::No));
    assert_eq!(sorted(302), (Class::Config, Sent::No));
    assert_eq!(sorted(429), (Class::Throttle, Sent::No));
    for status in [408, 500, 502, 503, 504, 599] {
        assert_eq!(sorted(status), (Class::Outage, Sent::Maybe), "{status}");
    }
}

#[test]
fn without_an_answer_only_an_unmade_connection_is_no() {
    let told = |code, reached| {
        let trouble = Trouble { code, reached, detail: String::new() };
        let failure = no_answer(about("vapi"), &trouble, Told::AtCreate);
        (failure.class, failure.sent)
    };
    for code in ["connect", "dns", "refused", "tls", "connect_timeout", "closed"] {
        assert_eq!(told(code, false), (Class::Outage, Sent::No), "{code}");
    }
    assert_eq!(told("no_client", false), (Class::Config, Sent::No));
    assert_eq!(told("refused_address", false), (Class::Config, Sent::No));
    assert_eq!(told("timeout", true), (Class::InDoubt, Sent::Maybe));
    assert_eq!(told("broken", true), (Class::InDoubt, Sent::Maybe));
}

#[test]
fn patterns() {
    assert!(matches("200-299", "200") && matches("200-299", "299"));
    assert!(!matches("200-299", "300") && !matches("200-299", "2000"));
    assert!(matches("a*", "a") && matches("a*", "abc") && !matches("a*", "ba"));
    assert!(matches("*b*", "abc") && matches("*-x-*", "1-x-2") && !matches("*-x-*", "1-y-2"));
    assert!(matches("a*c", "abc") && !matches("a*c", "abd"));
    assert!(!matches("call-deleted", "scheduled-call-deleted"));
}
