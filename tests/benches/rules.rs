//! What the editor does on a key: a rules file of 2,000 lines judged together with the content and a hundred customers, and
//! the same when it is laid out and edited. `cargo bench --bench rules`.

#![expect(missing_docs, reason = "criterion's macros write the entry point")]

use cascade::config::Config;
use cascade::model::{Channel, Consents, Customer, Phone, QuietHours, Segment, Untrusted};
use cascade::rules::content::ContentFile;
use cascade::rules::{Draft, check_draft, edit, format};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::Path;

/// Rules of about 2,000 lines: a segment with its own steps takes five.
fn long_rules() -> String {
    let segment = |n: usize| {
        format!(
            "    \"segment-{n}\": {{ \"start\": \"whatsapp\",\n      \"steps\": [\n        \
             {{ \"channel\": \"whatsapp\", \"wait\": \"{}h\", \"if_no_reply\": \"phone\" }},\n        \
             {{ \"channel\": \"phone\", \"wait\": \"2h\", \"if_no_answer\": \"sms\" }},\n        \
             {{ \"channel\": \"sms\", \"wait\": null, \"terminal\": true }} ] }}",
            n % 9 + 1
        )
    };
    let segments: Vec<String> = (0..400).map(segment).collect();
    let main = include_str!("../../rules/cascade.json").trim_end().trim_end_matches('}');
    format!("{main},\n  \"segments\": {{\n{} }} }}\n", segments.join(",\n"))
}

fn content() -> Vec<ContentFile> {
    let file =
        |name: &str, text: &str| ContentFile { name: name.into(), path: name.into(), bytes: text.into() };
    vec![
        file("whatsapp.json", include_str!("../../rules/content/whatsapp.json")),
        file("voice.md", include_str!("../../rules/content/voice.md")),
        file("sms.txt", include_str!("../../rules/content/sms.txt")),
    ]
}

fn customers() -> Vec<Customer> {
    let customer = |line: u64| Customer {
        line,
        name: Untrusted::from(format!("Ana {line}")),
        phone: Phone::parse_e164("+14155550132").unwrap_or_else(|| unreachable!("a number")),
        segment: Segment("segment-1".into()),
        email: None,
        timezone: None,
        language: None,
        country: Some("US".into()),
        consents: Consents::default(),
        extra: [("plan".into(), Untrusted::from("Basic"))].into(),
    };
    (2..102).map(customer).collect()
}

fn keys(bench: &mut Criterion) {
    let (rules, content, sample) = (long_rules(), content(), customers());
    let mut config = Config::rehearsal_defaults();
    config.limits.quiet_hours = Some(QuietHours { from_min: 1_200, to_min: 540 });
    let columns = ["name", "phone", "segment", "plan"].map(str::to_owned);
    let draft = |rules: &str| {
        let file = Path::new("rules/cascade.json");
        let columns = Some(columns.as_slice());
        check_draft(&Draft {
            rules_file: file,
            rules,
            content: &content,
            config: &config,
            columns,
            sample: &sample,
        })
    };
    assert!(rules.lines().count() >= 2_000 && draft(&rules).rules.is_some());
    bench.bench_function("check 2,000 lines", |b| b.iter(|| draft(black_box(&rules))));
    let late = rules.replace("\"8h\"", "\"12h\"");
    bench.bench_function("check 2,000 lines with 44 warnings", |b| b.iter(|| draft(black_box(&late))));
    let small = include_str!("../../rules/cascade.json");
    bench.bench_function("check the smallest file", |b| b.iter(|| draft(black_box(small))));
    bench
        .bench_function("lay out 2,000 lines", |b| b.iter(|| format(Path::new("r.json"), black_box(&rules))));
    bench.bench_function("set a wait in 2,000 lines", |b| {
        b.iter(|| edit::set_wait(black_box(&rules), Some("segment-7"), Channel::Phone, "3h"));
    });
}

criterion_group!(benches, keys);
criterion_main!(benches);
