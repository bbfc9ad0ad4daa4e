//! How a text is put, whatever was tried before: greetings, length, asks, and the words that let people out.

use super::said::{Said, Word, texts, words};
use super::{in_content, problem};
use crate::model::Channel;
use crate::rules::content::{Button, Content, Language, Means, Whatsapp};
use crate::rules::{Problem, Severity};

/// A WhatsApp text has at most so many sentences.
const SENTENCES_MAX: usize = 2;

/// Words that begin a greeting, folded: English, German, Spanish, French, and what is common elsewhere.
const GREETINGS: &[&[&str]] = &[
    &["hi"],
    &["hello"],
    &["hey"],
    &["dear"],
    &["good", "morning"],
    &["good", "afternoon"],
    &["good", "evening"],
    &["good", "day"],
    &["greetings"],
    &["hallo"],
    &["guten", "tag"],
    &["guten", "morgen"],
    &["guten", "abend"],
    &["moin"],
    &["servus"],
    &["liebe"],
    &["lieber"],
    &["sehr", "geehrte"],
    &["sehr", "geehrter"],
    &["hola"],
    &["buenos", "dias"],
    &["buenas", "tardes"],
    &["buenas", "noches"],
    &["estimado"],
    &["estimada"],
    &["querido"],
    &["querida"],
    &["bonjour"],
    &["bonsoir"],
    &["salut"],
    &["cher"],
    &["chere"],
    &["ola"],
    &["oi"],
    &["bom", "dia"],
    &["ciao"],
    &["buongiorno"],
];

/// Words that say how to hear no more, folded.
const WAYS_OUT: &[&[&str]] = &[
    &["stop"],
    &["stopp"],
    &["unsubscribe"],
    &["opt", "out"],
    &["optout"],
    &["abmelden"],
    &["abbestellen"],
    &["austragen"],
    &["keine", "nachrichten"],
    &["keine", "weiteren", "nachrichten"],
    &["baja"],
    &["no", "mas", "mensajes"],
    &["cancelar", "suscripcion"],
    &["arret"],
    &["desabonner"],
    &["desinscrire"],
    &["desabonnement"],
    &["sair"],
    &["no", "more", "messages"],
    &["afmelden"],
];

/// Words that ask for something without a question mark, folded.
const ASKS: &[&str] = &[
    "reply",
    "answer",
    "confirm",
    "tap",
    "click",
    "call",
    "book",
    "choose",
    "pick",
    "tell",
    "write",
    "renew",
    "visit",
    "antworten",
    "antworte",
    "bestatigen",
    "tippen",
    "klicken",
    "wahlen",
    "rufen",
    "buchen",
    "schreiben",
    "responde",
    "responda",
    "confirma",
    "confirme",
    "pulsa",
    "pulse",
    "elige",
    "elija",
    "llama",
    "llame",
    "escribe",
    "escriba",
    "repondez",
    "reponds",
    "confirmez",
    "cliquez",
    "choisissez",
    "appelez",
    "ecrivez",
    "reservez",
];

pub(super) fn check(content: &Content, channels: &[Channel], found: &mut Vec<Problem>) {
    if channels.contains(&Channel::Sms) {
        greeting(content, found);
    }
    if let (true, Some(whatsapp)) = (channels.contains(&Channel::Whatsapp), &content.whatsapp) {
        for language in &whatsapp.languages {
            template(content, whatsapp, language, found);
        }
    }
}

fn begins(words: &[Word], with: &[&[&str]]) -> bool {
    with.iter().any(|phrase| {
        phrase.len() <= words.len() && phrase.iter().zip(words).all(|(wanted, word)| word.text == *wanted)
    })
}

fn contains(words: &[Word], any: &[&[&str]]) -> bool {
    (0..words.len()).any(|i| words.get(i..).is_some_and(|rest| begins(rest, any)))
}

