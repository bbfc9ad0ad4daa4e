//! `cascade run --unit`: a systemd user unit for this workspace, and on stderr how to install it. No secret is in it:
//! those come from a file that the unit names.

use super::{Exit, Failure, output};
use crate::cli::{Place, Rehearsal, Run};
use crate::config::trust;
use crate::model::sinks::is_hidden;
use crate::model::{Mode, clean};
use crate::workspace::{Named, Workspace};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Seconds until systemd kills it: longer than the last answers can take.
const STOP_S: u64 = 60;

/// Prints the unit on stdout.
pub(super) fn print(place: &Place, args: &Run) -> Result<Exit, Failure> {
    let asked_for = RefCell::new(BTreeSet::new());
    // The secrets need not be here: they come when systemd starts it.
    let env = |name: &str| {
        if trust::PLACES.contains(&name) {
            return std::env::var(name).ok();
        }
        asked_for.borrow_mut().insert(name.to_owned());
        Some("set".to_owned())
    };
    let workspace = Workspace::open(&place.workspace, &Named::default(), &env)?;
    let mode = match &workspace.config {
        Some(config) => config.mode,
        None => workspace.ready()?.config.mode,
    };
    let program = std::env::current_exe().map_err(|e| cannot("this program's own path", &e))?;
    if program.as_os_str().as_bytes().iter().any(|byte| byte.is_ascii_control() || b"\"'\\".contains(byte)) {
        return Err(Failure::usage(format!(
            "systemd runs no program whose path has quotes, backslashes or control characters: {}. Install cascade \
             elsewhere, as with `cargo install`",
            clean(&program.to_string_lossy())
        )));
    }
    let dir = workspace.dir.canonicalize().map_err(|e| cannot("the workspace's path", &e))?;
    let db = place.db.as_deref().map(std::path::absolute).transpose();
    let db = db.map_err(|e| cannot("the store's path", &e))?;
    let name = name_of(&dir);
    let unit = Unit {
        name: &name,
        program: &program,
        args: arguments(&dir, db, &args.rehearsal, args.json, mode == Mode::Live),
        dir: &dir,
    };
    let mut out = output::Results::open();
    out.text(&unit.text())?;
    out.close()?;
    for line in how_to(&name, &dir, mode, &asked_for.borrow()) {
        output::note(&line);
    }
    Ok(Exit::Done)
}

fn cannot(what: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{what} cannot be found out: {error}"))
}

/// What stands behind `cascade`.
fn arguments(
    dir: &Path,
    db: Option<PathBuf>,
    rehearsal: &Rehearsal,
    json: bool,
    live: bool,
) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["run".into(), "--workspace".into(), dir.into()];
    let mut flag = |name: &str, value: Option<OsString>| {
        if let Some(value) = value {
            args.extend([name.into(), value]);
        }
    };
    flag("--db", db.map(Into::into));
    flag("--speed", rehearsal.speed.map(|speed| speed.to_string().into()));
    flag("--seed", rehearsal.seed.map(|seed| seed.to_string().into()));
    flag("--start", rehearsal.start.map(|start| start.to_string().into()));
    flag("--sandbox", rehearsal.sandbox.clone().map(Into::into));
    args.extend(json.then(|| "--json".into()));
    // Nobody is there to type the word.
    args.extend(live.then(|| "--yes".into()));
    args
}

/// Everything that the unit says.
struct Unit<'u> {
    name: &'u str,
    program: &'u Path,
    args: Vec<OsString>,
    dir: &'u Path,
}

