//! Content: what is wrong is named where it stands, and what is right is filled in for each customer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use cascade::engine::meaning::{self, Meaning};
use cascade::model::{Channel, Customer, Disposition, Phone, Segment, Untrusted};
use cascade::providers::whatsapp::Button;
use cascade::providers::{Call, Message, Template};
use cascade::rules::content::{Content, ContentFile};
use cascade::rules::render::{Context, Link, NotRendered};
use cascade::rules::sms::{Encoding, measure};
use cascade::rules::{Problem, Severity};
use proptest::strategy::Strategy as _;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn parse(files: &[(&str, &str)]) -> (Content, Vec<Problem>) {
    let file = |(name, text): &(&str, &str)| ContentFile {
        name: (*name).into(),
        path: PathBuf::from("rules/content").join(name),
        bytes: text.as_bytes().to_vec(),
    };
    Content::parse(files.iter().map(file).collect())
}

/// Line, column and code of everything found.
fn found(files: &[(&str, &str)]) -> Vec<(u64, u64, &'static str)> {
    parse(files).1.into_iter().map(|p| (p.line, p.column, p.code)).collect()
}

fn own() -> Content {
    let (content, problems) = parse(&[
        ("whatsapp.json", include_str!("../rules/content/whatsapp.json")),
        ("voice.md", include_str!("../rules/content/voice.md")),
        ("sms.txt", include_str!("../rules/content/sms.txt")),
    ]);
    assert_eq!(problems, []);
    content
}

fn customer(name: &str, language: Option<&str>, extra: &[(&str, &str)]) -> Customer {
    Customer {
        line: 2,
        name: Untrusted::from(name),
        phone: Phone::parse_e164("+14155550132").unwrap(),
        segment: Segment("retail".into()),
        email: None,
        timezone: None,
        language: language.map(Into::into),
        country: Some("US".into()),
        consents: cascade::model::Consents::default(),
        extra: extra.iter().map(|(k, v)| ((*k).into(), Untrusted::from(*v))).collect::<BTreeMap<_, _>>(),
    }
}

fn context(tried: &[Channel]) -> Context<'_> {
    let link = Link { url: "https://go.example.com/l/k7Qm", code: "k7Qm" };
    Context { tried, attempt_key: "att_ab_7", link, validity_s: 3600 }
}

fn template(content: &Content, who: &Customer) -> Template {
    match content.message(Channel::Whatsapp, who, &context(&[])) {
        Ok(Message::Template(template)) => template,
        other => panic!("{other:?}"),
    }
}

fn call(content: &Content, who: &Customer, tried: &[Channel]) -> Call {
    match content.message(Channel::Phone, who, &context(tried)) {
        Ok(Message::Call(call)) => call,
        other => panic!("{other:?}"),
    }
}

