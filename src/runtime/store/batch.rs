//! What one commit holds.

use super::Restored;
use crate::engine::Header;
use crate::engine::event::Event;
use crate::engine::journey::Journey;
use crate::model::{At, AttemptId, Channel, Customer, PersonId, Phone, TextId, Untrusted};

/// Everything that becomes true together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// With their `seq`, in order.
    pub events: Vec<(u64, Event)>,
    /// The campaign's row, if it changed.
    pub header: Option<Header>,
    /// Changed journeys.
    pub journeys: Vec<Journey>,
    /// Rows and changed journeys of campaigns before that one, of which late news came.
    pub earlier: Vec<(Header, Vec<Journey>)>,
    /// New people.
    pub people: Vec<PersonRow>,
    /// New texts.
    pub texts: Vec<TextRow>,
    /// New short links.
    pub links: Vec<LinkRow>,
    /// New opt-outs.
    pub suppressions: Vec<SuppressionRow>,
    /// Rows of the customer list that could not be used, with their campaign.
    pub rejects: Vec<RejectRow>,
    /// Keys of reports, so that none counts twice.
    pub dedup: Vec<[u8; 16]>,
    /// Rules and content that ran: hash, file name, bytes.
    pub versions: Vec<(String, String, Vec<u8>)>,
    /// Settings of the store.
    pub meta: Vec<(&'static str, String)>,
    /// What was lost before a restore is looked up and written down: what waits for the operator alone.
    pub asked: Option<Restored>,
    /// The operator has gone on after a restore: [`Restored`] is over.
    pub confirmed: bool,
}

impl Batch {
    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.header.is_none()
            && self.journeys.is_empty()
            && self.people.is_empty()
            && self.texts.is_empty()
            && self.links.is_empty()
            && self.suppressions.is_empty()
            && self.rejects.is_empty()
            && self.dedup.is_empty()
            && self.versions.is_empty()
            && self.meta.is_empty()
            && self.earlier.is_empty()
            && self.asked.is_none()
            && !self.confirmed
    }
}

/// A row of `person`.
#[derive(Clone, Debug)]
pub struct PersonRow {
    /// Its id.
    pub id: PersonId,
    /// Name, number and every column.
    pub customer: Customer,
}

/// A row of `text`.
#[derive(Clone, Debug)]
pub struct TextRow {
    /// Its id.
    pub id: TextId,
    /// Whose, if known.
    pub person: Option<PersonId>,
    /// From which number, if known: kept as a digest, so that it can be erased with them.
    pub from: Option<Phone>,
    /// Campaign time.
    pub at: At,
    /// What they wrote or said.
    pub body: Untrusted,
}

/// A row of `link`.
#[derive(Clone, Debug)]
pub struct LinkRow {
    /// What stands in the short link.
    pub code: String,
    /// Whose it is.
    pub attempt: AttemptId,
    /// Where it leads.
    pub target: String,
}

/// A row of `suppression`.
#[derive(Clone, Debug)]
pub struct SuppressionRow {
    /// The number.
    pub phone: Phone,
    /// Campaign time.
    pub at: At,
    /// Where it was said.
    pub via: Channel,
    /// Their word or the provider's code.
    pub why: String,
}

/// A row of `reject`.
#[derive(Clone, Debug)]
pub struct RejectRow {
    /// Of which campaign.
    pub campaign: u64,
    /// The line of the file.
    pub line: u64,
    /// A stable word.
    pub code: String,
    /// In a sentence.
    pub reason: String,
}
