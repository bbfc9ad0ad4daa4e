//! What is judged together: every way through the rules, how texts are put, waits and age. Each lint is seen to speak and
//! to hold its tongue.

use super::{FULL, SMALLEST};
use cascade::config::Config;
use cascade::model::{Customer, Phone, QuietHours, Segment, Untrusted};
use cascade::rules::content::ContentFile;
use cascade::rules::lints::{Age, alike, stale};
use cascade::rules::{Draft, Problem, Severity, check_draft};
use std::path::{Path, PathBuf};

const WHATSAPP: &str = include_str!("../../rules/content/whatsapp.json");
const VOICE: &str = include_str!("../../rules/content/voice.md");
const SMS: &str = include_str!("../../rules/content/sms.txt");
/// An SMS without a fault, to which a sentence can be added.
const PLAIN: &str = "Sunnyside Energy: confirm here {{link}} Reply STOP to opt out. ";

/// A draft with the project's own files in place of those not given.
#[derive(Clone)]
struct Drafted {
    rules: String,
    whatsapp: String,
    voice: String,
    sms: String,
    config: Config,
    columns: Option<Vec<String>>,
    sample: Vec<Customer>,
}

impl Default for Drafted {
    fn default() -> Self {
        let columns = ["name", "phone", "segment", "plan"].map(str::to_owned).to_vec();
        Self {
            rules: SMALLEST.into(),
            whatsapp: WHATSAPP.into(),
            voice: VOICE.into(),
            sms: SMS.into(),
            config: Config::rehearsal_defaults(),
            columns: Some(columns),
            sample: Vec::new(),
        }
    }
}

impl Drafted {
    fn problems(&self) -> Vec<Problem> {
        let file = |name: &str, text: &str| ContentFile {
            name: name.into(),
            path: PathBuf::from("rules/content").join(name),
            bytes: text.as_bytes().to_vec(),
        };
        let content = [
            file("whatsapp.json", &self.whatsapp),
            file("voice.md", &self.voice),
            file("sms.txt", &self.sms),
        ];
        let judged = check_draft(&Draft {
            rules_file: Path::new("rules/cascade.json"),
            rules: &self.rules,
            content: &content,
            config: &self.config,
            columns: self.columns.as_deref(),
            sample: &self.sample,
        });
        let has_errors = judged.problems.iter().any(|p| p.severity == Severity::Error && p.code == "json");
        assert!(judged.rules.is_some() || has_errors);
        judged.problems
    }

    /// `FILE:LINE:COLUMN CODE` of everything found.
    fn found(&self) -> Vec<String> {
        let problems = self.problems();
        assert!(problems.iter().all(|p| !p.message.is_empty() && p.hint.len() > 10), "{problems:#?}");
        let name = |p: &Problem| p.file.file_name().unwrap().to_string_lossy().into_owned();
        problems.iter().map(|p| format!("{}:{}:{} {}", name(p), p.line, p.column, p.code)).collect()
    }

    /// The one problem with this code.
    fn one(&self, code: &str) -> Problem {
        let problems = self.problems();
        let of: Vec<&Problem> = problems.iter().filter(|p| p.code == code).collect();
        assert_eq!(of.len(), 1, "{code}: {problems:#?}");
        of[0].clone()
    }

    fn has(&self, code: &str) -> bool {
        self.problems().iter().any(|p| p.code == code)
    }
}

fn sms(text: &str) -> Drafted {
    Drafted { sms: text.into(), ..Drafted::default() }
}

fn opener(words: &str) -> Drafted {
    Drafted { voice: VOICE.replace(" Do you have a minute?", &format!(" {words}")), ..Drafted::default() }
}

fn body(words: &str) -> Drafted {
    let en = WHATSAPP.split("\"body\": \"").nth(1).unwrap().split('"').next().unwrap();
    Drafted { whatsapp: WHATSAPP.replace(en, words), ..Drafted::default() }
}