fn text(content: &Content, who: &Customer) -> String {
    match content.message(Channel::Sms, who, &context(&[Channel::Whatsapp])) {
        Ok(Message::Text { body, validity_s: 3600 }) => body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn segments_are_those_of_the_providers_calculator() {
    let a = |n: usize| "a".repeat(n);
    let cyrillic = |n: usize| "ж".repeat(n);
    let rows = [
        (a(160), Encoding::Gsm7, 1),
        (a(161), Encoding::Gsm7, 2),
        (a(306), Encoding::Gsm7, 2),
        (a(307), Encoding::Gsm7, 3),
        (a(158) + "€", Encoding::Gsm7, 1),
        (a(159) + "€", Encoding::Gsm7, 2),
        (a(152) + "[" + &a(10), Encoding::Gsm7, 2),
        (cyrillic(70), Encoding::Ucs2, 1),
        (cyrillic(71), Encoding::Ucs2, 2),
        (cyrillic(134), Encoding::Ucs2, 2),
        (cyrillic(135), Encoding::Ucs2, 3),
        (a(68) + "😀", Encoding::Ucs2, 1),
        (a(69) + "😀", Encoding::Ucs2, 2),
        (cyrillic(66) + "😀" + &cyrillic(10), Encoding::Ucs2, 2),
        ("it’s".into(), Encoding::Ucs2, 1),
        ("`".into(), Encoding::Ucs2, 1),
        ("ç".into(), Encoding::Ucs2, 1),
        ("Ç".into(), Encoding::Gsm7, 1),
        (String::new(), Encoding::Gsm7, 0),
    ];
    for (body, encoding, segments) in rows {
        let size = measure(&body);
        assert_eq!((size.encoding, size.segments), (encoding, segments), "{body}");
    }
    // The pair that moves on whole costs a septet: 306 would fit cut, and does not fit whole.
    assert_eq!(measure(&(a(152) + "[" + &a(152))).segments, 3);
}

#[test]
fn the_projects_own_content_is_clean_and_short() {
    let content = own();
    let body = text(&content, &customer("Ana", None, &[]));
    assert_eq!(measure(&body).segments, 1, "{body}");
    assert!(body.contains("https://go.example.com/l/k7Qm") && body.contains("STOP"));
    for language in ["en_US", "es", "de"] {
        let template = template(&content, &customer("Ana", Some(language), &[]));
        assert_eq!((template.language.as_str(), template.body.len()), (language, 2));
    }
}

#[test]
fn the_language_is_the_customers_or_the_nearest() {
    let content = own();
    let key = |language| content.template_key(language).unwrap();
    assert_eq!(key(Some("de")), "spring_renewal/de");
    assert_eq!(key(Some("de_AT")), "spring_renewal/de");
    assert_eq!(key(Some("DE-ch")), "spring_renewal/de");
    assert_eq!(key(Some("es_MX")), "spring_renewal/es");
    assert_eq!(key(Some("en")), "spring_renewal/en_US");
    assert_eq!(key(Some("ja")), "spring_renewal/en_US");
    assert_eq!(key(None), "spring_renewal/en_US");
    let one =
        r#"{"name":"n","category":"utility","languages":{"pt_BR":{"body":"Oi"},"fr":{"body":"Salut"}}}"#;
    let (content, problems) = parse(&[("whatsapp.json", one)]);
    assert_eq!(problems, []);
    assert_eq!(content.template_key(Some("ja")).unwrap(), "n/pt_BR");
}

#[test]
fn a_template_carries_parameters_payloads_and_the_link_code() {
    let template = template(&own(), &customer("Ana", Some("de"), &[("Plan", "Öko")]));
    assert_eq!(template.name, "spring_renewal");
    assert_eq!(template.body, ["Ana", "Öko"], "columns match in any case");
    let replies = ["positive:att_ab_7", "negative:att_ab_7", "opted_out:att_ab_7"];
    let replies: Vec<_> = (0..).zip(replies.map(String::from)).collect();
    assert_eq!(template.quick_replies, replies);
    assert_eq!(template.urls, [(3, "k7Qm".to_owned())]);
    let meant = |n: usize| meaning::read("", Some(&template.quick_replies[n].1));
    assert_eq!(meant(0), Meaning::Answer(Disposition::Positive));
    assert_eq!(meant(2), Meaning::OptOut("opted_out".into()));
}

#[test]
fn a_rehearsal_creates_its_templates_with_its_own_links() {
    let specs = own().whatsapp.unwrap().specs("http://127.0.0.1:8787/l");
    let languages: Vec<_> = specs.iter().map(|s| s.language.as_str()).collect();
    assert_eq!(languages, ["en_US", "es", "de"]);
    let url = "http://127.0.0.1:8787/l/{{1}}".to_owned();
    assert_eq!(specs[0].buttons[3], Button::Url { text: "See the offer".into(), url });
    assert_eq!(specs[0].examples, ["name", "plan"]);
}

#[test]
fn the_call_knows_what_was_tried() {
    let content = own();
    let who = customer("Ana", None, &[]);
    let first = call(&content, &who, &[]).first_message;
    assert!(!first.contains("WhatsApp") && first.contains("I am calling about"), "{first}");
    let after = call(&content, &who, &[Channel::Whatsapp]).first_message;
    assert!(after.contains("WhatsApp") && !after.contains("I am calling about"), "{after}");
    let other = call(&content, &who, &[Channel::Sms]).first_message;
    assert!(!other.contains("WhatsApp") && !other.contains("I am calling about"), "{other}");
}

#[test]
fn what_a_customer_is_called_cannot_break_out() {
    let nasty = "{{link}}\x1b[2J\r\n{{#first}}  \u{202e}{% raw %}     Bob\0";
    let content = own();
    let who = customer(nasty, None, &[]);
    let expected = "((link))[2J ((#first)) (% raw %) Bob";
    assert_eq!(template(&content, &who).body[0], expected);
    let call = call(&content, &who, &[]);
    assert!(call.first_message.contains(expected), "{}", call.first_message);
    assert!(!call.first_message.contains("{{") && !call.prompt.contains("{%"));
}

#[test]
fn nothing_is_sent_that_the_provider_refuses_for_everybody() {
    let bare = r#"{"name":"n","category":"UTILITY","parameters":["plan"],
                   "languages":{"en_US":{"body":"Your {{1}} plan."}}}"#;
    let (content, problems) = parse(&[("whatsapp.json", bare), ("sms.txt", "{{name}} {{link}}")]);
    assert_eq!(problems, []);
    let send = |channel, who: &Customer| content.message(channel, who, &context(&[])).unwrap_err();
    let no_plan = customer("Ana", None, &[("plan", " \t ")]);
    assert_eq!(send(Channel::Whatsapp, &no_plan), NotRendered::NoValue("plan".into()));
    let long = customer(&"x".repeat(2000), None, &[("plan", &"y".repeat(1024))]);
    assert!(matches!(send(Channel::Whatsapp, &long), NotRendered::TooLong { most: 1024, .. }));
    assert!(matches!(send(Channel::Sms, &long), NotRendered::TooLong { most: 1600, .. }));
    assert_eq!(send(Channel::Phone, &long), NotRendered::NoContent(Channel::Phone));
    let (content, _) = parse(&[("sms.txt", "{{#after phone}}Hi {{link}}{{/after}}")]);
    let nothing = content.message(Channel::Sms, &no_plan, &context(&[Channel::Whatsapp]));
    assert_eq!(nothing.unwrap_err(), NotRendered::Empty(Channel::Sms));
}

#[test]
fn every_mistake_in_a_text_is_named_where_it_stands() {
    let sms = "Hi {{}} {{name|}} {{1}}\n{{#after fax}}x {{#soon}} {{/first}}\n{{#first}}y{{/after}}\n {{name";
    assert_eq!(
        found(&[("sms.txt", sms)]),
        [
            (1, 4, "empty-field"),
            (1, 9, "empty-value"),
            (1, 19, "numbered-field"),
            (2, 1, "unknown-channel"),
            (2, 17, "unknown-section"),
            (2, 27, "wrong-close"),
            (3, 1, "unclosed-section"),
            (3, 12, "wrong-close"),
            (4, 2, "unclosed-field"),
        ]
    );
    assert_eq!(
        found(&[("sms.txt", "{{#after fax}}a{{/after}} {{#last}}b{{/last}}")]).len(),
        2,
        "said once each"
    );
    assert_eq!(found(&[("sms.txt", "  \n")]), [(1, 1, "empty-value")]);
    assert_eq!(found(&[("sms.txt", "a }} b")]), [(1, 3, "stray-braces")]);
    let (content, _) = parse(&[("sms.txt", "a }} b")]);
    assert!(content.sms.is_none() && content.has_file(Channel::Sms), "nothing half-read is kept");
}

#[test]
fn front_matter_is_read_line_by_line() {
    let voice =
        "---\nfirst_mesage: Hi\nmax_duration_s: 5\nvoice:\n folded\nvoicemail: \"Bye {{link}}\"\n---\n\n";
    assert_eq!(
        found(&[("voice.md", voice)]),
        [
            (2, 1, "unknown-field"),
            (3, 17, "bad-value"),
            (4, 1, "empty-value"),
            (5, 1, "bad-front-matter"),
            (6, 17, "link-misplaced"),
            (8, 1, "empty-value"),
        ]
    );
    let hint = &parse(&[("voice.md", voice)]).1[0].hint;
    assert_eq!(hint, "did you mean \"first_message\"?");
    assert_eq!(found(&[("voice.md", "Hello")])[0], (1, 1, "no-front-matter"));
    assert_eq!(found(&[("voice.md", "---\nvoice: x\n")])[0], (1, 1, "no-front-matter"));
    assert_eq!(found(&[("email.md", "---\n---\nHi")]), [(1, 1, "missing-field")]);
    let windows = "---\r\nsubject: 'Hi {{name}}: news'\r\n---\r\nText {{link}}\r\n";
    let (content, problems) = parse(&[("email.md", windows)]);
    assert_eq!(problems, []);
    let fields = content.fields(Channel::Email);
    let places: Vec<_> = fields.iter().map(|f| (f.name.as_str(), f.line, f.column)).collect();
    assert_eq!(places, [("name", 2, 14), ("link", 4, 6)]);
}

#[test]
fn every_mistake_in_a_template_is_named_where_it_stands() {
    let json = r#"{
  "name": "Spring!",
  "catgory": "UTILITY",
  "parameters": ["name", 7],
  "languages": {
    "english": { "body": "Hi {{1}}, {{name}} and {{3}}." },
    "de": { "body": "Hallo {{#first}}Du{{/first}}", "header": { "image": "nope" },
            "buttons": [ { "type": "quick_reply", "text": "Ja", "means": "positve" },
                         { "type": "url", "text": "Los" }, { "type": "quikreply", "text": "x" } ] },
    "de": { "body": "" }
  }
}"#;
    let codes: Vec<_> = found(&[("whatsapp.json", json)]);
    for expected in [
        (2, 11, "bad-name"),
        (3, 3, "unknown-field"),
        (1, 1, "missing-field"),
        (4, 26, "wrong-type"),
        (6, 5, "bad-language"),
        (6, 37, "field-in-template"),
        (6, 26, "parameter-gap"),
        (6, 50, "parameter-count"),
        (7, 28, "section-in-template"),
        (7, 74, "bad-url"),
        (8, 74, "unknown-means"),
        (9, 26, "missing-field"),
        (9, 70, "unknown-type"),
        (10, 5, "given-twice"),
    ] {
        assert!(codes.contains(&expected), "{expected:?} is not in {codes:#?}");
    }
}

