//! Edits of the rules while people are in flight: what a script may say of them, and an oracle of its own.

use crate::script::{Play, prepare};
use crate::setting::{channel, course, ladder, seconds};
use crate::world::World;
use cascade::engine::event::{Edition, Event, Kind};
use cascade::engine::input::Input;
use cascade::engine::journey::{Journey, Stage};
use cascade::engine::order::{Ask, Who};
use cascade::engine::record::Record;
use cascade::engine::retime::{Choice, Courses, Edit, Fate, Preview, Shown, preview, waves};
use cascade::engine::{Campaign, replay};
use cascade::model::{At, AttemptId, CascadeId, Channel};
use std::collections::BTreeMap;

/// What an operator looked at, and how everybody stood then.
#[derive(Clone, Debug)]
pub struct Looked {
    pub preview: Preview,
    pub courses: Courses,
    edition: Edition,
    base: u32,
    stood: BTreeMap<CascadeId, Stood>,
}

/// Everything of a person that an edit may go by.
#[derive(Clone, Debug, PartialEq)]
struct Stood {
    state: String,
    step: u32,
    newest: Option<(AttemptId, Stage)>,
    timer: String,
    walk: String,
}

impl Stood {
    fn new(journey: &Journey) -> Self {
        Self {
            state: format!("{:?}", journey.state),
            step: journey.step,
            newest: journey.newest().map(|a| (a.id, a.stage)),
            timer: format!("{:?}", journey.timer),
            walk: format!("{:?}", journey.start.walk),
        }
    }
}

fn stand(campaign: &Campaign) -> BTreeMap<CascadeId, Stood> {
    campaign.journeys().iter().map(|journey| (journey.id, Stood::new(journey))).collect()
}

impl Looked {
    /// At what these rules (`whatsapp 4h > sms window=2h`) would do now, to all of them or those alone of a segment.
    pub fn at(world: &World, rules: &str, whose: impl Fn(CascadeId) -> bool) -> Self {
        let campaign = &world.campaign;
        let mut terms = campaign.header.launch.policy.terms();
        let (rules, window) = rules.split_once(" window=").map_or((rules, None), |(r, w)| (r, Some(w)));
        if let Some(window) = window {
            terms.conversion_window_s = seconds(window);
        }
        let ladder = ladder(rules);
        let open = campaign.journeys().iter().filter(|journey| !journey.is_over() && whose(journey.id));
        let of = open.map(|journey| (journey.id, course(journey, &ladder))).collect();
        let courses = Courses { of, texts: Vec::new(), terms };
        let edition = Edition { rules: rules.into(), content: "c".into(), commit: None };
        let preview = preview(campaign, world.now, &courses);
        Self { preview, courses, edition, base: campaign.newest_edition(), stood: stand(campaign) }
    }

    /// The edit that was looked at.
    pub fn edit(&self, world: &World, choice: Choice) -> Input {
        Input::Edit(Box::new(Edit {
            what: Ask::EditRules,
            edition: self.edition.clone(),
            choice,
            preview: self.preview.clone(),
            courses: self.courses.clone(),
            base: self.base,
            by: Who { user: "ops".into(), host: "desk".into(), tty: None },
            wall_at: world.now,
            campaign: world.campaign.id(),
            text: None,
        }))
    }

    /// Puts it in force, and asks whether exactly those were moved who were shown, as they were shown.
    pub fn put_in_force(&self, world: &mut World, choice: Choice) {
        let (before, from) = (world.campaign.clone(), world.seen.events.len());
        let input = self.edit(world, choice);
        world.feed(input).unwrap();
        let done = world.seen.events[from..].iter().any(|e| matches!(e.kind, Kind::RulesChanged { .. }));
        let (now, after) = (world.now, &world.campaign);
        for journey in before.journeys() {
            let is = after.journey(journey.id).unwrap();
            let shown = self.preview.people.iter().find(|shown| shown.cascade == journey.id);
            let same = self.stood.get(&journey.id) == Some(&Stood::new(journey));
            let untouched = Stood::new(is) == Stood::new(journey);
            match shown.filter(|_| done && choice != Choice::Keep) {
                None => assert!(untouched, "nobody asked for {journey:?} to become {is:?}"),
                Some(shown) if same => moved_as_shown(shown, journey, is, choice, now),
                Some(shown) if !untouched => moved_as_shown(shown, journey, is, choice, now),
                Some(_) => {}
            }
            walked_stays(journey, is);
        }
    }
}