/// A greeting costs room and says that nothing is urgent.
fn greeting(content: &Content, found: &mut Vec<Problem>) {
    let first = texts(content, Channel::Sms, &[]);
    let later = texts(content, Channel::Sms, Channel::ALL);
    for (_, said) in first.into_iter().chain(later) {
        let all = words(&said.text);
        // "Sunnyside Energy: Hi Ana" greets as well.
        let after = all.iter().position(|word| word.text == ".").filter(|i| *i <= 4).map_or(0, |i| i + 1);
        let rest = all.get(after..).unwrap_or_default();
        let at = if begins(&all, GREETINGS) { 0 } else { after };
        if !begins(&all, GREETINGS) && !begins(rest, GREETINGS) {
            continue;
        }
        let place = all.get(at).map_or(0, |word| said.place(word.at));
        let message = "the text message begins with a greeting".to_owned();
        let hint = "the first words are all that a lock screen shows, and every character counts; \
                    begin with who writes and what it is about: \"Sunnyside Energy: your renewal is ready.\"";
        let at = in_content(content, Channel::Sms, place);
        found.push(problem(Severity::Warning, at, "sms-greeting", message, hint));
        return;
    }
}

/// A template says what it wants in two sentences, and wants one thing.
fn template(content: &Content, whatsapp: &Whatsapp, language: &Language, found: &mut Vec<Problem>) {
    let said = Said::template(language, &whatsapp.parameters);
    let mut sentences = said.sentences();
    if sentences.first().is_some_and(|(_, first)| is_greeting_alone(first)) {
        sentences.remove(0);
    }
    let code = &language.code;
    if sentences.len() > SENTENCES_MAX {
        let message = format!("the WhatsApp text ({code}) has {} sentences", sentences.len());
        let hint = "more than two are not read to the end; say what it is about, then ask, \
                    as in \"Your plan ends in March. Shall we renew it?\"";
        let place = sentences.get(SENTENCES_MAX).map_or(0, |(at, _)| said.place(*at));
        found.push(problem(
            Severity::Warning,
            in_content(content, Channel::Whatsapp, place),
            "whatsapp-long",
            message,
            hint,
        ));
    }
    let is_question =
        |sentence: &str| sentence.trim_end_matches(['"', ')', '»', '”']).ends_with(['?', '？', '؟']);
    let questions: Vec<usize> = sentences.iter().filter(|(_, s)| is_question(s)).map(|(at, _)| *at).collect();
    let asks = || words(&said.text).iter().any(|word| ASKS.contains(&word.text.as_str()));
    let (place, message) = match questions.as_slice() {
        [] if language.buttons.iter().all(lets_out_alone) && !asks() => {
            (said.place(0), format!("the WhatsApp text ({code}) asks for nothing"))
        }
        [_, second, ..] => {
            (said.place(*second), format!("the WhatsApp text ({code}) asks {} things", questions.len()))
        }
        [] | [_] => return,
    };
    let hint = "who must work out what you want does nothing; ask for one thing that can be answered at once, \
                as in \"Shall we renew it for you?\"";
    let at = in_content(content, Channel::Whatsapp, place);
    found.push(problem(Severity::Warning, at, "whatsapp-ask", message, hint));
}

/// "Hola, Ana."
fn is_greeting_alone(sentence: &str) -> bool {
    let all = words(sentence);
    begins(&all, GREETINGS) && all.iter().filter(|word| word.text != "," && word.text != ".").count() <= 5
}

/// A button by which people leave asks for nothing.
fn lets_out_alone(button: &Button) -> bool {
    matches!(button, Button::QuickReply { means: Some(Means::OptedOut), .. })
}

/// Whether a text says how to hear no more.
pub(super) fn lets_out(text: &str) -> bool {
    contains(&words(text), WAYS_OUT)
}

fn language_of<'c>(content: &'c Content, channel: Channel, name: &str) -> Option<&'c Language> {
    let whatsapp = content.whatsapp.as_ref().filter(|_| channel == Channel::Whatsapp)?;
    whatsapp.languages.iter().find(|l| name.ends_with(&format!("({})", l.code)))
}

/// What stands above and below a template's body: its heading, and the captions of its buttons.
pub(super) fn beside(content: &Content, channel: Channel, name: &str) -> (String, String) {
    let Some(language) = language_of(content, channel, name) else { return (String::new(), String::new()) };
    let caption = |button: &Button| match button {
        Button::QuickReply { text, .. } | Button::Url { text, .. } => text.clone(),
    };
    let captions: Vec<String> = language.buttons.iter().map(caption).collect();
    (Whatsapp::heading(language).to_owned(), captions.join(". "))
}

/// Whether a template has a button by which people leave.
pub(super) fn has_way_out(content: &Content, channel: Channel, name: &str) -> bool {
    language_of(content, channel, name).is_some_and(|l| l.buttons.iter().any(lets_out_alone))
}
