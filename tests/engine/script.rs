//! The lines of a scenario: what happens, and what then holds.
//!
//! ```text
//! 40m                            time passes until 40 minutes after the launch; timers fire, sends are claimed
//! ann accepted                   the newest claimed send is accepted (`all accepted`: everybody's; `units=3`)
//! ann refused outage             the create call fails, nothing was sent (names: `failures.rs`)
//! ann unreached outage           the same, and the provider never got the request
//! ann unanswered                 the create call's answer is lost
//! ann delivered | read | sent | clicked | scanned | reported landline | costs 0.10
//! ann rings | talks | hangs_up [positive] | no_answer | voicemail | canceled | call_failed landline
//! ann replies positive           to the message itself; `unnamed`: by number alone; `opt_out`, `opt_in`
//! ann presses_stop               a switch of the provider
//!     ... each of these takes `on sms` (else the newest send) and `happened=30m` (else now)
//!     and `by_id`: the report names the provider's id alone, not our attempt; `lost=77`: an attempt that is not known
//! stranger replies positive      a number and a message that nobody knows
//! ann found | braked opted_out | recalled too_late
//! ann stop | opt_out_told | was_sent | was_not_sent | release | skip_wait | retry       the operator
//! all_of ann bob: stop           the same for several; `gone bob`: whom the operator's filter lists no more
//! stop_all | launch_signed | foreign: resume       `foreign`: it was meant for another campaign
//! ann came done | left queued    what the newest order came to for her; `order came left not_paused`: as a whole
//! pause [phone] | resume [phone] [extend] | mend whatsapp account | check sms sender shut | shut sms sender_off ann
//! restored                       the store came from a backup: attempt ids from 1000 on, nothing is sent
//! lists sms ann 2h [foreign]     that provider lists a message or call to her at that time, in our words or not
//! lists phone ann 3h named 7     the same, and it names our attempt
//! reconcile [whatsapp]           everything listed is taken in; of these channels nobody can tell
//! restart | permits off | permits on | timer 7 | again              `again`: the last input once more changes nobody
//! impossible: ann accepted       a typed error, and nothing changes
//! ann is waiting on phone until 8h        every open state and end; `by whatsapp`: credited
//! ann got whatsapp phone         every claim so far, in order; `nothing`
//! ann has delivered read [on sms]         exactly these outcomes
//! ann log attempt_planned wait_started    these kinds of events, in this order, others between them
//! asks recall ann | look_up ann | check | nothing         of the world, since the last input
//! without_end ann bob            whose calls and messages are asked about after a gap, in order; `none`
//! tally held=2 running=3 | breakers whatsapp template | paused phone | spent 0.05 | reserved 0.20
//! preview whatsapp 4h > sms | edit retime | edit keep       what new rules would do, and putting them in force as shown
//! shown ann wait 4h then phone | shown ann later | nothing       `spread 5h`, `settles`; `leaves`: her channel is gone
//! preview whatsapp 4h > sms for ann bob | peak retime phone 2 before 1    of a segment; the most within ten minutes, all told
//! at_once retime 3 | ann goes_by 1 | ann ran 0 1       versions of the rules: hers, and those under which her sends ran
//! after_answer 1 | unmatched 1 | scanners 1 | campaign running | stuck | paused | ended
//! ```

use crate::edits::Looked;
use crate::failures::failure;
use crate::setting::{MONDAY, Setting, channel, seconds};
use crate::world::World;
use cascade::engine::event::{CallProgress, RecallResult};
use cascade::engine::input::{CallEnd, CallResult, Heard, Input, What};
use cascade::engine::journey::{Attempt, Journey};
use cascade::engine::meaning::Meaning;
use cascade::engine::order::{Deed, Order, Signed, Target, Who};
use cascade::engine::restored::{Gap, SentBefore};
use cascade::model::{At, AttemptId, CascadeId, Channel, Disposition, Money, Scope, TimerId};

/// Runs one file. Panics with its name, the line and what is wrong.
pub fn run(file: &str, text: &str) {
    prepare(file, text);
}

/// The same, and hands over what it led to.
pub fn prepare(file: &str, text: &str) -> Play {
    let setting = Setting::read(text);
    assert!(!setting.says.is_empty(), "{file} does not say what it is about");
    let launched = At::parse(MONDAY).unwrap();
    let mut world = World::launch(launched, setting.launch(), setting.starts(launched));
    world.permits = setting.permits;
    world.send_what_may_go();
    let mut play = Play {
        names: setting.names(),
        world,
        launched,
        last: None,
        listed: Vec::new(),
        looked: None,
        place: String::new(),
    };
    for (number, line) in setting.script.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            play.place = format!("{file}, script line {}: {line}", number + 1);
            play.line(line);
        }
    }
    play
}

