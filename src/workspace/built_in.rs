//! The project's own files, built into the program.

use crate::model::Channel;

pub(super) const RULES: &str = include_str!("../../rules/cascade.json");
pub(super) const CUSTOMERS: &str = include_str!("../../assets/customers.csv");

/// A channel's content and the name it is known by; none for e-mail.
pub(crate) const fn content(channel: Channel) -> Option<(&'static str, &'static str)> {
    match channel {
        Channel::Whatsapp => {
            Some(("rules/content/whatsapp.json", include_str!("../../rules/content/whatsapp.json")))
        }
        Channel::Phone => Some(("rules/content/voice.md", include_str!("../../rules/content/voice.md"))),
        Channel::Sms => Some(("rules/content/sms.txt", include_str!("../../rules/content/sms.txt"))),
        Channel::Email => None,
    }
}
