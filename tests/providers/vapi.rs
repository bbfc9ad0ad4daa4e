//! What goes out to Vapi, how its refusals are sorted, and how a call is hung up.

use crate::wire::{call, canned, refused, vapi};
use cascade::engine::event::CallProgress;
use cascade::model::{Class, Scope, Sent};
use cascade::providers::{Answer, CallResult, Fact, Lookup, Provider as _, Recall};
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_goes_out_as_vapi_documents_it() {
    let server =
        canned(vec![(201, json!({ "id": "019a", "monitor": { "controlUrl": "http://127.0.0.1:1/c" } }))])
            .await;
    let Answer::Accepted { provider_id, control, .. } = vapi(&server.url).send(&call()).await else {
        panic!("refused")
    };
    assert_eq!(
        (provider_id.as_str(), control.as_ref().map(cascade::providers::Control::url)),
        ("019a", Some("http://127.0.0.1:1/c"))
    );
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "/call"));
    assert_eq!(asked.headers["authorization"], "Bearer key");
    let body = asked.json();
    assert_eq!(body["name"], "att_k_7");
    assert_eq!(body["phoneNumberId"], "pn-1");
    assert_eq!(body["customer"]["number"], "+15550001111");
    let name = body["customer"]["name"].as_str().unwrap();
    assert!(name.starts_with("Ana") && name.chars().count() <= 40, "{name}");
    let assistant = &body["assistant"];
    assert_eq!(assistant["metadata"]["attempt_id"], "att_k_7");
    assert_eq!(assistant["server"]["url"], "https://hooks.example.test/hooks/vapi");
    assert_eq!(assistant["server"]["credentialId"], "cred_1");
    assert_eq!(assistant["server"]["backoffPlan"]["maxRetries"], 5);
    assert_eq!(assistant["artifactPlan"]["recordingEnabled"], false);
    assert_eq!(assistant["maxDurationSeconds"], 300);
    assert_eq!(assistant["voice"], json!({ "provider": "11labs", "voiceId": "sarah" }));
    assert_eq!(assistant["voicemailMessage"], Value::Null);
    assert!(
        assistant["analysisPlan"]["structuredDataPlan"]["schema"]["properties"]["disposition"].is_object()
    );
    assert!(!body["assistant"].to_string().contains("{{"), "no placeholder of theirs in a text of ours");
}

#[tokio::test]
async fn vapi_refusals() {
    for (status, words, class, scope) in [
        (429, json!("slow down"), Class::Throttle, Scope::Account),
        (400, json!("Over Concurrency Limit"), Class::Throttle, Scope::Account),
        (
            400,
            json!(["customer.number must be a valid phone number in the E.164 format"]),
            Class::Recipient,
            Scope::Person,
        ),
        (400, json!("assistant.voice is odd"), Class::Config, Scope::Account),
        (401, json!("Invalid Key"), Class::Config, Scope::Account),
        (402, json!("out of credits"), Class::Config, Scope::Account),
    ] {
        let server = canned(vec![(status, json!({ "message": words, "statusCode": status }))]).await;
        let (failure, reached) = refused(vapi(&server.url).send(&call()).await);
        assert_eq!(
            (failure.class, &failure.scope, failure.sent, reached),
            (class, &scope, Sent::No, true),
            "{words}"
        );
        assert_eq!(failure.code, status.to_string());
    }
}

#[tokio::test]
async fn a_call_is_hung_up_by_its_control_url() {
    let server = canned(vec![]).await;
    let say = |status: &str| {
        let control = format!("{}/control/1", server.url);
        (
            200,
            vec![],
            json!({ "id": "019a", "status": status, "monitor": { "controlUrl": control } }).to_string(),
        )
    };
    let ok = (200, vec![], "{}".to_owned());
    server.answers.lock().unwrap().extend([say("ringing"), ok.clone(), say("in-progress"), ok, say("ended")]);
    let client = vapi(&server.url);
    assert_eq!(client.recall("019a", None).await, Recall::Done);
    assert_eq!(client.recall("019a", None).await, Recall::TooLate, "they had picked up");
    assert_eq!(client.recall("019a", None).await, Recall::TooLate);
    let asked = server.asked();
    assert_eq!((asked[1].uri.as_str(), asked[1].json()), ("/control/1", json!({ "type": "end-call" })));
    assert!(!asked[1].headers.contains_key("authorization"), "the key goes to Vapi alone");
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn a_calls_status_is_told_as_its_webhook_would() {
    let server = canned(vec![
        (200, json!({ "id": "019a", "status": "ringing", "name": "att_k_7" })),
        (
            200,
            json!({ "id": "019a", "status": "ended", "endedReason": "customer-ended-call", "cost": 0.2,
            "analysis": { "structuredData": { "disposition": "negative" } },
            "artifact": { "transcript": "AI: Hello\nUser: no thanks" } }),
        ),
        (404, json!({ "message": "Not Found" })),
    ])
    .await;
    let client = vapi(&server.url);
    let Lookup::Found { heard, .. } = client.status("019a").await else { panic!() };
    assert_eq!(heard[0].what, Fact::CallProgressed(CallProgress::Ringing));
    let Lookup::Found { heard, .. } = client.status("019a").await else { panic!() };
    assert_eq!(heard[0].dedup, "019a:end-of-call-report:");
    let Fact::CallEnded(end) = &heard[0].what else { panic!("{heard:?}") };
    assert_eq!((&end.result, end.said.as_ref().unwrap().raw()), (&CallResult::Answered, "no thanks"));
    assert_eq!(client.status("019a").await, Lookup::NotSeen);
}