fn customer(line: u64, name: &str, extra: &[(&str, &str)]) -> Customer {
    Customer {
        line,
        name: Untrusted::from(name),
        phone: Phone::parse_e164("+14155550132").unwrap(),
        segment: Segment("retail".into()),
        email: None,
        timezone: None,
        language: None,
        country: Some("US".into()),
        consents: cascade::model::Consents::default(),
        extra: extra.iter().map(|(k, v)| ((*k).into(), Untrusted::from(*v))).collect(),
    }
}

#[test]
fn the_smallest_file_is_never_warned_about() {
    let none: [String; 0] = [];
    let mut draft = Drafted::default();
    assert_eq!(draft.found(), none);
    draft.config.limits.quiet_hours = Some(QuietHours { from_min: 20 * 60, to_min: 9 * 60 });
    assert_eq!(draft.found(), none, "with the quiet hours that a cascade.toml has");
    draft.rules = SMALLEST.replace("{ \"start\"", "{ \"explore\": 0.2, \"start\"");
    assert_eq!(draft.found(), none, "whoever it starts with");
    draft.columns = None;
    assert_eq!(draft.found(), none, "without a list");
}

#[test]
fn a_text_that_speaks_of_an_attempt_its_path_did_not_make_is_an_error() {
    let said = format!("{PLAIN}We sent you a WhatsApp message yesterday.");
    let problem = sms(&said).one("unmade-attempt");
    assert_eq!((problem.severity, problem.line, problem.column), (Severity::Error, 1, 64));
    assert!(problem.message.contains("on the path phone › SMS (WhatsApp skipped)"), "{}", problem.message);
    assert!(problem.message.contains("\"We sent you a WhatsApp\""), "{}", problem.message);
    assert!(problem.hint.contains("{{#after whatsapp}}…{{/after}}"), "{}", problem.hint);
    let section = format!("{PLAIN}{{{{#after whatsapp}}}}We sent you a WhatsApp message.{{{{/after}}}}");
    assert!(!sms(&section).has("unmade-attempt"));
    // The wrong section: on the path phone › SMS nothing was written.
    let wrong = format!("{PLAIN}{{{{#after phone}}}}We sent you a WhatsApp message.{{{{/after}}}}");
    assert!(sms(&wrong).one("unmade-attempt").message.contains("phone › SMS (WhatsApp skipped)"));
    let nested = format!(
        "{PLAIN}{{{{#after phone}}}}{{{{#after whatsapp}}}}I called you after our WhatsApp.{{{{/after}}}}{{{{/after}}}}"
    );
    assert!(!sms(&nested).has("unmade-attempt"));
    let voice = opener("I am following up on our WhatsApp message.");
    let problem = voice.one("unmade-attempt");
    assert_eq!(problem.line, 2);
    assert!(problem.message.contains("on the path phone (WhatsApp skipped)"), "{}", problem.message);
    let prompt = Drafted {
        voice: format!("{VOICE}\nWe sent them a text message this morning.\n"),
        ..Drafted::default()
    };
    assert_eq!(prompt.one("unmade-attempt").line, 22);
    // A template has no sections.
    let template = body("Hi {{1}}, we tried to call you about your Sunnyside {{2}} plan. Shall we renew it?");
    let problem = template.one("unmade-attempt");
    assert!(problem.hint.contains("a template has no sections") && problem.message.contains("(en_US)"));
    assert_eq!((problem.line, problem.column), (8, 26));
}

#[test]
fn a_segments_own_ladder_is_walked_too() {
    let rules = SMALLEST.replace("} ] }", "} ],\n  \"segments\": { \"vip\": { \"start\": \"sms\" } } }");
    let said = format!("{VOICE}{{{{#after sms}}}}\nWe sent them a WhatsApp message.\n{{{{/after}}}}\n");
    let mut draft = Drafted { voice: said, ..Drafted::default() };
    assert!(!draft.has("unmade-attempt"), "nobody is called after the text message");
    draft.rules = rules;
    let problem = draft.one("unmade-attempt");
    let path = "on the path SMS › phone (WhatsApp skipped) of segment \"vip\"";
    assert!(problem.message.contains(path), "{}", problem.message);
    draft.rules = SMALLEST.replace("{ \"start\"", "{ \"explore\": 0.1, \"start\"");
    assert!(draft.one("unmade-attempt").message.contains("on the path SMS › phone (WhatsApp skipped)"));
}

