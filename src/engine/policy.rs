//! What a campaign may do: fixed at launch, stored with it, so that a resumed one obeys the same words.

use crate::model::{Channel, Money, QuietHours};
use serde::{Deserialize, Serialize};

/// Limits and times of one campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// How long after the last step an answer still counts, in seconds.
    pub conversion_window_s: u64,
    /// The workspace's and the rules' quiet hours; both are kept.
    pub quiet_hours: Vec<QuietHours>,
    /// How long after it fell due a deferred step is dropped, in seconds.
    pub expires_s: u64,
    /// Retries of one step at most.
    pub retry_max: u32,
    /// Contacts with one person in 24 h.
    pub per_person_24h: u32,
    /// Hard cap.
    pub budget: Money,
    /// Printed beside amounts.
    pub currency: String,
    /// Where the campaign pauses itself: failures of class config, outage, in_doubt ÷ attempted.
    pub max_failure_share: f64,
    /// Where the campaign pauses itself: opt-outs ÷ attempted.
    pub max_optout_share: f64,
    /// A smaller pilot opens no gate.
    pub min_customers: u64,
    /// Concurrent sends, and for the phone concurrent calls, by channel.
    pub concurrent: Vec<(Channel, u32)>,
    /// Price by channel: per message, segment or attempt, and per minute of a call.
    pub prices: Vec<(Channel, Money, Money)>,
}

/// What the rules say of a campaign as a whole: an edit of them changes it for everybody at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// See [`Policy::conversion_window_s`].
    pub conversion_window_s: u64,
    /// See [`Policy::quiet_hours`].
    pub quiet_hours: Vec<QuietHours>,
    /// See [`Policy::expires_s`].
    pub expires_s: u64,
    /// See [`Policy::retry_max`].
    pub retry_max: u32,
}

impl Policy {
    /// What of it the rules say.
    pub fn terms(&self) -> Terms {
        Terms {
            conversion_window_s: self.conversion_window_s,
            quiet_hours: self.quiet_hours.clone(),
            expires_s: self.expires_s,
            retry_max: self.retry_max,
        }
    }

    /// From now on they say this.
    pub(super) fn adopt(&mut self, terms: Terms) {
        self.conversion_window_s = terms.conversion_window_s;
        self.quiet_hours = terms.quiet_hours;
        self.expires_s = terms.expires_s;
        self.retry_max = terms.retry_max;
    }

    /// How many may be under way on `channel` at once; at least 1.
    pub fn concurrent(&self, channel: Channel) -> u32 {
        self.concurrent.iter().find(|(c, _)| *c == channel).map_or(1, |(_, n)| (*n).max(1))
    }

    /// Per send and per minute.
    pub fn price(&self, channel: Channel) -> (Money, Money) {
        self.prices
            .iter()
            .find(|(c, _, _)| *c == channel)
            .map_or((Money::ZERO, Money::ZERO), |(_, send, minute)| (*send, *minute))
    }
}