#[test]
fn an_emoji_may_be_escaped() {
    let json =
        r#"{"name":"n","category":"utility","languages":{"en":{"body":"Spring \ud83c\udf37 is here!"}}}"#;
    let (content, problems) = parse(&[("whatsapp.json", json)]);
    assert_eq!(problems, []);
    assert_eq!(content.whatsapp.unwrap().languages[0].body, "Spring 🌷 is here!");
}

#[test]
fn text_that_is_no_json_is_named_and_never_overflows() {
    assert_eq!(found(&[("whatsapp.json", "{\n  \"name\": \"x\",\n}")]), [(2, 14, "json")]);
    assert_eq!(found(&[("whatsapp.json", "{ \"a\": 1 } // no")]), [(1, 12, "json")]);
    assert_eq!(found(&[("whatsapp.json", "")])[0].2, "json");
    let deep = "[".repeat(200_000);
    assert_eq!(found(&[("whatsapp.json", &deep)])[0].2, "json");
    assert_eq!(found(&[("whatsapp.json", "[]")]), [(1, 1, "wrong-type")]);
}

#[test]
fn a_file_that_is_not_utf8_is_named_at_its_first_bad_byte() {
    let file =
        ContentFile { name: "sms.txt".into(), path: "sms.txt".into(), bytes: b"ab\nc\xff {{link}}".into() };
    let (content, problems) = Content::parse(vec![file]);
    assert!(content.sms.is_none());
    let p = &problems[0];
    assert_eq!((p.line, p.column, p.code, p.severity), (2, 2, "not-utf8", Severity::Error));
}

