//! The customer list: real CSV as people have it, numbers as people write them, the sample list, the draw.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use cascade::model::{Customer, Segment};
use cascade::rules::{CustomerList, ListError, PhoneReader, Problem, Reject, Severity, draw};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader};
use std::path::Path;

const SAMPLE: &str = include_str!("../assets/customers.csv");

type Read = (Vec<Customer>, Vec<Reject>, Vec<Problem>);

fn open(csv: &[u8]) -> Result<CustomerList<&[u8]>, ListError> {
    CustomerList::open(Path::new("customers.csv"), csv, "US")
}

fn read(csv: impl AsRef<[u8]>) -> Read {
    let mut list = open(csv.as_ref()).unwrap();
    let (mut customers, mut rejects) = (Vec::new(), Vec::new());
    for row in &mut list {
        match row {
            Ok(customer) => customers.push(customer),
            Err(reject) => rejects.push(reject),
        }
    }
    (customers, rejects, list.warnings().to_vec())
}

#[test]
fn the_sample_list_is_100_customers_with_100_numbers() {
    let (customers, rejects, warnings) = read(SAMPLE);
    assert_eq!((rejects, warnings), (vec![], vec![]));
    assert_eq!(customers.len(), 100);
    let numbers: BTreeSet<_> = customers.iter().map(|c| c.phone.clone()).collect();
    assert_eq!(numbers.len(), 100);
    let count = |of: fn(&Customer) -> String| {
        let mut counts = BTreeMap::new();
        for customer in &customers {
            *counts.entry(of(customer)).or_insert(0) += 1;
        }
        counts
    };
    let segments = count(|c| c.segment.0.clone());
    assert_eq!(
        segments,
        [("enterprise", 20), ("retail", 50), ("smb", 30)].map(|(s, n)| (s.to_owned(), n)).into()
    );
    let languages = count(|c| c.language.clone().unwrap_or_default());
    assert_eq!(languages, [("de", 6), ("en_US", 80), ("es", 14)].map(|(s, n)| (s.to_owned(), n)).into());
    assert!(customers.iter().all(|c| c.timezone.is_some() && c.country.is_some()));
    assert!(
        customers.iter().any(|c| !c.extra.contains_key("plan")),
        "a default is shown by somebody without"
    );
}

#[derive(serde::Deserialize)]
struct Numbers {
    numbers: Vec<Number>,
}

