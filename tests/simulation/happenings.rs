//! What happens in the world, one thing after the other: requests arrive, messages reach people, calls ring, people
//! react, webhooks leave.

use crate::hooks::{Body, Hook};
use crate::random::Draw;
use crate::whims::{self, Whim};
use crate::wire;
use crate::world::{Process, Shut, State};
use cascade::engine::event::CallProgress;
use cascade::model::{At, Channel, Class, Disposition, Failure, Scope, Untrusted};
use cascade::providers::{Answer, CallEnd, CallResult, Fact, Heard};
use chrono::TimeDelta;
use tokio::sync::oneshot;

/// Something that happens at its time.
#[derive(Debug)]
pub enum Happening {
    /// A request arrives at a provider.
    Request {
        sent: usize,
        fate: Fate,
        answer: oneshot::Sender<Answer>,
    },
    /// A fact becomes known to a provider, which reports it.
    Report {
        sent: usize,
        fact: Box<Fact>,
        name: &'static str,
        told: bool,
    },
    /// Somebody reacts to a message.
    Reacts {
        sent: usize,
        whim: Whim,
    },
    /// Somebody writes STOP to our number, out of the blue.
    TextsStop {
        person: usize,
    },
    Hook(Hook),
}

/// What becomes of a request that got out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Served,
    Throttled {
        after_s: Option<u64>,
    },
    /// Nothing is done, and the answer is lost.
    LostBefore(Loss),
    /// It is done, and the answer is lost.
    LostAfter(Loss),
}

/// How an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Timeout,
    Broken,
    BadGateway,
}

impl State {
    /// Lets it happen; what leaves for a process that is there is handed back.
    pub fn happen(&mut self, now: At, happening: Happening, awake: bool) -> Option<(Hook, Process)> {
        match happening {
            Happening::Request { sent, fate, answer } => {
                let told = self.serve(now, sent, fate);
                self.tell(now, || format!("request {sent} ({fate:?}) is answered {told:?}"));
                // Whoever waited may be gone.
                let _ = answer.send(told);
            }
            Happening::Report { sent, fact, name, told } => self.report(now, sent, *fact, name, told),
            Happening::Reacts { sent, whim } => self.reacts(now, sent, whim),
            Happening::TextsStop { person } => {
                let to = self.people[person].clone();
                self.texts(now, &to, "STOP", Some(true), 1_000_000 + person);
            }
            Happening::Hook(hook) => {
                let reachable = awake && now >= self.tunnel_back;
                match self.process.clone().filter(|_| reachable) {
                    Some(process) => return Some((hook, process)),
                    None => self.undelivered(now, hook, None),
                }
            }
        }
        None
    }

    fn serve(&mut self, now: At, sent: usize, fate: Fate) -> Answer {
        let (channel, to) = (self.sent[sent].channel, self.sent[sent].to.clone());
        match fate {
            Fate::Throttled { after_s } => return wire::refused(wire::throttle(channel, after_s)),
            Fate::LostBefore(loss) => return wire::lost(channel, loss),
            Fate::Served | Fate::LostAfter(_) => {}
        }
        let draw = self.draw.named("request").of(sent as u64);
        if !self.calm && draw.named("shut").hits(self.setting.faults.config) {
            let until = now + TimeDelta::minutes(draw.named("mended").between(5, 90) as i64);
            self.shut.push(Shut { channel, scope: wire::scope(channel, draw), until });
        }
        if let Some(shut) = self.is_shut(channel, now) {
            return wire::refused(wire::config(channel, &shut));
        }
        let stopped = self.oracle.stopped_by_sms.contains(&to);
        if channel == Channel::Sms && stopped {
            return wire::refused(wire::failure(Channel::Sms, "21610"));
        }
        let nth = self
            .sent
            .iter()
            .filter(|s| s.to == to && s.channel == channel && s.provider_id.is_some())
            .count();
        let whim_draw = self.draw.named(to.as_str()).named(channel.as_str()).of(nth as u64);
        let whim = if self.calm && draw.named("quiet").hits(700) {
            Whim::Silent
        } else if channel == Channel::Phone {
            whims::of_call(whim_draw)
        } else {
            whims::of_message(whim_draw)
        };
        if whim == Whim::Unreachable {
            return wire::refused(wire::unreachable(channel));
        }
        let provider_id = format!("{}{sent}", wire::id_prefix(channel));
        let it = &mut self.sent[sent];
        (it.provider_id, it.taken_at) = (Some(provider_id.clone()), now);
        match channel {
            Channel::Phone => self.rings(now, sent, whim, whim_draw),
            Channel::Whatsapp | Channel::Sms | Channel::Email => self.travels(now, sent, whim, whim_draw),
        }
        match fate {
            Fate::LostAfter(loss) => wire::lost(channel, loss),
            Fate::Served | Fate::Throttled { .. } | Fate::LostBefore(_) => {
                Answer::Accepted { provider_id, segments: None, control: None }
            }
        }
    }

