//! What people write, press and say.

use super::{Draw, Saying};

const fn texts(saying: Saying) -> &'static [&'static str] {
    match saying {
        Saying::Positive => {
            &["Yes, please", "Yes, count me in", "Sounds good, thanks", "OK, let's do it", "Yes 👍"]
        }
        Saying::Negative => &["No thanks", "No, I'm not interested", "Not interested, thank you"],
        Saying::Question => &["How much does it cost?", "Can we do it next week instead?"],
        Saying::WrongPerson => &["Sorry, wrong number", "You have the wrong person, this is not my number"],
        Saying::AutoReply => &["I am away until Monday, this is an automatic reply"],
        Saying::Unclear => &["hmm", "🤷"],
        Saying::Stop => &["STOP"],
    }
}

const fn speech(saying: Saying) -> &'static [&'static str] {
    match saying {
        Saying::Positive => &["Yes, that works for me.", "Yes, please go ahead."],
        Saying::Negative => &["No, thank you, I am not interested."],
        Saying::Question => &["How much would that cost me?"],
        Saying::WrongPerson => &["You have the wrong number, nobody of that name lives here."],
        Saying::AutoReply => &["This is an automatic reply."],
        Saying::Unclear => &["Hmm, well."],
        Saying::Stop => &["Please stop calling me."],
    }
}

/// What they type.
pub(in crate::sandbox) fn written(draw: &Draw, saying: Saying) -> &'static str {
    draw.pick("words", texts(saying)).copied().unwrap_or("OK")
}

/// What they say on the phone.
pub(in crate::sandbox) fn spoken(draw: &Draw, saying: Saying) -> &'static str {
    draw.pick("words", speech(saying)).copied().unwrap_or("Hello?")
}

/// Whether a button says what this person means: by its payload and its caption, in the languages of the
/// built-in content.
pub(in crate::sandbox) fn button_fits(saying: Saying, caption: &str, payload: &str) -> bool {
    let said = format!("{caption} {payload}").to_lowercase();
    let words: Vec<&str> = said.split(|c: char| !c.is_alphanumeric()).collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let stop = any(&["stop", "unsubscribe", "optout", "opt", "stopp", "abmelden", "baja"]);
    let no = any(&[
        "no", "not", "negative", "decline", "nein", "nicht", "non", "kein", "não", "nao", "nee", "nej",
    ]);
    let question = any(&["question", "frage", "pregunta"]) || said.contains('?');
    let wrong = any(&["wrong", "falsche", "equivocado"]);
    match saying {
        Saying::Stop => stop,
        Saying::Negative => no && !stop,
        Saying::Question => question && !stop,
        Saying::WrongPerson => wrong && !stop,
        Saying::Positive => !(stop || no || question || wrong),
        Saying::AutoReply | Saying::Unclear => false,
    }
}
