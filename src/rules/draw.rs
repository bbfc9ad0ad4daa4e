//! The draw of a pilot: a seeded choice of customers, in proportion to the segments.

use crate::model::{Customer, Segment};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// Segments drawn from one by one. A column with more values is no segment; the rest share one place.
const SEGMENTS_MAX: usize = 1_000;

/// Draws at most `limit` customers at random, in proportion to the segments by largest remainder, and
/// gives them in the order of the list.
///
/// `segments` leaves only customers of those; empty takes all. The same seed draws the same people from the
/// same list, in whatever order it stands. Keeps `limit` customers of each segment at most.
pub fn draw(
    customers: impl IntoIterator<Item = Customer>,
    limit: usize,
    seed: u64,
    segments: &[Segment],
) -> Vec<Customer> {
    let mut pools: BTreeMap<Segment, Pool> = BTreeMap::new();
    for customer in customers {
        if !segments.is_empty() && !segments.contains(&customer.segment) {
            continue;
        }
        let has_place = pools.len() < SEGMENTS_MAX || pools.contains_key(&customer.segment);
        let segment = if has_place { customer.segment.clone() } else { Segment::default() };
        pools.entry(segment).or_default().add(Ticket { number: lot(seed, &customer), customer }, limit);
    }
    let sizes: Vec<u64> = pools.values().map(|pool| pool.size).collect();
    let shares = apportion(&sizes, limit as u64);
    let mut drawn: Vec<Customer> = Vec::new();
    for (pool, share) in pools.into_values().zip(shares) {
        let tickets = pool.kept.into_sorted_vec();
        drawn.extend(tickets.into_iter().take(share as usize).map(|ticket| ticket.customer));
    }
    drawn.sort_by_key(|customer| customer.line);
    drawn
}

/// A customer with the lot that was drawn for them; the lowest are taken.
struct Ticket {
    number: u64,
    customer: Customer,
}

impl Ticket {
    const fn rank(&self) -> (u64, u64) {
        (self.number, self.customer.line)
    }
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Ticket {}

impl PartialOrd for Ticket {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ticket {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// The lowest lots of a segment, and how many customers it has.
#[derive(Default)]
struct Pool {
    size: u64,
    kept: BinaryHeap<Ticket>,
}

impl Pool {
    fn add(&mut self, ticket: Ticket, limit: usize) {
        self.size += 1;
        self.kept.push(ticket);
        if self.kept.len() > limit {
            self.kept.pop();
        }
    }
}

/// A customer's lot: a hash, so that it depends on nobody else in the list.
fn lot(seed: u64, customer: &Customer) -> u64 {
    let hash = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(customer.phone.as_str())
        .chain_update([0])
        .chain_update(customer.name.raw())
        .finalize();
    hash.iter().take(8).fold(0, |lot, &byte| lot << 8 | u64::from(byte))
}

/// Shares `seats` out in proportion to `sizes`: the whole part for each, then one more for the largest
/// remainders. Nobody gets more than their size.
fn apportion(sizes: &[u64], seats: u64) -> Vec<u64> {
    let all: u128 = sizes.iter().map(|&n| u128::from(n)).sum();
    let seats = u128::from(seats).min(all);
    if all == 0 {
        return vec![0; sizes.len()];
    }
    let mut shares: Vec<u64> = sizes.iter().map(|&n| (u128::from(n) * seats / all) as u64).collect();
    let given: u128 = shares.iter().map(|&n| u128::from(n)).sum();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    // The sort is stable: of equal remainders the first segment by name gets the seat.
    order.sort_by_key(|&i| std::cmp::Reverse(u128::from(sizes[i]) * seats % all));
    for i in order.into_iter().take((seats - given) as usize) {
        shares[i] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_go_by_size_and_then_by_remainder() {
        assert_eq!(apportion(&[500, 300, 200], 100), [50, 30, 20]);
        assert_eq!(apportion(&[1, 1, 1], 2), [1, 1, 0]);
        assert_eq!(apportion(&[7, 2, 1], 4), [3, 1, 0]);
        assert_eq!(apportion(&[3, 2], 100), [3, 2]);
        assert_eq!(apportion(&[], 5), [0; 0]);
    }
}