    /// Whether something of this channel is shut now.
    pub fn is_shut(&self, channel: Channel, now: At) -> Option<Scope> {
        let shut = self.shut.iter().find(|s| s.channel == channel && s.until > now && !self.calm);
        shut.map(|shut| shut.scope.clone())
    }

    /// A message on its way to a person.
    fn travels(&mut self, now: At, sent: usize, whim: Whim, draw: Draw) {
        let channel = self.sent[sent].channel;
        let arrives = now + TimeDelta::milliseconds(draw.named("arrives").between(50, 30_000) as i64);
        let later = |fact, name, at| (at, Happening::Report { sent, fact: Box::new(fact), name, told: true });
        let mut plan = vec![later(Fact::Sent, "sent", now + TimeDelta::milliseconds(40))];
        match whim {
            Whim::FailsLater => {
                let failure = wire::failed_later(channel, draw);
                plan.push(later(Fact::Failed(Box::new(failure)), "failed", arrives));
            }
            Whim::Doubtful if channel == Channel::Sms => {
                let failure = wire::failure_later(channel, "30410");
                plan.push(later(Fact::Failed(Box::new(failure)), "failed", arrives));
            }
            _ => {
                plan.push(later(Fact::Delivered, "delivered", arrives));
                if whim != Whim::Silent {
                    let read = arrives + TimeDelta::seconds(draw.named("reads").between(1, 600) as i64);
                    plan.push(later(Fact::Read, "read", read));
                    let reacts = arrives + TimeDelta::milliseconds(whims::hesitates_ms(draw) as i64);
                    plan.push((reacts, Happening::Reacts { sent, whim }));
                }
            }
        }
        for (at, happening) in plan {
            self.plan(at, happening);
        }
    }

    /// A call, from its first ring to its report.
    fn rings(&mut self, now: At, sent: usize, whim: Whim, draw: Draw) {
        if whim == Whim::NeverReported {
            self.plan(now + TimeDelta::minutes(3), wire::call_over(sent, whim, false, false));
            return;
        }
        let s = |name: &str, from, to| TimeDelta::seconds(draw.named(name).between(from, to) as i64);
        let rings = now + s("rings", 1, 20);
        let progress = |at, progress, name| {
            let fact = Box::new(Fact::CallProgressed(progress));
            (at, Happening::Report { sent, fact, name, told: true })
        };
        let mut plan = vec![progress(rings, CallProgress::Ringing, "ringing")];
        let mut over = rings + s("gives up", 5, 40);
        if wire::talks(whim) || whim == Whim::Voicemail {
            plan.push(progress(over, CallProgress::InProgress, "in-progress"));
            over = over + s("talks", 3, 300);
        }
        let reported = over + s("analysed", 1, 120);
        // Either of the two may be missing.
        let (first, second) = match draw.named("missing").below(10) {
            0 => (false, true),
            1 => (true, false),
            _ => (true, true),
        };
        plan.push((over, wire::call_over(sent, whim, false, first)));
        plan.push((reported, wire::call_over(sent, whim, true, second)));
        for (at, happening) in plan {
            self.plan(at, happening);
        }
    }

    /// The provider knows something now; `told`: it says so by webhook.
    fn report(&mut self, now: At, sent: usize, fact: Fact, name: &'static str, told: bool) {
        let it = &mut self.sent[sent];
        if let Fact::CallEnded(end) = &fact {
            if it.over && name == "ended" {
                return;
            }
            it.over = true;
            it.unanswered |= matches!(end.result, CallResult::NoAnswer { .. });
            it.failed |= matches!(end.result, CallResult::Failed(_));
        }
        if let Fact::CallProgressed(_) = &fact {
            if it.over {
                return;
            }
            it.connected |= name == "in-progress";
        }
        it.failed |= matches!(&fact, Fact::Failed(failure) if failure.class != Class::InDoubt);
        let report = Heard {
            provider: wire::provider(it.channel),
            channel: it.channel,
            dedup: format!("{}:{name}", it.provider_id.as_deref().unwrap_or_default()),
            happened_at: Some(now),
            provider_id: it.provider_id.clone(),
            attempt_key: Some(it.key.clone()),
            person: Some(it.to.clone()),
            what: fact,
        };
        it.reports.push(report.clone());
        if told {
            self.post(now, Hook::new(report));
        }
    }

