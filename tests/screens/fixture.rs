//! A campaign of 100 people in every state. Nothing is typed twice: tally, channels, steps and what falls due are
//! counted from the rows, so that every number on the screen reconciles. Deterministic; no clock is read.

use cascade::clock::Clock;
use cascade::engine::audit::Audit;
use cascade::engine::event::{CampaignKind, Deferral, End, Event, Hold, Kind, RecallResult, Subject};
use cascade::engine::forecast::PauseRow;
use cascade::engine::order::{Ask, Came, Deed, Left, Who};
use cascade::engine::snapshot::{
    BreakerRow, CampaignFacts, ChannelRow, DueGroup, DueKind, FailureRow, Last, LastWhat, Phase, Place,
    Purse, Row, Sending, Snapshot, StepRow, Tally,
};
use cascade::model::*;
use cascade::runtime::handle::*;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Tuesday 2026-01-06 16:12 in New York.
pub const NOW: &str = "2026-01-06T16:12:04-05:00";

const FIRST: [&str; 20] = [
    "Ana", "Bo", "Cy", "Gus", "Iris", "Kit", "Lou", "Moe", "Pia", "Zoë", "Mei", "Omar", "Ravi", "Tess",
    "Uma", "Vik", "Wes", "Yara", "Nils", "José",
];
const LAST: [&str; 10] =
    ["Silva", "Chen", "Dlamini", "Holm", "Kwan", "Moore", "Baker", "Adler", "Rossi", "Müller"];
const SEGMENTS: [&str; 3] = ["retail", "smb", "enterprise"];

pub fn now() -> At {
    At::parse(NOW).unwrap()
}

fn ago(minutes: i64) -> At {
    At(now().0 - minutes * 60_000)
}

fn soon(seconds: i64) -> At {
    At(now().0 + seconds * 1000)
}

pub fn failure(
    channel: Channel,
    code: &str,
    class: Class,
    scope: Scope,
    title: &str,
    remedy: &str,
) -> Failure {
    let provider = match channel {
        Channel::Whatsapp => "whatsapp",
        Channel::Phone => "vapi",
        Channel::Sms | Channel::Email => "twilio",
    };
    Failure {
        channel,
        provider: provider.into(),
        code: code.into(),
        class,
        scope,
        sent: if class == Class::InDoubt { Sent::Maybe } else { Sent::No },
        title: title.into(),
        remedy: remedy.into(),
        detail: Untrusted::new(format!("({code}) {title} \x1b[31m[fbtrace AbC123]")),
        retry_after_s: None,
    }
}

fn template() -> Scope {
    Scope::Template("renewal/de".into())
}

fn paused_template() -> Failure {
    let remedy = "Resume the template in the WhatsApp manager; those held go out by themselves.";
    failure(Channel::Whatsapp, "132015", Class::Config, template(), "template paused", remedy)
}

fn not_on_whatsapp() -> Failure {
    let remedy = "Nothing to do: they go on to the next channel.";
    failure(Channel::Whatsapp, "131026", Class::Recipient, Scope::Person, "not on WhatsApp", remedy)
}

fn throttled() -> Failure {
    let remedy = "Nothing to do: tried again by itself.";
    failure(Channel::Phone, "429", Class::Throttle, Scope::Account, "throttled", remedy)
}

fn doubtful() -> Failure {
    let remedy = "Look into the provider's call log, then settle it with x.";
    failure(Channel::Phone, "timeout", Class::InDoubt, Scope::Person, "no answer to the request", remedy)
}

struct Made {
    place: Place,
    step: u32,
    last: (i64, LastWhat),
    next: Option<(At, DueKind)>,
    heard: Vec<(Channel, Outcome)>,
    failure: Option<Failure>,
}