fn moved_as_shown(shown: &Shown, was: &Journey, is: &Journey, choice: Choice, now: At) {
    match shown.fate {
        Fate::Wait { from, .. } => {
            let due = shown.due(choice).unwrap();
            let due = if due == from { from } else { due.max(now) };
            assert_eq!(is.timer.map(|timer| timer.due), Some(due), "{shown:?} became {is:?}");
            assert_eq!((was.step, was.newest()), (is.step, is.newest()), "a started step was changed");
        }
        Fate::Later => {
            assert_eq!((&was.state, was.timer, was.step), (&is.state, is.timer, is.step), "{shown:?}");
        }
        Fate::Leaves => {
            let left = is.step > was.step || is.is_over() || is.step as usize + 1 >= is.start.walk.len();
            assert!(left, "{shown:?} became {is:?}");
            let planned = was.newest().filter(|a| a.stage == Stage::Planned);
            let stays = planned.is_some_and(|a| is.attempt(a.id).unwrap().stage == Stage::Planned);
            assert!(!stays, "a send to a channel that is gone is still planned: {is:?}");
        }
    }
}

/// Steps that were walked stay as they are, a channel stands in a walk once, and the last step alone has no wait.
fn walked_stays(was: &Journey, is: &Journey) {
    let walked = was.step as usize;
    assert_eq!(was.start.walk[..walked], is.start.walk[..walked], "what was walked was changed");
    assert_eq!(was.start.walk[walked].channel, is.start.walk[walked].channel, "their step was changed");
    let channels: Vec<Channel> = is.start.walk.iter().map(|leg| leg.channel).collect();
    let twice = channels.iter().any(|c| channels.iter().filter(|o| *o == c).count() > 1);
    assert!(!twice, "a channel stands twice in {channels:?}");
    let last = is.start.walk.len() - 1;
    let waits = is.start.walk.iter().enumerate().all(|(at, leg)| leg.wait_s.is_none() == (at == last));
    assert!(waits, "{:?}", is.start.walk);
}

impl Play {
    /// `preview RULES`, `edit CHOICE`, `peak CHOICE phone 2 before 1`, `shown ann ...`, `at_once CHOICE 3`: whether it was one of these.
    pub fn edits(&mut self, words: &[&str]) -> bool {
        match words {
            ["preview", words @ ..] => {
                let words = words.join(" ");
                let (rules, names) = words.split_once(" for ").unwrap_or((&words, ""));
                let whose: Vec<CascadeId> = names.split_whitespace().map(|name| self.cascade(name)).collect();
                let looked = Looked::at(&self.world, rules, |id| whose.is_empty() || whose.contains(&id));
                self.looked = Some(looked);
            }
            ["edit", choice] => {
                let choice = self.choice(choice);
                let looked = self.looked().clone();
                looked.put_in_force(&mut self.world, choice);
                for timer in self.world.campaign.due(self.world.now) {
                    self.world.feed(Input::Timer(timer)).unwrap();
                }
                self.world.send_what_may_go();
            }
            ["shown", name, expected @ ..] => {
                assert_eq!(self.shown(name), expected.join(" "), "{}", self.place);
            }
            ["at_once", choice, count] => {
                let preview = &self.looked().preview;
                let is = preview.at_once(self.choice(choice), preview.at);
                assert_eq!(is.to_string(), **count, "{}", self.place);
            }
            ["peak", choice, on, peak, "before", before] => {
                let paces = [(channel(on), 1.0, 1)];
                let waves = waves(&self.looked().preview, self.choice(choice), &paces);
                let is: Vec<_> = waves.iter().map(|wave| (wave.peak, wave.peak_before)).collect();
                let expected = (peak.parse().unwrap(), before.parse().unwrap());
                assert_eq!(is, [expected], "{}", self.place);
            }
            [name, "goes_by", number] => {
                assert_eq!(self.journey(name).edition.to_string(), **number, "{}", self.place);
            }
            [name, "ran", editions @ ..] => {
                let claims = self.journey(name).attempts.iter().filter(|a| a.claimed_at.is_some());
                let ran: Vec<String> = claims.map(|a| a.rules.to_string()).collect();
                assert_eq!(ran, *editions, "{}", self.place);
            }
            _ => return false,
        }
        true
    }

