//! Customers as the list names them.

use super::Untrusted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A telephone number in E.164, with its leading `+`; made by `rules`' customer reader alone, or read back
/// from a store that it went into. `Debug` shows its last two digits alone: panics and logs print that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Takes `+` and 7 to 15 digits, as ITU-T E.164 has them.
    pub fn parse_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        fits.then(|| Self(text.to_owned()))
    }

    /// With the leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the leading `+`, as WhatsApp writes it.
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// The other way to write the same line, where there is one. WhatsApp knows mobiles of Mexico with a `1` after the
    /// country code and those of Argentina with a `9`, whether they are dialled with it or not, and some of Brazil without
    /// the `9` that they are dialled with (PROVIDERS.md 1.3: `wa_id` may differ from `input`).
    pub fn other_spelling(&self) -> Option<Self> {
        let digits = self.digits();
        let spelled = |country: &str, rest: &str| Some(Self(format!("+{country}{rest}")));
        match (digits.get(..2)?, digits.get(2..)?) {
            ("52", rest) if rest.len() == 10 => spelled("521", rest),
            ("52", rest) if rest.len() == 11 && rest.starts_with('1') => spelled("52", &rest[1..]),
            ("54", rest) if rest.len() == 10 => spelled("549", rest),
            ("54", rest) if rest.len() == 11 && rest.starts_with('9') => spelled("54", &rest[1..]),
            // An area code of two digits, then eight or nine; landlines begin with 2 to 5.
            ("55", rest) if rest.len() == 10 && rest.as_bytes()[2] >= b'6' => {
                spelled("55", &format!("{}9{}", &rest[..2], &rest[2..]))
            }
            ("55", rest) if rest.len() == 11 && rest.as_bytes()[2] == b'9' => {
                spelled("55", &format!("{}{}", &rest[..2], &rest[3..]))
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(…{})", self.0.get(self.0.len() - 2..).unwrap_or_default())
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A segment's name as the customer list spells it, trimmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Segment(pub String);

impl Segment {
    /// The name, made safe for one line of a terminal.
    pub fn screen(&self) -> String {
        super::clean(&self.0)
    }
}

/// Which channels a person may be contacted on. An absent or empty column is consent; `no`, `false`, `0`
/// and `n` in any case are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consents {
    /// `consent_whatsapp`
    pub whatsapp: bool,
    /// `consent_phone`
    pub phone: bool,
    /// `consent_sms`
    pub sms: bool,
    /// `consent_email`
    pub email: bool,
}

impl Default for Consents {
    fn default() -> Self {
        Self { whatsapp: true, phone: true, sms: true, email: true }
    }
}

impl Consents {
    /// Whether `channel` may be used.
    pub const fn allows(self, channel: super::Channel) -> bool {
        match channel {
            super::Channel::Whatsapp => self.whatsapp,
            super::Channel::Phone => self.phone,
            super::Channel::Sms => self.sms,
            super::Channel::Email => self.email,
        }
    }
}

/// A row of the customer list, checked and normalised. `Debug` names its line and nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The line of the file on which the row starts, from 1.
    pub line: u64,
    /// As written, trimmed.
    pub name: Untrusted,
    /// Normalised to E.164.
    pub phone: Phone,
    /// As written, trimmed; `default` where the list gives none.
    pub segment: Segment,
    /// If the list has it and it looks like one.
    pub email: Option<String>,
    /// An IANA zone, from the column or from the number's country where that has one zone only.
    pub timezone: Option<String>,
    /// As written: `de`, `en_US`.
    pub language: Option<String>,
    /// ISO 3166-1 alpha-2 code of the number's country, where it is known.
    pub country: Option<String>,
    /// Which channels may be used.
    pub consents: Consents,
    /// Every other column, by its header as written.
    pub extra: BTreeMap<String, Untrusted>,
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("line", &self.line)
            .field("phone", &self.phone)
            .finish_non_exhaustive()
    }
}
