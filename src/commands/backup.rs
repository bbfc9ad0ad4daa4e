//! `cascade backup`: a copy of the store, also while another process writes it.

use super::stores::Site;
use super::{Exit, Failure, output};
use crate::cli::{Backup, Place};
use crate::model::clean;
use crate::phrases::people;
use crate::runtime::store::backup::{Held, back_up};
use crate::runtime::store::not_lost;
use serde_json::json;

/// Copies, checks the copy, says what it holds.
pub(super) fn run(place: &Place, args: &Backup) -> Result<Exit, Failure> {
    let (path, mode) = Site::open(place)?.store();
    not_lost(&path)?;
    if !path.exists() {
        return Err(Failure::usage(format!("there is no store to copy: {} does not exist", path.display())));
    }
    let held = back_up(&path, mode, &args.file)?;
    if args.json {
        let mut value = json!({ "schema": "cascade.backup/1", "file": args.file });
        merge(&mut value, json!(held));
        output::json(&value)?;
    } else {
        let mut page = output::Results::open();
        page.line(&format!("{}: {}", args.file.display(), sentence(&held)))?;
        for line in campaigns(&held) {
            page.line(&line)?;
        }
        page.close()?;
    }
    output::note(
        "cascade: it names people: keep it as safe as the store. `cascade forget` and `cascade purge` do not reach it",
    );
    Ok(Exit::Done)
}

/// What it is, and how far it goes.
pub(super) fn sentence(held: &Held) -> String {
    let until = held.at.map(|at| format!(", the last of them at {at}")).unwrap_or_default();
    format!(
        "{} store {}, {} known, {} opt-outs, {} events{until}",
        held.mode,
        held.store,
        people(held.people),
        held.opt_outs,
        held.seq
    )
}

/// A line for each campaign.
pub(super) fn campaigns(held: &Held) -> Vec<String> {
    let line = |campaign: &crate::runtime::store::backup::HeldCampaign| {
        let stands = match (campaign.ended_at, campaign.open) {
            (Some(at), _) => format!("ended {at}"),
            (None, open) => format!("{open} under way"),
        };
        format!(
            "  campaign {} {}: {} customers, started {}, {stands}",
            campaign.id,
            clean(&campaign.name),
            campaign.customers,
            campaign.started_at
        )
    };
    held.campaigns.iter().map(line).collect()
}

/// The fields of one object behind those of another.
pub(super) fn merge(value: &mut serde_json::Value, more: serde_json::Value) {
    if let (Some(fields), serde_json::Value::Object(more)) = (value.as_object_mut(), more) {
        fields.extend(more);
    }
}