/// The 100 stories, by position.
fn story(i: u64) -> Made {
    use Channel::{Phone, Sms, Whatsapp};
    use Outcome::*;
    let wa = |extra: &[Outcome]| {
        let mut heard = vec![(Whatsapp, Delivered)];
        heard.extend(extra.iter().map(|o| (Whatsapp, *o)));
        heard
    };
    let made = |place, step, last, next, heard| Made { place, step, last, next, heard, failure: None };
    let m = i as i64;
    match i {
        0 => {
            made(Place::Sending(Sending::Ringing), 1, (374, LastWhat::Outcome(Read, None)), None, wa(&[Read]))
        }
        1 => Made {
            failure: Some(doubtful()),
            ..made(
                Place::InDoubt,
                1,
                (10, LastWhat::Accepted(Whatsapp)),
                Some((soon(6600), DueKind::Doubt)),
                wa(&[]),
            )
        },
        2 => Made {
            failure: Some(throttled()),
            ..made(
                Place::Retrying(2),
                1,
                (1, LastWhat::Failed("429".into(), Class::Throttle)),
                Some((soon(2), DueKind::Retry)),
                wa(&[Read]),
            )
        },
        3..=11 => {
            let mut heard = wa(if i.is_multiple_of(2) { &[Read] } else { &[] });
            heard.push((Phone, NoAnswer));
            let why = if i < 7 { "voicemail" } else { "busy" };
            let place = Place::Waiting;
            let due = Some((soon(5340 + m * 60), DueKind::NextStep));
            made(place, 1, (31 - m, LastWhat::Outcome(NoAnswer, Some(why.into()))), due, heard)
        }
        12..=14 => made(
            Place::Deferred(Deferral::QuietHours),
            1,
            (310, LastWhat::Outcome(Read, None)),
            Some((soon(11 * 3600 + 2900), DueKind::Deferred)),
            wa(&[Read]),
        ),
        15..=17 => {
            made(Place::Sending(Sending::Talking), 1, (360, LastWhat::Outcome(Read, None)), None, wa(&[Read]))
        }
        18..=19 => Made {
            failure: Some(paused_template()),
            ..made(
                Place::Held(Hold::Breaker { on: Whatsapp, scope: template() }),
                0,
                (420, LastWhat::Failed("132015".into(), Class::Config)),
                None,
                vec![],
            )
        },
        20..=21 => made(
            Place::Held(Hold::SharedNumber),
            0,
            (200, LastWhat::Outcome(Replied, None)),
            None,
            wa(&[Read, Replied]),
        ),
        22..=25 => Made {
            failure: Some(not_on_whatsapp()),
            ..made(
                Place::Sending(Sending::Planned),
                1,
                (425, LastWhat::Outcome(Bounced, Some("131026".into()))),
                Some((soon(60 * (m - 20)), DueKind::NextStep)),
                vec![(Whatsapp, Bounced)],
            )
        },
        26..=55 => made(
            Place::Waiting,
            0,
            (m, LastWhat::Outcome(if i.is_multiple_of(3) { Delivered } else { Read }, None)),
            Some((soon(300 + m * 40), DueKind::NextStep)),
            wa(if i.is_multiple_of(3) { &[] } else { &[Read] }),
        ),
        56..=58 => made(
            Place::Settling,
            2,
            (40, LastWhat::Outcome(Delivered, None)),
            Some((soon(23 * 3600), DueKind::Settle)),
            [wa(&[]), vec![(Phone, NoAnswer), (Sms, Delivered)]].concat(),
        ),
        59..=87 => ended(i, End::Converted, Whatsapp, Replied, wa(&[Read, Replied])),
        88..=92 => ended(i, End::Converted, Phone, Answered, [wa(&[Read]), vec![(Phone, Answered)]].concat()),
        93..=95 => ended(i, End::Declined, Whatsapp, Replied, wa(&[Read, Replied])),
        96 => ended(i, End::Stopped, Whatsapp, Delivered, wa(&[])),
        97..=98 => ended(i, End::OptedOut, Whatsapp, OptedOut, wa(&[Read, OptedOut])),
        _ => ended(i, End::OptedOut, Phone, OptedOut, [wa(&[]), vec![(Phone, OptedOut)]].concat()),
    }
}

fn ended(i: u64, end: End, by: Channel, what: Outcome, heard: Vec<(Channel, Outcome)>) -> Made {
    let step = u32::from(by == Channel::Phone);
    let credited = matches!(end, End::Converted | End::Declined).then_some(by);
    let last = (i as i64 + 20, LastWhat::Outcome(what, None));
    Made { place: Place::Ended(end, credited), step, last, next: None, heard, failure: None }
}

pub fn name(i: u64) -> String {
    match i {
        44 => "王小明".into(),
        45 => clean("\x1b[2JMallory"),
        _ => format!("{} {}", FIRST[(i % 20) as usize], LAST[((i / 2) % 10) as usize]),
    }
}

