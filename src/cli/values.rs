//! What a flag's value may be: read once, refused with what to write instead.

use crate::model::{At, Money};
use std::net::SocketAddr;

pub(super) fn duration(text: &str) -> Result<u64, String> {
    let seconds = crate::rules::parse_duration_s(text);
    seconds.ok_or_else(|| "write a duration such as 90d, 12h or 1d12h".into())
}

pub(super) fn amount(text: &str) -> Result<Money, String> {
    Money::parse(text).ok_or_else(|| "write an amount such as 5.00, in the workspace's currency".into())
}

pub(super) fn replications(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=100_000).contains(count));
    count.ok_or_else(|| "write a number from 1 to 100000".into())
}

pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|s: &f64| (0.001..=1_000_000.0).contains(s));
    speed.ok_or_else(|| "a speed is a number from 0.001 to 1000000, such as 3600".into())
}

pub(super) fn time(text: &str) -> Result<At, String> {
    let example = "write date, time and zone, such as 2026-01-05T09:00:00-05:00";
    At::parse(text).map_err(|fault| format!("{fault}; {example}"))
}

pub(super) fn loopback(text: &str) -> Result<String, String> {
    if crate::config::is_loopback(text) {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("a sandbox is on loopback, such as http://127.0.0.1:8788".into())
    }
}

pub(super) fn loopback_socket(text: &str) -> Result<SocketAddr, String> {
    let socket: Option<SocketAddr> = text.parse().ok();
    let socket = socket.filter(|s| s.ip().is_loopback());
    socket.ok_or_else(|| "write a loopback address and a port, such as 127.0.0.1:8788".into())
}
