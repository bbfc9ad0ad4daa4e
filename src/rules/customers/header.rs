//! Finds out which column of the list is which, from its header.

use super::super::report::{nearest, quote};
use super::super::{Problem, Severity};
use crate::model::{Channel, clean};
use std::path::Path;

/// A column that the program itself reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    FirstName,
    LastName,
    Phone,
    Segment,
    Email,
    Timezone,
    Language,
    Consent(Channel),
}

/// The contract's name of each column first, then what else lists call it.
const NAMES: [(Column, &[&str]); 12] = [
    (Column::Name, &["name", "full_name", "customer_name", "contact_name", "customer", "contact"]),
    (Column::FirstName, &["first_name", "firstname", "given_name", "forename"]),
    (Column::LastName, &["last_name", "lastname", "surname", "family_name"]),
    (
        Column::Phone,
        &[
            "phone",
            "phone_number",
            "mobile",
            "mobile_phone",
            "mobile_number",
            "cell",
            "cell_phone",
            "cellphone",
            "telephone",
            "telephone_number",
            "tel",
            "phone_no",
            "msisdn",
            "whatsapp",
            "whatsapp_number",
        ],
    ),
    (Column::Segment, &["segment", "customer_segment", "segment_name"]),
    (Column::Email, &["email", "e_mail", "email_address", "e_mail_address", "mail"]),
    (Column::Timezone, &["timezone", "time_zone", "tz"]),
    (Column::Language, &["language", "lang", "locale", "preferred_language", "language_code"]),
    (Column::Consent(Channel::Whatsapp), &["consent_whatsapp", "whatsapp_consent"]),
    (Column::Consent(Channel::Phone), &["consent_phone", "phone_consent"]),
    (Column::Consent(Channel::Sms), &["consent_sms", "sms_consent"]),
    (Column::Consent(Channel::Email), &["consent_email", "email_consent", "consent_e_mail"]),
];

/// What each field of a row is.
#[derive(Debug)]
pub(super) struct Header {
    /// Field by field, from the left.
    pub(super) columns: Vec<Place>,
    /// Whether there is a `name` (else first and last name make one).
    pub(super) has_name: bool,
}

/// What stands in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Read by the program.
    Known(Column),
    /// Kept under its header as written.
    Extra(String),
}

impl Place {
    /// The name by which a text asks for a column that the program reads; consent is nothing to be said.
    pub(super) const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Known(Column::Name | Column::FirstName | Column::LastName) => Some("name"),
            Self::Known(Column::Phone) => Some("phone"),
            Self::Known(Column::Segment) => Some("segment"),
            Self::Known(Column::Email) => Some("email"),
            Self::Known(Column::Timezone) => Some("timezone"),
            Self::Known(Column::Language) => Some("language"),
            Self::Known(Column::Consent(_)) | Self::Extra(_) => None,
        }
    }
}

/// A header's name without case, spaces and signs: `Phone Number` is `phone_number`.
fn plain(written: &str) -> String {
    let words = written.trim().trim_matches('\u{feff}').to_lowercase();
    words.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect::<Vec<_>>().join("_")
}

impl Header {
    /// Reads the fields of the header; `line` is its line. Warnings go to `problems`, as do the errors
    /// that make the list unusable.
    pub(super) fn read(
        file: &Path,
        line: u64,
        cells: &[(usize, String)],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let plain: Vec<String> = cells.iter().map(|(_, cell)| plain(cell)).collect();
        let mut finder = Finder { file, line, cells, plain: &plain, problems };
        let mut columns: Vec<Place> = finder.extras();
        for (column, names) in NAMES {
            if let Some(place) = finder.find(column, names).and_then(|i| columns.get_mut(i)) {
                *place = Place::Known(column);
            }
        }
        let has = |column| columns.contains(&Place::Known(column));
        let has_name = has(Column::Name);
        let names_somebody = has_name || has(Column::FirstName) || has(Column::LastName);
        for (there, name, severity) in [
            (names_somebody, "name", Severity::Error),
            (has(Column::Phone), "phone", Severity::Error),
            (has(Column::Segment), "segment", Severity::Warning),
        ] {
            if !there {
                finder.missing(name, severity);
            }
        }
        Self { columns, has_name }
    }
}

struct Finder<'a> {
    file: &'a Path,
    line: u64,
    cells: &'a [(usize, String)],
    plain: &'a [String],
    problems: &'a mut Vec<Problem>,
}

impl Finder<'_> {
    /// Every column under its own name; of two alike the second is told of and kept with its number.
    fn extras(&mut self) -> Vec<Place> {
        let mut names: Vec<String> = Vec::new();
        for (i, (_, written)) in self.cells.iter().enumerate() {
            // It is a key from here on, shown as it is: nothing in it may move a terminal.
            let name = clean(written.trim());
            let numbered =
                if name.is_empty() { format!("column_{}", i + 1) } else { format!("{name}_{}", i + 1) };
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            } else {
                if !name.is_empty() && !is_known(&self.plain[i]) {
                    let message = format!("the column {} is there twice", quote(&name));
                    let hint = format!("the second one is kept as {}", quote(&numbered));
                    self.report(i, Severity::Warning, "given-twice", message, hint);
                }
                names.push(numbered);
            }
        }
        names.into_iter().map(Place::Extra).collect()
    }

    /// The one column that goes by any of `names`; the contract's own name goes before the others.
    fn find(&mut self, column: Column, names: &[&str]) -> Option<usize> {
        let (own, others) = names.split_first()?;
        let at = |name: &str| -> Vec<usize> {
            self.plain.iter().enumerate().filter(|(_, p)| *p == name).map(|(i, _)| i).collect()
        };
        let mut found = at(own);
        if found.is_empty() {
            found = others.iter().flat_map(|name| at(name)).collect();
            found.sort_unstable();
        }
        if let [_, second, ..] = *found {
            let all: Vec<String> = found.iter().map(|&i| quote(self.cells[i].1.trim())).collect();
            let message = format!("more than one column could be \"{own}\": {}", all.join(", "));
            let needed = matches!(column, Column::Name | Column::Phone | Column::Consent(_));
            let severity = if needed { Severity::Error } else { Severity::Warning };
            let hint = format!("call one of them \"{own}\" and the others something else");
            self.report(second, severity, "given-twice", message, hint);
        }
        found.first().copied()
    }

    fn missing(&mut self, name: &str, severity: Severity) {
        let found: Vec<String> = self.cells.iter().map(|(_, c)| quote(c.trim())).collect();
        let message = format!("there is no column \"{name}\"; found: {}", found.join(", "));
        let near = self.plain.iter().position(|plain| nearest(plain, &[name]).is_some());
        let hint = match (near, severity) {
            (Some(i), _) => format!("call {} \"{name}\" if that is meant", quote(self.cells[i].1.trim())),
            (None, Severity::Error) => {
                "the first line of the list names the columns: name, phone, segment".to_owned()
            }
            (None, Severity::Warning) => "everybody is in the segment \"default\"".to_owned(),
        };
        self.report(near.unwrap_or(0), severity, "missing-column", message, hint);
    }

    fn report(&mut self, i: usize, severity: Severity, code: &'static str, message: String, hint: String) {
        let column = self.cells.get(i).map_or(1, |(at, _)| *at as u64);
        let file = self.file.to_owned();
        self.problems.push(Problem {
            severity,
            file,
            line: self.line,
            column,
            code,
            message: clean(&message),
            hint,
        });
    }
}

fn is_known(plain: &str) -> bool {
    NAMES.iter().any(|(_, names)| names.contains(&plain))
}
