//! Wire clients, one file per provider, and the table that sorts their errors (PROVIDERS.md).
//!
//! A client sends once and reports. It never retries, follows no redirect, and knows neither rules nor store.

pub mod errors;
pub mod http;
pub mod twilio;
pub mod vapi;
pub mod whatsapp;
pub(crate) mod wire;

pub use crate::engine::input::CallResult;
use crate::model::{At, AttemptId, Channel, Class, Failure, Money, Phone, Scope, Sent, Untrusted};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

/// One rendered contact, ready for the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Our id.
    pub attempt: AttemptId,
    /// Our id as it stands on the wire, at most 40 characters.
    pub key: String,
    /// The person.
    pub to: Phone,
    /// Their name, for the voice provider (cut to its 40 characters there).
    pub name: Untrusted,
    /// ISO 3166-1 alpha-2, for scopes of errors.
    pub country: Option<String>,
    /// What is said.
    pub message: Message,
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A WhatsApp template with its parameters bound.
    Template(Template),
    /// What the voice agent says.
    Call(Call),
    /// A text message.
    Text {
        /// Complete, link and all.
        body: String,
        /// Seconds in the provider's queue at most, 5 to 36000.
        validity_s: u32,
    },
}

/// A WhatsApp template with its parameters bound (PROVIDERS.md 1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The template's name.
    pub name: String,
    /// Its language code: `en_US`.
    pub language: String,
    /// A media header's link, by kind (`image`, `video`, `document`).
    pub header_media: Option<(String, String)>,
    /// Text parameters of a header.
    pub header_text: Vec<String>,
    /// Positional parameters of the body.
    pub body: Vec<String>,
    /// Quick replies: position and the payload that comes back.
    pub quick_replies: Vec<(u32, String)>,
    /// URL buttons: position and the suffix that completes the template's URL.
    pub urls: Vec<(u32, String)>,
}

/// What the voice agent says (PROVIDERS.md 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Spoken first.
    pub first_message: String,
    /// The agent's system prompt.
    pub prompt: String,
    /// The provider's voice, if the content names one.
    pub voice: Option<String>,
    /// Left on a machine; `None` hangs up.
    pub voicemail: Option<String>,
    /// Hard end, in seconds.
    pub max_duration_s: u32,
}

/// Where a running call can be ended: good without any key, and so a secret that does not print itself.
#[derive(Clone, Debug)]
pub struct Control(SecretString);

impl Control {
    /// An address that a provider gave.
    pub fn new(url: String) -> Self {
        Self(url.into())
    }

    /// To be called, and not to be shown.
    pub fn url(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        self.url() == other.url()
    }
}

/// What came of a create call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Taken. Not delivered.
    Accepted {
        /// The provider's id.
        provider_id: String,
        /// Segments of an SMS as the provider counts them.
        segments: Option<u32>,
        /// Where a running call can be ended (Vapi's control URL).
        control: Option<Control>,
    },
    /// Refused (`sent: no`) or in doubt (`sent: maybe`); `reached` is false when the provider never got the
    /// request.
    Failed {
        /// Why.
        failure: Box<Failure>,
        /// Whether the request got to the provider.
        reached: bool,
    },
}

/// What a lookup showed. It can prove that something was sent, never that it was not.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// It is there: the provider's id, and what has become of it since.
    Found {
        /// The provider's id.
        provider_id: String,
        /// As a webhook would have told it.
        heard: Vec<Heard>,
    },
    /// Not in the list; lists lag, so this proves nothing.
    NotSeen,
    /// This provider cannot be asked.
    Impossible,
    /// The question failed.
    Failed(Box<Failure>),
}

/// A message or call of ours in a provider's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Whom it went to.
    pub to: Phone,
    /// When, by our clock.
    pub at: At,
    /// The provider's id.
    pub provider_id: String,
    /// Our attempt key, where the list has it.
    pub attempt_key: Option<String>,
    /// What was written, where the list has it.
    pub body: Option<Untrusted>,
    /// What has become of it since, as webhooks would have told it.
    pub heard: Vec<Heard>,
}

/// What came of calling something back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// It will not reach them.
    Done,
    /// It had reached them, or was over.
    TooLate,
    /// No such thing on this channel.
    Impossible,
}

/// One fact from a provider, by webhook or by asking: parsed, verified, not yet matched to anybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// `whatsapp`, `vapi`, `twilio`, `links`.
    pub provider: &'static str,
    /// Where.
    pub channel: Channel,
    /// The provider's key for this very fact, unique at this provider for ever (PROVIDERS.md).
    pub dedup: String,
    /// When it happened by the provider's clock; `None` if it does not say.
    pub happened_at: Option<At>,
    /// The provider's id of the message or call it is about.
    pub provider_id: Option<String>,
    /// Our attempt key, where the wire carried it back.
    pub attempt_key: Option<String>,
    /// The person's number, where the wire carried it.
    pub person: Option<Phone>,
    /// What.
    pub what: Fact,
}

