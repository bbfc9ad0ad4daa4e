//! An order before it is given: what it would do, to whom, why, and how it is confirmed. Whom it is about is fixed when
//! the question opens: nobody who joins the list meanwhile is touched, and whoever left it is named and left alone.

use super::filter::Filter;
use super::input::LineInput;
use super::model::Model;
use crate::engine::forecast::{self, StopForecast};
use crate::engine::order::{Deed, Left, Order, Target};
use crate::engine::snapshot::Row;
use crate::model::{CascadeId, Channel, Mode, Scope};
use std::collections::{BTreeMap, HashSet};

/// Whom an order is about.
#[derive(Clone, Debug)]
pub enum Whom {
    /// One person.
    One(CascadeId),
    /// Everybody that the filter listed when the question was opened.
    Listed {
        /// As they stood then.
        of: Vec<Target>,
        /// The filter line.
        filter: String,
    },
}

/// What is to be confirmed.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Go on; the channel, or everything.
    Resume(Option<Channel>),
    /// A shut scope is mended.
    Mended(Channel, Scope),
    /// End everything.
    StopCampaign,
    /// Something for people.
    People(Deed, Whom),
}

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// To the choice: `y` or not.
    Choice,
    /// To the reason's line.
    Reason,
    /// To the line of the word that must be typed.
    Word,
}

/// The question.
#[derive(Clone, Debug)]
pub struct Asking {
    /// What is to be done.
    pub wanted: Wanted,
    /// Why; in live it must be given.
    pub reason: LineInput,
    /// The word that confirms, where `y` is not enough.
    pub word: Option<LineInput>,
    /// Where the keys go.
    pub field: Field,
    /// A reason must be given.
    pub needs_reason: bool,
}

impl Asking {
    /// As it is first asked. In live a reason comes first; what is irreversible or about many needs a typed word there.
    pub fn new(wanted: Wanted, mode: Mode) -> Self {
        let live = mode == Mode::Live;
        let grave = |deed: &Deed| matches!(deed, Deed::Stop | Deed::OptOut | Deed::WasNotSent);
        let word = match &wanted {
            Wanted::StopCampaign => true,
            Wanted::Resume(_) | Wanted::Mended(..) => false,
            Wanted::People(deed, whom) => live && (grave(deed) || matches!(whom, Whom::Listed { .. })),
        };
        let field = match (live, word) {
            (true, _) => Field::Reason,
            (false, true) => Field::Word,
            (false, false) => Field::Choice,
        };
        let word = word.then(|| LineInput::new(""));
        Self { wanted, reason: LineInput::new(""), word, field, needs_reason: live }
    }

    /// The line being typed, if one is.
    pub fn typing(&mut self) -> Option<&mut LineInput> {
        match self.field {
            Field::Choice => None,
            Field::Reason => Some(&mut self.reason),
            Field::Word => self.word.as_mut(),
        }
    }

    /// The word that must be typed.
    pub const fn confirming(&self) -> &'static str {
        match &self.wanted {
            Wanted::StopCampaign => "stop",
            Wanted::Resume(_) => "go on",
            Wanted::Mended(..) => "mended",
            Wanted::People(deed, _) => match deed {
                Deed::Stop => "stop",
                Deed::OptOut => "opt out",
                Deed::WasSent => "sent",
                Deed::WasNotSent => "not sent",
                Deed::Release => "go on",
                Deed::SkipWait => "skip",
                Deed::Retry => "try again",
            },
        }
    }

    /// To the other line, and back.
    pub fn other_field(&mut self) {
        self.field = match (self.field, &self.word) {
            (Field::Reason, Some(_)) => Field::Word,
            (Field::Reason, None) => Field::Choice,
            (Field::Word | Field::Choice, _) => Field::Reason,
        };
    }

    /// What is given once it is confirmed: the order and why.
    pub fn order(&self, model: &Model, extend_timers: bool) -> Option<(Order, String)> {
        let order = match &self.wanted {
            Wanted::Resume(only) => Order::Resume { only: *only, extend_timers },
            Wanted::Mended(channel, scope) => Order::CloseBreaker { channel: *channel, scope: scope.clone() },
            Wanted::StopCampaign => Order::StopAll,
            Wanted::People(deed, Whom::One(cascade)) => {
                Order::one(*deed, Target::from(&**model.row(*cascade)?))
            }
            Wanted::People(deed, Whom::Listed { of, filter }) => {
                let listed = still_listed(model, filter);
                let (of, gone): (Vec<_>, Vec<_>) =
                    of.iter().copied().partition(|target| listed.contains(&target.cascade));
                Order::People { deed: *deed, of, gone: gone.into_iter().map(|t| t.cascade).collect() }
            }
        };
        Some((order, self.reason.text().trim().to_owned()))
    }
}

/// Whom the filter lists now.
fn still_listed(model: &Model, filter: &str) -> HashSet<CascadeId> {
    let rows = &model.picture.snapshot.rows;
    let index = Filter::parse(filter).index(&model.picture);
    index.into_iter().filter_map(|i| rows.get(i)).map(|row| row.cascade).collect()
}

/// Everybody that the cohort pane lists now.
pub fn listed(model: &Model) -> Whom {
    let rows = &model.picture.snapshot.rows;
    let of = model.cohort.index.iter().filter_map(|i| rows.get(*i)).map(|row| Target::from(&**row));
    Whom::Listed { of: of.collect(), filter: model.cohort.filter.clone() }
}

/// For whom a deed can be done now, and why not for the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Everybody asked about.
    pub people: usize,
    /// For so many.
    pub can: usize,
    /// Whom the filter lists no more.
    pub gone: usize,
    /// So many are left as they are, and why; the most first.
    pub left: Vec<(Left, usize)>,
}

/// Weighs a deed for each of them.
pub fn reach(model: &Model, deed: Deed, whom: &Whom) -> Reach {
    let (targets, listed): (Vec<CascadeId>, _) = match whom {
        Whom::One(cascade) => (vec![*cascade], None),
        Whom::Listed { of, filter } => {
            (of.iter().map(|target| target.cascade).collect(), Some(still_listed(model, filter)))
        }
    };
    let mut reach = Reach { people: targets.len(), ..Reach::default() };
    let mut left: BTreeMap<&'static str, (Left, usize)> = BTreeMap::new();
    for cascade in targets {
        if listed.as_ref().is_some_and(|listed| !listed.contains(&cascade)) {
            reach.gone += 1;
            continue;
        }
        match model.row(cascade).map_or(Err(Left::Elsewhere), |row| row.may(deed)) {
            Ok(()) => reach.can += 1,
            Err(why) => left.entry(why.as_str()).or_insert((why, 0)).1 += 1,
        }
    }
    reach.left = left.into_values().collect();
    reach.left.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reach
}

/// What ending their cascades would come to.
pub fn stopping(model: &Model, whom: Option<&Whom>) -> StopForecast {
    let rows = |ids: Vec<CascadeId>| ids.into_iter().filter_map(|id| model.row(id)).map(|row| &**row);
    match whom {
        None => forecast::stopping(model.picture.snapshot.rows.iter().map(|row| &**row)),
        Some(Whom::One(cascade)) => forecast::stopping(rows(vec![*cascade])),
        Some(Whom::Listed { of, filter }) => {
            let listed = still_listed(model, filter);
            let of = of.iter().map(|target| target.cascade).filter(|id| listed.contains(id));
            forecast::stopping(rows(of.collect::<Vec<_>>()).collect::<Vec<&Row>>())
        }
    }
}