#[derive(serde::Deserialize)]
struct Number {
    text: String,
    region: Option<String>,
    is: Option<String>,
    no: Option<String>,
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let table: Numbers = toml::from_str(include_str!("phones.toml")).unwrap();
    let mut wrong = Vec::new();
    for number in &table.numbers {
        let mut phones = PhoneReader::new(number.region.as_deref().unwrap_or("US")).unwrap();
        let (is, no) = match phones.read(&number.text) {
            Ok((phone, country)) => (Some(format!("{phone} {}", country.as_deref().unwrap_or("-"))), None),
            Err(bad) => (None, Some(bad.code().to_owned())),
        };
        if (&is, &no) != (&number.is, &number.no) {
            wrong.push(format!("{:?}: {is:?} {no:?}", number.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_of_the_library_is_accepted_with_its_country() {
    let mut phones = PhoneReader::new("US").unwrap();
    for meta in phonenumber::metadata::DATABASE.iter().filter(|m| m.id() != "001") {
        let kinds = [meta.descriptors().mobile(), meta.descriptors().fixed_line()];
        for example in kinds.into_iter().flatten().filter_map(|kind| kind.example()) {
            let written = format!("+{} {example}", meta.country_code());
            let (phone, country) = phones.read(&written).unwrap();
            assert_eq!(phone.digits(), written.replace(['+', ' '], ""));
            let main = phonenumber::metadata::DATABASE.region(&meta.country_code()).unwrap();
            // The library itself tells GB and IM apart by fewer numbers than its own examples.
            let is_shared = main.len() > 1;
            assert!(country.is_some() && (is_shared || country.as_deref() == Some(meta.id())), "{written}");
        }
    }
}

#[test]
fn no_number_is_read_as_another_in_its_own_region() {
    for meta in phonenumber::metadata::DATABASE.iter().filter(|m| m.id() != "001") {
        let mut phones = PhoneReader::new(meta.id()).unwrap();
        let kinds =
            [meta.descriptors().mobile(), meta.descriptors().fixed_line(), meta.descriptors().toll_free()];
        for example in kinds.into_iter().flatten().filter_map(|kind| kind.example()) {
            let expected = format!("+{}{example}", meta.country_code());
            let (phone, _) = phones.read(example).unwrap();
            assert_eq!(phone.as_str(), expected);
            let dialled = format!("{}{example}", meta.national_prefix().unwrap_or_default());
            // Colombia's prefix stands before landlines alone, so that a refusal is right there.
            assert!(phones.read(&dialled).map_or(meta.id() == "CO", |(p, _)| p == phone), "{dialled}");
        }
    }
}

#[test]
fn an_unknown_region_is_named() {
    for region in ["", "USA", "XX", "001", "\u{1b}[2J"] {
        let error = PhoneReader::new(region).unwrap_err().to_string();
        assert!(error.contains("no region") && !error.contains('\u{1b}'), "{error}");
    }
}

#[test]
fn lists_come_in_many_shapes() {
    let shapes: [&[u8]; 9] = [
        b"name,phone,segment\nAnn,(415) 555-0132,vip\n",
        b"\xef\xbb\xbfName;PHONE;Segment\r\nAnn;(415) 555-0132;vip\r\n",
        b"Segment\t Phone Number \tFull Name\rvip\t(415) 555-0132\tAnn",
        b"\n\r\n\"name\",\"mobile\",\"segment\"\n\n\"Ann\",\"(415) 555-0132\",\"vip\"\n\n",
        b"sep=;\r\nname;phone;segment\r\nAnn;415-555-0132;vip\r\n",
        b"first name,last name,tel,segment\nAnn,,4155550132,vip",
        b"name,phone,segment,\nAnn,4155550132,vip,\n,,,\n",
        b"\"na,me\";name;phone;segment\n\"a;b\";Ann;4155550132;vip\n",
        b"Name,Phone,Mobile,SEGMENT\n Ann ,4155550132,4155550199, vip \n",
    ];
    for shape in shapes {
        let (customers, rejects, warnings) = read(shape);
        let shown = String::from_utf8_lossy(shape);
        assert_eq!(
            (customers.len(), rejects.len(), warnings.len()),
            (1, 0, 0),
            "{shown}: {rejects:?} {warnings:?}"
        );
        let Customer { name, phone, segment, .. } = &customers[0];
        assert_eq!(
            (name.raw(), phone.as_str(), segment.0.as_str()),
            ("Ann", "+14155550132", "vip"),
            "{shown}"
        );
    }
}

#[test]
fn rows_keep_what_the_list_says() {
    let (customers, rejects, warnings) = read(
        "name,phone,segment,email,time zone,Language,Plan Name,consent_sms,consent_phone\n\
         \"Ann\nB.\",4155550132,,ann@example.com,europe/berlin,de,\"Plus, \"\"A\"\"\",No,yes\n\
         Bo,+33 1 99 00 12 34,smb,bo@nowhere,Mars/Olympus,Deutsch!,,perhaps,-\n\
         王小明,+1 212 555 0100,smb\n",
    );
    assert_eq!(rejects, []);
    let [ann, bo, wang] = customers.as_slice() else { panic!("{customers:?}") };
    assert_eq!((ann.line, bo.line, wang.line), (2, 4, 5));
    assert_eq!((ann.name.raw(), ann.segment.0.as_str()), ("Ann\nB.", "default"));
    assert_eq!((ann.email.as_deref(), ann.language.as_deref()), (Some("ann@example.com"), Some("de")));
    assert_eq!((ann.timezone.as_deref(), ann.country.as_deref()), (Some("Europe/Berlin"), Some("US")));
    assert_eq!(
        ann.extra.iter().map(|(k, v)| (k.as_str(), v.raw())).collect::<Vec<_>>(),
        [("Plan Name", "Plus, \"A\"")]
    );
    assert_eq!((ann.consents.sms, ann.consents.phone, ann.consents.whatsapp), (false, true, true));
    assert_eq!((bo.email.as_deref(), bo.timezone.as_deref()), (None, Some("Europe/Paris")));
    assert_eq!((bo.consents.sms, bo.consents.phone), (false, true));
    assert_eq!((wang.timezone.as_deref(), wang.name.raw()), (None, "王小明"));
    let found: Vec<_> = warnings.iter().map(|w| (w.line, w.column, w.code)).collect();
    let expected = [
        (4, 26, "bad-email"),
        (4, 37, "bad-timezone"),
        (4, 50, "bad-language"),
        (4, 60, "unclear-consent"),
        (5, 1, "few-fields"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_row_that_cannot_be_used_is_listed_and_the_rest_goes_on() {
    let (customers, rejects, warnings) = read(
        b"name,phone,segment\n\
          Ann,4155550132,a\n\
          ann ,+1 (415) 555-0132,b\n\
          Bea,4155550132,a\n\
          ,4155550133,a\n\
          Cy,555,a\n\
          D\xe9j\xe0,4155550134,a\n\
          E\0,4155550135,a\n\
          Flo,4155550136,a,b\n\
          \"Gus,4155550137,a\n\
          Hal,4155550138,a\n\
          \x1b[2J,4155550139,a\n"
            .as_slice(),
    );
    let names: Vec<_> = customers.iter().map(|c| (c.line, c.name.screen())).collect();
    let expected = [(2, "Ann"), (4, "Bea"), (11, "Hal"), (12, "·[2J")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
    let found: Vec<_> = rejects.iter().map(|r| (r.line, r.column, r.code)).collect();
    assert_eq!(
        found,
        [
            (3, 6, "duplicate"),
            (5, 1, "name-missing"),
            (6, 4, "phone-short"),
            (7, 2, "not-utf8"),
            (8, 2, "nul"),
            (9, 18, "too-many-fields"),
            (10, 1, "open-quote"),
        ]
    );
    assert!(rejects[0].reason.contains("line 2"), "{}", rejects[0].reason);
    assert_eq!(rejects[2].raw.raw(), "555");
    assert!(rejects[3].reason.contains("Windows-1252"));
    let problem = rejects[4].problem(Path::new("c.csv"));
    assert_eq!((problem.severity, problem.line), (Severity::Error, 8));
    assert!(!problem.message.contains('\0'));
    assert_eq!(warnings.iter().map(|w| (w.line, w.code)).collect::<Vec<_>>(), [(4, "shared-number")]);
    assert!(warnings[0].message.contains("line 2"));
}

#[test]
fn a_list_that_cannot_be_read_says_why() {
    let utf16: Vec<u8> = "\u{feff}name,phone\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16_without_mark: Vec<u8> = "name,phone\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let cases: [(&[u8], &str, &str); 10] = [
        (b"", "no-customers", "empty"),
        (b"\n\n", "no-customers", "empty"),
        (b"name,phone,segment\n\n", "no-customers", "no customers"),
        (b"name,segment\nAnn,a\n", "missing-column", "\"phone\"; found: \"name\", \"segment\""),
        (b"phone,segment\n1,a\n", "missing-column", "\"name\""),
        (b"name,segment,phnoe\nAnn,a,1\n", "missing-column", "call \"phnoe\" \"phone\""),
        (b"name,mobile,tel\nAnn,1,2\n", "given-twice", "\"mobile\", \"tel\""),
        (b"name,phone,Phone\nAnn,1,2\n", "given-twice", "\"phone\""),
        (&utf16, "not-utf8", "UTF-16"),
        (&utf16_without_mark, "not-utf8", "UTF-16"),
    ];
    for (csv, code, words) in cases {
        let Err(ListError::Unusable(problems)) = open(csv) else {
            panic!("{}", String::from_utf8_lossy(csv))
        };
        let found = problems.iter().find(|p| p.severity == Severity::Error).unwrap();
        assert_eq!(found.code, code);
        assert!(format!("{} {}", found.message, found.hint).contains(words), "{found:?}");
    }
}

#[test]
fn a_list_without_segments_is_read_with_a_warning() {
    let (customers, _, warnings) = read("name,phone,Plan,Plan\nAnn,4155550132,x,y\n");
    assert_eq!(customers[0].segment, Segment("default".into()));
    assert_eq!(warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["given-twice", "missing-column"]);
    assert_eq!(customers[0].extra.keys().collect::<Vec<_>>(), ["Plan", "Plan_4"]);
}

/// A list that is made while it is read, so that its size shows in nobody's memory but the reader's.
struct Made {
    row: u64,
    rows: u64,
    text: Vec<u8>,
    at: usize,
}

impl Made {
    fn new(rows: u64) -> BufReader<Self> {
        BufReader::new(Self { row: 0, rows, text: b"name,phone,segment,note\r\n".to_vec(), at: 0 })
    }
}

impl io::Read for Made {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() && self.row < self.rows {
            let n = self.row;
            let segment = ["a", "b", "c", "c"][n as usize % 4];
            let number = format!("+1 {} {:07}", 212 + n % 7 * 100, 2_000_000 + n);
            self.text = format!("Customer {n},{number},{segment},\"two\nlines\"\r\n").into_bytes();
            (self.at, self.row) = (0, n + 1);
        }
        let n = out.len().min(self.text.len() - self.at);
        out[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

fn stream(rows: u64) {
    let mut list = CustomerList::open(Path::new("made.csv"), Made::new(rows), "US").unwrap();
    let mut last_line = 0;
    let drawn = draw(list.by_ref().map(|row| row.inspect(|c| last_line = c.line).unwrap()), 100, 1, &[]);
    assert_eq!(last_line, 2 * rows, "each row has two lines, after a header of one");
    let count = |name: &str| drawn.iter().filter(|c| c.segment.0 == name).count();
    assert_eq!((count("a"), count("b"), count("c")), (25, 25, 50));
    assert!(drawn.is_sorted_by_key(|c| c.line));
    assert_eq!((list.warnings().len(), list.warnings_left_out()), (0, 0));
}

#[test]
fn fifty_thousand_rows_stream() {
    stream(50_000);
}

#[test]
#[ignore = "a million rows take a while without optimisation: cargo test --release --test customers -- --ignored"]
fn a_million_rows_stream() {
    stream(1_000_000);
}

#[test]
fn warnings_are_counted_beyond_the_first_of_a_kind() {
    let rows: Vec<String> = (0..500).map(|n| format!("Customer {n},4155550132,a\n")).collect();
    let csv = format!("name,phone,segment\n{}", rows.concat());
    let mut list = open(csv.as_bytes()).unwrap();
    assert_eq!(list.by_ref().flatten().count(), 500);
    assert_eq!((list.warnings().len(), list.warnings_left_out()), (200, 299));
}

#[test]
fn a_draw_is_the_seed_s_and_the_list_s() {
    let (customers, _, _) = read(SAMPLE);
    let names = |drawn: &[Customer]| drawn.iter().map(|c| c.name.raw().to_owned()).collect::<BTreeSet<_>>();
    let drawn = draw(customers.clone(), 20, 7, &[]);
    assert_eq!(drawn, draw(customers.clone(), 20, 7, &[]));
    assert_eq!(
        names(&drawn),
        names(&draw(customers.iter().rev().cloned(), 20, 7, &[])),
        "whatever the order"
    );
    assert_ne!(names(&drawn), names(&draw(customers.clone(), 20, 8, &[])));
    let count = |name: &str| drawn.iter().filter(|c| c.segment.0 == name).count();
    assert_eq!((count("retail"), count("smb"), count("enterprise")), (10, 6, 4));
    let smb = draw(customers.clone(), 20, 7, &[Segment("smb".into())]);
    assert!(smb.len() == 20 && smb.iter().all(|c| c.segment.0 == "smb"));
    assert_eq!(draw(customers.clone(), 1_000, 7, &[]), customers);
    assert_eq!(draw(customers, 0, 7, &[]), []);
}

/// Fails, as a network drive does.
struct Broken;

impl io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the drive is gone"))
    }
}

#[test]
fn a_source_that_fails_is_told() {
    let opened = CustomerList::open(Path::new("c.csv"), Broken, "US");
    let error = opened.err().map(|e| e.to_string()).unwrap();
    assert!(error.contains("c.csv") && error.contains("the drive is gone"), "{error}");

    let breaks_off = io::Read::chain(Made::new(10_000), Broken);
    let rows: Vec<_> = CustomerList::open(Path::new("c.csv"), breaks_off, "US").unwrap().collect();
    let (last, before) = rows.split_last().unwrap();
    assert!(before.len() > 1_000 && before.iter().all(Result::is_ok));
    let reject = last.as_ref().unwrap_err();
    assert_eq!((reject.code, reject.line), ("unreadable", 2 * before.len() as u64 + 2));
    assert!(reject.reason.contains("the drive is gone"));
}

proptest! {
    #[test]
    fn any_bytes_are_customers_rejects_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut csv = b"name,phone,segment,consent_sms\n".to_vec();
        csv.extend(&bytes);
        for csv in [&csv, &bytes] {
            if let Ok(list) = open(csv) {
                prop_assert!(list.take(1_000).count() < 1_000);
            }
        }
    }

    #[test]
    fn any_text_is_a_number_or_a_reason(text in any::<String>(), digits in "[+0-9 ()./x-]{0,24}") {
        for region in ["US", "GB", "DE", "AR", "MX", "RU"] {
            let mut phones = PhoneReader::new(region).unwrap();
            for text in [&text, &digits] {
                match phones.read(text) {
                    Ok((phone, _)) => prop_assert!(phone.as_str().len() <= 16),
                    Err(bad) => prop_assert!(!bad.to_string().chars().any(char::is_control)),
                }
            }
        }
    }
}
