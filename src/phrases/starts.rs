//! How starts are drawn, in people's words.

use super::people;
use crate::engine::event::CascadeStart;
use crate::runtime::handle::Starts;

/// `retail: 20 % start elsewhere: WhatsApp 80 %, phone 10 %, SMS 10 %`
pub fn starts(row: &Starts) -> String {
    let shares: Vec<String> =
        row.from.shares().iter().map(|(c, share)| format!("{} {}", c.label(), percent(*share))).collect();
    let elsewhere = percent(1.0 - row.from.share(row.start));
    let left_out = match row.left_out {
        0 => String::new(),
        count => format!("; {} left out of learning: not every channel reaches them", people(count)),
    };
    format!("{}: {elsewhere} start elsewhere: {}{left_out}", row.segment.screen(), shares.join(", "))
}

/// How somebody's start came about, behind it; nothing where the rules say it.
pub fn drawn(start: &CascadeStart) -> String {
    match &start.drawn {
        None => String::new(),
        Some(drawn) if drawn.forced => ", left out of learning: not every channel reaches them".into(),
        Some(_) => format!(", drawn with {}", percent(start.propensity)),
    }
}

/// Whole percents where they are whole.
fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    if (tenths - tenths.round()).abs() < 0.05 { format!("{tenths:.0} %") } else { format!("{tenths:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Allocation, Channel, Segment};

    #[test]
    fn a_segment_is_told_in_one_line() {
        let all = [Channel::Whatsapp, Channel::Phone, Channel::Sms];
        let mut row = Starts {
            segment: Segment("retail".into()),
            start: Channel::Whatsapp,
            from: Allocation::even(all).unwrap().capped(Channel::Whatsapp, 0.2),
            people: 40,
            left_out: 0,
        };
        assert_eq!(starts(&row), "retail: 20 % start elsewhere: WhatsApp 80 %, phone 10 %, SMS 10 %");
        row.from = Allocation::of([(Channel::Whatsapp, 0.875), (Channel::Sms, 0.125)]).unwrap();
        row.left_out = 1;
        assert_eq!(
            starts(&row),
            "retail: 12.5 % start elsewhere: WhatsApp 87.5 %, SMS 12.5 %; 1 person left out of learning: not every \
             channel reaches them"
        );
    }
}
