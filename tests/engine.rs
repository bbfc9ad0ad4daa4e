//! The engine, proved: every row of DESIGN.md's "One customer's journey" as a scenario in data, and random
//! campaigns on which the invariants are held after every single input.
//!
//! A new case is a file in `tests/scenarios/` alone; `tests/engine/script.rs` says what its lines may be.

#[cfg(test)]
#[path = "engine/expect.rs"]
mod expect;
#[cfg(test)]
#[path = "engine/failures.rs"]
mod failures;
#[cfg(test)]
#[path = "engine/invariants.rs"]
mod invariants;
#[cfg(test)]
#[path = "engine/orders.rs"]
mod orders;
#[cfg(test)]
#[path = "engine/random.rs"]
mod random;
#[cfg(test)]
#[path = "engine/script.rs"]
mod script;
#[cfg(test)]
#[path = "engine/setting.rs"]
mod setting;
#[cfg(test)]
#[path = "engine/world.rs"]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[test]
fn every_scenario_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 45, "{} scenarios in {}", files.len(), folder.display());
    let mut broken = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let held = catch_unwind(AssertUnwindSafe(|| script::run(&name, &text)));
        if held.is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "{} of {} scenarios do not hold: {broken:?}", broken.len(), files.len());
}
