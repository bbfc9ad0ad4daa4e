//! Filling content in for one customer. Pure: content, customer and context in, one complete message out.
//!
//! Values come from outside. They are put in once and never read again for braces, lose control characters,
//! line ends and bidirectional overrides, and their own braces become parentheses, since a provider may expand
//! braces itself (Vapi does).

use super::content::{BODY_MAX, Button, Content, Header, Language, Part, Text, Voice, Whatsapp, When};
use crate::model::{Channel, Customer, Untrusted};
use crate::providers::{Call, Message, Template};

/// Longest SMS a provider takes, in characters (Twilio's 21617, which would shut the whole account's scope).
const SMS_MAX: usize = 1600;

/// What is known about this contact beside the customer.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Channels that were tried before in this cascade; empty: this is the first contact.
    pub tried: &'a [Channel],
    /// Our attempt id as it stands on the wire.
    pub attempt_key: &'a str,
    /// The short link, unique to the attempt.
    pub link: Link<'a>,
    /// Seconds a text message may stay in the provider's queue.
    pub validity_s: u32,
}

/// A short link: `url` is the whole address, `code` its last part.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// `https://example.test/l/CODE`
    pub url: &'a str,
    /// `CODE`
    pub code: &'a str,
}

/// Why there is nothing to send. The customer is passed over on this channel, for this reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRendered {
    /// No content file for the channel.
    #[error("there is no content for {}; add rules/content/{}", .0.label(), super::content::file_name(*.0))]
    NoContent(Channel),
    /// A template's parameter would be empty, which Meta refuses for everybody's template.
    #[error("the customer's `{0}` is empty; fill the column or write a default: {0}|…")]
    NoValue(String),
    /// Nothing would be said, which the provider refuses as a fault of ours.
    #[error("nothing is left of the {} text for this customer; fill their columns or write defaults", .0.label())]
    Empty(Channel),
    /// Longer than the provider takes.
    #[error("the {} message has {length} characters and {most} are taken; shorten the values", .channel.label())]
    TooLong {
        /// Where.
        channel: Channel,
        /// Characters.
        length: usize,
        /// Characters at most.
        most: usize,
    },
    /// E-mail is not built yet.
    #[error("sending e-mail is not built yet; take the step out of the rules")]
    EmailNotBuilt,
}

impl Content {
    /// The complete message for one customer on one channel.
    pub fn message(
        &self,
        channel: Channel,
        customer: &Customer,
        context: &Context<'_>,
    ) -> Result<Message, NotRendered> {
        let none = NotRendered::NoContent(channel);
        match channel {
            Channel::Whatsapp => {
                let whatsapp = self.whatsapp.as_ref().ok_or(none)?;
                template(whatsapp, customer, context).map(Message::Template)
            }
            Channel::Phone => call(self.voice.as_ref().ok_or(none)?, customer, context).map(Message::Call),
            Channel::Sms => {
                let body = sms(&self.sms.as_ref().ok_or(none)?.text, customer, context)?;
                Ok(Message::Text { body, validity_s: context.validity_s })
            }
            Channel::Email => Err(NotRendered::EmailNotBuilt),
        }
    }

    /// `name/language` of the template that a customer of this language gets; `None` without a template.
    pub fn template_key(&self, language: Option<&str>) -> Option<String> {
        let whatsapp = self.whatsapp.as_ref()?;
        Some(format!("{}/{}", whatsapp.name, whatsapp.language(language)?.code))
    }
}

impl Whatsapp {
    /// The template's language for a customer: their own exactly; else the first one listed with the same base
    /// (`de` for `de_AT`); else `en_US`; else the first one listed. Case and `-` for `_` do not matter.
    pub fn language(&self, wanted: Option<&str>) -> Option<&Language> {
        let wanted = wanted.map(|w| w.trim().replace('-', "_").to_lowercase()).unwrap_or_default();
        let base = |code: &str| code.split('_').next().unwrap_or_default().to_owned();
        let find = |test: &dyn Fn(&str) -> bool| self.languages.iter().find(|l| test(&l.code.to_lowercase()));
        find(&|code| code == wanted)
            .or_else(|| find(&|code| base(code) == base(&wanted)))
            .or_else(|| find(&|code| code == "en_us"))
            .or_else(|| self.languages.first())
    }
}

