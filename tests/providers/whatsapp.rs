//! What goes out to Meta, and how its refusals are sorted.

use crate::wire::{accepted, canned, refused, template, whatsapp};
use cascade::model::{Class, Scope, Sent};
use cascade::providers::Provider as _;
use cascade::providers::whatsapp::{Button, TemplateSpec};
use serde_json::json;

#[tokio::test]
async fn a_template_goes_out_as_meta_documents_it() {
    let taken = json!({ "messages": [{ "id": "wamid.A", "message_status": "held_for_quality_assessment" }] });
    let server = canned(vec![(200, taken)]).await;
    assert_eq!(accepted(whatsapp(&server.url).send(&template()).await), "wamid.A");
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "/v23.0/1064/messages"));
    assert_eq!(asked.headers["authorization"], "Bearer token");
    assert_eq!(asked.headers["user-agent"], "cascade/0.1.0");
    assert_eq!(
        asked.json(),
        json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": "15550001111",
            "type": "template", "template": { "name": "renewal",
                "language": { "policy": "deterministic", "code": "de" }, "components": [
                { "type": "header", "parameters": [{ "type": "text", "text": "North clinic" }] },
                { "type": "body", "parameters": [{ "type": "text", "text": "Pat" }, { "type": "text", "text": "12 March" }] },
                { "type": "button", "sub_type": "quick_reply", "index": "0",
                  "parameters": [{ "type": "payload", "payload": "positive:att_k_7" }] },
                { "type": "button", "sub_type": "url", "index": "1", "parameters": [{ "type": "text", "text": "code" }] }] },
            "biz_opaque_callback_data": "att_k_7" })
    );
}

#[tokio::test]
async fn meta_refusals_go_by_code_not_by_status() {
    let error = |code: u32, details: &str| json!({ "error": { "message": "words", "code": code, "error_data": { "details": details } } });
    for (status, code, details, class, scope, sent) in [
        (400, 132_015, "", Class::Config, Scope::Template("renewal/de".to_owned()), Sent::No),
        (500, 10, "", Class::Config, Scope::Account, Sent::No),
        (503, 130_429, "", Class::Throttle, Scope::Sender, Sent::No),
        (400, 131_050, "", Class::Suppress, Scope::Person, Sent::No),
        (400, 131_009, "Parameter value: recipient phone number", Class::Recipient, Scope::Person, Sent::No),
        (400, 131_009, "Parameter 2 of the body", Class::Config, Scope::Account, Sent::No),
        (503, 131_016, "", Class::InDoubt, Scope::Account, Sent::Maybe),
        (400, 987_654, "", Class::Config, Scope::Account, Sent::No),
        (502, 987_654, "", Class::InDoubt, Scope::Account, Sent::Maybe),
    ] {
        let server = canned(vec![(status, error(code, details))]).await;
        let (failure, reached) = refused(whatsapp(&server.url).send(&template()).await);
        let told = (failure.class, &failure.scope, failure.sent, failure.code.as_str());
        assert_eq!(told, (class, &scope, sent, code.to_string().as_str()), "{status} {code}");
        assert!(reached && failure.detail.raw().contains("words"));
        assert_eq!(server.asked().len(), 1, "sent once");
    }
}

#[tokio::test]
async fn missing_templates_are_created() {
    let page = |name: &str, next: bool| {
        let mut page = json!({ "data": [{ "name": name, "language": "de", "status": "APPROVED" }],
            "paging": { "cursors": { "after": "A1" } } });
        if next {
            page["paging"]["next"] = json!("https://graph.example.test/next");
        }
        (200, page)
    };
    let server = canned(vec![page("other", true), page("renewal", false), (200, json!({ "id": "1" }))]).await;
    let spec = |language: &str| TemplateSpec {
        name: "renewal".to_owned(),
        language: language.to_owned(),
        category: "utility".to_owned(),
        header: None,
        body: "Hi {{1}}".to_owned(),
        examples: vec!["Pat".to_owned()],
        buttons: vec![
            Button::QuickReply("Yes".to_owned()),
            Button::Url { text: "Open".to_owned(), url: "https://x.test/l/{{1}}".to_owned() },
        ],
    };
    let made = whatsapp(&server.url).ensure_templates(&[spec("de"), spec("en_US")]).await.unwrap();
    assert_eq!(made, 1);
    let asked = server.asked();
    assert!(asked[1].uri.contains("after=A1"), "{}", asked[1].uri);
    let body = asked[2].json();
    assert_eq!((&body["language"], &body["category"]), (&json!("en_US"), &json!("UTILITY")));
    assert_eq!(body["components"][0]["example"]["body_text"], json!([["Pat"]]));
    assert_eq!(body["components"][1]["buttons"][1]["example"], json!(["https://x.test/l/example"]));
}
