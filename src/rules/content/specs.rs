//! Our templates as a rehearsal's account is asked to create them; live ones are written in WhatsApp Manager.

use super::whatsapp::{Button, Header, Whatsapp};
use crate::providers::whatsapp as wire;

impl Whatsapp {
    /// The template in every language. Buttons with our link code lead to `links_base` (`http://…/l`), so that
    /// following one is heard of whatever address the file names.
    pub fn specs(&self, links_base: &str) -> Vec<wire::TemplateSpec> {
        let examples: Vec<String> = self.parameters.iter().map(|field| field.name.clone()).collect();
        let spec = |language: &super::Language| wire::TemplateSpec {
            name: self.name.clone(),
            language: language.code.clone(),
            category: self.category.clone(),
            header: language.header.as_ref().map(header),
            body: language.body.clone(),
            examples: examples.clone(),
            buttons: language.buttons.iter().map(|b| button(b, links_base)).collect(),
        };
        self.languages.iter().map(spec).collect()
    }
}

fn header(header: &Header) -> wire::Header {
    match header {
        Header::Text(text) => wire::Header::Text(text.clone()),
        Header::Media { kind, url } => wire::Header::Media((*kind).to_owned(), url.clone()),
    }
}

fn button(button: &Button, links_base: &str) -> wire::Button {
    let tracked = button.is_tracked();
    match button {
        Button::QuickReply { text, .. } => wire::Button::QuickReply(text.clone()),
        Button::Url { text, url } => {
            let url = if tracked { format!("{links_base}/{{{{1}}}}") } else { url.clone() };
            wire::Button::Url { text: text.clone(), url }
        }
    }
}
