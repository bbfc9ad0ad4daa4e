//! Meta's side.

use super::client::{MONDAY, World, hmac256, hundred, options};
use super::{Clock, Ear, HUMAN};
use cascade::model::At;
use reqwest::Method;
use serde_json::{Value, json};

const PAT: &str = "+14155550100";

fn change(body: &Value) -> &Value {
    &body["entry"][0]["changes"][0]["value"]
}

#[tokio::test]
async fn a_template_is_sent_delivered_read_and_answered() {
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    let (status, sent) = world.send_whatsapp(PAT, "att_x_1").await;
    assert_eq!(status, 200, "{sent}");
    let wamid = sent["messages"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(sent["contacts"][0], json!({"input": "14155550100", "wa_id": "14155550100"}));
    world.advance_s(6 * 3600);
    let posts = world.ear.wait(4, |h| h.path == "/hooks/whatsapp").await;
    let secret = world.text("whatsapp", "app_secret");
    let mut statuses = Vec::new();
    for post in &posts {
        assert_eq!(post.header("x-hub-signature-256"), format!("sha256={}", hmac256(&secret, &[&post.body])));
        assert!(post.body.is_ascii(), "beyond ASCII is escaped");
        let body = post.json();
        assert!(change(&body)["contacts"][0]["user_id"].as_str().unwrap().starts_with("US."));
        if let Some(entry) = change(&body)["statuses"].get(0) {
            assert_eq!(
                (&entry["id"], &entry["biz_opaque_callback_data"]),
                (&json!(wamid), &json!("att_x_1"))
            );
            assert!(entry["timestamp"].as_str().unwrap().parse::<i64>().unwrap() > 1_767_600_000);
            statuses.push(entry["status"].as_str().unwrap().to_owned());
        } else {
            assert_eq!(change(&body)["messages"][0]["from"], "14155550100");
        }
    }
    statuses.sort();
    assert_eq!(statuses, ["delivered", "read", "sent"]);
    let ledger = world.lines("ledger").await;
    let line = ledger.iter().find(|l| l["kind"] == "send").unwrap();
    assert_eq!(line["attempt"], "att_x_1");
    assert_eq!((&line["to"], &line["at"], &line["accepted"]), (&json!(PAT), &json!(MONDAY), &json!(true)));
    let (_, history) = world
        .graph(
            Method::GET,
            &format!("{}?message_id={wamid}", world.whatsapp_path("message_history")),
            Value::Null,
        )
        .await;
    assert_eq!(history["data"][0]["events"]["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn text_goes_only_inside_the_window() {
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    let text =
        json!({"messaging_product": "whatsapp", "to": PAT, "type": "text", "text": {"body": "Thanks!"}});
    let send = async || world.graph(Method::POST, &world.whatsapp_path("messages"), text.clone()).await;
    let (status, refused) = send().await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!(131_047)));
    world.send_whatsapp(PAT, "att_x_1").await;
    world.advance_s(6 * 3600);
    world.ear.wait(1, |h| change(&h.json())["messages"].is_array()).await;
    assert_eq!(send().await.0, 200);
    world.advance_s(24 * 3600);
    assert_eq!(send().await.1["error"]["code"], 131_047);
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_metas_codes() {
    let world = World::stepped(r#"{"numbers":{"+14155550101":"stopped","+14155550102":"bad_number"}}"#).await;
    world.whatsapp_ready().await;
    let path = world.whatsapp_path("messages");
    let bad = world.http.post(world.url(&path)).bearer_auth("nobody").json(&json!({})).send().await.unwrap();
    assert_eq!(bad.status(), 401);
    assert_eq!(bad.json::<Value>().await.unwrap()["error"]["code"], 190);
    let code = async |body: Value| world.graph(Method::POST, &path, body).await.1["error"]["code"].clone();
    assert_eq!(code(World::message(PAT, "a", "fr")).await, 132_001);
    let mut few = World::message(PAT, "a", "en_US");
    few["template"]["components"][0]["parameters"] = json!([]);
    assert_eq!(code(few).await, 132_000);
    assert_eq!(code(World::message("+14155550101", "a", "en_US")).await, 131_050);
    assert_eq!(code(World::message("+14155550102", "a", "en_US")).await, 131_026);
    assert_eq!(code(World::message("12", "a", "en_US")).await, 131_009);
    let codes: Vec<Value> =
        world.lines("ledger").await.into_iter().map(|line| line["code"].clone()).collect();
    assert_eq!(codes.last().unwrap(), "131009");
}

#[tokio::test]
async fn too_much_is_throttled_in_campaign_time() {
    let world = World::stepped("").await;
    world.whatsapp_ready().await;
    let mut codes = Vec::new();
    for i in 0..46 {
        codes.push(world.send_whatsapp(PAT, &format!("a{i}")).await.1["error"]["code"].clone());
    }
    assert_eq!(codes[44], Value::Null);
    assert_eq!(codes[45], 131_056, "one person gets 45 at once");
    let mut last = Value::Null;
    for i in 0..40 {
        last = world.send_whatsapp(&format!("+1415555{:04}", 200 + i), "b").await.1["error"]["code"].clone();
    }
    assert_eq!(last, 130_429, "80 a second");
    world.advance_s(6);
    assert_eq!(world.send_whatsapp(PAT, "later").await.0, 200);
}

#[tokio::test]
async fn webhooks_are_redelivered_until_we_say_200() {
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    world.ear.answers(|_| 503);
    world.send_whatsapp(PAT, "att_x_1").await;
    world.advance_s(10);
    let sent = |h: &super::client::Heard| change(&h.json())["statuses"][0]["status"] == "sent";
    world.ear.wait(2, sent).await;
    // Both answers are written down, so the third try is planned.
    world.until_events(2, |l| l["what"] == "sent" && l["status"] == 503).await;
    world.ear.answers(|_| 200);
    world.advance_s(60);
    let all = world.ear.wait(3, sent).await;
    assert!(all.iter().all(|h| h.body == all[0].body), "the same bytes each time");
    world.until_events(1, |l| l["what"] == "sent" && l["status"] == 200).await;
}

#[tokio::test]
async fn the_rarest_language_is_paused_in_use() {
    let clock = Clock::stepped(At::parse(MONDAY).unwrap());
    let mut options = options(&clock, "", None);
    options.customers = hundred();
    let world = World::start(options, clock, Ear::new().await).await;
    world.whatsapp_ready().await;
    world.template("de").await;
    world.template("es").await;
    let send = async |to: &str, language: &str| {
        world.graph(Method::POST, &world.whatsapp_path("messages"), World::message(to, "a", language)).await.1
    };
    assert_eq!(send("+14155551007", "de").await["error"]["code"], 132_015);
    assert_ne!(send("+14155551000", "es").await["error"]["code"], 132_015);
    let told = world
        .ear
        .wait(1, |h| h.json()["entry"][0]["changes"][0]["field"] == "message_template_status_update");
    assert_eq!(change(&told.await[0].json())["message_template_language"], "de");
    let (_, list) = world
        .graph(
            Method::GET,
            &format!("{}?status=PAUSED", world.account_path("message_templates")),
            Value::Null,
        )
        .await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_callback_that_does_not_echo_is_refused() {
    let world = World::stepped("").await;
    world.ear.answers(|_| 403);
    let callback = json!({"override_callback_uri": world.ear.url, "verify_token": "ours"});
    let (status, body) = world.graph(Method::POST, &world.account_path("subscribed_apps"), callback).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!(100)));
    assert!(world.ear.all()[0].path.contains("hub.verify_token=ours"));
}