    /// A webhook leaves, with the troubles that webhooks have.
    fn post(&mut self, now: At, hook: Hook) {
        let n = self.count("webhook");
        let draw = self.draw.named("webhook").of(n);
        let faults = self.setting.faults;
        let late = draw.named("late").hits(if self.calm { 0 } else { faults.webhook_late });
        let delay = if late {
            draw.named("how late").between(1_000, 900_000)
        } else {
            draw.named("soon").between(20, 2_000)
        };
        if draw.named("twice").hits(if self.calm { 0 } else { faults.webhook_twice }) {
            let copy = Hook { copy: true, ..hook.clone() };
            let later = draw.named("copy").between(10, 600_000);
            self.plan(now + TimeDelta::milliseconds(later as i64), Happening::Hook(copy));
        }
        self.plan(now + TimeDelta::milliseconds(delay as i64), Happening::Hook(hook));
    }

    fn reacts(&mut self, now: At, sent: usize, whim: Whim) {
        let (channel, to) = (self.sent[sent].channel, self.sent[sent].to.clone());
        let words = match whim {
            Whim::Yes => "yes please",
            Whim::No => "no thank you",
            Whim::Question => "who is this?",
            Whim::AutoReply => "Automatic reply: I am out of office",
            Whim::Stops => "STOP",
            Whim::SwitchesOff if channel == Channel::Whatsapp => {
                let report = Heard {
                    provider_id: None,
                    attempt_key: None,
                    ..wire::inbound(
                        now,
                        channel,
                        &to,
                        format!("preference:{sent}"),
                        Fact::Preference { stop: true },
                    )
                };
                return self.post(now, Hook::new(report));
            }
            Whim::SwitchesOff => "UNSUBSCRIBE",
            Whim::Clicks => {
                if let Some(code) = self.sent[sent].code.clone() {
                    let hook = Hook { body: Body::Follow { code, sent }, tries: 0, copy: false };
                    self.plan(now, Happening::Hook(hook));
                }
                return;
            }
            _ => return,
        };
        if channel == Channel::Sms {
            let stop = (words == "STOP").then_some(true);
            return self.texts(now, &to, words, stop, sent);
        }
        let named = self.draw.named("quotes").of(sent as u64).hits(500);
        let fact = Fact::Inbound { text: Untrusted::new(words), payload: None, provider_optout: None };
        let mut report = wire::inbound(now, channel, &to, format!("wamid.in.{sent}"), fact);
        report.provider_id = self.sent[sent].provider_id.clone().filter(|_| named);
        self.post(now, Hook::new(report));
    }

    /// Somebody writes to our number; Twilio lists it, and tells us once.
    fn texts(
        &mut self,
        now: At,
        from: &cascade::model::Phone,
        words: &str,
        provider_optout: Option<bool>,
        n: usize,
    ) {
        let fact = Fact::Inbound { text: Untrusted::new(words), payload: None, provider_optout };
        let report = wire::inbound(now, Channel::Sms, from, format!("SMin{n}:received"), fact);
        if provider_optout == Some(true) {
            self.oracle.stopped_by_sms.insert(from.clone());
        }
        self.texted.push(crate::world::Texted { at: now, report: report.clone() });
        self.post(now, Hook::new(report));
    }
}

/// What a call's end says; the report knows what was said.
pub fn call_end(whim: Whim, with_report: bool) -> CallEnd {
    let (reason, result, said, disposition) = match whim {
        Whim::NobodyThere | Whim::NeverReported | Whim::Silent => {
            ("customer-did-not-answer", CallResult::NoAnswer { machine: false }, None, None)
        }
        Whim::Busy => ("customer-busy", CallResult::NoAnswer { machine: false }, None, None),
        Whim::Voicemail => ("voicemail", CallResult::NoAnswer { machine: true }, None, None),
        Whim::LineBreaks | Whim::FailsLater => {
            let failure: Failure = wire::line_broke();
            ("call.in-progress.error-providerfault", CallResult::Failed(Box::new(failure)), None, None)
        }
        Whim::No => {
            ("customer-ended-call", CallResult::Answered, Some("no thanks"), Some(Disposition::Negative))
        }
        Whim::Stops => ("customer-ended-call", CallResult::Answered, Some("stop calling me"), None),
        Whim::Question => {
            ("customer-ended-call", CallResult::Answered, Some("who is it?"), Some(Disposition::Question))
        }
        _ => ("assistant-ended-call", CallResult::Answered, Some("yes"), Some(Disposition::Positive)),
    };
    let told = with_report && said.is_some();
    CallEnd {
        reason: reason.into(),
        result,
        talked_s: said.map(|_| 40),
        said: said.filter(|_| told).map(Untrusted::from),
        structured: disposition.filter(|_| told).map(|d| serde_json::json!({ "disposition": d.as_str() })),
        cost: None,
    }
}
