//! Remembers whom a list has named, to find duplicate rows and shared numbers.

use crate::model::{Customer, Phone};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

/// Whom the list has named so far: of each number the first line and a hash of the name there.
#[derive(Default)]
pub(super) struct Seen {
    hasher: RandomState,
    numbers: HashMap<u64, First>,
    /// Further names of a number, which few have.
    others: HashMap<(u64, u32), u32>,
}

/// The hash is compared with other names of the same number only, so that 32 bits are plenty.
#[derive(Clone, Copy)]
struct First {
    line: u32,
    name: u32,
}

/// What the list has said of a customer before; `first` is a line.
pub(super) enum Found {
    /// Nothing.
    New,
    /// The same name and number.
    Duplicate { first: u32 },
    /// The same number, with another name.
    Shared { first: u32 },
}

impl Seen {
    /// Takes note of a customer.
    pub(super) fn add(&mut self, customer: &Customer) -> Found {
        let name = customer.name.raw().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let name = self.hasher.hash_one(name) as u32;
        let line = u32::try_from(customer.line).unwrap_or(u32::MAX);
        let number = number(&customer.phone);
        let first = *self.numbers.entry(number).or_insert(First { line, name });
        if first.line == line {
            return Found::New;
        }
        if first.name == name {
            return Found::Duplicate { first: first.line };
        }
        match self.others.entry((number, name)) {
            Entry::Occupied(there) => Found::Duplicate { first: *there.get() },
            Entry::Vacant(free) => {
                free.insert(line);
                Found::Shared { first: first.line }
            }
        }
    }
}

/// A number's at most 15 digits as an integer.
fn number(phone: &Phone) -> u64 {
    phone.digits().parse().unwrap_or(u64::MAX)
}