fn row(i: u64) -> Row {
    const WALK: [Channel; 3] = [Channel::Whatsapp, Channel::Phone, Channel::Sms];
    let made = story(i);
    let mut outcomes = [[false; 8]; 4];
    for (channel, outcome) in &made.heard {
        outcomes[channel.index()][outcome.index()] = true;
    }
    let refused = refused(&made.place);
    Row {
        cascade: CascadeId(i + 1),
        person: PersonId(i + 1),
        segment: Segment(SEGMENTS[(i % 3) as usize].into()),
        place: made.place,
        step: made.step,
        channel: WALK[made.step as usize],
        walk: WALK.to_vec(),
        last: Some(Last { at: ago(made.last.0), what: made.last.1 }),
        next: made.next,
        outcomes,
        failure: made.failure.map(Arc::new),
        attempt: Some(AttemptId(i + 1)),
        cost: Money::parse(if made.step == 0 { "0.05" } else { "0.31" }).unwrap(),
        contacted: !(18..=19).contains(&i),
        after_answer: i == 0,
        under: u64::from(!(18..=19).contains(&i)),
        refused,
    }
}

/// As the engine would refuse them; `Deed::ALL` says which is which.
fn refused(place: &Place) -> [Option<Left>; 7] {
    Deed::ALL.iter().map(|deed| refusal(place, *deed)).collect::<Vec<_>>().try_into().unwrap()
}

fn refusal(place: &Place, deed: Deed) -> Option<Left> {
    let can = match deed {
        Deed::OptOut => !matches!(place, Place::Ended(End::OptedOut, _)),
        Deed::Stop => !matches!(place, Place::Ended(..)),
        Deed::WasSent | Deed::WasNotSent => *place == Place::InDoubt,
        Deed::Release => *place == Place::Held(Hold::SharedNumber),
        Deed::SkipWait => *place == Place::Waiting,
        Deed::Retry => matches!(place, Place::Retrying(_)),
    };
    let why = match (deed, place) {
        (_, Place::Ended(end, _)) => (*end).into(),
        (Deed::WasSent | Deed::WasNotSent, _) => Left::NoDoubt,
        (Deed::Release, _) => Left::NotAsked,
        (_, Place::Retrying(_)) => Left::Retrying,
        (Deed::SkipWait, Place::Settling) => Left::LastStep,
        (Deed::SkipWait, Place::Deferred(_)) => Left::QuietHours,
        (_, Place::Waiting | Place::Settling) => Left::Sent,
        (_, Place::InDoubt) => Left::InDoubt,
        (_, Place::Held(hold)) => hold.into(),
        (_, Place::Sending(Sending::Planned) | Place::Queued | Place::Deferred(_)) => Left::Queued,
        (_, Place::Sending(_)) => Left::Sending,
    };
    (!can).then_some(why)
}

fn tally(rows: &[Arc<Row>]) -> Tally {
    let mut tally = Tally { total: rows.len() as u64, ..Tally::default() };
    for row in rows {
        match &row.place {
            Place::Ended(End::Converted, _) => tally.converted += 1,
            Place::Ended(End::Declined, _) => tally.declined += 1,
            Place::Ended(End::Exhausted, _) => tally.exhausted += 1,
            Place::Ended(End::OptedOut, _) => tally.opted_out += 1,
            Place::Ended(End::Stopped, _) => tally.stopped += 1,
            Place::Held(_) => tally.held += 1,
            Place::InDoubt => tally.in_doubt += 1,
            _ => tally.running += 1,
        }
        tally.on_phone += u64::from(matches!(row.place, Place::Sending(Sending::Ringing | Sending::Talking)));
    }
    tally
}

fn channels(rows: &[Arc<Row>]) -> Vec<ChannelRow> {
    [(Channel::Whatsapp, "4.65"), (Channel::Phone, "3.30"), (Channel::Sms, "0.12")]
        .into_iter()
        .map(|(channel, cost)| {
            let mut out = ChannelRow { channel: Some(channel), ..ChannelRow::default() };
            for row in rows {
                for (sum, heard) in out.outcomes.iter_mut().zip(row.outcomes[channel.index()]) {
                    *sum += u64::from(heard);
                }
                let reached = row.outcomes[channel.index()].iter().any(|heard| *heard);
                out.reached += u64::from(reached);
                let credited = matches!(row.place, Place::Ended(End::Converted, Some(c)) if c == channel);
                out.conversions += u64::from(credited);
                let at = row.walk.iter().position(|c| *c == channel).unwrap();
                let open = !matches!(row.place, Place::Ended(..));
                out.to_go += u64::from(open && !reached && at >= row.step as usize);
            }
            out.attempts = out.reached + 3;
            out.accepted = out.reached;
            out.cost = Money::parse(cost).unwrap();
            out
        })
        .collect()
}

