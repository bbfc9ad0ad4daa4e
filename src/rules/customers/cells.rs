//! Makes a customer of the fields of one row.

use super::super::phones::PhoneReader;
use super::super::zones::{only_zone, zone_named};
use super::header::{Column, Header, Place};
use super::rows::{Row, fields};
use super::{Reject, characters};
use crate::model::{Channel, Consents, Customer, Segment, Untrusted, clean};
use std::collections::BTreeMap;

/// Longest e-mail address, RFC 5321.
const EMAIL_MAX: usize = 254;

/// Something odd about a row that is taken all the same.
pub(super) struct Note {
    /// Characters from 1.
    pub(super) column: u64,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: &'static str,
}

/// The fields of one row, trimmed, each with its column in characters from 1.
pub(super) struct Cells<'h> {
    header: &'h Header,
    line: u64,
    fields: Vec<(u64, String)>,
    /// Fewer fields than the header has.
    short: bool,
}

impl<'h> Cells<'h> {
    /// Splits a row; what cannot be text is a reject.
    pub(super) fn of(row: &Row, delimiter: u8, header: &'h Header) -> Result<Self, Reject> {
        let reject = |at: usize, code, reason: &str, hint: &str| Reject {
            line: row.line,
            column: characters(&row.bytes, at) as u64,
            code,
            reason: reason.to_owned(),
            hint: hint.to_owned(),
            raw: String::from_utf8_lossy(&row.bytes).into_owned().into(),
        };
        if row.unclosed {
            return Err(reject(
                0,
                "open-quote",
                "a quote is opened in this row and never closed",
                "add or remove a \"",
            ));
        }
        if let Some(at) = row.bytes.iter().position(|&b| b == 0) {
            let hint = "save the list again as \"CSV UTF-8\"";
            return Err(reject(at, "nul", "this row holds a NUL byte, which is no text", hint));
        }
        if let Err(wrong) = std::str::from_utf8(&row.bytes) {
            let reason = "this row is not UTF-8; it looks like Windows-1252 or another old encoding";
            return Err(reject(wrong.valid_up_to(), "not-utf8", reason, "save the list as \"CSV UTF-8\""));
        }
        let mut cells: Vec<(u64, String)> = Vec::new();
        for (i, (at, field)) in fields(&row.bytes, delimiter).into_iter().enumerate() {
            let text = String::from_utf8_lossy(&field).trim().to_owned();
            if i < header.columns.len() {
                cells.push((characters(&row.bytes, at) as u64, text));
            } else if !text.is_empty() {
                let reason = format!("more fields than the header's {}", header.columns.len());
                let hint = "put quotes around a field that holds the delimiter";
                return Err(reject(at, "too-many-fields", &reason, hint));
            }
        }
        let short = cells.len() < header.columns.len();
        Ok(Self { header, line: row.line, fields: cells, short })
    }

    /// The column of that kind: where it begins and what it says; empty if it is not there.
    fn cell(&self, column: Column) -> (u64, &str) {
        let index = self.header.columns.iter().position(|place| *place == Place::Known(column));
        index.and_then(|i| self.fields.get(i)).map_or((1, ""), |(at, text)| (*at, text))
    }

    /// The number as it was written, and where.
    pub(super) fn phone_cell(&self) -> (u64, &str) {
        self.cell(Column::Phone)
    }

    fn name(&self) -> (u64, String) {
        if self.header.has_name {
            let (at, name) = self.cell(Column::Name);
            return (at, name.to_owned());
        }
        let ((at, first), (_, last)) = (self.cell(Column::FirstName), self.cell(Column::LastName));
        (at, format!("{first} {last}").trim().to_owned())
    }

    /// The customer, with what is odd about it, or why there is none.
    pub(super) fn customer(
        &self,
        phones: &mut PhoneReader,
        notes: &mut Vec<Note>,
    ) -> Result<Customer, Reject> {
        let reject = |column: u64, code, reason: String, hint: &str, raw: &str| Reject {
            line: self.line,
            column,
            code,
            reason,
            hint: hint.to_owned(),
            raw: raw.into(),
        };
        let (at, written) = self.phone_cell();
        let (phone, country) = phones
            .read(written)
            .map_err(|bad| reject(at, bad.code(), bad.to_string(), bad.hint(), written))?;
        let (at, name) = self.name();
        if name.is_empty() {
            let reason = "there is no name".to_owned();
            return Err(reject(at, "name-missing", reason, "add the name, or remove the row", written));
        }
        if self.short {
            notes.push(Note {
                column: 1,
                code: "few-fields",
                message: format!(
                    "{} fields where the header has {}",
                    self.fields.len(),
                    self.header.columns.len()
                ),
                hint: "the missing ones are taken as empty",
            });
        }
        let segment = Some(self.cell(Column::Segment).1).filter(|s| !s.is_empty()).unwrap_or("default");
        Ok(Customer {
            line: self.line,
            name: name.into(),
            phone,
            segment: Segment(segment.to_owned()),
            email: self.email(notes),
            timezone: self.timezone(country.as_deref(), notes),
            language: self.language(notes),
            country,
            consents: self.consents(notes),
            extra: self.extra(),
        })
    }

