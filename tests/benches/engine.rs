//! Speed of the engine as ratios measured in one run: decisions beside the fold of the same events, and beside raw
//! SQLite inserts of the same rows, a thousand to a commit. No ratio depends on how fast the machine is.

#![expect(missing_docs, reason = "criterion's macros make undocumented functions")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench reports by printing and fails by panicking"
)]

use cascade::clock::wall;
use cascade::engine::event::{CampaignKind, CascadeStart, Event, Launch};
use cascade::engine::input::{Heard, Input, What};
use cascade::engine::policy::Policy;
use cascade::engine::{self, Campaign, Concluded};
use cascade::model::{
    At, AttemptId, CampaignId, CascadeId, Channel, Leg, Mode, Money, Outcome, PersonId, Segment, TimerId,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

const PEOPLE: u64 = 1000;
const ROWS_A_COMMIT: usize = 1000;
const ROUNDS: usize = 7;

fn policy() -> Policy {
    let channels = [Channel::Whatsapp, Channel::Sms];
    Policy {
        conversion_window_s: 3600,
        quiet_hours: Vec::new(),
        expires_s: 86_400,
        retry_max: 5,
        per_person_24h: 3,
        budget: Money::parse("100000").unwrap(),
        currency: "USD".into(),
        max_failure_share: 1.0,
        max_optout_share: 1.0,
        min_customers: 50,
        concurrent: channels.map(|channel| (channel, 8)).into(),
        prices: channels.map(|channel| (channel, Money::ZERO, Money::ZERO)).into(),
    }
}

fn launch() -> Launch {
    Launch {
        name: "bench".into(),
        kind: CampaignKind::Pilot,
        mode: Mode::Rehearsal,
        rules_hash: String::new(),
        content_hash: String::new(),
        rules_commit: None,
        speed: 1.0,
        seed: 1,
        customers: PEOPLE,
        rejects: 0,
        store: "00000000".into(),
        first_cascade: CascadeId(1),
        first_attempt: AttemptId(1),
        first_timer: TimerId(1),
        policy: policy(),
    }
}

fn start(person: u64) -> (PersonId, CascadeStart) {
    let leg = |channel, wait_s| Leg {
        channel,
        wait_s,
        attempts: 1,
        bounce_waits: false,
        converts_on: vec![Outcome::Replied],
        reserve: Money::ZERO,
        template: None,
    };
    let start = CascadeStart {
        segment: Segment("smb".into()),
        start: Channel::Whatsapp,
        propensity: 1.0,
        drawn: None,
        walk: vec![leg(Channel::Whatsapp, Some(3600)), leg(Channel::Sms, None)],
        skips: Vec::new(),
        zone: "UTC".into(),
        country: None,
        line: PersonId(person),
        recent: Vec::new(),
    };
    (PersonId(person), start)
}

/// Everybody is sent to, hears nothing but `delivered`, and goes on by timers to the end.
fn campaign() -> Vec<Event> {
    let at = At::from_secs(1_767_621_600);
    let people = (1..=PEOPLE).map(start).collect();
    let (mut campaign, Concluded { mut events, .. }) = engine::launch(CampaignId(1), at, launch(), people);
    let mut at = at;
    while campaign.open() > 0 {
        for channel in [Channel::Whatsapp, Channel::Sms] {
            while !campaign.queue(channel).is_empty() {
                send_one(&mut campaign, at, channel, &mut events);
            }
        }
        at = campaign.next_due().unwrap();
        for timer in campaign.due(at) {
            events.extend(engine::apply(&mut campaign, at, Input::Timer(timer)).unwrap().events);
        }
    }
    events
}

fn send_one(campaign: &mut Campaign, at: At, channel: Channel, events: &mut Vec<Event>) {
    let attempt = *campaign.queue(channel).first().unwrap();
    let provider_id = format!("id-{}", attempt.0);
    let heard = Heard {
        provider: "bench".into(),
        channel,
        happened_at: Some(at),
        provider_id: Some(provider_id.clone()),
        attempt: Some(attempt),
        line: None,
        text: None,
        what: What::Delivered,
    };
    let news = [
        Input::Permit(channel),
        Input::Accepted { attempt, provider_id, units: 1 },
        Input::Heard(Box::new(heard)),
    ];
    for input in news {
        events.extend(engine::apply(campaign, at, input).unwrap().events);
    }
}

/// The log's own table, and nothing around it.
fn insert(bodies: &[(u64, i64, String)]) -> Duration {
    let directory = tempfile::tempdir().unwrap();
    let mut db = rusqlite::Connection::open(directory.path().join("bench.db")).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.pragma_update(None, "synchronous", "FULL").unwrap();
    db.execute_batch("CREATE TABLE event (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL)")
        .unwrap();
    let began = wall();
    for batch in bodies.chunks(ROWS_A_COMMIT) {
        let commit = db.transaction().unwrap();
        for (seq, at, body) in batch {
            let mut row = commit.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3)").unwrap();
            row.execute(rusqlite::params![*seq as i64, at, body]).unwrap();
        }
        commit.commit().unwrap();
    }
    began.elapsed()
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let began = wall();
    black_box(work());
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn ratios(criterion: &mut Criterion) {
    let events = campaign();
    assert!(engine::replay(&events).unwrap().open() == 0);
    let row = |(seq, e): (usize, &Event)| (seq as u64, e.at.millis(), serde_json::to_string(e).unwrap());
    let bodies: Vec<_> = events.iter().enumerate().map(row).collect();
    // Interleaved, so that whatever else the machine does falls on all three.
    let (mut decide, mut fold, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        decide.push(timed(campaign));
        fold.push(timed(|| engine::replay(&events)));
        raw.push(insert(&bodies));
    }
    let (decide, fold, raw) = (median(decide), median(fold), median(raw));
    println!("{} events of {PEOPLE} customers, median of {ROUNDS} rounds", events.len());
    println!("deciding takes {:.2} times as long as folding the same events", decide / fold);
    println!("deciding takes {:.2} times as long as inserting the same rows into SQLite", decide / raw);

    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(events.len() as u64)).sample_size(10);
    group.bench_function("decided", |bench| bench.iter(campaign));
    group.bench_function("folded", |bench| bench.iter(|| engine::replay(&events)));
    group.bench_function("inserted", |bench| {
        bench.iter_custom(|times| (0..times).map(|_| insert(&bodies)).sum());
    });
    group.finish();
}

criterion_group!(benches, ratios);
criterion_main!(benches);
