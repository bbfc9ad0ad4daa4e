//! Judging a draft beside the loop, and showing what saving it would do.

use super::courses::Edited;
use super::files::beside;
use super::view::{Flight, Held, Shelved, view};
use super::{
    CONTENT, Change, Counted, DraftFile, EditPreview, Files, Looked, Moved, RULES, Refusal, SaveState, Saved,
    Wanted, content_name,
};
use crate::engine::Campaign;
use crate::engine::event::Edition;
use crate::model::{Channel, clean};
use crate::phrases::retimed::short;
use crate::runtime::driver::Driver;
use crate::runtime::handle::{Previewed, Signature};
use crate::runtime::launch::{Plan, Script};
use crate::runtime::news::News;
use crate::runtime::question::Question;
use crate::runtime::store::Keeper;
use crate::runtime::tasks::Part;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Whoever waits for a preview; gone by now, maybe.
type Answer = oneshot::Sender<Previewed>;

/// Previews that can still be saved.
const HELD: usize = 4;

/// A draft, judged beside the loop.
#[derive(Debug)]
pub struct Judged {
    /// What was asked for.
    files: Vec<Shelved>,
    saved: bool,
    restored: bool,
    plan: Result<Box<Plan>, Refusal>,
    trail: Looked,
    learnt: Option<Counted>,
    reply: Answer,
}

/// Reads what is wanted, and what stands in its place. `spoken`: the texts that are in force.
fn judge(
    store: &dyn Keeper,
    files: &dyn Files,
    wanted: Wanted,
    pending: Option<Saved>,
    spoken: &str,
) -> JudgedFiles {
    let version = |hash: &str| {
        let read = store.version(hash).map_err(|error| Refusal::new(error.to_string()))?;
        if read.is_empty() {
            let why = format!("no version {} is in the store any more", short(hash));
            return Err(Refusal::new(why));
        }
        Ok(read)
    };
    let content = |files: Vec<(String, Vec<u8>)>| -> Vec<(String, Vec<u8>)> {
        files.into_iter().map(|(name, bytes)| (format!("{CONTENT}/{name}"), bytes)).collect()
    };
    let wanted: Vec<(String, Vec<u8>)> = match wanted {
        Wanted::Draft(drafts) => {
            as_begun(files, &drafts)?;
            drafts.into_iter().map(|draft| (draft.name, draft.text.into_bytes())).collect()
        }
        Wanted::Version { rules, content: texts } => {
            let mut all = version(&rules)?;
            if texts != spoken {
                all.extend(content(version(&texts)?));
            } else if let Ok(texts) = version(&texts) {
                // Another editor may have changed what the next launch would say; what is built in stands in no file.
                let texts = content(texts);
                let differs = |(name, said): &(String, Vec<u8>)| {
                    files.read(name).is_ok_and(|there| there.is_some_and(|there| there != *said))
                };
                all.extend(texts.into_iter().filter(differs));
            }
            all
        }
        Wanted::Saved => {
            let Some(Saved { edition, files, .. }) = pending.clone() else {
                return Err(Refusal::new("nothing was saved that is not in force"));
            };
            let has = |rules: bool| files.iter().any(|name| (name == RULES) == rules);
            let mut all = if has(true) { version(&edition.rules)? } else { Vec::new() };
            if has(false) {
                all.extend(content(version(&edition.content)?));
            }
            all.retain(|(name, _)| files.contains(name));
            all
        }
    };
    let mut changed = Vec::new();
    for (name, bytes) in wanted {
        let began = pending
            .iter()
            .flat_map(|saved| &saved.begun)
            .flat_map(|begun| &begun.before)
            .find(|(file, _)| *file == name);
        let there = match began {
            Some((_, began)) => began.clone().map(String::into_bytes),
            None => files.read(&name)?,
        };
        changed.push((name, there, bytes));
    }
    Ok(changed)
}

type JudgedFiles = Result<Vec<Shelved>, Refusal>;