fn steps(rows: &[Arc<Row>]) -> Vec<StepRow> {
    [(Channel::Whatsapp, Some(21_600)), (Channel::Phone, Some(7_200)), (Channel::Sms, None)]
        .into_iter()
        .enumerate()
        .map(|(i, (channel, wait_s))| {
            let here = |f: fn(&Place) -> bool| {
                rows.iter().filter(|r| r.step as usize == i && f(&r.place)).count() as u64
            };
            StepRow {
                channel,
                wait_s,
                sending: here(|p| {
                    matches!(p, Place::Queued | Place::Sending(_) | Place::Retrying(_) | Place::Deferred(_))
                }),
                waiting: here(|p| matches!(p, Place::Waiting | Place::Settling)),
                stuck: here(|p| matches!(p, Place::Held(_) | Place::InDoubt)),
                to_come: rows
                    .iter()
                    .filter(|r| (r.step as usize) < i && !matches!(r.place, Place::Ended(..)))
                    .count() as u64,
            }
        })
        .collect()
}

fn next(rows: &[Arc<Row>]) -> Vec<DueGroup> {
    let mut groups: BTreeMap<(DueKind, Option<Channel>), DueGroup> = BTreeMap::new();
    for row in rows {
        let Some((at, what)) = row.next else { continue };
        let channel = match what {
            DueKind::NextStep if row.place == Place::Waiting => row.walk.get(row.step as usize + 1).copied(),
            DueKind::Settle => None,
            _ => Some(row.channel),
        };
        let group =
            groups.entry((what, channel)).or_insert(DueGroup { from: at, to: at, channel, count: 0, what });
        (group.from, group.to) = (group.from.min(at), group.to.max(at));
        group.count += 1;
    }
    let mut groups: Vec<DueGroup> = groups.into_values().collect();
    groups.sort_by_key(|g| g.from);
    groups
}

fn failures(rows: &[Arc<Row>]) -> Vec<FailureRow> {
    let reaction = |class| match class {
        Class::Recipient | Class::Suppress => "moved on",
        Class::Config => "held",
        Class::Throttle | Class::Outage => "retried",
        Class::InDoubt => "waits for you",
    };
    let mut groups: BTreeMap<(Channel, String), FailureRow> = BTreeMap::new();
    for row in rows {
        let Some(failure) = &row.failure else { continue };
        let at = row.last.as_ref().unwrap().at;
        let group = groups.entry((failure.channel, failure.code.clone())).or_insert(FailureRow {
            failure: (**failure).clone(),
            customers: 0,
            attempts: 0,
            first_at: at,
            last_at: at,
            reaction: reaction(failure.class),
            cascades: vec![],
        });
        group.customers += 1;
        group.attempts += 1;
        group.cascades.push(row.cascade);
    }
    let mut groups: Vec<FailureRow> = groups.into_values().collect();
    groups.sort_by_key(|g| std::cmp::Reverse(g.customers));
    groups
}

fn campaign(mode: Mode) -> CampaignFacts {
    CampaignFacts {
        id: CampaignId(1),
        name: "spring-renewal".into(),
        kind: CampaignKind::Pilot,
        mode,
        rules_hash: "3f2a1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809".into(),
        rules_in_flight: "3f2a1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809".into(),
        content_hash: "00".into(),
        rules_commit: None,
        customers: 100,
        started_at: ago(432),
        ended_at: None,
        speed: if mode == Mode::Live { 1.0 } else { 720.0 },
        seed: 1,
        currency: "USD".into(),
        max_optout_share: 0.05,
    }
}

