//! A text as one path reads it, with the place of every piece in its file, and its words as the lints compare them.

use crate::model::Channel;
use crate::rules::content::{Content, Field, Header, Language, Part, Text, Whatsapp, When};
use unicode_segmentation::UnicodeSegmentation as _;

/// What stands for our short link.
pub(super) const LINK: &str = "link";

/// A text without braces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    /// Where a piece begins in the text, and where in the file; `None` where the file is known, but not the byte.
    pieces: Vec<(usize, usize)>,
    /// Whether our short link is in it.
    pub(super) has_link: bool,
}

impl Said {
    /// The text after attempts on `tried`. A field stands as its default or its own name.
    pub(super) fn after(text: &Text, tried: &[Channel]) -> Self {
        let mut said = Self::default();
        said.add(&text.parts, Some(tried));
        said
    }

    /// Everything that the text can say, whatever was tried, without what fields say.
    pub(super) fn whole(text: &Text) -> Self {
        let mut said = Self::default();
        said.add(&text.parts, None);
        said
    }

    fn add(&mut self, parts: &[Part], tried: Option<&[Channel]>) {
        for part in parts {
            match (part, tried) {
                (Part::Words(words, at), _) => self.push(words, *at),
                (Part::Field(field), _) if field.is_link() => {
                    self.has_link = true;
                    self.text.push_str(LINK);
                }
                (Part::Field(field), Some(_)) => self.text.push_str(stand_in(field)),
                (Part::Field(_), None) => self.text.push(' '),
                (Part::Section(when, inner), tried) => {
                    let stands = match (when, tried) {
                        (_, None) => true,
                        (When::First, Some(tried)) => tried.is_empty(),
                        (When::After(channel), Some(tried)) => tried.contains(channel),
                    };
                    if stands {
                        self.add(inner, tried);
                    }
                }
            }
        }
    }

    fn push(&mut self, words: &str, at: usize) {
        self.pieces.push((self.text.len(), at));
        self.text.push_str(words);
    }

    /// A template's body; its parameters stand as their defaults or names.
    pub(super) fn template(language: &Language, parameters: &[Field]) -> Self {
        let mut said = Self::default();
        let mut rest = language.body.as_str();
        let mut at = 0;
        while let Some(open) = rest.find("{{") {
            let close = rest[open..].find("}}").map_or(rest.len(), |close| open + close + 2);
            said.push(&rest[..open], language.place(at));
            let number = rest[open..close].trim_matches(['{', '}', ' ']).parse::<usize>().ok();
            let field = number.and_then(|n| parameters.get(n.checked_sub(1)?));
            said.text.push_str(field.map_or("", stand_in));
            rest = &rest[close..];
            at += close;
        }
        said.push(rest, language.place(at));
        said
    }

    /// Where byte `at` of the text stands in the file, or the piece before it.
    pub(super) fn place(&self, at: usize) -> usize {
        let i = self.pieces.partition_point(|(start, _)| *start <= at);
        self.pieces.get(i.saturating_sub(1)).map_or(0, |(start, place)| place + (at - start.min(&at)))
    }

    /// Its sentences with the byte where each begins.
    pub(super) fn sentences(&self) -> Vec<(usize, &str)> {
        let mut out: Vec<(usize, &str)> = Vec::new();
        for (at, sentence) in self.text.split_sentence_bound_indices() {
            let lead = sentence.len() - sentence.trim_start().len();
            let sentence = sentence.trim();
            if sentence.is_empty() {
                continue;
            }
            match out.last_mut() {
                // "Mr. Smith" is cut by the Unicode rules, which know no abbreviations.
                Some((start, before)) if ends_in_abbreviation(before) => {
                    *before = self.text.get(*start..at + lead + sentence.len()).unwrap_or(before);
                }
                Some(_) | None => out.push((at + lead, sentence)),
            }
        }
        out
    }
}

impl Language {
    fn place(&self, at: usize) -> usize {
        if self.body_is_plain { self.body_at + 1 + at } else { self.body_at }
    }
}

impl Whatsapp {
    /// The words above the body, if there are any.
    pub(super) fn heading(language: &Language) -> &str {
        match &language.header {
            Some(Header::Text(text)) => text,
            Some(Header::Media { .. }) | None => "",
        }
    }
}

fn stand_in(field: &Field) -> &str {
    field.default.as_deref().unwrap_or(&field.name)
}

fn ends_in_abbreviation(sentence: &str) -> bool {
    const KNOWN: [&str; 16] = [
        "mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "no.", "nr.", "sr.", "sra.", "hr.", "fr.", "m.", "mme.",
        "bzw.", "approx.",
    ];
    let last = sentence.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    KNOWN.contains(&last.as_str())
}

/// A channel's texts, each as a path reads it, in the order in which they are said, with its name for people.
pub(super) fn texts(content: &Content, channel: Channel, tried: &[Channel]) -> Vec<(String, Said)> {
    match channel {
        Channel::Whatsapp => {
            let Some(whatsapp) = &content.whatsapp else { return Vec::new() };
            let of = |l: &Language| {
                (format!("the WhatsApp template ({})", l.code), Said::template(l, &whatsapp.parameters))
            };
            whatsapp.languages.iter().map(of).collect()
        }
        Channel::Phone => {
            let Some(voice) = &content.voice else { return Vec::new() };
            let voicemail = voice.voicemail.iter().map(|text| ("the voicemail", text));
            let all = [("the call's first message", &voice.first_message)].into_iter().chain(voicemail);
            all.map(|(name, text)| (name.to_owned(), Said::after(text, tried))).collect()
        }
        Channel::Sms => {
            let of = |text| vec![("the text message".to_owned(), Said::after(text, tried))];
            content.sms.as_ref().map(|sms| of(&sms.text)).unwrap_or_default()
        }
        Channel::Email => {
            let of = |text| vec![("the e-mail".to_owned(), Said::after(text, tried))];
            content.email.as_ref().map(|email| of(&email.text)).unwrap_or_default()
        }
    }
}

/// A word as the lints compare it: small letters without accents; `,` and the ends of clauses are words too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Folded.
    pub(super) text: String,
    /// The byte where it begins.
    pub(super) at: usize,
}

/// The words of a text, folded. Signs are dropped, save those that part clauses.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            if !open {
                out.push(Word { text: String::new(), at });
                open = true;
            }
            if let Some(word) = out.last_mut() {
                c.to_lowercase().for_each(|c| fold(c, &mut word.text));
            }
            continue;
        }
        open = false;
        match c {
            ',' | '،' | '、' => out.push(Word { text: ",".into(), at }),
            '.' | '!' | '?' | ';' | ':' | '…' | '。' | '？' | '！' | '\n' | '—' | '–' | '(' | ')' => {
                out.push(Word { text: ".".into(), at });
            }
            _ => {}
        }
    }
    out
}

/// Accents of the languages that the lints read.
fn fold(c: char, out: &mut String) {
    let plain = match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        'ß' => {
            out.push_str("ss");
            return;
        }
        other => other,
    };
    out.push(plain);
}
