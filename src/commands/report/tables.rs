//! The report as tables: the arrays of `cascade.report/1` of one campaign, and the history of every cascade of the store.

use super::super::{Exit, Failure, output};
use crate::learning::history::{Draws, write_header, write_rows};
use crate::model::sinks;
use crate::runtime::history;
use crate::runtime::store::Reader;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// What is written.
const FILES: [&str; 5] = ["channels.csv", "segments.csv", "failures.csv", "waits.csv", HISTORY];

/// Every cascade of the store.
const HISTORY: &str = "history.csv";

/// Shares of the window at which the curve of arrivals is written.
const TENTHS: u64 = 10;

const CHANNELS: &[&str] = &[
    "channel",
    "attempts",
    "accepted",
    "failed",
    "not_reached",
    "in_doubt",
    "delivered",
    "read",
    "replied",
    "answered",
    "clicked",
    "no_answer",
    "bounced",
    "opted_out",
    "conversions",
    "cost",
    "currency",
    "cost_per_conversion",
];

/// In front of the channel's own.
const SEGMENTS: &[&str] = &["segment", "customers", "segment_converted"];

const FAILURES: &[&str] = &[
    "channel",
    "provider",
    "code",
    "class",
    "scope",
    "scope_key",
    "title",
    "remedy",
    "reaction",
    "customers",
    "attempts",
    "first_at",
    "last_at",
];

/// The curve follows.
const WAITS: &[&str] = &["channel", "segment", "wait_s", "conversions", "suggested_wait_s", "reason"];

/// Writes every table into `dir`, which is made if need be.
pub(super) fn write(dir: &Path, reader: &Reader, report: &Value) -> Result<Exit, Failure> {
    let shown = dir.display().to_string();
    fs::create_dir_all(dir).map_err(|why| Failure::usage(format!("{shown} cannot be made: {why}")))?;
    let there: Vec<&str> = FILES.into_iter().filter(|name| dir.join(name).exists()).collect();
    let curve: Vec<String> = (1..=TENTHS).map(|tenth| format!("share_{}", tenth * 10)).collect();
    let curve: Vec<&str> = curve.iter().map(String::as_str).collect();
    let tables: [(&str, Vec<&str>, Vec<Row>); 4] = [
        ("channels.csv", CHANNELS.to_vec(), rows(&report["channels"]).map(Row::of).collect()),
        (
            "segments.csv",
            [SEGMENTS, CHANNELS].concat(),
            rows(&report["segments"]).flat_map(of_segment).collect(),
        ),
        ("failures.csv", FAILURES.to_vec(), rows(&report["failures"]).map(Row::of).collect()),
        ("waits.csv", [WAITS, &curve].concat(), rows(&report["waits"]).map(of_wait).collect()),
    ];
    for (name, columns, table) in &tables {
        put(dir, name, |out| write_table(out, columns, table))?;
    }
    let mut failed = None;
    let mut draws = Draws::default();
    for cascade in history::read(reader)? {
        draws.see(&cascade?);
    }
    put(dir, HISTORY, |out| {
        write_header(out)?;
        for cascade in history::read(reader).map_err(io::Error::other)? {
            match cascade {
                Ok(cascade) => write_rows(out, &draws.told(cascade))?,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        Ok(())
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    output::line(&format!("{shown}: {}", FILES.join(", ")))?;
    if !there.is_empty() {
        output::note(&format!("cascade: written over in {shown}: {}", there.join(", ")));
    }
    Ok(Exit::Done)
}

/// A file appears whole or not at all; one of the same name is replaced.
fn put(
    dir: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Failure> {
    let (path, part) = (dir.join(name), dir.join(format!("{name}.part")));
    let whole = || {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(&part)?);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, &path)
    };
    whole().map_err(|why| {
        // It was never a table.
        let _ = fs::remove_file(&part);
        Failure::failed(format!("{} cannot be written: {why}", path.display()))
    })
}

fn rows(array: &Value) -> impl Iterator<Item = &Value> {
    array.as_array().into_iter().flatten()
}

/// A row's cells by column.
struct Row(Vec<(String, Value)>);

impl Row {
    fn of(value: &Value) -> Self {
        let fields = value.as_object().into_iter().flatten();
        Self(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn cell(&self, column: &str) -> &Value {
        self.0.iter().find(|(name, _)| name == column).map_or(&Value::Null, |(_, value)| value)
    }
}

/// A row for each channel of a segment.
fn of_segment(segment: &Value) -> Vec<Row> {
    let whole = Row::of(segment);
    let own = |name: &str| (name.to_owned(), whole.cell(name).clone());
    rows(&segment["channels"])
        .map(|channel| {
            let mut row = Row::of(channel);
            let converted = ("segment_converted".to_owned(), whole.cell("converted").clone());
            row.0.extend([own("segment"), own("customers"), converted]);
            row
        })
        .collect()
}

/// The curve as a column for each tenth of the window.
fn of_wait(wait: &Value) -> Row {
    let mut row = Row::of(wait);
    let points: Vec<&Value> = rows(&wait["share_by_fraction"]).collect();
    for tenth in 1..=TENTHS {
        let at = |point: &&&Value| point[0].as_f64().is_some_and(|x| (x * 10.0).round() as u64 == tenth);
        let share = points.iter().find(at).map_or(Value::Null, |point| point[1].clone());
        row.0.push((format!("share_{}", tenth * 10), share));
    }
    row
}

fn write_table(out: &mut impl Write, columns: &[&str], table: &[Row]) -> io::Result<()> {
    writeln!(out, "{}", columns.join(","))?;
    for row in table {
        let cells: Vec<String> = columns.iter().map(|column| cell(row.cell(column))).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => sinks::csv(text),
        Value::Array(_) | Value::Object(_) => sinks::csv(&value.to_string()),
    }
}

/// A number or a word, which needs no quotes.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':');
    !text.is_empty() && text.bytes().all(plain)
}
