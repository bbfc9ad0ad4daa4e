//! Whether who is left of those launched together still tells of everybody, after an edit or an operator set some aside.

/// Those who were launched within the same so many milliseconds count together.
pub(super) const HOUR_MS: i64 = 3_600_000;

/// One in so many may be missing.
pub(super) const FEW: usize = 20;

/// Whether so many were set aside after the draw that whoever is left is chosen by how they answered.
pub(super) const fn is_cut_short(all: usize, aside: usize) -> bool {
    aside > 1 && aside > all / FEW
}