/// Texts of the workspace that a version which is restored did not have, a line each. They stay: a save takes no file
/// away.
fn left(files: &dyn Files, restored: &[Shelved]) -> Vec<String> {
    let has = |name: &str| restored.iter().any(|(known, _, _)| known == name);
    let names = Channel::ALL.iter().map(|channel| content_name(*channel));
    let stays = |name: &String| !has(name) && files.read(name).is_ok_and(|there| there.is_some());
    let with_texts = restored.iter().any(|(name, _, _)| name != RULES);
    let line = |name| {
        format!(
            "{name} stays as it is: the version had no such text. Take it away yourself if it is not to be sent"
        )
    };
    names.filter(|name| with_texts && stays(name)).map(line).collect()
}

/// Fails where a file is neither what its draft was begun from nor what the draft makes of it: somebody else changed it,
/// and what they did is shown before anything is saved.
fn as_begun(files: &dyn Files, drafts: &[DraftFile]) -> Result<(), Refusal> {
    let mut refusal = Refusal::default();
    for draft in drafts {
        let (Some(began), Some(stands)) = (&draft.base, files.read(&draft.name)?) else { continue };
        if began.as_bytes() == stands || draft.text.as_bytes() == stands {
            continue;
        }
        refusal.lines.push(clean(&format!("{} was changed on disk since this draft began", draft.name)));
        let stands = String::from_utf8_lossy(&stands).into_owned();
        refusal.moved.push(Moved { name: draft.name.clone(), began: began.clone(), stands });
    }
    if refusal.moved.is_empty() { Ok(()) } else { Err(refusal) }
}

/// How many finished cascades count now, and with the new rules and texts.
async fn counted(store: Arc<dyn Keeper>, before: Question, after: Question) -> Option<Counted> {
    let finished = |answer: &crate::learning::answer::Answer| answer.segments.iter().map(|s| s.mature).sum();
    let (before, after) = tokio::join!(store.learn(before), store.learn(after));
    Some(Counted { before: finished(&before.ok()?), after: finished(&after.ok()?) })
}

impl Driver {
    /// Has a draft judged beside the loop, and answers what saving it would do.
    pub(in crate::runtime) fn preview_edit(&mut self, wanted: Wanted, reply: Answer) {
        let Some(files) = self.parts.files.clone() else {
            return drop(reply.send(Err(Refusal::new("this process has no files to edit"))));
        };
        let (store, news) = (Arc::clone(&self.parts.store), self.parts.tasks.news());
        let (saved, restored) = (wanted == Wanted::Saved, matches!(wanted, Wanted::Version { .. }));
        let in_flight = self.kept.campaign.as_ref().filter(|campaign| campaign.header.ended_at.is_none());
        let (spoken, in_flight) = (self.edition_in_force(in_flight).content, in_flight.is_some());
        let pending = self.desk.newest().filter(|saved| saved.state == SaveState::NotInForce);
        let (pending, signature) = (pending.cloned(), Signature::here());
        let asked = self.parts.plan.as_ref().map(|plan| plan.question(self.asked_at()));
        self.parts.tasks.spawn(Part::Judging, async move {
            let kept = Arc::clone(&store);
            let judged = beside(files, move |files| {
                let changed = judge(&*kept, files, wanted, pending.filter(|_| saved), &spoken)?;
                let named: Vec<_> = changed.iter().map(|(name, _, is)| (name.clone(), is.clone())).collect();
                let plan = files.judge(&named, in_flight)?;
                let mut trail = files.look(&change(&changed, &plan.ready.rules.hash, "", &signature));
                if restored {
                    trail.lines.extend(left(files, &changed));
                }
                Ok((changed, plan, trail))
            });
            let (files, plan, trail) = match judged.await {
                Some(Ok((files, plan, trail))) => (files, Ok(Box::new(plan)), trail),
                Some(Err(refusal)) => (Vec::new(), Err(refusal), Looked::default()),
                None => {
                    let why = Refusal::new("judging it ended badly; .cascade/log has where");
                    (Vec::new(), Err(why), Looked::default())
                }
            };
            let both =
                plan.as_ref().ok().zip(asked).map(|(plan, before)| (plan.question(before.now()), before));
            let learnt = match both.filter(|(after, before)| after.version() != before.version()) {
                Some((after, before)) => counted(store, before, after).await,
                None => None,
            };
            let judged = Judged { files, saved, restored, plan, trail, learnt, reply };
            let _ = news.send(News::Judged(Box::new(judged))).await;
        });
    }