const REFERENCES: &[&str] = &[
    "We sent you a WhatsApp message.",
    "I've just written, and we wrote to you on WhatsApp.",
    "we have already messaged you on WhatsApp",
    "Did you get our WhatsApp?",
    "You may have seen our last WhatsApp message.",
    "About the WhatsApp we sent:",
    "As I said on WhatsApp, the price ends.",
    "Following up on our WhatsApp message.",
    "We called you earlier.",
    "I called you, and nobody picked up.",
    "We tried to reach you by phone.",
    "We tried calling.",
    "You missed our call.",
    "Sorry we missed you on the phone.",
    "We left you a voicemail.",
    "Wir haben Ihnen eine WhatsApp geschickt.",
    "Ich habe Ihnen per WhatsApp geschrieben.",
    "Die WhatsApp, die wir Ihnen geschickt haben:",
    "Unsere letzte WhatsApp-Nachricht haben Sie wohl übersehen.",
    "Wir haben Sie angerufen.",
    "Wir haben versucht, Sie anzurufen.",
    "Wir konnten Sie telefonisch nicht erreichen.",
    "Te hemos enviado un WhatsApp.",
    "Le escribimos por WhatsApp.",
    "¿Ha visto nuestro WhatsApp?",
    "Le hemos llamado.",
    "Hemos intentado llamarle.",
    "Nous vous avons envoyé un message WhatsApp.",
    "Je vous ai écrit sur WhatsApp.",
    "Avez-vous vu notre WhatsApp ?",
    "Nous vous avons appelé.",
    "Nous avons essayé de vous appeler.",
];

const NO_REFERENCES: &[&str] = &[
    "You can also reach us on WhatsApp.",
    "Our WhatsApp number is 555.",
    "Save our phone number.",
    "We will call you tomorrow.",
    "Expect our call on Friday.",
    "If you missed our call, ring back.",
    "We have two slots left, call us.",
    "We sent your contract, reply by text to sign.",
    "A confirmation follows by text message.",
    "Call or text us any time.",
    "We called this offer Spring.",
    "Thank you for calling us on the phone line.",
    "You sent us a WhatsApp message.",
    "We emailed you a receipt by email.",
    "Sie haben uns per WhatsApp geschrieben.",
    "Wir sind telefonisch zu erreichen.",
    "Sie erreichen uns auch per WhatsApp.",
    "Wir rufen Sie morgen an.",
    "También estamos en WhatsApp.",
    "Le llamamos mañana.",
    "Nuestro número de WhatsApp es 555.",
    "Vous pouvez nous écrire sur WhatsApp.",
    "Notre numéro WhatsApp est le 555.",
    "Nous vous appellerons demain.",
];

#[test]
fn a_reference_is_told_from_a_mention() {
    for said in REFERENCES {
        assert!(sms(&format!("{PLAIN}{said}")).has("unmade-attempt"), "passed over: {said}");
    }
    for said in NO_REFERENCES {
        let problems = sms(&format!("{PLAIN}{said}")).problems();
        let of: Vec<_> = problems.iter().filter(|p| p.code == "unmade-attempt").collect();
        assert!(of.is_empty(), "{said}: {of:#?}");
    }
    // Any attempt will do where none is named; the first contact has none.
    let any = |text: &str| sms(&format!("{PLAIN}{text}")).one("unmade-attempt").message;
    for said in ["We tried to reach you.", "See our earlier message.", "Wir haben Ihnen bereits geschrieben."]
    {
        assert!(any(said).contains("an earlier message, and there is none on the path SMS"), "{}", any(said));
    }
    assert!(!sms(&format!("{PLAIN}This is our last message.")).has("unmade-attempt"));
    assert!(!opener("Is this a good time for my call?").has("unmade-attempt"), "a call may speak of itself");
}

