//! Reads telephone numbers as people write them, by libphonenumber's rules.
//!
//! A number is accepted if its country could have it: country code, length and leading digits fit. Whether
//! it is in use nobody can tell from its digits, and the numbers reserved for fiction must pass.

use super::phone_text::Written;
use crate::model::{Phone, clean};
use phonenumber::metadata::DATABASE;
use phonenumber::{Metadata, Type, country};
use std::collections::HashMap;

/// Countries are looked up slowly and remembered by leading digits, this many at most.
const REMEMBERED_MAX: usize = 16_384;
/// Kinds of numbers that can be called from abroad; short codes are none.
const KINDS: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

/// Why a text is no usable number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPhone {
    /// Nothing there.
    #[error("there is no phone number")]
    Empty,
    /// `4.41206E+11`
    #[error("a spreadsheet has shortened this number; its last digits are lost")]
    Shortened,
    /// `415 555 0132 / 415 555 0133`
    #[error("there is more than one number")]
    TwoNumbers,
    /// `415 555 0132 ext. 12`
    #[error("this number has an extension, which no message and no voice agent can reach")]
    Extension,
    /// `1-800-FLOWERS`
    #[error("there are letters in this number")]
    Letters,
    /// A sign that no number has.
    #[error("{} does not belong into a number", shown(*.0))]
    Strange(char),
    /// `+999…`
    #[error("there is no country code +{0}")]
    UnknownCountry(String),
    /// Shorter than any number of that country.
    #[error("{digits} digits are too few for {country}, which has {least} at least")]
    TooShort {
        /// After the country code.
        digits: usize,
        /// ISO code, or `+` and the country code.
        country: String,
        /// Digits of its shortest number.
        least: u16,
    },
    /// Longer than any number of that country.
    #[error("{digits} digits are too many for {country}, which has {most} at most")]
    TooLong {
        /// After the country code.
        digits: usize,
        /// ISO code, or `+` and the country code.
        country: String,
        /// Digits of its longest number.
        most: u16,
    },
    /// The length would do, the digits do not.
    #[error("{country} has no numbers like this")]
    NotInPlan {
        /// ISO code, or `+` and the country code.
        country: String,
    },
    /// It fits another country, had it a plus.
    #[error("this is no number of {region}; with a plus it would be one of {other}")]
    PlusMissing {
        /// The default region.
        region: String,
        /// ISO code, or `+` and the country code.
        other: String,
    },
}

impl BadPhone {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "phone-missing",
            Self::Shortened => "phone-shortened",
            Self::TwoNumbers => "phone-two",
            Self::Extension => "phone-extension",
            Self::Letters => "phone-letters",
            Self::Strange(_) => "phone-sign",
            Self::UnknownCountry(_) => "phone-country",
            Self::TooShort { .. } => "phone-short",
            Self::TooLong { .. } => "phone-long",
            Self::NotInPlan { .. } => "phone-plan",
            Self::PlusMissing { .. } => "phone-plus",
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "add the number, or remove the row",
            Self::Shortened => "export the list again with this column as text",
            Self::TwoNumbers => "keep the one to be contacted; give the other a row of its own",
            Self::Extension => "give the person's own number",
            Self::Letters => "write digits only",
            Self::Strange(_) => "write it like +1 415 555 0132",
            Self::UnknownCountry(_) => "check the digits after the plus",
            Self::TooShort { .. } => "check for lost digits, a leading zero above all",
            Self::TooLong { .. } => "check for digits too many, or a second number",
            Self::NotInPlan { .. } => {
                "check the area code; numbers of other countries start with + and their code"
            }
            Self::PlusMissing { .. } => "if that is meant, write the plus",
        }
    }
}

fn shown(sign: char) -> String {
    format!("\"{}\"", clean(&sign.to_string()))
}

/// No region has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no region with telephone numbers; use an ISO 3166-1 code such as US or GB")]
pub struct UnknownRegion(String);

/// Reads numbers for one default region.
#[derive(Debug)]
pub struct PhoneReader {
    region: country::Id,
    /// Country by calling code and leading digits.
    countries: HashMap<(u16, String), country::Id>,
}

impl PhoneReader {
    /// `default_region` is for numbers without a country code: an ISO 3166-1 alpha-2 code.
    pub fn new(default_region: &str) -> Result<Self, UnknownRegion> {
        let upper = default_region.trim().to_ascii_uppercase();
        let known = upper.parse().ok().filter(|_| DATABASE.by_id(&upper).is_some());
        let region = known.ok_or_else(|| UnknownRegion(clean(default_region)))?;
        Ok(Self { region, countries: HashMap::new() })
    }

    /// The number in E.164, with its country where one is known.
    pub fn read(&mut self, text: &str) -> Result<(Phone, Option<String>), BadPhone> {
        let written = Written::read(text)?;
        let (code, national) = if written.international {
            international(&written.digits)?
        } else {
            self.national(&written.digits)?
        };
        let phone = Phone::parse_e164(&format!("+{code}{national}"));
        let phone = phone.ok_or_else(|| BadPhone::NotInPlan { country: format!("+{code}") })?;
        let country = self.country(code, &national);
        Ok((phone, country))
    }

