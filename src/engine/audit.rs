//! The audit trail: every order with who, when and why, and what came of it for each person. A fold of the log and
//! nothing else, so that the screen, `cascade audit` and a store that is read back all tell the same.

use super::event::{Event, Kind, RecallResult};
use super::order::{Ask, Came, Left, Who};
use crate::model::{At, CampaignId, CascadeId, Channel, OrderId, PersonId, Scope, Untrusted};
use std::collections::HashMap;
use std::sync::Arc;

/// Orders, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    orders: Vec<Arc<Account>>,
    /// Where what is still being called back is told: order and item.
    awaited: HashMap<CascadeId, (usize, usize)>,
}

/// One order and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its place in the log.
    pub seq: u64,
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Counted from 1 in it.
    pub order: OrderId,
    /// Campaign time.
    pub at: At,
    /// By the calendar.
    pub wall_at: At,
    /// Who asked.
    pub by: Who,
    /// For what.
    pub what: Ask,
    /// On which channel, if on one.
    pub channel: Option<Channel>,
    /// What was mended.
    pub scope: Option<Scope>,
    /// How many people it was about.
    pub people: u64,
    /// Why.
    pub why: Option<Untrusted>,
    /// Why it changed nothing at all.
    pub left: Option<Left>,
    /// Person by person.
    pub items: Vec<Item>,
}

/// What came of an order for one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Whose.
    pub cascade: CascadeId,
    /// Who; `None` for somebody of another campaign.
    pub person: Option<PersonId>,
    /// What came of it.
    pub came: Came,
    /// What came of calling back what was under way, once it is known.
    pub back: Option<Back>,
}

/// What came of something that was under way when its cascade was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// It will not reach them.
    Recalled,
    /// It had reached them.
    TooLate,
    /// This channel knows no recall.
    Impossible,
    /// It had not left.
    NotSent,
    /// Sent or not? Nobody knows.
    InDoubt,
}

impl Account {
    /// For how many it was done.
    pub fn done(&self) -> usize {
        self.items.iter().filter(|item| !matches!(item.came, Came::Left(_))).count()
    }

    /// How many were left as they are.
    pub fn left_alone(&self) -> usize {
        self.items.len() - self.done()
    }
}

impl Audit {
    /// Orders, oldest first.
    pub fn orders(&self) -> &[Arc<Account>] {
        &self.orders
    }

    /// Whose end is not yet told, and after which place in the log it will be.
    pub fn awaited(&self) -> impl Iterator<Item = (CascadeId, u64)> {
        self.awaited.iter().map(|(cascade, (order, _))| (*cascade, self.orders[*order].seq))
    }

    /// Takes in one event; those that tell nothing of an order change nothing.
    pub fn see(&mut self, seq: u64, event: &Event, text: Option<&Untrusted>) {
        match &event.kind {
            Kind::Ordered { order, what, people, by, wall_at, scope, left, .. } => {
                self.orders.push(Arc::new(Account {
                    seq,
                    campaign: event.campaign,
                    order: *order,
                    at: event.at,
                    wall_at: *wall_at,
                    by: by.clone(),
                    what: *what,
                    channel: event.subject.channel.filter(|_| event.subject.cascade.is_none()),
                    scope: scope.clone(),
                    people: *people,
                    why: text.cloned(),
                    left: *left,
                    items: Vec::new(),
                }));
            }
            Kind::OrderMet { order, came } => self.met(event, *order, *came),
            Kind::Recalled { result } => self.back(
                event,
                match result {
                    RecallResult::Recalled => Back::Recalled,
                    RecallResult::TooLate => Back::TooLate,
                    RecallResult::Impossible => Back::Impossible,
                },
            ),
            Kind::AttemptRefused { .. } | Kind::AttemptWithdrawn { .. } => self.back(event, Back::NotSent),
            Kind::AttemptInDoubt { .. } => self.back(event, Back::InDoubt),
            _ => {}
        }
    }

    fn met(&mut self, event: &Event, order: OrderId, came: Came) {
        let Some(cascade) = event.subject.cascade else { return };
        let found = self.orders.iter().rposition(|a| a.order == order && a.campaign == event.campaign);
        let Some(at) = found else { return };
        let account = Arc::make_mut(&mut self.orders[at]);
        if came == Came::Recalling {
            self.awaited.insert(cascade, (at, account.items.len()));
        }
        account.items.push(Item { cascade, person: event.subject.customer, came, back: None });
    }

    fn back(&mut self, event: &Event, back: Back) {
        let Some(cascade) = event.subject.cascade else { return };
        let Some((order, item)) = self.awaited.get(&cascade).copied() else { return };
        Arc::make_mut(&mut self.orders[order]).items[item].back = Some(back);
        // A doubt may still be settled by a lookup, and what it finds is called back.
        if back != Back::InDoubt {
            self.awaited.remove(&cascade);
        }
    }
}
