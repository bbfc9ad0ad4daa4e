//! What goes out to Twilio, and how its refusals are sorted.

use crate::wire::{accepted, canned, refused, text, twilio};
use cascade::model::{Class, Scope, Sent};
use cascade::providers::{Answer, Provider as _, Recall};
use serde_json::json;

#[tokio::test]
async fn a_text_goes_out_as_twilio_documents_it() {
    let taken = json!({ "sid": "SM1", "num_segments": "2", "status": "queued" });
    let server = canned(vec![(201, taken.clone()), (201, taken)]).await;
    let answer = twilio(&server.url, None).send(&text()).await;
    assert_eq!(answer, Answer::Accepted { provider_id: "SM1".to_owned(), segments: Some(2), control: None });
    assert_eq!(accepted(twilio(&server.url, Some("MG1")).send(&text()).await), "SM1");
    let asked = server.asked();
    assert_eq!(
        (asked[0].method.as_str(), asked[0].uri.as_str()),
        ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    );
    assert_eq!(asked[0].headers["authorization"], "Basic QUMxOnRva2Vu");
    let form = |i: usize| -> Vec<(String, String)> { asked[i].form() };
    let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
    let expected = vec![
        pair("To", "+15550001111"),
        pair("From", "+15550002222"),
        pair("Body", "Hi Pat https://x.test/l/abc"),
        pair("StatusCallback", "https://hooks.example.test/hooks/twilio/status?a=att_k_7"),
        pair("ValidityPeriod", "36000"),
    ];
    assert_eq!(form(0), expected);
    assert_eq!(form(1)[1], pair("MessagingServiceSid", "MG1"));
}

#[tokio::test]
async fn twilio_refusals() {
    for (status, code, class, scope, sent) in [
        (400, Some(21_610), Class::Suppress, Scope::Person, Sent::No),
        (400, Some(21_408), Class::Config, Scope::Country("GB".to_owned()), Sent::No),
        (500, Some(20_500), Class::InDoubt, Scope::Account, Sent::Maybe),
        (401, None, Class::Config, Scope::Account, Sent::No),
        (503, None, Class::InDoubt, Scope::Account, Sent::Maybe),
    ] {
        let server =
            canned(vec![(status, json!({ "code": code, "message": "words", "status": status }))]).await;
        let (failure, reached) = refused(twilio(&server.url, None).send(&text()).await);
        assert_eq!(
            (failure.class, failure.scope, failure.sent, reached),
            (class, scope, sent, true),
            "{code:?}"
        );
        assert_eq!(failure.code, code.map_or(status.to_string(), |c: u32| c.to_string()));
    }
}

#[tokio::test]
async fn a_text_is_called_back_while_it_is_queued() {
    let server = canned(vec![
        (200, json!({ "sid": "SM1", "status": "canceled" })),
        (400, json!({ "code": 30_409, "message": "Message is not cancelable" })),
    ])
    .await;
    let client = twilio(&server.url, None);
    assert_eq!(client.recall("SM1", None).await, Recall::Done);
    assert_eq!(client.recall("SM1", None).await, Recall::TooLate);
    let asked = &server.asked()[0];
    assert_eq!(
        (asked.uri.as_str(), asked.body.as_str()),
        ("/2010-04-01/Accounts/AC1/Messages/SM1.json", "Status=canceled")
    );
}