#[test]
fn a_call_after_whatsapp_knows_of_it() {
    let silent = VOICE.replace("a WhatsApp message", "a message");
    let mut draft = Drafted { voice: silent, ..Drafted::default() };
    let problem = draft.one("opener-unaware");
    assert!(problem.message.contains("on the path WhatsApp › phone"), "{}", problem.message);
    draft.rules = SMALLEST.replace("\"start\": \"whatsapp\"", "\"start\": \"phone\"");
    assert!(!draft.has("opener-unaware"), "it comes first");
    draft.rules = draft.rules.replace("{ \"start\"", "{ \"explore\": 0.1, \"start\"");
    assert!(draft.has("opener-unaware"), "unless another start is drawn");
}

#[test]
fn a_text_message_says_who_writes_and_how_to_hear_no_more() {
    let found = |text: &str| sms(text).found();
    assert_eq!(
        found("Your renewal is ready, at today's price: {{link}} Reply STOP to opt out."),
        ["sms.txt:1:1 no-brand"]
    );
    let problem = sms("Your renewal is ready, at today's price: {{link}} STOP ends it.").one("no-brand");
    assert!(problem.message.contains("Sunnyside Energy writes"), "{}", problem.message);
    assert!(
        problem.message.contains("the first text on the path phone › SMS (WhatsApp skipped)"),
        "{}",
        problem.message
    );
    assert_eq!(found("Sunnyside Energy: your renewal is ready: {{link}}"), ["sms.txt:1:1 no-opt-out"]);
    // Only said where nothing was said before: phone › SMS lacks it.
    let first =
        "Sunnyside Energy: your renewal is ready: {{link}} {{#first}}Reply STOP to opt out.{{/first}}";
    assert_eq!(found(first), ["sms.txt:1:1 no-opt-out"]);
    let mut draft = sms("Helios: your renewal is ready: {{link}} Reply STOP to opt out.");
    assert!(!draft.has("no-brand"), "a name that it introduces itself by");
    assert!(
        sms("Reminder: your renewal is ready: {{link}} Reply STOP.")
            .one("no-brand")
            .message
            .contains("Sunnyside")
    );
    draft.config.brand = Some("Sunnyside".into());
    assert!(draft.one("no-brand").hint.contains("cascade.toml"));
    for way_out in
        ["Antworten Sie STOPP.", "Zum Abmelden: STOP", "Responde BAJA.", "Répondez ARRÊT.", "Text stop."]
    {
        assert!(
            !sms(&format!("Sunnyside Energy: bereit {{{{link}}}} {way_out}")).has("no-opt-out"),
            "{way_out}"
        );
    }
}

#[test]
fn without_any_name_nobody_knows_who_writes() {
    let voice = "---\nfirst_message: Good day, I call after our WhatsApp about the renewal.\n---\nBe kind.\n";
    let rules = r#"{ "start": "sms", "steps": [ { "channel": "sms", "wait": null, "terminal": true } ] }"#;
    let draft = |text: &str| Drafted { rules: rules.into(), voice: voice.into(), ..sms(text) };
    let whatsapp = WHATSAPP.replace("Sunnyside Energy", "us");
    let nameless = Drafted {
        whatsapp: whatsapp.clone(),
        ..draft("Your renewal is ready: {{link}} Reply STOP to opt out.")
    };
    assert!(nameless.one("no-brand").hint.contains("brand = \"…\""));
    let named =
        Drafted { whatsapp, ..draft("Your renewal with Helios is ready: {{link}} Reply STOP to opt out.") };
    assert!(!named.has("no-brand"));
    assert!(!draft("{{sender|us}}: ready: {{link}} Reply STOP").has("no-brand"));
}

#[test]
fn a_text_message_wastes_nothing() {
    let greeted = |text: &str| {
        sms(&format!("{text} confirm here {{{{link}}}} Sunnyside Energy. Reply STOP.")).has("sms-greeting")
    };
    for text in [
        "Hi {{name}},",
        "HELLO!",
        "Sunnyside Energy: Hi {{name}},",
        "Good morning,",
        "Guten Tag,",
        "Sehr geehrte Frau,",
        "¡Hola!",
        "Bonjour,",
    ] {
        assert!(greeted(text), "{text}");
    }
    for text in [
        "Sunnyside Energy: your renewal is ready,",
        "High time:",
        "Dearest prices:",
        "Sunnyside Energy: today only, hello prices:",
    ] {
        assert!(!greeted(text), "{text}");
    }
    assert_eq!(sms("Sunnyside Energy: ready. Reply STOP to opt out.").found(), ["sms.txt:1:1 no-link"]);
    let on_one = sms(&format!("{{{{#after phone}}}}{PLAIN}{{{{/after}}}}Sunnyside STOP")).one("no-link");
    assert!(on_one.message.contains("on the path WhatsApp › SMS (phone skipped)"), "{}", on_one.message);
}

