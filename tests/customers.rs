//! The customer list: real CSV as people have it, numbers as people write them, the sample list, the draw.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use cascade::model::Customer;
use cascade::rules::{CustomerList, ListError, Problem, Reject};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const SAMPLE: &str = include_str!("../assets/customers.csv");

type Read = (Vec<Customer>, Vec<Reject>, Vec<Problem>);

fn open(csv: &[u8]) -> Result<CustomerList<&[u8]>, ListError> {
    CustomerList::open(Path::new("customers.csv"), csv, "US")
}

fn read(csv: impl AsRef<[u8]>) -> Read {
    let mut list = open(csv.as_ref()).unwrap();
    let (mut customers, mut rejects) = (Vec::new(), Vec::new());
    for row in &mut list {
        match row {
            Ok(customer) => customers.push(customer),
            Err(reject) => rejects.push(reject),
        }
    }
    (customers, rejects, list.warnings().to_vec())
}

#[test]
fn the_sample_list_is_100_customers_with_100_numbers() {
    let (customers, rejects, warnings) = read(SAMPLE);
    assert_eq!((rejects, warnings), (vec![], vec![]));
    assert_eq!(customers.len(), 100);
    let numbers: BTreeSet<_> = customers.iter().map(|c| c.phone.clone()).collect();
    assert_eq!(numbers.len(), 100);
    let count = |of: fn(&Customer) -> String| {
        let mut counts = BTreeMap::new();
        for customer in &customers {
            *counts.entry(of(customer)).or_insert(0) += 1;
        }
        counts
    };
    let segments = count(|c| c.segment.0.clone());
    assert_eq!(
        segments,
        [("enterprise", 20), ("retail", 50), ("smb", 30)].map(|(s, n)| (s.to_owned(), n)).into()
    );
    let languages = count(|c| c.language.clone().unwrap_or_default());
    assert_eq!(languages, [("de", 6), ("en_US", 80), ("es", 14)].map(|(s, n)| (s.to_owned(), n)).into());
    assert!(customers.iter().all(|c| c.timezone.is_some() && c.country.is_some()));
    assert!(
        customers.iter().any(|c| !c.extra.contains_key("plan")),
        "a default is shown by somebody without"
    );
}