impl Unit<'_> {
    fn text(&self) -> String {
        let mut command = quoted(self.program.as_os_str(), false);
        for arg in &self.args {
            _ = write!(command, " {}", quoted(arg, true));
        }
        let about = clean(&self.dir.to_string_lossy()).replace('\\', "/").replace('%', "%%");
        let name = self.name;
        format!(
            "[Unit]\n\
             Description=cascade for {about}\n\
             # It is started again for as long as it takes: a campaign must not end with a full disk.\n\
             StartLimitIntervalSec=0\n\
             \n\
             [Service]\n\
             Type=exec\n\
             ExecStart={command}\n\
             # Secrets, one NAME=value a line; never in this file.\n\
             EnvironmentFile=-%h/.config/cascade/{name}.env\n\
             UMask=0077\n\
             KillSignal=SIGTERM\n\
             # Answers under way are waited for, so that nobody is left in doubt.\n\
             TimeoutStopSec={STOP_S}\n\
             Restart=on-failure\n\
             RestartSec=15\n\
             \n\
             [Install]\n\
             WantedBy=default.target\n"
        )
    }
}

/// One word of a command line, as systemd reads it back. A dollar stands for a variable everywhere but in the program's
/// own path.
fn quoted(word: &OsStr, argument: bool) -> String {
    let mut out = String::from("\"");
    for chunk in word.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '%' => out.push_str("%%"),
                '$' if argument => out.push_str("$$"),
                c if c.is_control() || is_hidden(c) => {
                    let mut bytes = [0; 4];
                    for byte in c.encode_utf8(&mut bytes).bytes() {
                        _ = write!(out, "\\x{byte:02x}");
                    }
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

/// The workspace's name as a unit's: letters, digits, `.`, `-` and `_`.
fn name_of(dir: &Path) -> String {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let plain: String = name.chars().map(plain).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    format!("cascade-{}", if name.is_empty() { "workspace" } else { name.trim_start_matches('.') })
}

fn how_to(name: &str, dir: &Path, mode: Mode, secrets: &BTreeSet<String>) -> Vec<String> {
    let dir = clean(&dir.to_string_lossy());
    let mut lines = vec![
        "cascade: to install it, print it again into place, and start it:".to_owned(),
        "  mkdir -p ~/.config/systemd/user ~/.config/cascade".to_owned(),
        format!("  {} > ~/.config/systemd/user/{name}.service", typed(std::env::args())),
    ];
    if mode == Mode::Live {
        let names: Vec<&str> = secrets.iter().map(String::as_str).collect();
        lines.push(format!("  install -m 600 /dev/null ~/.config/cascade/{name}.env"));
        lines.push(format!("  # write into it, as NAME=value lines: {}", names.join(", ")));
        lines.push("  # the unit has --yes: it contacts real people without asking again".to_owned());
    }
    lines.extend([
        "  systemctl --user daemon-reload".to_owned(),
        format!("  systemctl --user enable --now {name}"),
        "  loginctl enable-linger    # it goes on when you log out, and starts with the machine".to_owned(),
        format!("  journalctl --user -u {name} -f    # what it says; `cascade` in {dir} attaches a console"),
    ]);
    lines
}

/// The command line as it was typed, for a shell.
fn typed(args: impl Iterator<Item = String>) -> String {
    let plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:+,@%".contains(c));
    let word = |word: String| {
        if plain(&word) { word } else { format!("'{}'", clean(&word).replace('\'', r"'\''")) }
    };
    args.map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_would_expand_or_split_is_escaped() {
        let word = OsStr::from_bytes(b"/a b/100%/\"q\"/back\\slash/$HOME/'s'/\n\xff");
        let argument = quoted(word, true);
        assert_eq!(argument, r#""/a b/100%%/\"q\"/back\\slash/$$HOME/'s'/\x0a\xff""#);
        assert!(quoted(word, false).contains("/$HOME/"), "a program's own path is no place for variables");
    }

    #[test]
    fn a_unit_has_a_plain_name() {
        assert_eq!(name_of(Path::new("/srv/spring sale (100%)")), "cascade-spring-sale-100");
        assert_eq!(name_of(Path::new("/")), "cascade-workspace");
        assert_eq!(name_of(Path::new("/x/été")), "cascade-t");
    }

    #[test]
    fn the_command_can_be_typed_again() {
        let words = ["cascade", "run", "--workspace", "it's a/b", "--speed=60"].map(str::to_owned);
        assert_eq!(typed(words.into_iter()), r"cascade run --workspace 'it'\''s a/b' --speed=60");
    }
}
