//! What an engine answers to whoever wants to save: the same people each time, and one more the second time.

use crate::fixture;
use cascade::engine::event::Edition;
use cascade::engine::retime::{Choice, Fate, Shown, Stays, Wave};
use cascade::engine::snapshot::Place;
use cascade::model::{At, CampaignId, CascadeId, Channel, Mode};
use cascade::runtime::handle::{Previewed, VersionFiles};
use cascade::runtime::saving::{
    Counted, DraftFile, EditPreview, Loose, Moved, Outlook, Refusal, Version, Wanted,
};

pub const RULES: &str = include_str!("../../rules/cascade.json");

fn edition(rules: &str, content: &str) -> Edition {
    let commit = Some("9f8e7d6c5b4a39281706f5e4d3c2b1a098765432".into());
    Edition { rules: rules.repeat(8), content: content.repeat(8), commit }
}

/// Those who wait on WhatsApp, two hours sooner; from the second preview on, one more.
fn people(number: u64) -> Vec<Shown> {
    let picture = fixture::running(Mode::Rehearsal);
    let waits = picture.snapshot.rows.iter().filter(|row| row.place == Place::Waiting);
    let waits = waits.filter(|row| row.channel == Channel::Whatsapp);
    let hours = |at: At, hours: i64| At(at.0 + hours * 3_600_000);
    let mut shown: Vec<Shown> = waits
        .map(|row| {
            let from = row.next.map_or(fixture::now(), |(at, _)| at);
            let (to, spread) = (hours(from, -2), hours(from, -1));
            Shown {
                cascade: row.cascade,
                person: row.person,
                step: row.step,
                attempt: row.attempt,
                timer: None,
                channel: row.channel,
                next: Some(Channel::Phone),
                fate: Fate::Wait { from, to, spread, settles: false },
            }
        })
        .collect();
    shown.truncate(14);
    if number < 2 {
        shown.pop();
    }
    if let Some(last) = shown.last_mut().filter(|_| number < 2) {
        last.fate = Fate::Later;
    }
    shown
}

pub fn preview(number: u64) -> EditPreview {
    let people = people(number);
    let at = fixture::now();
    let outlook = |choice: Choice| {
        let at_once = people.iter().filter(|shown| shown.at_once(choice, at)).count() as u64;
        let moved = if choice == Choice::Keep { 0 } else { people.len() as u64 };
        let wave = Wave {
            channel: Channel::Phone,
            at_once,
            lasts_s: at_once as f64 * 12.0,
            peak: at_once.max(4),
            peak_before: 4,
            room: 5,
        };
        let until = (choice == Choice::RetimeAndSpread).then_some(At(at.0 + 3_600_000));
        // Somebody is due just after the first one was made.
        let next = (number == 1 && choice == Choice::Retime).then_some(at);
        Outlook { choice, moved, at_once, next, until, waves: vec![wave] }
    };
    EditPreview {
        number,
        at,
        campaign: Some((CampaignId(1), "spring-renewal".into())),
        before: edition("3f2a1c4d", "aa00bb11"),
        after: edition("77c0ffee", "aa00bb11"),
        files: vec![("rules/cascade.json".into(), RULES.into(), RULES.replace("6h", "4h"))],
        affected: people.len() as u64,
        waits: people.iter().filter(|shown| matches!(shown.fate, Fate::Wait { .. })).count() as u64,
        later: people.iter().filter(|shown| shown.fate == Fate::Later).count() as u64,
        leaves: 0,
        stays: Stays { same: 40, settling: 5, shared: 2, ended: 39 },
        choices: [Choice::Keep, Choice::Retime, Choice::RetimeAndSpread].map(outlook).to_vec(),
        people,
        terms: Vec::new(),
        texts: Vec::new(),
        loose: Vec::new(),
        learnt: None,
        trail: vec!["commit on a new branch cascade/…, by Ana <ana@example.com>".into()],
        warnings: vec![
            "rules/cascade.json:3:30: warning: this wait ends in quiet hours for 12 of 100".into(),
        ],
    }
}

/// What an engine answers whose rules file holds `stands`, which nobody committed.
pub fn answer(wanted: &Wanted, number: u64, stands: Option<&str>) -> Previewed {
    let file = match wanted {
        Wanted::Draft(files) => &files[0],
        Wanted::Version { .. } | Wanted::Saved => return Ok(Box::new(preview(number))),
    };
    if file.name.contains("content") {
        return Ok(Box::new(texts(number, file)));
    }
    if file.text.contains("\"wait\": \"3h\", \"if_no_reply\"") {
        return Ok(Box::new(later(number)));
    }
    let Some(stands) = stands else { return Ok(Box::new(preview(number))) };
    let name = file.name.clone();
    match &file.base {
        Some(began) if began != stands => {
            let lines = vec![format!("{name} was changed on disk since this draft began")];
            let moved = vec![Moved { name, began: began.clone(), stands: stands.into() }];
            Err(Refusal { lines, moved })
        }
        Some(_) | None => Ok(Box::new(EditPreview {
            files: vec![(name.clone(), stands.into(), file.text.clone())],
            loose: vec![Loose { name, committed: RULES.into(), stands: stands.into() }],
            learnt: Some(Counted { before: 480, after: 0 }),
            number,
            // Nobody else comes to wait.
            ..preview(1)
        })),
    }
}

/// The same people each time, of whom one more is due at once.
fn later(number: u64) -> EditPreview {
    let mut preview = EditPreview { number, ..preview(1) };
    for outlook in preview.choices.iter_mut().filter(|outlook| outlook.choice != Choice::Keep) {
        (outlook.at_once, outlook.next) = (number, None);
    }
    preview
}

/// New texts move no wait.
fn texts(number: u64, file: &DraftFile) -> EditPreview {
    let mut people = people(1);
    for shown in &mut people {
        shown.fate = Fate::Later;
    }
    EditPreview {
        after: edition("3f2a1c4d", "bb22cc33"),
        files: vec![(file.name.clone(), file.base.clone().unwrap(), file.text.clone())],
        waits: 0,
        later: people.len() as u64,
        texts: vec![(Channel::Sms, 61)],
        people,
        ..preview(number)
    }
}

/// Two versions of one campaign: as it was launched, and shortened.
pub fn versions() -> Vec<Version> {
    let now = fixture::now();
    let version = |number, edition, hours: i64, why: &str, choice, people, conversions| Version {
        edition,
        at: At(now.0 - hours * 3_600_000),
        wall_at: None,
        campaign: Some(CampaignId(1)),
        number,
        by: Some(fixture::ops()),
        why: why.into(),
        choice,
        people,
        conversions,
    };
    let second = edition("77c0ffee", "aa00bb11");
    let first = edition("3f2a1c4d", "aa00bb11");
    vec![
        version(1, second, 2, "phones are free before four", Some(Choice::Retime), 12, 3),
        version(0, first, 30, "", None, 100, 34),
    ]
}

pub fn files(hash: &str) -> VersionFiles {
    let rules = if hash.starts_with("77c0ffee") { RULES.replace("6h", "4h") } else { RULES.to_owned() };
    if hash.starts_with("aa00bb11") {
        return vec![("sms.txt".into(), "Hi {{name}}: {{link}}".into())];
    }
    vec![("rules/cascade.json".into(), rules)]
}

/// Whom the first preview names.
pub fn shown() -> Vec<CascadeId> {
    people(1).iter().map(|shown| shown.cascade).collect()
}
