//! Content that the rules ask for and that is not there, columns that the list does not have, links.

use super::{Together, problem};
use crate::model::{Channel, Mode, clean};
use crate::rules::content::{Field, Whatsapp};
use crate::rules::render::plain;
use crate::rules::report::suggest;
use crate::rules::{Problem, Severity};
use std::path::PathBuf;

/// What every customer has, whatever the list's header says; `link` is ours.
const KNOWN: [&str; 4] = ["name", "phone", "segment", "link"];

pub(super) fn check(all: &Together<'_>, channels: &[Channel], found: &mut Vec<Problem>) {
    for channel in channels {
        missing_content(all, *channel, found);
        unknown_fields(all, *channel, found);
    }
    links(all, found);
}

fn missing_content(all: &Together<'_>, channel: Channel, found: &mut Vec<Problem>) {
    let in_rules = || (all.rules_file.to_owned(), 1, 1);
    if channel == Channel::Email {
        let message = "the rules have an e-mail step, and sending e-mail is not built yet".to_owned();
        found.push(problem(Severity::Error, in_rules(), "not-built", message, "take the step out"));
        return;
    }
    // A file with errors has been named already.
    if !all.content.has(channel) && !all.content.has_file(channel) {
        let path = all.content.path(channel);
        let message = format!("the rules have a {} step, and this file is missing", channel.label());
        let hint = "write it, or take the step out of the rules";
        found.push(problem(Severity::Error, (path, 1, 1), "missing-content", message, hint));
    }
    if !all.config.channels.contains(&channel) {
        let message =
            format!("the rules have a {} step, and cascade.toml has no [{channel}]", channel.label());
        let hint = format!("add the section [{channel}], or take the step out");
        found.push(problem(Severity::Error, in_rules(), "not-configured", message, hint));
    }
}

/// Whether the list has a field's column; nobody knows where the list could not be read.
pub(super) fn is_a_column(columns: Option<&[String]>, field: &Field) -> bool {
    let name = plain(&field.name);
    columns.is_none_or(|columns| {
        KNOWN.contains(&name.as_str()) || columns.iter().any(|column| plain(column) == name)
    })
}

fn unknown_fields(all: &Together<'_>, channel: Channel, found: &mut Vec<Problem>) {
    let Some(columns) = all.columns else { return };
    for field in all.content.fields(channel).into_iter().filter(|field| !is_a_column(Some(columns), field)) {
        let others =
            columns.iter().map(String::as_str).filter(|column| !KNOWN.contains(&plain(column).as_str()));
        let known: Vec<&str> = KNOWN.iter().copied().chain(others).collect();
        let hint = suggest(&field.name, &known);
        // With a default everybody gets a sensible text; without one, a gap.
        let severity = if field.default.is_some() { Severity::Warning } else { Severity::Error };
        let message = format!("the customer list has no column `{}`", clean(&field.name));
        let at = (all.content.path(channel), field.line, field.column);
        found.push(problem(severity, at, "unknown-field", message, clean(&hint)));
    }
}

/// In live, links must lead somewhere, and a template's button must carry our own address.
fn links(all: &Together<'_>, found: &mut Vec<Problem>) {
    let webhooks = &all.config.webhooks;
    if all.config.mode != Mode::Live {
        return;
    }
    let tracked: Vec<&str> = all.content.whatsapp.iter().flat_map(Whatsapp::tracked_urls).collect();
    let in_sms = all.content.sms.iter().any(|s| s.text.fields().iter().any(|f| f.is_link()));
    if (in_sms || !tracked.is_empty()) && webhooks.links_target.is_none() {
        let message = "the content has links, and [links] does not say where they lead".to_owned();
        let at = (PathBuf::from("cascade.toml"), 1, 1);
        let hint = "add [links] target = \"https://…\"";
        found.push(problem(Severity::Error, at, "no-target", message, hint));
    }
    let base = webhooks.links_base(webhooks.listen);
    if let Some(url) = tracked.iter().find(|url| url.strip_suffix("/{{1}}") != Some(base.as_str())) {
        let message = format!("the button leads to {}, and our links begin with {base}/", clean(url));
        let at = (all.content.path(Channel::Whatsapp), 1, 1);
        let hint = "make both the same, or clicks on it are never heard of";
        found.push(problem(Severity::Warning, at, "foreign-link", message, hint));
    }
}
