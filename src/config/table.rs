//! One table of `cascade.toml`, read key by key with the places of the file. Every fault goes into the report, and
//! reading goes on.

use crate::model::{Money, clean};
use crate::rules::report::{Report, suggest};
use toml::de::{DeTable, DeValue};

/// A value and the byte offset where it stands.
pub(super) type Placed<T> = (T, usize);

/// A table, or the absence of one: then every key is absent too.
pub(super) struct Table<'s, 'f, 't> {
    pub report: &'s mut Report<'f>,
    keys: Option<&'t DeTable<'t>>,
    /// Where the table begins, for what is missing in it.
    pub at: usize,
    /// `[phone]`, or empty for the file's own keys.
    name: &'static str,
}

impl<'s, 'f, 't> Table<'s, 'f, 't> {
    /// Opens a table and reports keys that it does not know.
    pub fn open(
        report: &'s mut Report<'f>,
        name: &'static str,
        table: Option<Placed<&'t DeTable<'t>>>,
        known: &[&str],
    ) -> Self {
        for (key, _) in table.iter().flat_map(|(t, _)| t.iter()) {
            if !known.contains(&key.get_ref().as_ref()) {
                let hint = suggest(key.get_ref(), known);
                let message = format!("`{}` is not known {}", clean(key.get_ref()), within(name));
                report.error(key.span().start, "unknown-key", message, hint);
            }
        }
        let at = table.map_or(0, |(_, at)| at);
        Self { report, keys: table.map(|(t, _)| t), at, name }
    }

    /// Whether the file has this table.
    pub const fn is_there(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether the file gives this key, rightly or wrongly.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<Placed<&'t DeValue<'t>>> {
        let (_, value) = self.keys?.iter().find(|(k, _)| k.get_ref() == key)?;
        Some((value.get_ref(), value.span().start))
    }

    /// A table inside this one.
    pub fn table(&mut self, key: &str) -> Option<Placed<&'t DeTable<'t>>> {
        match self.get(key)? {
            (DeValue::Table(table), at) => Some((table, at)),
            (_, at) => {
                self.report.error(at, "wrong-type", format!("`{key}` is no table"), format!("write [{key}]"));
                None
            }
        }
    }

    /// A text that says something.
    pub fn text(&mut self, key: &str) -> Option<Placed<&'t str>> {
        match self.get(key)? {
            (DeValue::String(text), at) if text.trim().is_empty() => {
                let message = format!("`{key}` {} is empty", within(self.name));
                self.report.error(at, "empty-value", message, "write its value, or take the line out");
                None
            }
            (DeValue::String(text), at) => Some((text.as_ref(), at)),
            (_, at) => {
                let message = format!("`{key}` {} is no text", within(self.name));
                self.report.error(at, "wrong-type", message, "write it in quotes");
                None
            }
        }
    }

    /// A text that `read` understands; otherwise `expected` says what would be right.
    pub fn word<T>(&mut self, key: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (text, at) = self.text(key)?;
        let value = read(text);
        if value.is_none() {
            let message = format!("`{key}` {} is `{}`", within(self.name), clean(text));
            self.report.error(at, "bad-value", message, expected);
        }
        value
    }

    /// A list of texts that say something.
    pub fn words(&mut self, key: &str, wanted: &str) -> Vec<String> {
        let Some((value, at)) = self.get(key) else { return Vec::new() };
        let DeValue::Array(list) = value else {
            let message = format!("`{key}` {} is no list", within(self.name));
            self.report.error(
                at,
                "wrong-type",
                message,
                format!("write {key} = [\"...\"]: {wanted} in each"),
            );
            return Vec::new();
        };
        let mut words = Vec::new();
        for entry in list {
            match entry.get_ref() {
                DeValue::String(text) if !text.trim().is_empty() => words.push(text.trim().to_owned()),
                _ => {
                    let message = format!("`{key}` {} lists something else", within(self.name));
                    self.report.error(
                        entry.span().start,
                        "bad-value",
                        message,
                        format!("write {wanted}, in quotes"),
                    );
                }
            }
        }
        words
    }

    /// An amount of money, in quotes: a number without quotes is binary, and 0.1 is none.
    pub fn money(&mut self, key: &str) -> Option<Money> {
        self.word(key, "write an amount in quotes, such as \"0.05\"", Money::parse)
    }

    /// A number in a range, its ends included.
    pub fn number(&mut self, key: &str, from: f64, to: f64) -> Option<f64> {
        let (value, at) = self.get(key)?;
        let number = match value {
            DeValue::Integer(n) if n.radix() == 10 => n.as_str().parse::<f64>().ok(),
            DeValue::Float(n) => n.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let number = number.filter(|n| (from..=to).contains(n));
        if number.is_none() {
            let message = format!("`{key}` {} is no number from {from} to {to}", within(self.name));
            self.report.error(at, "bad-value", message, "write it without quotes");
        }
        number
    }

    /// A whole number in a range, its ends included.
    pub fn count(&mut self, key: &str, from: u64, to: u64) -> Option<u64> {
        let (value, at) = self.get(key)?;
        let count = match value {
            DeValue::Integer(n) if n.radix() == 10 => n.as_str().parse::<u64>().ok(),
            _ => None,
        };
        let count = count.filter(|n| (from..=to).contains(n));
        if count.is_none() {
            let message = format!("`{key}` {} is no whole number from {from} to {to}", within(self.name));
            self.report.error(at, "bad-value", message, "write it without quotes");
        }
        count
    }

    /// A web address, without a user or a password in it.
    pub fn address(&mut self, key: &str) -> Option<Placed<&'t str>> {
        self.url(key, |_| true)
    }

    /// A web address that others begin with: what we add to it must stay a path.
    pub fn base(&mut self, key: &str) -> Option<Placed<&'t str>> {
        self.url(key, |url| url.query().is_none() && url.fragment().is_none())
    }

    fn url(&mut self, key: &str, fits: impl Fn(&url::Url) -> bool) -> Option<Placed<&'t str>> {
        let (text, at) = self.text(key)?;
        let proper = url::Url::parse(text).is_ok_and(|url| {
            let alone = url.username().is_empty() && url.password().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && alone && fits(&url)
        });
        if !proper {
            let message = format!("`{key}` {} is no web address", within(self.name));
            self.report.error(at, "bad-url", message, "write for example \"https://example.com\"");
        }
        proper.then_some((text.trim_end_matches('/'), at))
    }

    /// Says that live needs a key which is not there.
    pub fn missing(&mut self, key: &str) {
        let message = format!("`{key}` {} is missing, and live needs it", within(self.name));
        self.report.error(self.at, "missing-key", message, format!("add {key} = \"…\""));
    }
}

fn within(name: &str) -> String {
    if name.is_empty() { "in cascade.toml".into() } else { format!("in [{name}]") }
}
