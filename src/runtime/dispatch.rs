//! Letting effects out: each is one question to a provider, whose answer comes back as news.
//!
//! A send leaves here only after its claim was committed. The brakes are asked once more, immediately before
//! the request starts. Nothing is tried twice.

use super::asking::Asking;
use super::brakes::Brakes;
use super::ears::Span;
use super::handle::Notice;
use super::news::News;
use super::speaker::refusal;
use super::tasks::{Part, Tasks};
use crate::clock::Clock;
use crate::engine::effect::Effect;
use crate::engine::event::{RecallResult, Withdrawal};
use crate::engine::input::Input;
use crate::model::{At, AttemptId, CascadeId, Channel, Scope};
use crate::providers::{Answer, Control, Heard, Listed, Lookup, Outgoing, Provider, Recall};
use chrono::TimeDelta;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// A doubt is looked up after this much campaign time and this much wall time: lists lag.
const LOOK_UP_AFTER: (TimeDelta, Duration) = (TimeDelta::seconds(20), Duration::from_millis(500));

/// How often a doubt is looked up before only a webhook or the operator can settle it.
const LOOK_UPS: u32 = 4;

/// Questions about it that may fail besides: for a day, every five minutes at last.
const LOOK_UPS_FAILED: u32 = 288;
const LONGEST_ROUND: u32 = 15;

/// A send whose claim is on disk.
#[derive(Debug)]
pub struct Claimed {
    /// Which.
    pub attempt: AttemptId,
    /// Whose.
    pub cascade: CascadeId,
    /// Where.
    pub channel: Channel,
    /// What is said.
    pub outgoing: Outgoing,
    /// The first byte leaves before then or not at all.
    pub good_until: At,
    /// Nor after a gap that was noticed since; `None`: nothing of ours can be deaf.
    pub heard: Option<Span>,
}

/// Carries effects out.
#[derive(Clone)]
pub struct Dispatch {
    providers: Vec<Arc<dyn Provider>>,
    news: mpsc::Sender<News>,
    brakes: Brakes,
    clock: Clock,
    tasks: Tasks,
    asking: Asking,
    /// Where running calls can be ended, by the provider's id.
    controls: Arc<Mutex<HashMap<String, Control>>>,
}

impl Dispatch {
    /// Over these providers; answers go to `news`.
    pub fn new(
        providers: Vec<Arc<dyn Provider>>,
        news: mpsc::Sender<News>,
        brakes: Brakes,
        clock: Clock,
        tasks: Tasks,
    ) -> Self {
        let asking = Asking::new(clock.clone(), news.clone());
        Self { providers, news, brakes, clock, tasks, asking, controls: Arc::default() }
    }

    /// Campaign time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where questions go.
    pub fn asking(&self) -> &Asking {
        &self.asking
    }

    /// Who serves a channel.
    pub fn provider(&self, channel: Channel) -> Option<Arc<dyn Provider>> {
        self.providers.iter().find(|p| p.channel() == channel).cloned()
    }

    /// Everybody.
    pub fn providers(&self) -> &[Arc<dyn Provider>] {
        &self.providers
    }

    /// What a provider told when it was asked.
    pub async fn report(&self, heard: Vec<Heard>) {
        let _ = self.news.send(News::Reports { heard, ack: None }).await;
    }

    /// Everybody who can be asked was asked.
    pub async fn caught_up(&self, number: u64) {
        let _ = self.news.send(News::CaughtUp(number)).await;
    }

    /// What was sent after the backup that the store came from.
    pub async fn sent_since(&self, listed: Vec<(Channel, Vec<Listed>)>, untold: Vec<Channel>) {
        let _ = self.news.send(News::SentSince { listed, untold }).await;
    }

    /// For the operator.
    pub async fn tell_operator(&self, notice: Notice) {
        let _ = self.news.send(News::Tell(notice)).await;
    }

    async fn tell(&self, input: Input) {
        // The driver is gone only when the process ends; the claim then counts as in doubt.
        let _ = self.news.send(News::Input(input)).await;
    }