    fn looked(&self) -> &Looked {
        self.looked.as_ref().unwrap_or_else(|| panic!("{}: nothing was previewed", self.place))
    }

    fn choice(&self, word: &str) -> Choice {
        Choice::parse(word).unwrap_or_else(|| panic!("{}: {word:?} is no choice", self.place))
    }

    /// `wait 4h now`, `wait 4h 5h settles`, `later`, `leaves`, `nothing`; what follows behind `then`.
    fn shown(&self, name: &str) -> String {
        let id = self.cascade(name);
        let Some(shown) = self.looked().preview.people.iter().find(|shown| shown.cascade == id) else {
            return "nothing".into();
        };
        let after = |at: At| cascade::rules::format_duration_s((at - self.after(0)).num_seconds() as u64);
        let fate = match shown.fate {
            Fate::Wait { to, spread, settles, .. } => {
                let settles = if settles { " settles" } else { "" };
                let spread = if spread == to { String::new() } else { format!(" spread {}", after(spread)) };
                format!("wait {}{spread}{settles}", after(to))
            }
            Fate::Later => "later".into(),
            Fate::Leaves => "leaves".into(),
        };
        shown.next.map_or(fate.clone(), |next| format!("{fate} then {next}"))
    }
}

/// New texts for everybody who is told one from now on, and nobody is moved.
fn say(world: &mut World, content: &str, texts: &[Channel]) {
    let mut looked = Looked::at(world, "whatsapp 6h > phone 2h > sms", |_| false);
    looked.edition.content = content.into();
    looked.courses.texts = texts.to_vec();
    looked.put_in_force(world, Choice::Retime);
}

#[test]
fn only_whoever_is_told_something_else_is_touched_by_new_texts() {
    let setting = r#"
        says = "The voice changes before ann's message has left."
        rules = "whatsapp 6h > phone 2h > sms"
        permits = false
        script = ""
    "#;
    let mut play = prepare("texts", setting);
    let claims = |events: &[Event]| -> Vec<(Channel, u32)> {
        let claim = |event: &Event| match event.kind {
            Kind::AttemptClaimed { content, .. } => Some((event.subject.channel?, content)),
            _ => None,
        };
        events.iter().filter_map(claim).collect()
    };
    let is_touched = |events: &[Event]| {
        let mut record = None;
        for event in events {
            match (&event.kind, &mut record) {
                (Kind::CascadeStarted { start }, _) => record = Some(Record::begun(event.at, start)),
                (_, Some(record)) => record.fold(event),
                (_, None) => {}
            }
        }
        record.unwrap().forced
    };
    say(&mut play.world, "c2", &[Channel::Phone]);
    play.world.permits = true;
    play.world.send_what_may_go();
    assert_eq!(claims(&play.world.seen.events), [(Channel::Whatsapp, 0)], "the text of the launch");
    assert!(!is_touched(&play.world.seen.events));
    play.give(play.news("ann accepted"));
    let due = At(play.world.now.0 + 6 * 3_600_000);
    play.world.pass(due);
    play.world.send_what_may_go();
    assert_eq!(claims(&play.world.seen.events)[1..], [(Channel::Phone, 1)]);
    assert!(is_touched(&play.world.seen.events));

    let said = |campaign: &Campaign| Channel::ALL.iter().map(|c| campaign.content_on(*c)).collect::<Vec<_>>();
    say(&mut play.world, "c3", &[Channel::Sms]);
    assert_eq!(said(&play.world.campaign), [0, 1, 2, 0]);
    // As programs wrote it that did not tell on which channels.
    let mut untold = play.world.seen.events.clone();
    for event in &mut untold {
        if let Kind::RulesChanged { texts, .. } = &mut event.kind {
            *texts = None;
        }
    }
    assert_eq!(said(&replay(&untold).unwrap()), [2; 4]);
    say(&mut play.world, "c", &[Channel::Phone, Channel::Sms]);
    assert_eq!(said(&play.world.campaign), [0; 4], "as they were at the launch");
    assert_eq!(play.world.campaign.header.content, 3);
}