fn template(
    whatsapp: &Whatsapp,
    customer: &Customer,
    context: &Context<'_>,
) -> Result<Template, NotRendered> {
    let wanted = customer.language.as_deref();
    let language = whatsapp.language(wanted).ok_or(NotRendered::NoContent(Channel::Whatsapp))?;
    let mut body = Vec::with_capacity(whatsapp.parameters.len());
    for field in &whatsapp.parameters {
        let value = value(customer, &field.name).or_else(|| field.default.clone());
        body.push(value.ok_or_else(|| NotRendered::NoValue(field.name.clone()))?);
    }
    let length = language.body.chars().count() + body.iter().map(|v| v.chars().count()).sum::<usize>();
    if length > BODY_MAX {
        return Err(NotRendered::TooLong { channel: Channel::Whatsapp, length, most: BODY_MAX });
    }
    let mut template = Template {
        name: whatsapp.name.clone(),
        language: language.code.clone(),
        header_media: None,
        header_text: Vec::new(),
        body,
        quick_replies: Vec::new(),
        urls: Vec::new(),
    };
    match &language.header {
        Some(Header::Media { kind, url }) => {
            template.header_media = Some(((*kind).to_owned(), url.clone()));
        }
        Some(header) if header.takes_parameter() => {
            template.header_text = template.body.first().cloned().into_iter().collect();
        }
        Some(_) | None => {}
    }
    for (index, button) in (0..).zip(&language.buttons) {
        match button {
            Button::QuickReply { means, .. } => {
                let word = means.map_or("reply", super::content::Means::as_str);
                template.quick_replies.push((index, format!("{word}:{}", context.attempt_key)));
            }
            Button::Url { .. } if button.is_tracked() => {
                template.urls.push((index, context.link.code.to_owned()));
            }
            Button::Url { .. } => {}
        }
    }
    Ok(template)
}

fn call(voice: &Voice, customer: &Customer, context: &Context<'_>) -> Result<Call, NotRendered> {
    let fill = |text: &Text| {
        let filled = fill(text, customer, context);
        if filled.is_empty() { Err(NotRendered::Empty(Channel::Phone)) } else { Ok(filled) }
    };
    Ok(Call {
        first_message: fill(&voice.first_message)?,
        prompt: fill(&voice.prompt)?,
        voice: voice.voice.clone(),
        voicemail: voice.voicemail.as_ref().map(fill).transpose()?,
        max_duration_s: voice.max_duration_s,
    })
}

fn sms(text: &Text, customer: &Customer, context: &Context<'_>) -> Result<String, NotRendered> {
    let body = fill(text, customer, context);
    if body.is_empty() {
        return Err(NotRendered::Empty(Channel::Sms));
    }
    let length = body.chars().count();
    if length > SMS_MAX {
        return Err(NotRendered::TooLong { channel: Channel::Sms, length, most: SMS_MAX });
    }
    Ok(body)
}

/// Fills a text in. An empty column without a default leaves nothing.
pub fn fill(text: &Text, customer: &Customer, context: &Context<'_>) -> String {
    let mut out = String::new();
    fill_parts(&text.parts, customer, context, &mut out);
    out.trim().to_owned()
}

fn fill_parts(parts: &[Part], customer: &Customer, context: &Context<'_>, out: &mut String) {
    for part in parts {
        match part {
            Part::Words(words, _) => out.push_str(words),
            Part::Field(field) if field.is_link() => out.push_str(context.link.url),
            Part::Field(field) => {
                let value = value(customer, &field.name).or_else(|| field.default.clone());
                out.push_str(&value.unwrap_or_default());
            }
            Part::Section(when, inner) => {
                let stands = match when {
                    When::First => context.tried.is_empty(),
                    When::After(channel) => context.tried.contains(channel),
                };
                if stands {
                    fill_parts(inner, customer, context, out);
                }
            }
        }
    }
}

/// A column's name without case, spaces and signs: `Renewal Date` is `renewal_date`.
pub fn plain(column: &str) -> String {
    let words = column.to_lowercase();
    words.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect::<Vec<_>>().join("_")
}

/// A customer's value for a column, as [`plain`] spells it, made harmless; `None` if there is none or it is empty.
pub fn value(customer: &Customer, column: &str) -> Option<String> {
    let found = match plain(column).as_str() {
        "name" => customer.name.raw(),
        "phone" => customer.phone.as_str(),
        "segment" => &customer.segment.0,
        "email" => customer.email.as_deref()?,
        "timezone" => customer.timezone.as_deref()?,
        "language" => customer.language.as_deref()?,
        _ => {
            let exact = customer.extra.get(column).map(Untrusted::raw);
            exact.or_else(|| {
                let plain = plain(column);
                customer.extra.iter().find(|(header, _)| self::plain(header) == plain).map(|(_, v)| v.raw())
            })?
        }
    };
    let harmless = harmless(found);
    (!harmless.is_empty()).then_some(harmless)
}

/// One line without control characters, runs of spaces or braces: what Meta takes as a parameter, and what no
/// provider expands again.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() => {}
            '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            '{' => out.push('('),
            '}' => out.push(')'),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}