    /// It is judged: keeps it under a number, and shows it.
    pub(in crate::runtime) fn judged(&mut self, judged: Judged) {
        let Judged { files, saved, restored, plan, trail, learnt, reply } = judged;
        let plan = match plan {
            Ok(plan) => *plan,
            Err(refusal) => return drop(reply.send(Err(refusal))),
        };
        let at = self.now();
        let in_flight = self.kept.campaign.as_ref().filter(|campaign| campaign.header.ended_at.is_none());
        let before = self.edition_in_force(in_flight);
        let names = |rules: bool| files.iter().any(|(name, _, _)| (name == RULES) == rules);
        let content = names(false) && plan.content.hash != before.content;
        let edited = Edited { rules: names(true), content };
        // What is not edited stays as the campaign has it, whatever stands on the disk.
        let pick = |edited: bool, new: &str, old: &str| if edited { new.to_owned() } else { old.to_owned() };
        let after = Edition {
            rules: pick(edited.rules, &plan.ready.rules.hash, &before.rules),
            content: pick(edited.content, &plan.content.hash, &before.content),
            commit: None,
        };
        let spoken = plan.ready.with((*self.parts.speaker.content).clone());
        let ready = if edited.content { &plan.ready } else { &spoken };
        let script = Script { ready, links_base: &plan.links_base };
        // Against what is said, whatever stood on the disk: texts that were saved for the next launch alone are new, too.
        let said = &self.parts.speaker.content;
        let says = |channel: &Channel| said.bytes(*channel) != plan.content.bytes(*channel);
        let texts = || Channel::ALL.iter().copied().filter(says).filter(|_| edited.content).collect();
        let flight = in_flight
            .map(|campaign| Flight::new((campaign, &self.kept.people), script, (edited, texts()), at));
        let is_new = files.iter().any(|(_, stood, is)| stood.as_ref() != Some(is))
            || (&before.rules, &before.content) != (&after.rules, &after.content);
        let moves = flight.as_ref().is_some_and(|flight| !flight.preview.people.is_empty());
        if restored && !is_new && !moves {
            let why = "that version is in force, and there is nobody in flight whom it would move";
            return drop(reply.send(Err(Refusal::new(why))));
        }
        self.desk.previews += 1;
        let number = self.desk.previews;
        let loose = !trail.loose.is_empty();
        let held = Held { number, files, plan: Arc::new(plan), edited, saved, loose, flight, after };
        let paces = self.parts.gallery.paces();
        let Looked { lines: trail, loose } = trail;
        let shown = EditPreview { trail, loose, learnt, ..view(&held, before, in_flight, at, &paces) };
        while self.desk.held.len() >= HELD {
            self.desk.held.pop_front();
        }
        self.desk.held.push_back(held);
        drop(reply.send(Ok(Box::new(shown))));
    }

    /// What the campaign in flight goes by, or what the next launch would.
    fn edition_in_force(&self, in_flight: Option<&Campaign>) -> Edition {
        if let Some(campaign) = in_flight {
            let newest = campaign.edition(campaign.newest_edition());
            return Edition { content: campaign.edition(campaign.header.content).content, ..newest };
        }
        let plan = self.parts.plan.as_ref();
        Edition {
            rules: plan.map(|plan| plan.ready.rules.hash.clone()).unwrap_or_default(),
            content: plan.map(|plan| plan.content.hash.clone()).unwrap_or_default(),
            commit: plan.and_then(|plan| plan.rules_commit.clone()),
        }
    }
}

/// What is to be kept, whoever is moved by it.
pub(super) fn change(files: &[Shelved], rules_hash: &str, reason: &str, signature: &Signature) -> Change {
    Change {
        files: files.iter().map(|(name, _, after)| (name.clone(), after.clone())).collect(),
        before: files.iter().map(|(name, before, _)| (name.clone(), before.clone())).collect(),
        reason: reason.to_owned(),
        counts: Vec::new(),
        rules_hash: rules_hash.to_owned(),
        by: signature.by.clone(),
        at: signature.wall_at,
        include: false,
    }
}
