//! Time zones of customers: a zone by its name, and the zone of a country where all clocks agree.

use std::collections::HashMap;
use std::sync::LazyLock;

static ONE_ZONE: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("../../assets/country-zones.tsv").lines();
    lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect()
});

/// The IANA zone of a country where every clock shows the same time; `country` is an ISO 3166-1 alpha-2 code.
pub fn only_zone(country: &str) -> Option<&'static str> {
    ONE_ZONE.get(country).copied()
}

/// The zone of that name in the tz database's spelling, whatever the case it is written in.
pub fn zone_named(name: &str) -> Option<&'static str> {
    let exact = name.parse().ok();
    let any_case =
        || chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied();
    exact.or_else(any_case).map(|zone: chrono_tz::Tz| zone.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_table_is_known() {
        assert!(ONE_ZONE.len() > 200);
        for (country, zone) in ONE_ZONE.iter() {
            assert_eq!(zone_named(zone), Some(*zone), "{country}");
        }
        assert_eq!(only_zone("FR"), Some("Europe/Paris"));
        assert_eq!(only_zone("US"), None);
    }

    #[test]
    fn zones_are_known_in_any_case() {
        assert_eq!(zone_named("america/new_york"), Some("America/New_York"));
        assert_eq!(zone_named("Mars/Olympus"), None);
    }
}