#[test]
fn a_template_asks_for_one_thing_in_two_sentences() {
    let long =
        body("Hi {{1}}. Your Sunnyside {{2}} plan ends. The price stays. It is easy. Shall we renew it?");
    assert_eq!(long.found(), ["whatsapp.json:8:75 whatsapp-long"]);
    assert!(long.one("whatsapp-long").message.contains("(en_US) has 4 sentences"));
    assert!(
        body("Mr. {{1}}, your Sunnyside {{2}} plan at 1.5 ct ends. Shall we renew it?").found().is_empty()
    );
    let two = body("Your Sunnyside {{2}} plan ends, {{1}}, shall we call you? Or shall we renew it?");
    assert!(two.one("whatsapp-ask").message.contains("asks 2 things"));
    let none = body("Your Sunnyside {{2}} plan ends this month, {{1}}.");
    assert!(!none.has("whatsapp-ask"), "its buttons ask");
    let mut bare = none.clone();
    let (before, after) = bare.whatsapp.split_once("\"buttons\": [").unwrap();
    let after = after.split_once("]\n").unwrap().1;
    let opted = r#"{ "type": "quick_reply", "text": "Stop", "means": "opted_out" }"#;
    bare.whatsapp = format!("{before}\"buttons\": [ {opted} ]\n{after}");
    assert!(bare.one("whatsapp-ask").message.contains("asks for nothing"));
    bare.whatsapp =
        bare.whatsapp.replace("ends this month, {{1}}.", "ends this month, {{1}}. Reply YES to renew.");
    assert!(!bare.has("whatsapp-ask"));
    bare.whatsapp = bare.whatsapp.replace(opted, "");
    assert!(bare.has("no-opt-out"));
}

#[test]
fn copy_that_is_used_twice_is_told_by_a_named_measure() {
    let copy = "Sunnyside Energy: your {{plan|Sunnyside}} plan with Sunnyside Energy ends this month, and today's price stays for \
                another year if you renew. {{link}} Reply STOP.";
    let problem = sms(copy).one("copy-reused");
    assert_eq!((problem.line, problem.column), (1, 1));
    assert!(problem.message.contains("the WhatsApp template (en_US)"), "{}", problem.message);
    assert!(
        problem.message.contains("alike by Sørensen–Dice over word pairs (from 0.60 on"),
        "{}",
        problem.message
    );
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(near(alike("one two three four five six", "One, two: three four five six!"), 1.0));
    assert!(near(alike("a b c d e f", "a b c d e x"), 0.8), "four of five pairs in each");
    assert!(near(alike("a b c d e f", "f e d c b a"), 0.0), "the same words are not the same copy");
    assert!(near(alike("too short", "too short"), 0.0));
    // Two languages of one template are one text.
    assert!(
        !Drafted { whatsapp: WHATSAPP.replace("\"es\"", "\"en_GB\""), ..Drafted::default() }
            .has("copy-reused")
    );
}

