//! `cascade restore`: a backup in the store's place, what was there moved aside whole.

use super::backup::{campaigns, merge, sentence};
use super::stores::Site;
use super::{Exit, Failure, output};
use crate::cli::{Place, Restore};
use crate::runtime::store::restore;
use serde_json::json;
use std::path::PathBuf;

/// Restores the named backup, or moves the store aside for a new one.
pub(super) fn run(place: &Place, args: &Restore) -> Result<Exit, Failure> {
    let site = Site::open(place)?;
    let (path, mode) = site.store();
    let Some(backup) = &args.file else { return anew(&site, args.json) };
    let put = if args.another { restore::restore_another } else { restore::restore };
    let done = put(backup, &path, mode, &site.state)?;
    if args.json {
        let mut value = json!({ "schema": "cascade.restore/1", "file": backup, "restored_to": path });
        merge(&mut value, json!(done.held));
        value["moved_aside"] = json!(done.aside);
        value["gap"] = json!(done.gap);
        output::json(&value)?;
        return Ok(Exit::Done);
    }
    let mut page = output::Results::open();
    page.line(&format!("{} holds {} again: {}", path.display(), backup.display(), sentence(&done.held)))?;
    for line in campaigns(&done.held) {
        page.line(&line)?;
    }
    page.line(&aside(&done.aside))?;
    page.line(&done.gap.say(&path))?;
    page.close()?;
    Ok(Exit::Done)
}

fn anew(site: &Site, json: bool) -> Result<Exit, Failure> {
    let (path, mode) = site.store();
    let (moved, unread) = restore::set_aside(&path, mode, &site.state)?;
    if let Some(error) = &unread {
        output::note(&format!(
            "cascade: warning: the opt-outs in the old store could not be read: {error} Only those kept beside it hold"
        ));
    }
    if json {
        let value =
            json!({ "schema": "cascade.restore/1", "file": null, "restored_to": path, "moved_aside": moved });
        output::json(&value)?;
        return Ok(Exit::Done);
    }
    output::line(&format!(
        "{} The next start begins a new store, which does not know whom the old one contacted; {} hold as before",
        aside(&moved),
        if unread.is_some() { "the opt-outs kept beside it" } else { "opt-outs" }
    ))?;
    Ok(Exit::Done)
}

fn aside(moved: &[PathBuf]) -> String {
    match moved.first() {
        None => "There was nothing to move aside.".into(),
        Some(first) => format!(
            "What was there is now {}{}. It names people: delete it once it is not needed any more.",
            first.display(),
            if moved.len() > 1 { " and the files that belong to it" } else { "" }
        ),
    }
}
