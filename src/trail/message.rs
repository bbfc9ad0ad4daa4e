//! What a commit says: subject, reason, counts, the rules' hash. Never people.

use super::NotSaved;
use crate::model::clean;
use std::fmt::Write as _;

/// Longest subject, in characters: what git's own tools show whole.
const SUBJECT_MAX: usize = 72;

const RULES: &str = "Cascade-Rules";
const COUNTS: &str = "Cascade-Counts";

/// What a commit says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// One line: `phone waits 4h instead of 6h`.
    pub subject: String,
    /// The operator's words, of any length.
    pub reason: String,
    /// Whom it moves, in numbers: `("re-timed", 60)`.
    pub counts: Vec<(String, u64)>,
    /// SHA-256 of the rules file's new bytes.
    pub rules_hash: String,
}

impl Message {
    /// As it stands in the commit. Trailers are the last paragraph, as `git interpret-trailers` reads them.
    pub fn text(&self) -> String {
        let reason: Vec<String> =
            self.reason.trim().lines().map(|line| clean(line).trim_end().to_owned()).collect();
        let subject = match clean(&self.subject).trim() {
            "" => reason.first().cloned().unwrap_or_default(),
            subject => subject.to_owned(),
        };
        let mut text: String = subject.chars().take(SUBJECT_MAX).collect();
        if text.is_empty() {
            "Rules changed".clone_into(&mut text);
        }
        // A reason of one line that is the subject already is not said twice.
        if !reason.is_empty() && reason.join("\n") != text {
            text = format!("{text}\n\n{}", reason.join("\n"));
        }
        text.push_str("\n\n");
        if !self.counts.is_empty() {
            let counts = self.counts.iter().map(|(what, n)| format!("{n} {}", clean(what)));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{COUNTS}: {}", counts.collect::<Vec<_>>().join(", "));
        }
        let _ = writeln!(text, "{RULES}: {}", clean(&self.rules_hash));
        text
    }

    /// Fails if subject or reason hold what looks like a customer's number or address: no names are known here, but these
    /// are what gets pasted. `whoever` deletes a person cannot reach into commits.
    pub fn names_nobody(&self) -> Result<(), NotSaved> {
        let text = format!("{}\n{}", self.subject, self.reason);
        if text.split_whitespace().any(is_email) {
            return Err(NotSaved::Person("an e-mail address"));
        }
        if holds_number(&text) { Err(NotSaved::Person("a phone number")) } else { Ok(()) }
    }
}

fn is_email(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// Whether digits stand together as in a number: `+1 555 …`, or nine and more without a blank. Dates are none.
fn holds_number(text: &str) -> bool {
    let international = text.split('+').skip(1).any(|after| {
        let digits = after.chars().take_while(|c| c.is_ascii_digit() || " -.()/".contains(*c));
        digits.filter(char::is_ascii_digit).count() >= 7
    });
    international || text.split_whitespace().any(is_national)
}

fn is_national(word: &str) -> bool {
    let part = |c: char| c.is_ascii_digit() || "-.()/".contains(c);
    let word = word.trim_matches(|c| !part(c));
    word.chars().all(part) && word.chars().filter(char::is_ascii_digit).count() >= 9
}

/// What a commit's message says, ours or anybody's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub subject: String,
    /// All between subject and trailers.
    pub reason: String,
    pub rules_hash: Option<String>,
    pub counts: Option<String>,
}

/// Reads a message back.
pub(super) fn read(text: &str) -> Said {
    let (subject, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    let mut lines: Vec<&str> = rest.trim().lines().collect();
    let mut said = Said { subject: subject.trim().to_owned(), ..Said::default() };
    while let Some((key, value)) = lines.last().and_then(|line| line.split_once(": ")) {
        match key {
            RULES => said.rules_hash = Some(value.trim().to_owned()),
            COUNTS => said.counts = Some(value.trim().to_owned()),
            _ => break,
        }
        lines.pop();
    }
    lines.join("\n").trim().clone_into(&mut said.reason);
    if said.reason.is_empty() && said.rules_hash.is_some() {
        // Ours, with a reason that is the subject.
        said.reason.clone_from(&said.subject);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(reason: &str) -> Message {
        let counts = vec![("re-timed".to_owned(), 60), ("at once".to_owned(), 3)];
        Message { subject: "phone waits 4h".into(), reason: reason.into(), counts, rules_hash: "ab12".into() }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for reason in ["too slow", "two\n\nparagraphs: here", "Cascade-Rules: forged\nand more"] {
            let said = read(&message(reason).text());
            assert_eq!(said.subject, "phone waits 4h");
            assert_eq!(said.reason, reason);
            assert_eq!(said.rules_hash.as_deref(), Some("ab12"));
            assert_eq!(said.counts.as_deref(), Some("60 re-timed, 3 at once"));
        }
        let bare = Message { subject: String::new(), ..message("too slow") };
        assert_eq!(bare.text().matches("too slow").count(), 1);
        let said = read(&bare.text());
        assert_eq!((said.subject.as_str(), said.reason.as_str()), ("too slow", "too slow"));
        let said = read("Fix wait\n\nBecause.\n\nSigned-off-by: A <a@b.c>\n");
        assert_eq!((said.subject.as_str(), said.rules_hash), ("Fix wait", None));
        assert!(said.reason.contains("Signed-off-by"));
    }

    #[test]
    fn a_reason_with_a_number_or_an_address_is_refused() {
        for bad in [
            "+1 555 000 1111 complained",
            "see ana@example.com.",
            "call 555-000-1111",
            "015550001111",
            "(+49)30/1234567",
        ] {
            assert!(matches!(message(bad).names_nobody(), Err(NotSaved::Person(_))), "{bad}");
        }
        for fine in [
            "since 2026-11-27 14:00",
            "6h → 4h, 100 people",
            "50% + 3",
            "ticket #123456",
            "@ana asked",
            "v1.2.3-rc.4",
        ] {
            assert!(message(fine).names_nobody().is_ok(), "{fine}");
        }
    }

    #[test]
    fn no_control_character_reaches_a_commit() {
        let text = message("a\u{1b}[2J\u{202e}b\0\r\nc").text();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
}
