//! The providers' other side: the same wire, an own ledger, people who answer, faults on demand.
//!
//! Shares `model` and `clock` with the rest, and no request or response type with `providers`: if both sides
//! shared them, a rehearsal would prove only that we agree with ourselves.
