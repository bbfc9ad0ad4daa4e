//! Amounts of money in the workspace's one currency.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};

/// An exact decimal amount; the currency is the workspace's and stands beside it where it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub Decimal);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Reads `0.05`; a sign, spaces or an exponent are not taken.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        if digits { text.parse().ok().map(Self) } else { None }
    }

    /// This amount divided by a count; `None` for a count of zero.
    pub fn per(self, count: u64) -> Option<Self> {
        self.0.checked_div(Decimal::from(count)).map(|d| Self(d.round_dp(4)))
    }

    /// What `seconds` cost at this price a minute, by the second.
    pub fn for_seconds(self, seconds: u64) -> Self {
        Self((self.0 * Decimal::from(seconds) / Decimal::from(60)).round_dp(6))
    }

    /// Rounded to two decimals, for the screen.
    pub fn short(self) -> String {
        let rounded = self.0.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        // Nothing is not less than nothing.
        let rounded = if rounded.is_zero() { Decimal::ZERO } else { rounded };
        format!("{rounded:.2}")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.normalize();
        if shown.scale() < 2 { write!(f, "{shown:.2}") } else { shown.fmt(f) }
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul<u64> for Money {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0 * Decimal::from(times))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_rounded_and_never_less_than_nothing_by_a_hair() {
        let shown =
            ["2.449", "2.445", "0.005", "2", "1234.999"].map(|text| Money::parse(text).unwrap().short());
        assert_eq!(shown, ["2.45", "2.45", "0.01", "2.00", "1235.00"]);
        assert_eq!([-4, -5].map(|mills| Money(Decimal::new(mills, 3)).short()), ["0.00", "-0.01"]);
    }
}
