//! The sandbox over raw HTTP, by a client that is not ours: the providers' shapes, signatures, people, faults.

#[cfg(test)]
#[path = "sandbox/client.rs"]
mod client;
#[cfg(test)]
#[path = "sandbox/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "sandbox/population.rs"]
mod population;
#[cfg(test)]
#[path = "sandbox/shapes.rs"]
mod shapes;
#[cfg(test)]
#[path = "sandbox/twilio.rs"]
mod twilio;
#[cfg(test)]
#[path = "sandbox/vapi.rs"]
mod vapi;
#[cfg(test)]
#[path = "sandbox/whatsapp.rs"]
mod whatsapp;

use cascade::clock::Clock;
use cascade::model::{At, Phone, Segment};
use client::{Ear, MONDAY, World, options};
use reqwest::{Method, header};
use serde_json::Value;

const HUMAN: &str = r#"{"numbers":{"+14155550100":"human"}}"#;

#[tokio::test]
async fn only_programs_on_this_machine_get_in() {
    let world = World::stepped("").await;
    let get = || world.http.get(world.url("/sandbox/config"));
    assert_eq!(get().send().await.unwrap().status(), 200);
    assert_eq!(get().header(header::ORIGIN, "http://127.0.0.1").send().await.unwrap().status(), 403);
    assert_eq!(get().header(header::HOST, "sandbox.example.test").send().await.unwrap().status(), 403);
    let long = world.http.post(world.url(&world.whatsapp_path("messages"))).body("x".repeat(2 << 20));
    // The answer may come while we still write, which some systems report as a broken connection.
    assert!(long.send().await.map_or(true, |answer| answer.status() == 413));
    assert!(world.lines("ledger").await.is_empty(), "what is too long reaches nobody");
    let far = serde_json::json!({"twilio_inbound": "http://example.test/"});
    let put = world.http.put(world.url("/sandbox/webhooks")).json(&far).send().await.unwrap();
    assert_eq!(put.status(), 400);
}

#[tokio::test]
async fn the_address_must_be_loopback() {
    let clock = Clock::stepped(At::parse(MONDAY).unwrap());
    let mut wide = options(&clock, "", None);
    wide.listen = "0.0.0.0:0".parse().unwrap();
    let error = cascade::sandbox::start(wide).await.unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");
}

#[tokio::test]
async fn the_configuration_has_the_keys_of_the_file() {
    let world = World::stepped("").await;
    let asked: Value =
        world.http.get(world.url("/sandbox/config")).send().await.unwrap().json().await.unwrap();
    assert_eq!(asked, world.config);
    assert_eq!(asked["now"], MONDAY);
    for (section, keys) in [
        (
            "whatsapp",
            &[
                "base_url",
                "api_version",
                "phone_number_id",
                "business_account_id",
                "access_token",
                "app_secret",
                "verify_token",
            ][..],
        ),
        ("phone", &["base_url", "phone_number_id", "api_key", "webhook_secret", "webhook_credential_id"]),
        ("sms", &["base_url", "account_sid", "auth_token", "from"]),
    ] {
        for key in keys {
            assert!(asked[section][key].as_str().is_some_and(|v| !v.is_empty()), "{section}.{key}");
        }
    }
    assert!(
        !format!("{:?}", world.sandbox).contains(&world.text("sms", "auth_token")),
        "secrets stay out of Debug"
    );
}

#[tokio::test]
async fn a_file_that_is_no_memory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sandbox.db");
    std::fs::write(&file, "this is no database, and long enough to be read as one by mistake").unwrap();
    let clock = Clock::stepped(At::parse(MONDAY).unwrap());
    let error = cascade::sandbox::start(options(&clock, "", Some(file))).await.unwrap_err().to_string();
    assert!(error.contains("sandbox.db") && error.contains("move the file away"), "{error}");
    let nowhere = dir.path().join("missing/sandbox.db");
    let error = cascade::sandbox::start(options(&clock, "", Some(nowhere))).await.unwrap_err().to_string();
    assert!(error.contains("is its directory writable?"), "{error}");
}

#[tokio::test]
async fn a_scenario_says_how_a_segment_behaves() {
    let scenario = r#"{"segments":{"vip":{"whatsapp":{"convert":1,"delay":{"median_s":60}},"sms":{"optout":1}},
        "cold":{"whatsapp":{"deliver":0}}},"faults":[{"provider":"vapi","kind":"refuse","count":1}]}"#;
    let clock = Clock::stepped(At::parse(MONDAY).unwrap());
    let mut options = options(&clock, scenario, None);
    let person =
        |number: &str, segment: &str| (Phone::parse_e164(number).unwrap(), Segment(segment.to_owned()), None);
    options.customers = vec![person("+14155550100", "vip"), person("+14155550101", "cold")];
    let world = World::start(options, clock, Ear::new().await).await;
    world.whatsapp_ready().await;
    world.inbound_ready().await;
    world.send_whatsapp("+14155550100", "a").await;
    world.send_whatsapp("+14155550101", "b").await;
    world.send_sms("+14155550100", "c", "Hi").await;
    world.advance_s(24 * 3600);
    world.until_events(1, |e| e["to"] == "+14155550100" && e["outcome"] == "replied").await;
    world.until_events(1, |e| e["to"] == "+14155550101" && e["outcome"] == "bounced").await;
    world.until_events(1, |e| e["to"] == "+14155550100" && e["outcome"] == "opted_out").await;
    let refused = world.vapi(Method::POST, "/call", world.call("+14155550100", "d")).await;
    assert_eq!(refused.status(), 429, "faults of the scenario are in force");
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sandbox.db");
    let clock = Clock::stepped(At::parse(MONDAY).unwrap());
    let ear = Ear::new().await;
    let world = World::start(options(&clock, HUMAN, Some(file.clone())), clock.clone(), ear.clone()).await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "it holds secrets");
    }
    world.whatsapp_ready().await;
    assert_eq!(world.send_whatsapp("+14155550100", "att_x_1").await.0, 200);
    let (before, addr) = (world.config.clone(), world.sandbox.addr());
    world.sandbox.shutdown().await;
    let old = world.http.get(format!("http://{addr}/sandbox/config")).send().await;
    assert!(old.is_err(), "a connection that is still open leads nowhere");
    // It falls due while nobody runs.
    clock.advance_to(At(clock.now().millis() + 6 * 3_600_000));
    let world = World::start(options(&clock, HUMAN, Some(file)), clock.clone(), ear.clone()).await;
    assert_eq!(world.sandbox.addr(), addr, "the port is bound again");
    assert_eq!(world.config["whatsapp"], before["whatsapp"], "the secrets are the same");
    let replied = ear.wait(1, |h| h.json()["entry"][0]["changes"][0]["value"]["messages"].is_array()).await;
    assert_eq!(replied.len(), 1);
    ear.wait(1, |h| h.json()["entry"][0]["changes"][0]["value"]["statuses"][0]["status"] == "read").await;
    let sends = world.lines("ledger").await.into_iter().filter(|line| line["kind"] == "send").count();
    assert_eq!(sends, 1, "the ledger is kept");
    // A template made before is still there.
    let (_, list) = world.graph(Method::GET, &world.account_path("message_templates"), Value::Null).await;
    assert_eq!(list["data"][0]["name"], "renewal");
}
