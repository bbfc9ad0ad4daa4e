//! How many segments an SMS has, as the carrier counts them (PROVIDERS.md 2.8).

const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "^{}\\[]~|€\u{c}";

/// Units of one character in GSM-7; `None` if it has no place there.
fn septets(c: char) -> Option<usize> {
    if GSM.contains(c) {
        Some(1)
    } else if EXTENDED.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// Segments of a body; one character outside GSM-7 turns the whole body into UCS-2.
pub(in crate::sandbox) fn segments(body: &str) -> usize {
    let gsm: Option<Vec<usize>> = body.chars().map(septets).collect();
    match gsm {
        Some(units) => fill(&units, 160, 153),
        None => fill(&body.chars().map(char::len_utf16).collect::<Vec<_>>(), 70, 67),
    }
}

/// Units are never split over a boundary.
fn fill(units: &[usize], one: usize, each: usize) -> usize {
    if units.iter().sum::<usize>() <= one {
        return 1;
    }
    let (mut count, mut used) = (1, 0);
    for unit in units {
        if used + unit > each {
            count += 1;
            used = 0;
        }
        used += unit;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_the_calculator_does() {
        let a = |n: usize| "a".repeat(n);
        let cyrillic = |n: usize| "я".repeat(n);
        let expected = [
            (a(160), 1),
            (a(161), 2),
            (a(306), 2),
            (a(307), 3),
            (a(158) + "€", 1),
            (a(159) + "€", 2),
            (a(152) + "[" + &a(10), 2),
            (cyrillic(70), 1),
            (cyrillic(71), 2),
            (cyrillic(134), 2),
            (cyrillic(135), 3),
            (a(68) + "👍", 1),
            (a(69) + "👍", 2),
            (cyrillic(66) + "👍" + &cyrillic(10), 2),
        ];
        for (body, count) in expected {
            assert_eq!(segments(&body), count, "{body}");
        }
    }
}
