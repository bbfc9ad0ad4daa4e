//! `whatsapp.json`: one template in several languages. A template is text that Meta has approved and keeps; we
//! send its name, a language and what stands for `{{1}}`, `{{2}}`.

use super::text::Field;
use crate::model::Disposition;

/// Longest body after substitution, in characters (Meta's limit; beyond it 132005 shuts the template).
pub const BODY_MAX: usize = 1024;

/// `whatsapp.json`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whatsapp {
    /// The template's name at Meta.
    pub name: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// In the order of the file; at least one.
    pub languages: Vec<Language>,
    /// What stands for `{{1}}`, `{{2}}`, in order.
    pub parameters: Vec<Field>,
}

impl Whatsapp {
    /// The addresses of buttons that carry our link code, in every language.
    pub fn tracked_urls(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().flat_map(|l| &l.buttons).filter(|b| b.is_tracked()).filter_map(|b| match b {
            Button::Url { url, .. } => Some(url.as_str()),
            Button::QuickReply { .. } => None,
        })
    }
}

/// The template in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// `en_US`, `de`.
    pub code: String,
    /// Above the body.
    pub header: Option<Header>,
    /// With `{{1}}`, `{{2}}`.
    pub body: String,
    /// Byte offset of the body's opening quote in the file.
    pub body_at: usize,
    /// Nothing in the body is escaped, so that an offset in it is one in the file.
    pub body_is_plain: bool,
    /// Below the body.
    pub buttons: Vec<Button>,
}

/// Above the body of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// May hold `{{1}}`.
    Text(String),
    /// A picture, film or document.
    Media {
        /// `image`, `video`, `document`.
        kind: &'static str,
        /// Where it lies.
        url: String,
    },
}

impl Header {
    /// Whether a parameter must be sent for it.
    pub fn takes_parameter(&self) -> bool {
        match self {
            Self::Text(text) => text.contains("{{"),
            Self::Media { .. } => true,
        }
    }
}

/// A button of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Button {
    /// Pressing it sends a reply.
    QuickReply {
        /// Its caption.
        text: String,
        /// What pressing it means; `None`: its words are judged as if typed.
        means: Option<Means>,
    },
    /// Pressing it opens an address.
    Url {
        /// Its caption.
        text: String,
        /// The address; ends in `{{1}}` where our link code completes it.
        url: String,
    },
}

impl Button {
    /// Whether it carries the code of our short link, so that the click is known.
    pub fn is_tracked(&self) -> bool {
        matches!(self, Self::Url { url, .. } if url.ends_with("{{1}}"))
    }
}

/// What a quick reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A human answer of this kind.
    Answer(Disposition),
    /// No more contact.
    OptedOut,
}

impl Means {
    /// As it stands in the file and in the payload.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer(disposition) => disposition.as_str(),
            Self::OptedOut => "opted_out",
        }
    }

    /// Reads [`Means::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        if word == "opted_out" { Some(Self::OptedOut) } else { Disposition::parse(word).map(Self::Answer) }
    }
}
