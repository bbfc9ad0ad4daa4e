//! Every reader of what comes from outside, with files and bodies that nearly are what they should be.

use crate::sinks::{corpus, harm};
use cascade::config::load;
use cascade::model::Channel;
use cascade::providers::{Fact, Heard, twilio, vapi, whatsapp};
use cascade::rules::content::{Content, ContentFile, file_name};
use cascade::rules::lints::one_line;
use cascade::rules::{CustomerList, Problem, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use std::path::Path;

/// A good file with some of its bytes replaced, or pieces of nasty text put in.
fn nearly(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let nasty: Vec<String> =
        corpus().into_iter().map(|line| line.text).filter(|text| text.len() < 200).collect();
    let letters = select(br#"{}[]",:|#-=' 0n"#.to_vec()).prop_map(|b| vec![b]);
    let piece =
        prop_oneof![letters, any::<u8>().prop_map(|b| vec![b]), select(nasty).prop_map(String::into_bytes)];
    prop::collection::vec((any::<Index>(), 0..4_usize, piece), 0..6).prop_map(move |changes| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, gone, piece) in changes {
            let at = at.index(bytes.len());
            let end = (at + gone).min(bytes.len());
            bytes.splice(at..end, piece);
        }
        bytes
    })
}

/// What people read of it harms no terminal, and names a place in the file.
fn told_well(problems: &[Problem], bytes: &[u8]) -> Result<(), TestCaseError> {
    let lines = bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() as u64 + 1;
    for problem in problems {
        let said = one_line(problem);
        prop_assert_eq!(harm(&said), None, "{:?}", said);
        prop_assert!((1..=lines).contains(&problem.line) && problem.column > 0, "{}", said);
    }
    Ok(())
}

const LIST: &str = "name,phone,segment,email,plan\nAna Silva,+14155550111,smb,a@example.com,Basic\n\"Bo, Chen\",\
                    (415) 555-0112,\"re\"\"tail\",,\nCy,+442071838750,smb,,x\n";
const RULES: &str = include_str!("../../rules/cascade.json");
const WHATSAPP: &str = include_str!("../../rules/content/whatsapp.json");
const VOICE: &str = include_str!("../../rules/content/voice.md");
const SMS: &str = include_str!("../../rules/content/sms.txt");
const LIVE: &str = "mode = \"live\"\n[whatsapp]\nbase_url = \"https://graph.facebook.com\"\nphone_number_id = \"1\"\n\
                    business_account_id = \"2\"\naccess_token_env = \"WHATSAPP_TOKEN\"\n[sms]\nbase_url = \
                    \"https://api.twilio.com\"\naccount_sid = \"AC1\"\nauth_token_env = \"TWILIO_AUTH_TOKEN\"\nfrom = \
                    \"+15550002222\"\n[webhooks]\npublic_url = \"https://hooks.example.com\"\n";

proptest! {
    #[test]
    fn customer_lists(bytes in nearly(LIST)) {
        if let Ok(mut list) = CustomerList::open(Path::new("c.csv"), bytes.as_slice(), "US") {
            let (mut rows, mut last) = (0, 1);
            for row in &mut list {
                rows += 1;
                let line = match &row {
                    Ok(customer) => {
                        prop_assert!(!customer.name.is_empty());
                        customer.line
                    }
                    Err(reject) => {
                        prop_assert_eq!(harm(&reject.reason), None);
                        reject.line
                    }
                };
                prop_assert!(line > last, "rows come in the order of their lines");
                last = line;
            }
            prop_assert!(rows <= bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1);
            told_well(list.warnings(), &bytes)?;
        }
    }

    /// Whatever stands in a quoted cell stays in it.
    #[test]
    fn cells_of_a_list(name in "\\PC{0,20}[,;\"\t\r\n]{0,3}\\PC{0,20}", segment in "[a-z]{1,8}") {
        let quoted = name.replace('"', "\"\"");
        let csv = format!("name,phone,segment,note\n\"{quoted}\",+14155550111,{segment},\"{quoted}\"\nZed,+14155550112,{segment},z\n");
        let list = CustomerList::open(Path::new("c.csv"), csv.as_bytes(), "US").unwrap();
        let rows: Vec<_> = list.collect();
        prop_assert_eq!(rows.len(), 2, "{:?}", csv);
        let last = rows[1].as_ref().unwrap();
        prop_assert_eq!((last.name.raw(), last.segment.0.as_str()), ("Zed", segment.as_str()));
        if let Ok(first) = &rows[0] {
            prop_assert_eq!(first.name.raw(), name.trim());
            prop_assert_eq!(&first.segment.0, &segment);
        }
    }

    #[test]
    fn rules(bytes in nearly(RULES)) {
        let (rules, problems) = parse(Path::new("r.json"), &bytes);
        told_well(&problems, &bytes)?;
        if let Some(rules) = rules {
            prop_assert_eq!(parse(Path::new("r.json"), &rules.bytes).0, Some(rules), "read again, it is the same");
        }
    }

    #[test]
    fn contents(whatsapp in nearly(WHATSAPP), voice in nearly(VOICE), sms in nearly(SMS)) {
        for (channel, bytes) in [(Channel::Whatsapp, whatsapp), (Channel::Phone, voice), (Channel::Sms, sms)] {
            let name = file_name(channel).to_owned();
            let file = ContentFile { path: name.clone().into(), name, bytes: bytes.clone() };
            told_well(&Content::parse(vec![file]).1, &bytes)?;
        }
    }

    /// Whatever stands in a live file: on a machine that trusts nothing, no secret goes to a strange host.
    #[test]
    fn settings(bytes in nearly(LIVE)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (config, problems) = load(Path::new("cascade.toml"), &text, &|name| Some(format!("value of {name}")));
        told_well(&problems, text.as_bytes())?;
        prop_assert!(problems.iter().all(|p| !p.message.contains("value of") && !p.hint.contains("value of")));
        let Some(config) = config else { return Ok(()) };
        if config.mode == cascade::model::Mode::Live {
            for (base, host) in [(&config.whatsapp.base_url, "graph.facebook.com"), (&config.sms.base_url, "api.twilio.com")] {
                let url = url::Url::parse(base).unwrap();
                prop_assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some(host), None), "{}", text);
            }
        }
    }
}