#[test]
fn a_wait_that_ends_in_quiet_hours_is_not_what_it_says() {
    let mut draft = Drafted { rules: SMALLEST.replace("\"6h\"", "\"12h\""), ..Drafted::default() };
    assert!(draft.found().is_empty(), "no quiet hours, nothing to end in");
    draft.config.limits.quiet_hours = Some(QuietHours { from_min: 20 * 60, to_min: 9 * 60 });
    assert_eq!(draft.found(), ["cascade.json:3:38 wait-ends-quiet"]);
    let problem = draft.one("wait-ends-quiet");
    let words = "launched at 09:00, this wait on WhatsApp ends at 21:00, in quiet hours (20:00-09:00): phone follows at 09:00, 12h late";
    assert_eq!(problem.message, words);
    assert!(problem.hint.contains("\"10h\" ends before them"), "{}", problem.hint);
    // The union holds, and the launch is put off as well.
    draft.rules = SMALLEST.replace("{ \"start\"", "{ \"quiet_hours\": \"08:00-12:00\", \"start\"");
    let problem = draft.one("wait-ends-quiet");
    assert!(
        problem.message.starts_with("launched at 12:00, this wait on phone ends at 20:00"),
        "{}",
        problem.message
    );
    assert!(problem.message.contains("SMS follows at 12:00, 16h late"), "{}", problem.message);
    // A segment's own wait, and one that only a start makes.
    let own = r#", "segments": { "vip": { "start": "sms", "steps": [
      { "channel": "whatsapp", "wait": null, "terminal": true },
      { "channel": "sms", "wait": null, "wait_if_first": "13h", "if_no_reply": "whatsapp" } ] } } }"#;
    draft.rules = format!("{}{own}", SMALLEST.trim_end().strip_suffix('}').unwrap());
    assert_eq!(draft.found(), ["cascade.json:7:58 wait-ends-quiet"]);
    draft.config.limits.quiet_hours = Some(QuietHours { from_min: 0, to_min: 1_439 });
    draft.rules = SMALLEST.into();
    assert!(draft.problems().iter().all(|p| p.code == "wait-ends-quiet"));
}

#[test]
fn old_rules_are_looked_at() {
    let file = Path::new("rules/cascade.json");
    let age = |days, cascades| stale(file, Age { days, cascades });
    assert_eq!(age(None, None), None);
    assert_eq!(age(Some(89), Some(999)), None);
    let old = age(Some(90), None).unwrap();
    assert_eq!((old.code, old.severity), ("stale-rules", Severity::Warning));
    assert!(old.message.contains("for 90 days"));
    assert!(age(Some(100), Some(2_000)).unwrap().message.contains("for 100 days and for 2000 cascades"));
}

#[test]
fn the_lists_values_are_filled_in() {
    let mut draft = sms(
        "Sunnyside Energy: {{name}}, your {{plan}} plan: {{link}} {{#after phone}}We called. {{/after}}STOP",
    );
    draft.sample = vec![customer(2, "Ana", &[("plan", "Basic")]), customer(3, "Bo", &[])];
    assert_eq!(draft.found(), ["sms.txt:1:34 unfilled-field"]);
    assert!(draft.one("unfilled-field").message.contains("empty for 1 of 2 customers"));
    // Long on one path alone, and for one customer alone.
    draft.sms = format!(
        "Sunnyside Energy: {{{{name}}}} {{{{link}}}} STOP {{{{#after phone}}}}{}{{{{/after}}}}",
        "x".repeat(60)
    );
    draft.sample =
        vec![customer(2, "Ana", &[("plan", "Basic")]), customer(3, &"Bo".repeat(30), &[("plan", "Basic")])];
    let problem = draft.one("sms-segments");
    assert!(
        problem.message.contains("1 of 2 customers get a text message of up to 2 segments"),
        "{}",
        problem.message
    );
    // A column that the list lacks, and one that nobody fills.
    draft.sms = format!("{PLAIN}{{{{email|you}}}}");
    assert!(draft.has("unknown-field"));
    draft.columns.as_mut().unwrap().push("email".into());
    assert!(!draft.has("unknown-field"));
    draft.sample = (2..40).map(|line| customer(line, "Ana", &[("plan", "Basic")])).collect();
    assert!(draft.one("empty-column").message.contains("`email` is empty for all 38 customers"));
}

#[test]
fn a_broken_draft_says_what_is_broken_and_goes_on() {
    let mut draft = Drafted { rules: "{ \"start\": ".into(), ..Drafted::default() };
    assert_eq!(draft.found(), ["cascade.json:1:11 json"]);
    draft.sms = "{{name".into();
    assert!(draft.found().contains(&"sms.txt:1:1 unclosed-field".to_owned()));
    // With a fourth channel: what is not built is said, and its texts are judged all the same.
    draft = Drafted { rules: FULL.into(), ..Drafted::default() };
    assert!(draft.problems().iter().all(|p| p.code == "not-built"), "{:#?}", draft.problems());
}