fn people(rows: &[Arc<Row>]) -> HashMap<PersonId, PersonCard> {
    rows.iter()
        .enumerate()
        .map(|(i, row)| {
            let card = PersonCard {
                name: name(i as u64),
                phone: Phone::parse_e164(&format!("+1415555{:04}", 100 + i)),
                segment: row.segment.screen(),
                language: Some("en_US".into()),
            };
            (row.person, card)
        })
        .collect()
}

fn entry(
    seq: u64,
    seconds_ago: i64,
    who: u64,
    channel: Channel,
    kind: Kind,
    text: Option<&str>,
) -> Arc<TimelineEntry> {
    let subject = Subject {
        customer: Some(PersonId(who + 1)),
        cascade: Some(CascadeId(who + 1)),
        step: Some(1),
        attempt: Some(AttemptId(who + 1)),
        channel: Some(channel),
    };
    let at = At(now().0 - seconds_ago * 1000);
    let event = Event { at, campaign: CampaignId(1), subject, kind };
    Arc::new(TimelineEntry { seq, event, text: text.map(Untrusted::from) })
}

fn heard(outcome: Outcome, seconds_ago: i64, why: Option<&str>, meant: Option<Disposition>) -> Kind {
    Kind::OutcomeHeard {
        outcome,
        happened_at: At(now().0 - seconds_ago * 1000),
        why: why.map(Into::into),
        disposition: meant,
        text: None,
    }
}

pub fn timeline() -> VecDeque<Arc<TimelineEntry>> {
    use Channel::{Phone, Whatsapp};
    use cascade::engine::event::CallProgress;
    let timer = TimerId(1);
    let mut entries = VecDeque::new();
    for i in 0..30 {
        let what = if i % 3 == 0 { Outcome::Delivered } else { Outcome::Read };
        let at = 1900 - i * 40;
        entries.push_back(entry(
            i as u64 + 1,
            at,
            26 + i as u64,
            Whatsapp,
            heard(what, at, None, None),
            None,
        ));
    }
    let refused = Kind::AttemptRefused { failure: Box::new(throttled()), reached: true };
    let again = Kind::RetryScheduled { retry: 2, due: soon(2), timer };
    let yes = Some(Disposition::Positive);
    let tail = [
        (95, 99, Phone, heard(Outcome::OptedOut, 95, None, None), Some("stop calling me, I said \x1b[2Jno")),
        (
            70,
            90,
            Whatsapp,
            heard(Outcome::Replied, 70, None, yes),
            Some("yes, please renew it for another year"),
        ),
        (69, 90, Phone, Kind::Recalled { result: RecallResult::Recalled }, None),
        (42, 3, Phone, heard(Outcome::NoAnswer, 42, Some("voicemail"), None), None),
        (30, 89, Phone, heard(Outcome::Answered, 30, None, yes), Some("Sure, go ahead.")),
        (
            29,
            89,
            Phone,
            Kind::CascadeEnded { end: End::Converted, credited: Some(Phone), credited_attempt: None },
            None,
        ),
        (8, 2, Phone, refused, None),
        (8, 2, Phone, again, None),
        (3, 0, Phone, Kind::CallProgressed { progress: CallProgress::Ringing }, None),
        (1, 0, Phone, Kind::TimerFired { timer }, None),
    ];
    for (seq, (at, who, channel, kind, text)) in (31..).zip(tail) {
        entries.push_back(entry(seq, at, who, channel, kind, text));
    }
    entries
}

fn inbox() -> Vec<InboxItem> {
    let texts = [
        "yes please",
        "How much is it?",
        "not me, wrong number",
        "ok",
        "sounds good, call me on Friday after lunch",
        "no thanks",
        "yes",
        "who is this?",
        "I will think about it",
    ];
    let meant = [
        Disposition::Positive,
        Disposition::Question,
        Disposition::WrongPerson,
        Disposition::Positive,
        Disposition::Positive,
        Disposition::Negative,
        Disposition::Positive,
        Disposition::Question,
        Disposition::Unclear,
    ];
    (0..9)
        .map(|i| InboxItem {
            seq: 40 + i as u64,
            at: ago(182 - i * 20),
            campaign: CampaignId(1),
            cascade: Some(CascadeId(60 + i as u64)),
            person: Some(PersonId(60 + i as u64)),
            channel: Channel::Whatsapp,
            text: texts[i as usize].into(),
            disposition: Some(meant[i as usize]),
        })
        .collect()
}

