//! The history file: what is written reads back, and what is wrong is named.

use super::cascade;
use cascade::learning::history::{
    self, BadRow, COLUMNS, Cascade, Parts, Step, Unreadable, gather, write_header, write_rows,
};
use cascade::model::{At, Channel, Money, Segment};

fn text(cascades: &[Cascade]) -> String {
    let mut out = Vec::new();
    write_header(&mut out).unwrap();
    for cascade in cascades {
        write_rows(&mut out, cascade).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn parts(text: &str) -> Result<Parts<Vec<Cascade>>, Unreadable> {
    history::read(text.as_bytes(), 2, |all: &mut Vec<Cascade>, cascade| all.push(cascade.clone()))
}

fn read(text: &str) -> (Vec<Cascade>, Vec<BadRow>) {
    let read = parts(text).unwrap();
    (read.parts.concat(), read.bad)
}

fn two_steps(id: u64) -> Cascade {
    let mut one = cascade(id, "retail, \"big\"", Channel::Whatsapp, 1_767_621_600 + id as i64, None);
    let last = Step {
        step: 2,
        channel: Channel::Phone,
        sent_at: Some(At::from_secs(1_767_643_200)),
        window_s: None,
        delivered_at: None,
        bounced_at: Some(At::from_millis(1_767_643_200_120)),
        converted_at: None,
        opted_out_at: None,
        cost: Money::parse("0.4").unwrap(),
    };
    one.steps.push(last);
    one.horizon_s = None;
    one
}

#[test]
fn what_is_written_reads_back() {
    let written = [two_steps(1), Cascade { propensity: None, ..two_steps(2) }, two_steps(3)];
    let (back, bad) = read(&text(&written));
    assert_eq!(bad, []);
    assert_eq!(back, written);
    let forced = Cascade { forced: true, ..two_steps(4) };
    let (back, _) = read(&text(&[forced]));
    assert_eq!(back[0].propensity, None, "a forced start was not drawn");
}

#[test]
fn the_columns_are_those_of_the_contract() {
    let header = "cascade,segment,start,propensity,rules,launched_at,step,channel,sent_at,window_s,delivered_at,\
                  bounced_at,converted_at,opted_out_at,cost";
    assert_eq!(COLUMNS.join(","), header);
    assert_eq!(text(&[]).trim_end(), header);
}

const HEAD: &str = "cascade;segment;start;launched_at;channel;sent_at;converted_at;cost;more";

#[test]
fn columns_in_any_order_and_of_any_platform() {
    let row = "7;;phone;2026-01-05T14:00:00+01:00;phone;2026-01-05T13:00:00Z;;0.2;x";
    let (read, bad) = read(&format!("\u{feff}{HEAD}\r\n{row}\r\n"));
    assert_eq!(bad, []);
    let one = &read[0];
    assert_eq!((one.segment.0.as_str(), one.start, one.propensity), ("default", Channel::Phone, None));
    assert_eq!(one.launched_at, one.steps[0].sent_at.unwrap());
    assert_eq!(one.steps[0].step, 1);
}

#[test]
fn a_header_without_what_is_needed_is_refused() {
    let refused = parts("cascade,segment,start\n").err().unwrap();
    assert_eq!(refused, Unreadable::Columns("launched_at, channel, sent_at, converted_at, cost".into()));
    assert!(parts("").is_err());
}

#[test]
fn bad_rows_are_named_and_the_rest_goes_on() {
    let good = |id: u32| format!("{id};a;sms;2026-01-05T13:00:00Z;sms;2026-01-05T13:00:00Z;;0.04;\n");
    let rows = [
        good(1),
        "2;a;smoke;2026-01-05T13:00:00Z;sms;2026-01-05T13:00:00Z;;0.04;\n".into(),
        "3;a;sms;yesterday;sms;2026-01-05T13:00:00Z;;0.04;\n".into(),
        "4;a;sms;2026-01-05T13:00:00Z;sms;2026-01-05T13:00:00Z;2026-01-05T12:00:00Z;0.04;\n".into(),
        "5;a;sms;2026-01-05T13:00:00Z;sms;2026-01-05T13:00:00Z;;free;\n".into(),
        ";a;sms;2026-01-05T13:00:00Z;sms;2026-01-05T13:00:00Z;;0.04;\n".into(),
        good(6),
        // Its second row is of another segment: a cascade without one of its steps would be a wrong cascade.
        good(7),
        "7;b;sms;2026-01-05T13:00:00Z;phone;2026-01-05T17:00:00Z;;0.2;\n".into(),
        good(8),
    ];
    let (cascades, bad) = read(&format!("{HEAD}\n{}", rows.concat()));
    let ids: Vec<&str> = cascades.iter().map(|cascade| cascade.id.raw()).collect();
    assert_eq!(ids, ["1", "6", "8"]);
    let named: Vec<(u64, Option<&str>)> = bad.iter().map(|row| (row.line, row.column)).collect();
    let wanted = [
        (3, Some("start")),
        (4, Some("launched_at")),
        (5, Some("converted_at")),
        (6, Some("cost")),
        (7, Some("cascade")),
        (10, Some("segment")),
    ];
    assert_eq!(named, wanted);
    assert!(bad[0].to_string().contains("line 3, column start: “smoke”"), "{}", bad[0]);
}

#[test]
fn a_wait_is_a_time_or_nothing() {
    let row = |id: usize, window: &str| {
        format!("{id};a;sms;2026-01-05T13:00:00Z;sms;2026-01-05T13:00:00Z;;0.04;{window}\n")
    };
    let windows = ["0", "", "90.4", "31536000", "NaN", "-5", "1e300", "inf", "99999999999", "soon"];
    let rows: String = windows.iter().enumerate().map(|(id, window)| row(id, window)).collect();
    let (cascades, bad) = read(&format!("{}\n{rows}", HEAD.replace("more", "window_s")));
    let read: Vec<Option<u64>> = cascades.iter().map(|cascade| cascade.steps[0].window_s).collect();
    assert_eq!(read, [Some(0), None, Some(90), Some(31_536_000)], "none is not the same as no time");
    let named: Vec<(u64, Option<&str>)> = bad.iter().map(|row| (row.line, row.column)).collect();
    assert_eq!(named, (6..12).map(|line| (line, Some("window_s"))).collect::<Vec<_>>());
}

#[test]
fn whatever_a_spreadsheet_would_take_for_a_formula_reads_back() {
    for name in ["=1", "+1", "-1", "@a", "＝1", "＋1", "－1", "＠a", " =1", "'quoted'"] {
        let mut one = two_steps(1);
        one.segment = Segment(name.trim().into());
        let (back, bad) = read(&text(&[one.clone()]));
        assert_eq!((back, bad), (vec![one], vec![]), "{name}");
    }
}

#[test]
fn rows_in_any_order_are_gathered() {
    let sorted = text(&[two_steps(1), two_steps(2), two_steps(3)]);
    let mut lines: Vec<&str> = sorted.lines().skip(1).collect();
    lines.sort_by_key(|line| line.contains(",phone,"));
    let mixed = format!("{}\n{}\n", COLUMNS.join(","), lines.join("\n"));
    assert!(parts(&mixed).unwrap().is_scattered && !parts(&sorted).unwrap().is_scattered);
    let gathered = gather(mixed.as_bytes()).unwrap();
    assert_eq!(gathered.bad, []);
    assert_eq!(gathered.cascades, [two_steps(1), two_steps(2), two_steps(3)]);
}

#[test]
fn a_step_that_stands_twice_is_named() {
    let twice = text(&[two_steps(1)]).replace(",2,phone,", ",1,phone,");
    let (cascades, bad) = read(&twice);
    assert!(cascades.is_empty());
    assert_eq!((bad[0].line, bad[0].column), (3, Some("step")));
}
