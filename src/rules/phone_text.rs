//! Finds the digits in a telephone number as people, address books and spreadsheets write it.

use super::phones::BadPhone;

/// E.164 allows 15 digits; two more for a trunk zero or the like that goes.
const DIGITS_MAX: usize = 17;
/// The zeros of the decimal digits that phones and spreadsheets write; the other nine follow each.
const ZEROS: [char; 18] =
    ['٠', '۰', '߀', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '༠', '၀', '០', '０'];

/// A number as it was written, with everything gone but its digits.
pub(super) struct Written {
    /// It began with a plus or with 00.
    pub(super) international: bool,
    /// ASCII, without the plus or the 00.
    pub(super) digits: String,
}

impl Written {
    /// Takes a text apart; what cannot be repaired with certainty is refused.
    pub(super) fn read(text: &str) -> Result<Self, BadPhone> {
        let text = bare(text);
        if text.is_empty() {
            return Err(BadPhone::Empty);
        }
        check_damage(&text)?;
        let zero_dropped = text.replacen("(0)", "", 1);
        let starts = |with: &str| text.trim_start_matches(['(', ' ']).starts_with(with);
        let (plus, zeros) = (starts("+"), starts("00"));
        let mut digits = String::new();
        for c in if plus || zeros { &zero_dropped } else { &text }.chars() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if digits.is_empty() => {}
                '+' if digits.len() > 5 => return Err(BadPhone::TwoNumbers),
                '-'
                | '\u{2010}'..='\u{2015}'
                | '−'
                | '.'
                | '('
                | ')'
                | '['
                | ']'
                | '/'
                | '·'
                | '（'
                | '）'
                | '－' => {}
                c if c.is_whitespace() => {}
                c if c.is_alphabetic() => return Err(BadPhone::Letters),
                c => return Err(BadPhone::Strange(c)),
            }
        }
        let international = plus || zeros;
        let digits = match digits.strip_prefix("00") {
            Some(rest) if international => rest.to_owned(),
            Some(_) | None => digits,
        };
        match digits.len() {
            0 => Err(BadPhone::Empty),
            1..=3 => {
                Err(BadPhone::TooShort { digits: digits.len(), country: "any country".to_owned(), least: 4 })
            }
            4..=DIGITS_MAX => Ok(Self { international, digits }),
            more => Err(BadPhone::TooLong { digits: more, country: "any country".to_owned(), most: 15 }),
        }
    }
}

/// Without what spreadsheets and address books put around a number, in ASCII digits.
fn bare(text: &str) -> String {
    let ascii = text.chars().filter(|c| !is_invisible(*c)).map(|c| match c {
        '＋' => '+',
        c => decimal(c).unwrap_or(c),
    });
    let ascii: String = ascii.collect();
    let mut bare = ascii.trim().trim_start_matches(['\'', '=', '’', '`']).trim_matches('"').trim();
    for scheme in ["tel:", "whatsapp:", "sms:", "phone:"] {
        let begins = bare.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        bare = if begins { bare[scheme.len()..].trim() } else { bare };
    }
    // A column that was read as floating point: 14155550132.0
    if let Some((whole, "0" | "00")) = bare.split_once('.')
        && whole.trim_start_matches('+').len() >= 7
        && whole.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit())
    {
        bare = whole;
    }
    bare.to_owned()
}

/// The ASCII digit that a decimal digit of another script means.
fn decimal(c: char) -> Option<char> {
    let place =
        ZEROS.iter().find_map(|&zero| u32::from(c).checked_sub(u32::from(zero)).filter(|d| *d < 10))?;
    char::from_digit(place, 10)
}

/// Marks that address books put around numbers and nobody sees.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// What cannot be repaired with certainty: shortened numbers, two in one cell, extensions.
fn check_damage(text: &str) -> Result<(), BadPhone> {
    let lower = text.to_lowercase();
    let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    if let Some((mantissa, exponent)) = lower.split_once('e') {
        let numeric = |part: &str| digits(part) > 0 && part.bytes().all(|b| b"0123456789.,+ ".contains(&b));
        if numeric(mantissa) && numeric(exponent) {
            return Err(BadPhone::Shortened);
        }
    }
    let parts: Vec<usize> =
        lower.split([';', ',', '/', '|', '\n', '&']).flat_map(|p| p.split(" or ")).map(digits).collect();
    let several = parts.iter().filter(|&&n| n >= 6).count() > 1;
    // 089 123456/7 means two lines of one house.
    if several || (parts.len() > 1 && parts.first() >= Some(&8) && parts[1..].iter().any(|&n| n > 0)) {
        return if lower.contains("ext") { Err(BadPhone::Extension) } else { Err(BadPhone::TwoNumbers) };
    }
    let after = lower.find(|c: char| c.is_alphabetic() || c == '#').map(|i| lower.split_at(i));
    if let Some((number, tail)) = after {
        let marked =
            ["ext", "x", "#", "dw", "durchwahl", "poste", "anexo"].iter().any(|m| tail.starts_with(m));
        if marked && digits(number) >= 5 && (1..=6).contains(&digits(tail)) {
            return Err(BadPhone::Extension);
        }
    }
    Ok(())
}