#[test]
fn the_hash_holds_names_and_bytes_and_not_their_order() {
    let hash = |files: &[(&str, &str)]| parse(files).0.hash;
    let one = hash(&[("sms.txt", "a"), ("voice.md", "b")]);
    assert_eq!(one, hash(&[("voice.md", "b"), ("sms.txt", "a")]));
    assert_ne!(one, hash(&[("sms.txt", "b"), ("voice.md", "a")]));
    assert_ne!(one, hash(&[("sms.txt", "av"), ("oice.md", "b")]));
    assert_eq!(one.len(), 64);
}

proptest::proptest! {
    /// Whatever an operator saves in mid-typing, the editor parses it: it may be wrong, it may not panic.
    #[test]
    fn no_text_makes_the_parsers_panic(
        pieces in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::sample::select(vec![
                    "{{", "}}", "{{#first}}", "{{/first}}", "{{#after sms}}", "{{1}}", "|", "---\n", "\r\n", "\"", "{",
                    "}", "[", "]", ":", ",", "\\u", "\\ud83d", "\"body\"", "\"languages\"", "first_message: ", "é", "🌷",
                ]).prop_map(str::to_owned),
                ".{0,6}",
            ],
            0..24,
        )
    ) {
        let text = pieces.concat();
        for name in ["whatsapp.json", "voice.md", "sms.txt", "email.md"] {
            let (_, problems) = parse(&[(name, &text)]);
            proptest::prop_assert!(problems.iter().all(|p| p.line > 0 && p.column > 0));
        }
        let (_, problems) = cascade::config::load(std::path::Path::new("cascade.toml"), &text, &|_| None);
        proptest::prop_assert!(problems.iter().all(|p| p.line > 0 && p.column > 0));
    }
}
