//! The README tells the truth: keys, dependencies, commands, files and settings in it are held against the program.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test code: a failure is a panic")]

use cascade::cli::Cli;
use cascade::config::load;
use cascade::model::{Channel, Mode};
use cascade::rules::parse;
use cascade::tui::keys;
use clap::Parser as _;
use std::collections::BTreeSet;
use std::path::Path;

const README: &str = include_str!("../README.md");
const MANIFEST: &str = include_str!("../Cargo.toml");

/// The lines under a heading of the second level.
fn section(title: &str) -> &'static str {
    let heading = format!("\n## {title}\n");
    let from = README.find(&heading).expect("the README has this heading") + heading.len();
    let rest = &README[from..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// What stands between fences of this language.
fn fenced(language: &str) -> Vec<&'static str> {
    let open = format!("```{language}\n");
    let blocks = README.split(&open).skip(1);
    blocks.map(|after| after.split("```").next().unwrap()).collect()
}

/// What stands between backticks, outside fences.
fn quoted(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_key_table_is_the_command_table() {
    let table = keys::markdown();
    assert!(section("Keys").contains(&table), "put this under Keys:\n{table}");
}

#[test]
fn every_dependency_is_named_once_with_its_reason() {
    let manifest: toml::Table = MANIFEST.parse().unwrap();
    let wanted: BTreeSet<&str> = ["dependencies", "dev-dependencies"]
        .iter()
        .flat_map(|kind| manifest[*kind].as_table().unwrap().keys().map(String::as_str))
        .collect();
    let named = quoted(section("Dependencies, and why"));
    let once: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(once.len(), named.len(), "one is named twice: {named:?}");
    assert_eq!(once, wanted);
}

#[test]
fn every_command_line_parses() {
    let shell = fenced("sh").into_iter().flat_map(str::lines).map(str::trim);
    let inline = quoted(README).into_iter();
    let lines: BTreeSet<&str> =
        shell.chain(inline).filter(|line| *line == "cascade" || line.starts_with("cascade ")).collect();
    assert!(lines.len() > 12, "{lines:?}");
    for line in lines {
        if let Err(fault) = Cli::try_parse_from(line.split_whitespace()) {
            panic!("`{line}`: {fault}");
        }
    }
}

#[test]
fn every_flag_that_is_named_exists() {
    let help = |command: &str| {
        let line = format!("cascade {command} --help");
        let refused = Cli::try_parse_from(line.split_whitespace());
        refused.expect_err("help is no command").to_string()
    };
    let all: String = [
        "",
        "init",
        "check",
        "pilot",
        "resume",
        "run",
        "report",
        "events",
        "backup",
        "restore",
        "purge",
        "sandbox",
        "trust",
        "history",
        "propose",
        "learn",
        "learn simulate",
        "replay",
    ]
    .into_iter()
    .map(help)
    .collect();
    let ours = quoted(README).into_iter().filter(|command| !command.starts_with("cargo "));
    for word in ours.flat_map(str::split_whitespace).filter(|word| word.starts_with("--") && *word != "---") {
        assert!(all.contains(word), "no command knows {word}");
    }
}

#[test]
fn every_file_and_folder_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let linked = README.split("](").skip(1).filter_map(|after| after.split(')').next());
    let named = quoted(README).into_iter().filter(|name| {
        ["src/", "rules/", "assets/", "tests/", ".ci/"].iter().any(|top| name.starts_with(top))
            || *name == "rust-toolchain.toml"
    });
    let all: Vec<&str> = linked.chain(named).filter(|name| !name.contains(' ')).collect();
    assert!(all.len() > 20, "{all:?}");
    for name in all {
        assert!(root.join(name).exists(), "the README names {name}, which is not there");
    }
}

#[test]
fn every_folder_of_the_source_is_on_the_map() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let map = section("The code");
    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let stem = name.trim_end_matches(".rs");
        assert!(
            map.contains(&format!("`src/{stem}/`"))
                || map.contains(&format!("`src/{stem}.rs`"))
                || stem == "phrases",
            "{name}"
        );
    }
}

#[test]
fn the_example_settings_are_live_and_without_a_fault() {
    let blocks = fenced("toml");
    assert_eq!(blocks.len(), 1);
    let exported: BTreeSet<&str> = README
        .lines()
        .filter(|line| line.starts_with("export "))
        .flat_map(|line| line.split_whitespace().skip(1))
        .filter_map(|pair| pair.split('=').next())
        .collect();
    let env = |name: &str| exported.contains(name).then(|| "a secret".to_owned());
    let (config, problems) = load(Path::new("cascade.toml"), blocks[0], &env);
    assert!(problems.is_empty(), "{problems:?}");
    let config = config.unwrap();
    assert_eq!(config.mode, Mode::Live);
    assert_eq!(config.channels, [Channel::Whatsapp, Channel::Phone, Channel::Sms]);
    for variable in exported {
        assert!(blocks[0].contains(&format!("\"{variable}\"")), "{variable} is exported for nothing");
    }
}

#[test]
fn the_example_rules_are_the_built_in_ones() {
    let blocks = fenced("json");
    assert_eq!(blocks.len(), 1);
    let (rules, problems) = parse(Path::new("rules/cascade.json"), blocks[0].as_bytes());
    assert!(rules.is_some() && problems.is_empty(), "{problems:?}");
    let built_in = include_str!("../rules/cascade.json");
    let plain = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(plain(blocks[0]), plain(built_in));
}
