//! Setting the providers up: each is told where we hear, and in a rehearsal the templates are created.
//!
//! A provider that cannot be set up stops a launch in a rehearsal, of which nothing could come. It does not stop live,
//! nor a campaign in flight: the operator is told, and it is asked again until it is set up. WhatsApp is mute until
//! then: an account that does not know our address reports no STOP to us. The others learn the address with each send,
//! or from their dashboard; those go on, and say at the first send what to mend.

use super::boot::BootError;
use super::brakes::{Brakes, Mute};
use super::ears::Hearing;
use super::handle::{Level, Notice};
use super::news::News;
use super::rehearsal;
use super::tasks::{Part, Tasks};
use crate::config::Config;
use crate::model::{Channel, Class, Failure, Mode};
use crate::providers::whatsapp::{TemplateSpec, Whatsapp};
use crate::providers::{Provider, http, twilio::Twilio, vapi::Vapi};
use crate::rules::content::Content;
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Wall time before a provider that could not be set up is asked again; it grows with every time.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_MAX: Duration = Duration::from_mins(1);

/// Whom a set-up is told to besides the providers.
#[derive(Clone, Debug)]
pub(super) struct Listeners {
    /// Of Meta's call back.
    pub hearing: Hearing,
    /// For the operator.
    pub notices: mpsc::Sender<Notice>,
    /// Whoever would not be heard there is not spoken to.
    pub brakes: Brakes,
    /// To the loop, which goes on with a channel that is set up at last.
    pub news: mpsc::Sender<News>,
    /// For trying again.
    pub tasks: Tasks,
}

/// The clients, and what each of the providers must know.
#[derive(Clone)]
pub(super) struct Clients {
    whatsapp: Arc<Whatsapp>,
    all: Vec<Arc<dyn Provider>>,
    /// By content: the one in force, and what a launch would say. None in live, where people write and approve them.
    templates: Vec<Vec<TemplateSpec>>,
    public_url: String,
}

impl Clients {
    /// Nobody is asked anything yet, but for a rehearsal's own desk.
    pub async fn new(
        config: &Config,
        (public_url, links_base): (&str, &str),
        mode: Mode,
        contents: &[Option<&Arc<Content>>],
    ) -> Result<Self, BootError> {
        let http = http::client(mode);
        let mut templates = Vec::new();
        if mode == Mode::Rehearsal {
            rehearsal::tell_webhooks(config, public_url).await?;
            let said = contents.iter().flatten().filter_map(|content| content.whatsapp.as_ref());
            templates = said.map(|whatsapp| whatsapp.specs(links_base)).collect();
        }
        let whatsapp = Arc::new(Whatsapp::new(config.whatsapp.clone(), Arc::clone(&http)));
        let all: [Arc<dyn Provider>; 3] = [
            Arc::clone(&whatsapp) as Arc<dyn Provider>,
            Arc::new(Vapi::new(config.phone.clone(), Arc::clone(&http), public_url)),
            Arc::new(Twilio::new(config.sms.clone(), http, public_url)),
        ];
        // Whoever has no section is not even greeted.
        let all = all.into_iter().filter(|provider| config.channels.contains(&provider.channel())).collect();
        Ok(Self { whatsapp, all, templates, public_url: public_url.to_owned() })
    }

    /// A rehearsal's WhatsApp, for texts that are edited.
    pub fn templates(&self, mode: Mode) -> Option<Arc<Whatsapp>> {
        let in_use = self.all.iter().any(|provider| provider.channel() == Channel::Whatsapp);
        (mode == Mode::Rehearsal && in_use).then(|| Arc::clone(&self.whatsapp))
    }

    /// One per channel in use.
    pub fn all(&self) -> Vec<Arc<dyn Provider>> {
        self.all.clone()
    }

    /// Sets all of them up. The first that cannot be is an error, if they `must`.
    pub async fn set_up(&self, must: bool, told: &Listeners) -> Result<(), BootError> {
        // At once: one that is silent keeps the others waiting no longer than itself.
        let tries = join_all(self.all.iter().map(|provider| self.one(provider, &told.hearing))).await;
        for (provider, tried) in self.all.iter().zip(tries) {
            match tried {
                Ok(()) => {}
                Err(failure) if must => return Err(BootError::SetUp(failure)),
                Err(failure) => {
                    let mute = mute_after(&failure);
                    let why = BootError::SetUp(failure);
                    let meanwhile = if is_heard_by_subscription(provider) {
                        told.brakes.mute(provider.channel(), mute);
                        "Nothing is sent there before it is set up, since no answer would reach us; it is tried again"
                    } else {
                        "Going on without; it is set up as soon as it answers"
                    };
                    told.say(Level::Error, format!("{why} {meanwhile}"));
                    let (clients, provider, again) = (self.clone(), Arc::clone(provider), told.clone());
                    told.tasks.spawn(Part::SetUp, async move { clients.again(provider, again).await });
                }
            }
        }
        Ok(())
    }

    async fn one(&self, provider: &Arc<dyn Provider>, hearing: &Hearing) -> Result<(), Box<Failure>> {
        let is_whatsapp = is_heard_by_subscription(provider);
        for templates in self.templates.iter().filter(|_| is_whatsapp) {
            self.whatsapp.ensure_templates(templates).await?;
        }
        provider.set_up(&self.public_url).await?;
        if is_whatsapp {
            // Meta calls our address back before it answers; the others' answers prove no hearing.
            hearing.heard(provider.name());
        }
        Ok(())
    }

    async fn again(&self, provider: Arc<dyn Provider>, told: Listeners) {
        for round in 1_u32.. {
            tokio::time::sleep(AGAIN.saturating_mul(round).min(AGAIN_MAX)).await;
            match self.one(&provider, &told.hearing).await {
                Ok(()) => {
                    told.say(Level::Info, format!("{} is set up now", provider.name()));
                    told.brakes.mute(provider.channel(), Mute::No);
                    // The loop may be gone: then nobody speaks.
                    let _ = told.news.send(News::Hearing).await;
                    return;
                }
                Err(failure) => {
                    tracing::info!(provider = provider.name(), code = %failure.code, "not set up yet");
                    if told.brakes.is_mute(provider.channel()) {
                        told.brakes.mute(provider.channel(), mute_after(&failure));
                    }
                }
            }
        }
    }
}

/// A wrong setting stays wrong; anything else passes.
const fn mute_after(failure: &Failure) -> Mute {
    match failure.class {
        Class::Config => Mute::UntilMended,
        Class::Throttle | Class::Outage | Class::Recipient | Class::Suppress | Class::InDoubt => Mute::ForNow,
    }
}

/// Meta alone is told by a call of ours where its reports are to go.
fn is_heard_by_subscription(provider: &Arc<dyn Provider>) -> bool {
    provider.channel() == Channel::Whatsapp
}

/// Why, and what to do. A failed set-up reached nobody: there is no send to wait for or to settle.
pub(super) fn refused(failure: &Failure) -> String {
    let remedy = match failure.class {
        Class::Config => failure.remedy.as_str(),
        Class::Throttle | Class::Outage | Class::Recipient | Class::Suppress | Class::InDoubt => {
            "It does not answer as it should; its status page may say why."
        }
    };
    format!(
        "{} refused the set-up ({}): {}. {remedy}",
        failure.provider,
        failure.code,
        failure.detail.screen()
    )
}

impl Listeners {
    fn say(&self, level: Level, text: String) {
        let _ = self.notices.try_send(Notice { level, text });
    }
}
