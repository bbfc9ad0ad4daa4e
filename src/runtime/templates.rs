//! The WhatsApp templates that a rehearsal asks the sandbox to create, as the content says them.

use crate::providers::whatsapp::{Button, Header, TemplateSpec};
use crate::rules::content::{self, Content};

/// One for each language. In a rehearsal a tracked button leads to our own links, because the address in the
/// content belongs to the live account.
pub fn of(content: &Content, links_base: &str) -> Vec<TemplateSpec> {
    let Some(whatsapp) = &content.whatsapp else { return Vec::new() };
    let examples: Vec<String> = whatsapp.parameters.iter().map(|field| field.name.clone()).collect();
    let spec = |language: &content::Language| TemplateSpec {
        name: whatsapp.name.clone(),
        language: language.code.clone(),
        category: whatsapp.category.clone(),
        header: language.header.as_ref().map(|header| match header {
            content::Header::Text(text) => Header::Text(text.clone()),
            content::Header::Media { kind, url } => Header::Media((*kind).to_owned(), url.clone()),
        }),
        body: language.body.clone(),
        examples: examples.clone(),
        buttons: language
            .buttons
            .iter()
            .map(|button| match button {
                content::Button::QuickReply { text, .. } => Button::QuickReply(text.clone()),
                content::Button::Url { text, .. } if button.is_tracked() => {
                    Button::Url { text: text.clone(), url: format!("{links_base}/{{{{1}}}}") }
                }
                content::Button::Url { text, url } => Button::Url { text: text.clone(), url: url.clone() },
            })
            .collect(),
    };
    whatsapp.languages.iter().map(spec).collect()
}