    /// Starts one claimed send, unless a brake has fallen since.
    pub fn send(&self, claimed: Claimed) {
        let this = self.clone();
        let Claimed { attempt, cascade, channel, outgoing, good_until, heard } = claimed;
        self.tasks.spawn(Part::Send(attempt, channel), async move {
            let Some(provider) = this.provider(channel) else {
                let failure = refusal(channel, "no provider serves this channel");
                return this.tell(Input::Failed { attempt, failure, reached: false }).await;
            };
            let late = this.clock.now() >= good_until || heard.is_some_and(|span| span.is_broken());
            let late = late.then_some(Withdrawal::Late);
            if let Some(why) = this.brakes.check(channel, cascade, &outgoing.to).or(late) {
                return this.tell(Input::Braked { attempt, why }).await;
            }
            match provider.send(&outgoing).await {
                Answer::Accepted { provider_id, segments, control } => {
                    if let Some(control) = control {
                        let mut controls = this.controls.lock().unwrap_or_else(PoisonError::into_inner);
                        controls.insert(provider_id.clone(), control);
                    }
                    this.tell(Input::Accepted { attempt, provider_id, units: segments.unwrap_or(1) }).await;
                }
                Answer::Failed { failure, reached } => {
                    this.tell(Input::Failed { attempt, failure, reached }).await;
                }
            }
        });
    }

    /// Calls something back.
    pub fn recall(&self, attempt: AttemptId, channel: Channel, provider_id: String) {
        let this = self.clone();
        self.tasks.spawn(Part::Recall(attempt), async move {
            let Some(provider) = this.provider(channel) else { return };
            let control = {
                let controls = this.controls.lock().unwrap_or_else(PoisonError::into_inner);
                controls.get(&provider_id).cloned()
            };
            let result = match provider.recall(&provider_id, control.as_ref().map(Control::url)).await {
                Recall::Done => RecallResult::Recalled,
                Recall::TooLate => RecallResult::TooLate,
                Recall::Impossible => RecallResult::Impossible,
            };
            this.tell(Input::Recalled { attempt, result }).await;
        });
    }

    /// Asks what became of an attempt: by its own id where the provider gave one, else by looking for it.
    pub fn look_up(
        &self,
        attempt: AttemptId,
        channel: Channel,
        known: Option<String>,
        sought: Option<(Outgoing, At)>,
    ) {
        let this = self.clone();
        self.tasks.spawn(Part::LookUp, async move {
            let Some(provider) = this.provider(channel) else { return };
            let (mut answered, mut failed) = (0, 0);
            while answered < LOOK_UPS && failed < LOOK_UPS_FAILED {
                let round = i32::try_from((answered + failed + 1).min(LONGEST_ROUND)).unwrap_or(1);
                this.clock.sleep_until(this.clock.now() + LOOK_UP_AFTER.0 * round).await;
                tokio::time::sleep(LOOK_UP_AFTER.1).await;
                let question = match (&known, &sought) {
                    (Some(id), _) => provider.status(id),
                    (None, Some((outgoing, since))) => provider.look_up(outgoing, *since),
                    (None, None) => return,
                };
                match this.asking.ask(channel, question).await {
                    Lookup::Found { provider_id, heard } => {
                        this.tell(Input::Found { attempt, provider_id }).await;
                        this.report(heard).await;
                        return;
                    }
                    Lookup::Impossible => return,
                    Lookup::NotSeen => answered += 1,
                    Lookup::Failed(_) => failed += 1,
                }
            }
            if failed == LOOK_UPS_FAILED {
                // That it does not answer was told; the doubt itself stands under Needs you.
                tracing::warn!(%attempt, provider = provider.name(), "a doubt could not be looked up for a day");
            }
        });
    }

    /// Asks, read-only, whether a shut scope is mended.
    pub fn check(&self, channel: Channel, scope: Scope) {
        let this = self.clone();
        self.tasks.spawn(Part::Check(channel, scope.clone()), async move {
            let Some(provider) = this.provider(channel) else { return };
            let mended = match this.asking.ask(channel, provider.check(&scope)).await {
                Ok(mended) => mended,
                Err(failure) => {
                    tracing::warn!(%channel, %scope, code = failure.code, "a scope's check failed");
                    false
                }
            };
            this.tell(Input::ScopeChecked { channel, scope, mended }).await;
        });
    }
}

/// Effects other than sends.
pub fn let_out(
    dispatch: &Dispatch,
    effect: Effect,
    sought: impl FnOnce(AttemptId) -> (Option<String>, Option<(Outgoing, At)>),
) {
    match effect {
        // A send needs its text; the driver hands it over as `Claimed`.
        Effect::Send { .. } => {}
        Effect::Recall { attempt, channel, provider_id, .. } => {
            dispatch.recall(attempt, channel, provider_id);
        }
        Effect::LookUp { attempt, channel, .. } => {
            let (known, sought) = sought(attempt);
            dispatch.look_up(attempt, channel, known, sought);
        }
        Effect::CheckScope { channel, scope } => dispatch.check(channel, scope),
    }
}