    fn email(&self, notes: &mut Vec<Note>) -> Option<String> {
        let (column, text) = self.cell(Column::Email);
        if text.is_empty() || is_email(text) {
            return Some(text.to_owned()).filter(|t| !t.is_empty());
        }
        notes.push(Note {
            column,
            code: "bad-email",
            message: format!("\"{}\" is no e-mail address", short(text)),
            hint: "the customer is taken without one; correct it",
        });
        None
    }

    fn language(&self, notes: &mut Vec<Note>) -> Option<String> {
        let (column, text) = self.cell(Column::Language);
        if text.is_empty() || is_language(text) {
            return Some(text.to_owned()).filter(|t| !t.is_empty());
        }
        notes.push(Note {
            column,
            code: "bad-language",
            message: format!("\"{}\" is no language code", short(text)),
            hint: "write it like de or en_US; the customer is taken without one",
        });
        None
    }

    fn timezone(&self, country: Option<&str>, notes: &mut Vec<Note>) -> Option<String> {
        let (column, text) = self.cell(Column::Timezone);
        let own = zone_named(text);
        if own.is_none() && !text.is_empty() {
            notes.push(Note {
                column,
                code: "bad-timezone",
                message: format!("\"{}\" is no IANA time zone", short(text)),
                hint: "write it like Europe/Berlin; until then the number's country decides",
            });
        }
        own.or_else(|| country.and_then(only_zone)).map(str::to_owned)
    }

    fn consents(&self, notes: &mut Vec<Note>) -> Consents {
        let mut ask = |channel| self.consent(channel, notes);
        Consents {
            whatsapp: ask(Channel::Whatsapp),
            phone: ask(Channel::Phone),
            sms: ask(Channel::Sms),
            email: ask(Channel::Email),
        }
    }

    /// What nobody can read is no consent: a person left out can be asked, a person contacted cannot be
    /// uncontacted.
    fn consent(&self, channel: Channel, notes: &mut Vec<Note>) -> bool {
        let (column, text) = self.cell(Column::Consent(channel));
        match text.to_lowercase().as_str() {
            "" | "-" | "yes" | "true" | "1" | "y" => true,
            "no" | "false" | "0" | "n" => false,
            _ => {
                notes.push(Note {
                    column,
                    code: "unclear-consent",
                    message: format!("\"{}\" is neither yes nor no for consent_{channel}", short(text)),
                    hint: "taken as no; write yes or no",
                });
                false
            }
        }
    }

    /// Every column the program does not read itself; of first and last name, too, where they make the
    /// name.
    fn extra(&self) -> BTreeMap<String, Untrusted> {
        let named = self.header.columns.iter().zip(&self.fields).filter_map(|(place, (_, text))| {
            let name = match place {
                Place::Extra(name) => name.as_str(),
                Place::Known(Column::FirstName) => "first_name",
                Place::Known(Column::LastName) => "last_name",
                Place::Known(
                    Column::Name
                    | Column::Phone
                    | Column::Segment
                    | Column::Email
                    | Column::Timezone
                    | Column::Language
                    | Column::Consent(_),
                ) => return None,
            };
            (!text.is_empty()).then(|| (name.to_owned(), Untrusted::new(text.as_str())))
        });
        named.collect()
    }
}

/// Two or three letters, then a script, a region or the like: `de`, `en_US`, `zh-Hant-TW`.
fn is_language(text: &str) -> bool {
    let mut parts = text.split(['_', '-']);
    let first = parts.next().unwrap_or_default();
    text.len() <= 35
        && (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A plausible address: one `@` with something before it and a domain with a dot after it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let labels_are_sound =
        domain.split('.').all(|l| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-'));
    text.len() <= EMAIL_MAX
        && (1..=64).contains(&local.len())
        && domain.contains('.')
        && labels_are_sound
        && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
        && clean(text) == text
        && !local.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"[]".contains(c))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
