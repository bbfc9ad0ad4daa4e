//! Colours as data: a theme names roles, not widgets, and this is the only file that knows colours.

use crate::model::Channel;
use crate::phrases::Tone;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// The themes built in, by name; the first is the default.
const BUILT_IN: [(&str, &str); 2] = [
    ("dusk", include_str!("../../assets/themes/dusk.toml")),
    ("plain", include_str!("../../assets/themes/plain.toml")),
];

/// A theme that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No such name.
    #[error("there is no theme `{name}`; there are: {known}")]
    Unknown {
        /// As asked for.
        name: String,
        /// What there is, separated by commas.
        known: String,
    },
    /// Not TOML, a key that no role reads, or a role that is missing.
    #[error("theme `{name}`: {source}")]
    Toml {
        /// Which theme.
        name: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// Neither a name, an index nor `#rrggbb`.
    #[error("theme `{name}`: `{color}` is no colour; use a name, an index from 0 to 255, or #rrggbb")]
    Color {
        /// Which theme.
        name: String,
        /// As written.
        color: String,
    },
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Look {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    reversed: bool,
    underlined: bool,
}

impl Look {
    fn style(&self, theme: &str) -> Result<Style, ThemeError> {
        let color = |text: &String| {
            text.parse::<Color>()
                .map_err(|_| ThemeError::Color { name: theme.to_owned(), color: text.clone() })
        };
        let mut style = Style::new();
        style.fg = self.fg.as_ref().map(color).transpose()?;
        style.bg = self.bg.as_ref().map(color).transpose()?;
        let wanted = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.reversed, Modifier::REVERSED),
            (self.underlined, Modifier::UNDERLINED),
        ];
        for (_, modifier) in wanted.iter().filter(|(on, _)| *on) {
            style = style.add_modifier(*modifier);
        }
        Ok(style)
    }
}

/// One list of roles gives the file's keys, the theme's fields and their reader.
macro_rules! roles {
    ($($role:ident),+ $(,)?) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File { $($role: Look),+ }

        /// What the screen's parts look like, by role.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "a role says by its name what it is for")]
        pub struct Theme { $(pub $role: Style),+ }

        impl Theme {
            /// Reads a theme from TOML; `name` stands in errors.
            pub fn parse(name: &str, text: &str) -> Result<Self, ThemeError> {
                let file: File = toml::from_str(text)
                    .map_err(|source| ThemeError::Toml { name: name.to_owned(), source: Box::new(source) })?;
                Ok(Self { $($role: file.$role.style(name)?),+ })
            }
        }
    };
}
roles!(
    text,
    muted,
    faint,
    accent,
    strong,
    title,
    border,
    border_focused,
    good,
    warning,
    bad,
    selection,
    selection_idle,
    key,
    rehearsal,
    live,
    hold,
    alarm,
    whatsapp,
    phone,
    sms,
    email,
    code_name,
    code_text,
    code_value,
    code_mark,
    code_field,
);

impl Theme {
    /// A theme of [`Theme::names`].
    pub fn named(name: &str) -> Result<Self, ThemeError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| ThemeError::Unknown {
            name: name.to_owned(),
            known: Self::names().collect::<Vec<_>>().join(", "),
        })?;
        Self::parse(name, text)
    }

    /// The themes that are built in.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    pub(super) const fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => self.text,
            Tone::Muted => self.muted,
            Tone::Good => self.good,
            Tone::Warning => self.warning,
            Tone::Bad => self.bad,
        }
    }

    pub(super) const fn channel(&self, channel: Channel) -> Style {
        match channel {
            Channel::Whatsapp => self.whatsapp,
            Channel::Phone => self.phone,
            Channel::Sms => self.sms,
            Channel::Email => self.email,
        }
    }

    pub(super) const fn border(&self, focused: bool) -> Style {
        if focused { self.border_focused } else { self.border }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_can_be_read() {
        for name in Theme::names() {
            Theme::named(name).unwrap();
        }
    }

    #[test]
    fn a_key_that_nothing_reads_is_an_error() {
        let text = format!("{}\nsparkle = {{}}\n", BUILT_IN[0].1);
        assert!(Theme::parse("mine", &text).unwrap_err().to_string().contains("sparkle"));
        let text = BUILT_IN[0].1.replace("fg = \"246\"", "fg = \"mauve-ish\"");
        assert!(Theme::parse("mine", &text).unwrap_err().to_string().contains("mauve-ish"));
        assert!(Theme::named("dawn").unwrap_err().to_string().contains("dusk, plain"));
    }
}
