//! The table of faults (`tests/data/faults.tsv`) against the tests that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const TABLE: &str = include_str!("../data/faults.tsv");

/// Names of test functions and scenarios below a folder.
fn names(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|ext| ext.to_str()) {
            _ if path.is_dir() => names(&path, found),
            Some("toml") => drop(found.insert(path.file_stem().unwrap().to_string_lossy().into_owned())),
            Some("rs") => {
                let text = fs::read_to_string(&path).unwrap();
                let mut is_test = false;
                for line in text.lines().map(str::trim) {
                    if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                        is_test = true;
                    } else if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
                        found.insert(name.split('(').next().unwrap().to_owned());
                        is_test = false;
                    }
                }
            }
            Some(_) | None => {}
        }
    }
}

#[test]
fn every_fault_has_a_behaviour_a_place_where_it_is_seen_and_tests_that_exist() {
    let mut known = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    names(&root.join("tests"), &mut known);
    names(&root.join("src"), &mut known);
    let mut seen = BTreeSet::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [seam, fault, behaviour, place, tests] = cells.as_slice() else { panic!("five cells: {line}") };
        assert!(["create", "check", "question", "webhook", "set-up", "store"].contains(seam), "{line}");
        assert!(seen.insert((*seam, *fault)), "{fault} stands twice");
        assert!(behaviour.len() > 5 && !place.is_empty() && !tests.is_empty(), "{line}");
        for test in tests.split(' ') {
            assert!(known.contains(test), "{fault}: no test is called {test}");
        }
    }
    assert!(seen.len() > 40);
}