/// See [`Heard`].
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The provider has it, or has passed it on; no outcome.
    Sent,
    /// It reached the device.
    Delivered,
    /// It was shown.
    Read,
    /// Not sent or not delivered after all.
    Failed(Box<Failure>),
    /// They wrote something or pressed a quick reply.
    Inbound {
        /// What they wrote; a button's caption.
        text: Untrusted,
        /// The payload we gave the button.
        payload: Option<String>,
        /// The provider itself took it as STOP (`true`) or START (`false`).
        provider_optout: Option<bool>,
    },
    /// They stopped (`true`) or resumed (`false`) by a switch of the provider.
    Preference {
        /// `true`: no more contact.
        stop: bool,
    },
    /// Where a call stands.
    CallProgressed(crate::engine::event::CallProgress),
    /// A call is over.
    CallEnded(CallEnd),
    /// Our own short link was followed.
    Clicked {
        /// What gave it away as a scanner; `None`: a person.
        suspected: Option<String>,
    },
    /// The price is known.
    Cost(Money),
    /// About our account, a template, a number: no person in it.
    System {
        /// For the timeline.
        what: Untrusted,
        /// What it shuts, if anything.
        shuts: Option<(Scope, Box<Failure>)>,
    },
}

/// How a call ended (PROVIDERS.md 4.5).
#[derive(Clone, Debug, PartialEq)]
pub struct CallEnd {
    /// The provider's reason, verbatim.
    pub reason: String,
    /// What it means.
    pub result: CallResult,
    /// Seconds connected, where known.
    pub talked_s: Option<u64>,
    /// What the person said, where known.
    pub said: Option<Untrusted>,
    /// What the provider's analysis made of it: `confirmed`, `declined`, ...
    pub structured: Option<serde_json::Value>,
    /// In all.
    pub cost: Option<Money>,
}

/// A provider of one channel. Each method is one question over the wire, bounded in time.
pub trait Provider: Send + Sync {
    /// The channel it serves.
    fn channel(&self) -> Channel;

    /// Its name in failures and logs.
    fn name(&self) -> &'static str;

    /// The create call, once. Called only with a committed claim.
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, Answer>;

    /// Whether a doubtful attempt was sent, claimed at `since` by the provider's clock.
    fn look_up<'a>(&'a self, out: &'a Outgoing, since: At) -> BoxFuture<'a, Lookup>;

    /// What became of an accepted attempt (a call or message without an end).
    fn status<'a>(&'a self, provider_id: &'a str) -> BoxFuture<'a, Lookup>;

    /// Call it back; `control` is what [`Answer::Accepted`] gave.
    fn recall<'a>(&'a self, provider_id: &'a str, control: Option<&'a str>) -> BoxFuture<'a, Recall>;

    /// Inbound messages since then, for the catch-up after a gap; empty where the provider cannot be asked.
    fn inbound_since(&self, since: At) -> BoxFuture<'_, Result<Vec<Heard>, Box<Failure>>>;

    /// What we sent since then, for a store that was restored; `None` where nobody can tell: the provider lists no
    /// sends, or its list has no end.
    fn sent_since(&self, since: At) -> BoxFuture<'_, Result<Option<Vec<Listed>>, Box<Failure>>>;

    /// Read-only: is this scope usable now? `Ok(true)`: mended.
    fn check<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool, Box<Failure>>>;

    /// Before the first send: tells the provider where our webhooks are, where it has a call for that, and
    /// proves the credentials.
    fn set_up<'a>(&'a self, webhooks: &'a str) -> BoxFuture<'a, Result<(), Box<Failure>>>;
}

fn failed(failure: Failure, reached: bool) -> Answer {
    Answer::Failed { failure: Box::new(failure), reached }
}

/// A message of another channel: refused here, before any byte.
fn wrong_message(channel: Channel, provider: &str) -> Answer {
    let failure = Failure {
        channel,
        provider: provider.to_owned(),
        code: "wrong_message".to_owned(),
        class: Class::Config,
        scope: Scope::Account,
        sent: Sent::No,
        title: "content of another channel".to_owned(),
        remedy: "This is a fault of the program; please report it. Nothing was sent.".to_owned(),
        detail: Untrusted::default(),
        retry_after_s: None,
    };
    failed(failure, false)
}

/// What we sent, as far as anybody can tell: a list without end has none the next time either, and asking for it again
/// and again would hold everybody for ever.
fn told_or_endless(sent: Result<Vec<Listed>, Box<Failure>>) -> Result<Option<Vec<Listed>>, Box<Failure>> {
    match sent {
        Ok(listed) => Ok(Some(listed)),
        Err(failure) if failure.code == errors::ENDLESS_LIST => {
            tracing::warn!(
                provider = failure.provider,
                "the list of what was sent has no end: nobody can tell"
            );
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// A check that itself fails for our account's fault proves that nothing is mended yet.
fn not_mended_by_config(checked: Result<bool, Box<Failure>>) -> Result<bool, Box<Failure>> {
    match checked {
        Err(failure) if failure.class == Class::Config => Ok(false),
        other => other,
    }
}