/// A scenario on its way.
pub struct Play {
    pub names: Vec<String>,
    pub world: World,
    launched: At,
    last: Option<Input>,
    /// What providers list since the backup.
    listed: Vec<SentBefore>,
    /// What was previewed last.
    pub looked: Option<Looked>,
    /// For messages.
    pub place: String,
}

/// A deed by its word; the opt-out's is another one, because people say it themselves too.
pub fn deed(word: &str) -> Option<Deed> {
    if word == "opt_out_told" { Some(Deed::OptOut) } else { Deed::parse(word).filter(|d| *d != Deed::OptOut) }
}

/// A line's words, and what stands behind them as `key=value` or `on channel`.
struct Words<'a> {
    plain: Vec<&'a str>,
    on: Option<Channel>,
    happened: Option<u64>,
    units: u32,
    unnamed: bool,
    by_id: bool,
    lost: Option<u64>,
}

impl<'a> Words<'a> {
    fn read(line: &'a str) -> Self {
        let mut read = Self {
            plain: Vec::new(),
            on: None,
            happened: None,
            units: 1,
            unnamed: false,
            by_id: false,
            lost: None,
        };
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            if word == "on" {
                read.on = words.next().map(channel);
            } else if word == "unnamed" {
                read.unnamed = true;
            } else if word == "by_id" {
                read.by_id = true;
            } else if let Some(time) = word.strip_prefix("happened=") {
                read.happened = Some(seconds(time));
            } else if let Some(id) = word.strip_prefix("lost=") {
                read.lost = Some(id.parse().unwrap());
            } else if let Some(units) = word.strip_prefix("units=") {
                read.units = units.parse().unwrap();
            } else {
                read.plain.push(word);
            }
        }
        read
    }
}