/// Somebody says STOP, among things that are not as they should be.
fn stop_among(neighbours: &[Value]) -> Value {
    let stop = json!({ "from": "15550001111", "id": "wamid.STOP", "timestamp": "1767225700", "type": "text",
        "text": { "body": "STOP" } });
    let mut messages = neighbours.to_vec();
    messages.push(stop);
    messages.extend_from_slice(neighbours);
    let change = json!({ "field": "messages", "value": { "statuses": neighbours, "messages": messages,
        "errors": neighbours, "contacts": neighbours } });
    let mut changes = neighbours.to_vec();
    changes.push(change);
    let mut entries = neighbours.to_vec();
    entries.push(json!({ "id": neighbours.first(), "time": neighbours.last(), "changes": changes }));
    json!({ "entry": entries })
}

fn odd_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(corpus().into_iter().map(|line| line.text).collect::<Vec<_>>()).prop_map(Value::from),
    ];
    let names = select(vec![
        "id",
        "type",
        "text",
        "body",
        "from",
        "status",
        "errors",
        "code",
        "timestamp",
        "changes",
        "value",
        "field",
        "context",
        "button",
        "payload",
        "recipient_id",
        "system",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5)
                .prop_map(|pairs| pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Value>()),
        ]
    })
}

fn says(heard: &[Heard], words: &str, number: &str) -> bool {
    heard.iter().any(|one| {
        one.person.as_ref().is_some_and(|phone| phone.as_str() == number)
            && matches!(&one.what, Fact::Inbound { text, .. } if text.raw() == words)
    })
}

/// Each fact has a key, and its kind is of the provider that told it.
fn sound(heard: &[Heard], provider: &str) -> Result<(), TestCaseError> {
    for one in heard {
        prop_assert!(!one.dedup.is_empty());
        prop_assert_eq!(one.provider, provider);
    }
    Ok(())
}

proptest! {
    /// One garbled neighbour in a batch takes nobody's STOP with it.
    #[test]
    fn whatsapp_bodies(neighbours in prop::collection::vec(odd_json(), 0..4)) {
        let heard = whatsapp::heard(&stop_among(&neighbours));
        sound(&heard, "whatsapp")?;
        prop_assert!(says(&heard, "STOP", "+15550001111"));
    }

    #[test]
    fn vapi_bodies(odd in odd_json(), more in odd_json()) {
        let said = json!({ "artifact": { "messages": [odd, { "role": "user", "message": "stop calling me" }, more] },
            "type": "end-of-call-report", "endedReason": odd, "analysis": more, "cost": odd, "startedAt": more,
            "call": { "id": "019a", "customer": odd, "assistant": more } });
        let heard = vapi::heard(&json!({ "message": said }));
        sound(&heard, "vapi")?;
        let [Heard { what: Fact::CallEnded(end), .. }] = heard.as_slice() else {
            return Err(TestCaseError::fail(format!("{heard:?}")));
        };
        prop_assert!(end.said.as_ref().unwrap().raw().contains("stop calling me"));
        for kind in ["status-update", "end-of-call-report"] {
            sound(&vapi::heard(&json!({ "message": { "type": kind, "status": odd, "call": more } })), "vapi")?;
        }
    }

    #[test]
    fn twilio_forms(odd in prop::collection::vec(("\\PC{0,12}", "\\PC{0,12}"), 0..6), turned: Index) {
        let own = [("MessageSid", "SM1"), ("From", "+15550001111"), ("Body", "Stop"), ("OptOutType", "STOP")];
        let is_own = |name: &str| own.iter().any(|(n, _)| *n == name) || name == "SmsSid";
        let mut form: Vec<(String, String)> = odd.into_iter().filter(|(name, _)| !is_own(name)).collect();
        form.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let by = turned.index(form.len());
        form.rotate_left(by);
        let heard: Vec<Heard> = twilio::heard_inbound(&form).into_iter().collect();
        sound(&heard, "twilio")?;
        prop_assert!(says(&heard, "Stop", "+15550001111"));
        sound(&twilio::heard_status(&form, None).into_iter().collect::<Vec<_>>(), "twilio")?;
    }
}
