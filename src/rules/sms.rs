//! How many segments a text message takes, and so what it costs (PROVIDERS.md 2.8).

/// The basic GSM-7 alphabet (3GPP TS 23.038), one septet each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
                     ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension, two septets each.
const EXTENDED: &str = "^{}\\[]~|€\u{c}";

/// How a text message is encoded on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a character; 160 in one segment, 153 in each of several.
    Gsm7,
    /// Sixteen bits a unit; 70 in one segment, 67 in each of several. One character outside GSM-7 is enough.
    Ucs2,
}

/// What a body takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How it is encoded.
    pub encoding: Encoding,
    /// How many segments are paid for; 0 for an empty body.
    pub segments: u32,
    /// Septets or UTF-16 units in all.
    pub units: u32,
}

/// Measures a complete body.
pub fn measure(body: &str) -> Size {
    let widths: Option<Vec<u32>> = body.chars().map(gsm7_width).collect();
    if let Some(widths) = widths {
        return size(Encoding::Gsm7, &widths, 160, 153);
    }
    let widths: Vec<u32> = body.chars().map(|c| c.len_utf16() as u32).collect();
    size(Encoding::Ucs2, &widths, 70, 67)
}

/// The first character that turns a body into UCS-2, for the operator to replace.
pub fn first_outside_gsm7(body: &str) -> Option<char> {
    body.chars().find(|c| gsm7_width(*c).is_none())
}

fn gsm7_width(c: char) -> Option<u32> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENDED.contains(c) {
        Some(2)
    } else {
        None
    }
}

fn size(encoding: Encoding, widths: &[u32], single: u32, several: u32) -> Size {
    let units: u32 = widths.iter().sum();
    if units <= single {
        return Size { encoding, segments: u32::from(units > 0), units };
    }
    let (mut segments, mut filled) = (1, 0);
    for width in widths {
        // A pair (escape and character, or two surrogates) is never cut: it moves on whole.
        if filled + width > several {
            segments += 1;
            filled = 0;
        }
        filled += width;
    }
    Size { encoding, segments, units }
}