pub fn preflight() -> Preflight {
    let start = At::parse("2026-01-05T09:00:00-05:00").unwrap();
    let at = |h: i64, m: i64| At(start.0 + (h * 60 + m) * 60_000);
    Preflight {
        name: "spring-renewal".into(),
        people: 100,
        listed: 100,
        before: Before::default(),
        segments: vec![
            (Segment("retail".into()), 40),
            (Segment("smb".into()), 35),
            (Segment("enterprise".into()), 25),
        ],
        starts: vec![],
        waves: vec![
            Wave { channel: Channel::Whatsapp, from: at(0, 0), to: at(0, 1), people: 100 },
            Wave { channel: Channel::Phone, from: at(6, 0), to: at(6, 42), people: 100 },
            Wave { channel: Channel::Sms, from: at(8, 0), to: at(8, 44), people: 100 },
        ],
        worst_cost: Money::parse("79.00").unwrap(),
        budget: Money::parse("100.00").unwrap(),
        rules_hash: campaign(Mode::Rehearsal).rules_hash,
        rejects: vec![(17, "the number is too short: 0155".into())],
        rejects_total: 1,
        warnings: vec!["sms.txt takes 2 segments for 12 customers".into()],
        blocked: vec![],
    }
}

fn place(mode: Mode) -> PlaceFacts {
    PlaceFacts {
        mode,
        workspace: "~/spring".into(),
        rules_source: "rules/cascade.json".into(),
        rules_text: include_str!("../../rules/cascade.json").into(),
        content: vec![("sms.txt".into(), "Hi {{name}}, your plan ends soon: {{link}}".into())],
        timezone: "America/New_York".into(),
        currency: "USD".into(),
        paces: vec![(Channel::Whatsapp, 20.0, 8), (Channel::Phone, 1.0, 10), (Channel::Sms, 1.0, 4)],
        ..PlaceFacts::default()
    }
}

fn ears() -> Vec<Ear> {
    [("WhatsApp", 8), ("Vapi", 2), ("Twilio", 41)].map(|(name, s)| Ear { name, heard_s: Some(s) }).to_vec()
}

/// Everything up, nothing launched.
pub fn idle(mode: Mode) -> Picture {
    Picture {
        place: Arc::new(place(mode)),
        preflight: Some(Arc::new(preflight())),
        ears: ears(),
        ..Picture::default()
    }
}

/// In the middle of the afternoon.
pub fn running(mode: Mode) -> Picture {
    let rows: Vec<Arc<Row>> = (0..100).map(|i| Arc::new(row(i))).collect();
    let tally = tally(&rows);
    let channels = channels(&rows);
    let money = |text| Money::parse(text).unwrap();
    let failures = failures(&rows);
    let snapshot = Snapshot {
        seq: 40,
        now: now(),
        campaign: Some(Arc::new(campaign(mode))),
        phase: Phase::Running,
        tally,
        failures,
        breakers: vec![BreakerRow {
            channel: Channel::Whatsapp,
            scope: template(),
            failure: paused_template(),
            held: 2,
            since: ago(420),
            retry_at: None,
            by_word: false,
        }],
        steps: steps(&rows),
        next: next(&rows),
        money: Purse {
            spent: channels.iter().map(|c| c.cost).sum(),
            reserved: money("2.20"),
            budget: money("50.00"),
            ends_at: (money("15.10"), money("20.40")),
        },
        dispositions: vec![
            (Disposition::Positive, 30),
            (Disposition::Negative, 2),
            (Disposition::WrongPerson, 1),
            (Disposition::Question, 2),
            (Disposition::Unclear, 4),
        ],
        machines: 4,
        clicks_suspected: 2,
        contacted_after_answer: 1,
        channels,
        rows: Arc::new(rows.clone()),
        ..Snapshot::default()
    };
    Picture {
        snapshot,
        people: Arc::new(people(&rows)),
        audit: Arc::new(audit()),
        timeline: Arc::new(timeline()),
        inbox: Arc::new(inbox()),
        ..idle(mode)
    }
}

pub fn ops() -> Who {
    Who { user: "ops".into(), host: "desk".into(), tty: Some("/dev/pts/3".into()) }
}