    /// A number as it is dialled within the default region.
    fn national(&self, digits: &str) -> Result<(u16, String), BadPhone> {
        if let Some(found) = by_library(Some(self.region), digits) {
            return Ok(found);
        }
        let own: Vec<&Metadata> = DATABASE.by_id(self.region.as_ref()).into_iter().collect();
        let prefix = own.first().and_then(|meta| meta.national_prefix()).unwrap_or_default();
        let without = digits.strip_prefix(prefix).unwrap_or(digits);
        // The library takes a first digit that looks like the trunk prefix for one, twice if need be.
        if let (Some(meta), Some(national)) =
            (own.first(), [without, digits].into_iter().find(|n| fits(&own, n)))
        {
            return Ok((meta.country_code(), national.to_owned()));
        }
        let region = self.region.as_ref().to_owned();
        if let Ok((code, _)) = international(digits) {
            return Err(BadPhone::PlusMissing { region, other: main_region(code) });
        }
        let shortest = own.iter().flat_map(|meta| lengths(meta)).min().unwrap_or(0);
        let is_enough = without.len() >= usize::from(shortest);
        Err(misfit(region, &own, if is_enough { without } else { digits }))
    }

    /// Which country a number belongs to. Where several share a code (+1, +44), by the plan of each; where
    /// none has such a number, as with those reserved for fiction, the code's main country.
    fn country(&mut self, code: u16, national: &str) -> Option<String> {
        let regions = DATABASE.region(&code)?;
        let main = *regions.first().filter(|&&region| region != "001")?;
        if regions.len() == 1 {
            return Some(main.to_owned());
        }
        // The area code alone decides in North America; elsewhere it takes up to six digits.
        let (length, rest) = if code == 1 { (3, "5550123") } else { (6, "") };
        let lead: String = national.chars().take(length).collect();
        let probe = if rest.is_empty() { national.to_owned() } else { format!("{lead}{rest}") };
        let key = (code, lead);
        if let Some(known) = self.countries.get(&key) {
            return Some(known.as_ref().to_owned());
        }
        let found = phonenumber::parse(None, format!("+{code}{probe}")).ok().and_then(|n| n.country().id());
        if let Some(found) = found {
            if self.countries.len() >= REMEMBERED_MAX {
                self.countries.clear();
            }
            self.countries.insert(key, found);
        }
        Some(found.map_or_else(|| main.to_owned(), |id| id.as_ref().to_owned()))
    }
}

/// Country code and national number of digits that follow a plus.
fn international(digits: &str) -> Result<(u16, String), BadPhone> {
    let split = (1..=3).find_map(|n| {
        let code = digits.get(..n)?.parse::<u16>().ok()?;
        DATABASE.by_code(&code).map(|metas| (code, &digits[n..], metas))
    });
    let Some((code, national, metas)) = split.filter(|_| !digits.starts_with('0')) else {
        return Err(BadPhone::UnknownCountry(digits.chars().take(3).collect()));
    };
    if fits(&metas, national) {
        return Ok((code, national.to_owned()));
    }
    // A trunk prefix that does not belong after the country code, such as +44 020.
    let found = by_library(None, &format!("+{digits}")).filter(|(c, _)| *c == code);
    found.ok_or_else(|| misfit(main_region(code), &metas, national))
}

/// What the library makes of it, if a country could have such a number.
fn by_library(region: Option<country::Id>, digits: &str) -> Option<(u16, String)> {
    let number = phonenumber::parse(region, digits).ok()?;
    let (code, national) = (number.code().value(), number.national().to_string());
    DATABASE.by_code(&code).filter(|metas| fits(metas, &national))?;
    Some((code, national))
}

fn fits(metas: &[&Metadata], national: &str) -> bool {
    metas.iter().any(|meta| {
        let length_fits = lengths(meta).any(|n| usize::from(n) == national.len());
        length_fits && meta.descriptors().general().is_match(national)
    })
}

/// How many digits the numbers of a country may have. The general description does not say; those of the
/// kinds do.
fn lengths(meta: &Metadata) -> impl Iterator<Item = u16> {
    let kinds = KINDS.iter().filter_map(|&kind| meta.descriptors().get(kind));
    kinds.flat_map(|kind| kind.possible_length().iter().copied())
}

/// The main country of a code, or the code itself where it belongs to none.
fn main_region(code: u16) -> String {
    let main = DATABASE.region(&code).and_then(|regions| regions.first().map(|&r| r.to_owned()));
    main.filter(|region| region != "001").unwrap_or_else(|| format!("+{code}"))
}

fn misfit(country: String, metas: &[&Metadata], national: &str) -> BadPhone {
    let all = || metas.iter().flat_map(|meta| lengths(meta));
    let (least, most) = (all().min().unwrap_or(4), all().max().unwrap_or(15));
    match national.len() {
        digits if digits < usize::from(least) => BadPhone::TooShort { digits, country, least },
        digits if digits > usize::from(most) => BadPhone::TooLong { digits, country, most },
        _ => BadPhone::NotInPlan { country },
    }
}
