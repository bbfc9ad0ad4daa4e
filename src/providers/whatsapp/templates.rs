//! Templates as the account is asked to create them, in a rehearsal (PROVIDERS.md 1.13).

use serde_json::{Value, json};

/// One template in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSpec {
    /// Its name: `spring_renewal`.
    pub name: String,
    /// Its language code: `en_US`.
    pub language: String,
    /// `UTILITY` or `MARKETING`, in any case.
    pub category: String,
    /// Above the text.
    pub header: Option<Header>,
    /// With `{{1}}`, `{{2}}` for its variables.
    pub body: String,
    /// One example for each variable of the body.
    pub examples: Vec<String>,
    /// In their order.
    pub buttons: Vec<Button>,
}

/// See [`TemplateSpec::header`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// A line of text.
    Text(String),
    /// A link, by kind (`image`, `video`, `document`).
    Media(String, String),
}

/// See [`TemplateSpec::buttons`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Button {
    /// Answers with one tap.
    QuickReply(String),
    /// Opens an address, which may end in `{{1}}`.
    Url {
        /// Its caption.
        text: String,
        /// Where it leads.
        url: String,
    },
}

impl TemplateSpec {
    pub(super) fn wire(&self) -> Value {
        let mut components: Vec<Value> = self.header.iter().map(Header::wire).collect();
        let mut body = json!({ "type": "BODY", "text": self.body });
        if !self.examples.is_empty() {
            body["example"] = json!({ "body_text": [self.examples] });
        }
        components.push(body);
        if !self.buttons.is_empty() {
            let buttons: Vec<Value> = self.buttons.iter().map(Button::wire).collect();
            components.push(json!({ "type": "BUTTONS", "buttons": buttons }));
        }
        json!({
            "name": self.name,
            "language": self.language,
            "category": self.category.to_uppercase(),
            "components": components,
        })
    }
}

impl Header {
    fn wire(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "type": "HEADER", "format": "TEXT", "text": text }),
            Self::Media(kind, link) => json!({ "type": "HEADER", "format": kind.to_uppercase(),
                "example": { "header_handle": [link] } }),
        }
    }
}

impl Button {
    fn wire(&self) -> Value {
        match self {
            Self::QuickReply(text) => json!({ "type": "QUICK_REPLY", "text": text }),
            Self::Url { text, url } if url.contains("{{") => {
                json!({ "type": "URL", "text": text, "url": url, "example": [url.replace("{{1}}", "example")] })
            }
            Self::Url { text, url } => json!({ "type": "URL", "text": text, "url": url }),
        }
    }
}