impl Play {
    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("impossible: ") {
            let input = self.news(rest);
            return assert!(self.world.give(input).is_err(), "{}: it was possible", self.place);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [time] if time.starts_with(|c: char| c.is_ascii_digit()) => {
                let to = self.after(seconds(time));
                self.world.pass(to);
            }
            ["permits", "off"] => self.world.permits = false,
            ["permits", "on"] => {
                self.world.permits = true;
                self.world.send_what_may_go();
            }
            ["lists", on, whose, at, rest @ ..] => self.list(channel(on), whose, seconds(at), rest),
            ["again"] => self.again(),
            ["all", rest @ ..] => self.all(&rest.join(" ")),
            _ if self.edits(&words) => {}
            _ if self.holds(&words) => {}
            _ => {
                let input = self.news(line);
                self.give(input);
            }
        }
    }

    fn list(&mut self, channel: Channel, whose: &str, at: u64, rest: &[&str]) {
        let attempt = rest.strip_prefix(&["named"]).map(|id| AttemptId(id[0].parse().unwrap()));
        self.listed.push(SentBefore {
            line: (whose != "nobody").then(|| self.journey(whose).start.line),
            channel,
            at: self.after(at),
            provider_id: format!("listed{}", self.listed.len()),
            attempt,
            ours: !rest.contains(&"foreign"),
        });
    }

    pub fn give(&mut self, input: Input) {
        self.last = Some(input.clone());
        if let Err(illegal) = self.world.give(input) {
            panic!("{}: {illegal}", self.place);
        }
    }

    /// A duplicate changes nobody's state, timer or attempts.
    fn again(&mut self) {
        let before = self.world.campaign.journeys().to_vec();
        let last = self.last.clone().unwrap();
        self.give(last);
        for (was, is) in before.iter().zip(self.world.campaign.journeys()) {
            let (was, is) = ((&was.state, &was.timer, &was.attempts), (&is.state, &is.timer, &is.attempts));
            assert_eq!(was, is, "{}: the duplicate changed something", self.place);
        }
    }

    /// The same for everybody who has a claim without a result.
    fn all(&mut self, rest: &str) {
        let campaign = &self.world.campaign;
        let claimed = |a: AttemptId| campaign.cascade_of(a).map(|id| id.0 as usize - 1);
        let waiting: Vec<usize> = campaign.unanswered_claims().into_iter().filter_map(claimed).collect();
        assert!(!waiting.is_empty(), "{}: nobody has a claim without a result", self.place);
        for at in waiting {
            let line = format!("{} {rest}", self.names[at]);
            let input = self.news(&line);
            self.give(input);
        }
    }

    pub fn after(&self, seconds: u64) -> At {
        At(self.launched.0 + seconds as i64 * 1000)
    }

    pub fn cascade(&self, name: &str) -> CascadeId {
        if name == "nobody" {
            return CascadeId(9999);
        }
        let at = self.names.iter().position(|n| n == name);
        CascadeId(at.unwrap_or_else(|| panic!("{}: who is {name:?}?", self.place)) as u64 + 1)
    }

    pub fn journey(&self, name: &str) -> &Journey {
        self.world.campaign.journey(self.cascade(name)).unwrap()
    }

    /// Their newest claimed send, of all or of one channel.
    fn attempt(&self, name: &str, on: Option<Channel>) -> &Attempt {
        let sends = self.journey(name).attempts.iter().rev().filter(|a| a.claimed_at.is_some());
        let newest = sends.clone().find(|a| on.is_none_or(|channel| a.channel == channel));
        newest.unwrap_or_else(|| panic!("{}: nothing was sent to {name}", self.place))
    }

    /// The input that a line stands for.
    pub fn news(&self, line: &str) -> Input {
        let read = Words::read(line);
        match read.plain.as_slice() {
            ["restart"] => Input::Restarted,
            ["restored"] => Input::Restored(Box::new(Gap {
                backup_at: Some(self.world.now),
                lost_until: None,
                next_attempt: AttemptId(1000),
                next_timer: TimerId(1000),
            })),
            ["reconcile", untold @ ..] => Input::Reconciled {
                sent: self.listed.clone(),
                untold: untold.iter().map(|c| channel(c)).collect(),
            },
            ["timer", id] => Input::Timer(TimerId(id.parse().unwrap())),
            ["foreign:", rest @ ..] => {
                let Input::Order(mut signed) = self.news(&rest.join(" ")) else {
                    panic!("{}: only an order is meant for a campaign", self.place)
                };
                signed.campaign = Some(cascade::model::CampaignId(99));
                Input::Order(signed)
            }
            ["stop_all"] => self.signed(Order::StopAll),
            ["launch_signed"] => self.signed(Order::Launch),
            ["all_of", rest @ ..] => self.for_several(rest),
            ["pause", only @ ..] => {
                self.signed(Order::Pause { only: only.first().map(|c| channel(c)), why: "because".into() })
            }
            ["resume", how @ ..] => self.signed(Order::Resume {
                only: how.iter().find(|w| **w != "extend").map(|c| channel(c)),
                extend_timers: how.contains(&"extend"),
            }),
            ["mend", on, scope] => {
                let scope = self.scope(channel(on), scope);
                self.signed(Order::CloseBreaker { channel: channel(on), scope })
            }
            ["check", on, scope, result] => Input::ScopeChecked {
                channel: channel(on),
                scope: self.scope(channel(on), scope),
                mended: *result == "mended",
            },
            ["shut", on, why, whose] => {
                let failure = failure(why, channel(on), self.journey(whose));
                let what = What::Shut(failure.scope.clone(), Box::new(failure));
                heard(None, channel(on), what)
            }
            ["stranger", what @ ..] => heard(None, read.on.unwrap_or(Channel::Sms), self.what(what, None)),
            [name, what @ ..] => self.news_of(name, what, &read),
            [] => panic!("{}: says nothing", self.place),
        }
    }

    /// As somebody stands now.
    fn seen(&self, cascade: CascadeId) -> Target {
        let journey = self.world.campaign.journey(cascade);
        let (step, attempt) = journey.map_or((0, None), |j| (j.step, j.newest().map(|a| a.id)));
        Target { cascade, step, attempt }
    }

    fn signed(&self, order: Order) -> Input {
        let by = Who { user: "ops".into(), host: "desk".into(), tty: None };
        let campaign = Some(self.world.campaign.id());
        Input::Order(Box::new(Signed { order, by, wall_at: self.world.now, campaign, text: None }))
    }

    /// `ann bob gone cem: stop`
    fn for_several(&self, words: &[&str]) -> Input {
        let line = words.join(" ");
        let (names, word) = line.split_once(": ").unwrap();
        let deed = deed(word).unwrap_or_else(|| panic!("{}: {word:?}?", self.place));
        let mut names = names.split(' ');
        let of: Vec<Target> =
            names.by_ref().take_while(|n| *n != "gone").map(|n| self.seen(self.cascade(n))).collect();
        let gone = names.map(|n| self.cascade(n)).collect();
        self.signed(Order::People { deed, of, gone })
    }

    /// The open breaker of that kind.
    fn scope(&self, on: Channel, word: &str) -> Scope {
        let open = self.world.campaign.header.breakers.iter();
        let open = open.filter(|b| b.on == on).find(|b| b.scope.as_str() == word);
        open.unwrap_or_else(|| panic!("{}: no breaker is open there", self.place)).scope.clone()
    }

    fn news_of(&self, name: &str, what: &[&str], read: &Words<'_>) -> Input {
        let cascade = self.cascade(name);
        if let [word] = what
            && let Some(deed) = deed(word)
        {
            return self.signed(Order::one(deed, self.seen(cascade)));
        }
        let line = self.journey(name).start.line;
        if read.lost.is_some() || matches!(what, ["replies" | "presses_stop", ..]) && read.unnamed {
            let Input::Heard(mut news) =
                heard(None, read.on.unwrap_or(Channel::Whatsapp), self.what(what, None))
            else {
                unreachable!()
            };
            if let Some(id) = read.lost {
                (news.attempt, news.provider_id) = (Some(AttemptId(id)), Some(format!("p{id}")));
            }
            news.line = Some(line);
            news.happened_at = Some(read.happened.map_or(self.world.now, |s| self.after(s)));
            return Input::Heard(news);
        }
        let sent = self.attempt(name, read.on);
        let (attempt, provider_id) = (sent.id, format!("p{}", sent.id));
        let failed = |why: &str, reached: bool| Input::Failed {
            attempt,
            failure: Box::new(failure(why, sent.channel, self.journey(name))),
            reached,
        };
        match what {
            ["accepted"] => Input::Accepted { attempt, provider_id, units: read.units },
            ["refused", why] => failed(why, true),
            ["unreached", why] => failed(why, false),
            ["unanswered"] => failed("timeout", true),
            ["found"] => Input::Found { attempt, provider_id },
            ["braked", why] => Input::Braked { attempt, why: serde_json::from_value((*why).into()).unwrap() },
            ["recalled", result] => Input::Recalled {
                attempt,
                result: serde_json::from_value::<RecallResult>((*result).into()).unwrap(),
            },
            _ => {
                let Input::Heard(mut news) =
                    heard(Some(sent), sent.channel, self.what(what, Some((name, sent))))
                else {
                    unreachable!()
                };
                news.attempt = news.attempt.filter(|_| !read.by_id);
                news.line = Some(line);
                news.happened_at = Some(read.happened.map_or(self.world.now, |s| self.after(s)));
                Input::Heard(news)
            }
        }
    }

    fn what(&self, words: &[&str], about: Option<(&str, &Attempt)>) -> What {
        let failed = |why: &str| {
            let (name, sent) = about.unwrap();
            Box::new(failure(why, sent.channel, self.journey(name)))
        };
        let end = |result: CallResult, meaning: Option<&&str>| {
            let meaning = meaning.map(|word| meaning_of(word));
            let reason = format!("{result:?}").split(['(', ' ']).next().unwrap_or_default().to_lowercase();
            let reason =
                if result == (CallResult::NoAnswer { machine: true }) { "voicemail".into() } else { reason };
            What::CallEnded(CallEnd { reason, result, talked_s: Some(30), meaning, cost: None })
        };
        match words {
            ["sent"] => What::Sent,
            ["delivered"] => What::Delivered,
            ["read"] => What::Read,
            ["clicked"] => What::Clicked(None),
            ["scanned"] => What::Clicked(Some("a scanner's user agent".into())),
            ["reported", why] => What::Failed(failed(why)),
            ["costs", amount] => What::Cost(Money::parse(amount).unwrap()),
            ["rings"] => What::CallProgressed(CallProgress::Ringing),
            ["talks"] => What::CallProgressed(CallProgress::InProgress),
            ["hangs_up", meaning @ ..] => end(CallResult::Answered, meaning.first()),
            ["no_answer"] => end(CallResult::NoAnswer { machine: false }, None),
            ["voicemail"] => end(CallResult::NoAnswer { machine: true }, None),
            ["canceled"] => end(CallResult::Canceled, None),
            ["call_failed", why] => end(CallResult::Failed(failed(why)), None),
            ["replies", word] => What::Inbound(meaning_of(word)),
            ["presses_stop"] => What::Stopped("stop".into()),
            _ => panic!("{}: not understood", self.place),
        }
    }
}

fn meaning_of(word: &str) -> Meaning {
    match word {
        "opt_out" => Meaning::OptOut("stop".into()),
        "opt_in" => Meaning::OptIn,
        word => Meaning::Answer(Disposition::parse(word).unwrap_or_else(|| panic!("{word:?}?"))),
    }
}

fn heard(sent: Option<&Attempt>, channel: Channel, what: What) -> Input {
    Input::Heard(Box::new(Heard {
        provider: "provider".into(),
        channel,
        happened_at: None,
        provider_id: Some(sent.map_or("unknown".into(), |a| format!("p{}", a.id))),
        attempt: sent.map(|a| a.id),
        line: None,
        text: None,
        what,
    }))
}