/// Three orders: a pause, the end of a doubled key, and a stop of four with everything that can come of it.
pub fn audit() -> Audit {
    let mut audit = Audit::default();
    let mut seq = 100;
    let mut see = |subject: Subject, at: At, kind: Kind, why: Option<&str>| {
        seq += 1;
        let event = Event { at, campaign: CampaignId(1), subject, kind };
        audit.see(seq, &event, why.map(Untrusted::from).as_ref());
    };
    let ordered = |order, what, people, left| Kind::Ordered {
        order: OrderId(order),
        what,
        people,
        by: ops(),
        wall_at: At::parse("2026-03-04T10:11:12Z").unwrap(),
        scope: None,
        text: None,
        left,
    };
    let nobody = Subject::default();
    see(nobody, ago(60), ordered(1, Ask::Pause, 0, None), None);
    see(nobody, ago(59), ordered(2, Ask::Pause, 0, Some(Left::AlreadyPaused)), None);
    see(nobody, ago(2), ordered(3, Ask::Stop, 5, None), Some("they asked us \x1b[2Jto"));
    let person =
        |i: u64| Subject { customer: Some(PersonId(i)), cascade: Some(CascadeId(i)), ..Subject::default() };
    let met = |came| Kind::OrderMet { order: OrderId(3), came };
    for (who, came) in [
        (1, Came::Recalling),
        (4, Came::SentBefore),
        (19, Came::Done),
        (60, Came::Left(Left::Converted)),
        (16, Came::Recalling),
    ] {
        see(person(who), ago(2), met(came), None);
    }
    see(person(1), ago(1), Kind::Recalled { result: RecallResult::TooLate }, None);
    audit
}

/// The same, and an order that has just been given.
pub fn audit_and_one_more() -> Audit {
    let mut audit = audit();
    let (order, what, by) = (OrderId(4), Ask::Stop, ops());
    let (people, scope, text, left) = (64, None, None, None);
    let kind = Kind::Ordered { order, what, people, by, wall_at: now(), scope, text, left };
    let event = Event { at: now(), campaign: CampaignId(1), subject: Subject::default(), kind };
    audit.see(200, &event, None);
    audit
}

/// A channel that paused itself, as the picture tells it.
pub fn paused_itself(picture: &mut Picture) {
    picture.snapshot.pauses.push(PauseRow {
        only: Some(Channel::Sms),
        since: ago(30),
        why: "SMS: 3 opt-outs among 40 customers, more than the 5 % allowed".into(),
        by_itself: true,
        asking: false,
        untold: vec![],
        waiting: 7,
        due: vec![(Channel::Sms, 7)],
        due_extended: vec![(Channel::Sms, 2)],
    });
    for row in &mut picture.snapshot.channels {
        if row.channel == Some(Channel::Sms) {
            row.paused = Some("SMS: 3 opt-outs among 40 customers, more than the 5 % allowed".into());
        }
    }
}

/// Everything on hold.
pub fn on_hold(picture: &mut Picture) {
    picture.snapshot.phase = Phase::Paused("held by an operator (P)".into());
    picture.snapshot.pauses.push(PauseRow {
        only: None,
        since: ago(120),
        why: "held by an operator (P)".into(),
        by_itself: false,
        asking: false,
        untold: vec![],
        waiting: 46,
        due: vec![(Channel::Phone, 40), (Channel::Sms, 2)],
        due_extended: vec![(Channel::Phone, 3)],
    });
}

/// The engine's end of a handle.
pub struct Engine {
    pub picture: watch::Sender<Arc<Picture>>,
    pub commands: mpsc::Receiver<Command>,
    pub notices: mpsc::Sender<Notice>,
    /// What is said when the record is asked.
    pub learnt: Learnt,
    /// What stands in the rules file when something is previewed; `None`: whatever the draft began from.
    pub stands: Option<String>,
}

/// A console's handle and the engine's end of it; time stands at [`now`].
pub fn handle(picture: Picture) -> (Handle, Engine) {
    let clock = Clock::scaled(now(), 720.0);
    let (picture_to, picture) = watch::channel(Arc::new(picture));
    let (commands, commands_from) = mpsc::channel(16);
    let (notices_to, notices) = mpsc::channel(16);
    let operator = ops();
    let handle = Handle { picture, commands, notices, clock, operator, control: None };
    let learnt = Err("nothing was recorded".into());
    let stands = None;
    (handle, Engine { picture: picture_to, commands: commands_from, notices: notices_to, learnt, stands })
}
