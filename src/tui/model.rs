//! Screen state: focus, selection, scroll, open pages, the question being asked, notices. Campaign truth is not
//! here; it is in the newest picture, which the model only points at.

mod cohort;

use super::alarms;
use super::asking::{self, Asking, Wanted, Whom};
use super::editor::draft::{Draft, File};
use super::editor::{Desk, Focus};
use super::input::LineInput;
use super::keys::Place;
use super::layout::{self, Pane, Places};
use super::learning::{Learning, View};
use super::needs::{self, Need};
use super::notices::Notices;
use super::review::{self, Review};
use super::versions::{self, History};
use crate::engine::audit::Account;
use crate::engine::order::Ask;
use crate::engine::snapshot::{Phase, Row};
use crate::model::{At, CampaignId, CascadeId, Channel, Mode, OrderId, Scope};
use crate::rules::Problem;
use crate::runtime::attach::{InControl, Seat};
use crate::runtime::handle::{Level, Picture, Settling, TimelineEntry};
use crate::workspace::forge;
use ratatui::layout::Rect;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Everything the screen remembers between two frames.
#[derive(Debug)]
pub struct Model {
    /// The newest picture.
    pub picture: Arc<Picture>,
    /// Campaign time of this frame.
    pub now: At,
    /// Campaign seconds in a real one, as the clock runs.
    pub speed: f64,
    /// The window.
    pub area: Rect,
    /// The pane that keys go to.
    pub focus: Pane,
    /// Whether that pane has the body for itself.
    pub zoomed: bool,
    /// The cohort pane.
    pub cohort: Cohort,
    /// The timeline, if it was scrolled; `None` follows.
    pub frozen: Option<Frozen>,
    /// The line under the cursor of the other panes, by [`Pane`].
    pub cursors: [usize; 6],
    /// Pages over the panes, the top one last.
    pub pages: Vec<Page>,
    /// The question being asked.
    pub dialog: Option<Dialog>,
    /// What was told.
    pub notices: Notices,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// `P` was pressed and the engine has not confirmed it yet.
    pub hold_asked: bool,
    /// Furthest that the top page of the last frame can scroll, or the thing under its cursor; `MAX`: no frame has told.
    pub scroll_max: usize,
    /// The last click, for double clicks.
    pub clicked: Option<(Instant, u16, u16)>,
    /// An order about many was given when there were so many: what comes of it is shown once it is there.
    pub awaits: Option<(Ask, usize)>,
    /// What is being edited.
    pub desk: Desk,
    /// What is about to be saved.
    pub review: Option<Review>,
    /// Versions that ran.
    pub history: History,
    /// What the record says.
    pub learning: Learning,
    /// Where the rules stand in git; `None`: no repository, or not looked at yet.
    pub forge: Option<forge::Place>,
    /// It is asked again in a while.
    pub forge_rests: bool,
    /// A pull request is being opened.
    pub proposing: bool,
    /// What is wrong with the rules and texts as they stand on disk.
    pub on_disk: Vec<Problem>,
}

/// The cohort pane's state.
#[derive(Debug, Default)]
pub struct Cohort {
    /// The filter line as it stands.
    pub filter: String,
    /// While it is being typed.
    pub typing: Option<LineInput>,
    /// Identity, never a row number: new rows must not move the operator onto another customer.
    pub selected: Option<CascadeId>,
    /// First visible line.
    pub top: usize,
    /// Positions in the snapshot's rows.
    pub index: Vec<usize>,
    /// What could not be read of the filter.
    pub problem: Option<String>,
    /// The part of it that is not applied, be it a mistake or a word that is only begun.
    pub unread: Option<String>,
    made_of: Option<(u64, String, usize)>,
}

/// A timeline that stands still: the entries it shows and how far it is scrolled.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// The entries as they were.
    pub entries: Arc<VecDeque<Arc<TimelineEntry>>>,
    /// Shown entries skipped, from the newest.
    pub skip: usize,
}

/// A page over the panes.
#[derive(Debug)]
pub struct Page {
    /// What it shows.
    pub what: What,
    /// Lines scrolled, or the line under the cursor of a list.
    pub at: usize,
    /// Lines scrolled of the thing under the cursor, where it is taller than the window.
    pub skip: usize,
}

/// How a customer stood when their page was read.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadFor {
    /// The row of a cascade of this campaign.
    Row(Arc<Row>),
    /// Of an earlier one there is no row: the newest entry about them in the timeline, if any is there.
    Entry(Option<u64>),
}

/// What a page shows.
#[derive(Debug)]
pub enum What {
    /// One customer and everything that happened to them.
    Person {
        /// Who.
        cascade: CascadeId,
        /// Oldest first; `None` until it has been read.
        history: Option<Vec<Arc<TimelineEntry>>>,
        /// What it was read for; something else means it is stale.
        read_for: Option<ReadFor>,
    },
    /// Failures by cause.
    Failures,
    /// One cause.
    Failure(Channel, String, Scope),
    /// A shut scope.
    Breaker(Channel, Scope),
    /// What people wrote and said.
    Inbox,
    /// What operators ordered.
    Orders,
    /// One order, and what came of it for each.
    Order(CampaignId, OrderId),
    /// Rules and content, being edited.
    Editor,
    /// What is about to be saved.
    Review,
    /// Versions that ran.
    Versions,
    /// One of them.
    Version(versions::Key),
    /// What was learnt.
    Learning(View),
    /// What was told, whole.
    Messages,
    /// Every key.
    Help(Vec<Place>),
}

impl Page {
    /// At its top.
    pub fn new(what: What) -> Self {
        Self { what, at: 0, skip: 0 }
    }

    /// How many things the cursor moves over; `None` for pages that merely scroll.
    pub fn items(
        &self,
        picture: &Picture,
        history: &History,
        (learning, notices): (&Learning, &Notices),
    ) -> Option<usize> {
        match &self.what {
            What::Messages => Some(notices.count()),
            What::Learning(view) => learning.items(*view),
            What::Failures => Some(picture.snapshot.failures.len()),
            What::Inbox => Some(picture.inbox.len()),
            What::Orders => Some(picture.audit.orders().len()),
            What::Versions => Some(history.versions.as_ref().map_or(0, Vec::len)),
            What::Order(campaign, order) => {
                let mut orders = picture.audit.orders().iter().rev();
                let found = orders.find(|a| a.campaign == *campaign && a.order == *order);
                Some(found.map_or(0, |account| account.items.len()))
            }
            What::Person { .. }
            | What::Failure(..)
            | What::Breaker(..)
            | What::Editor
            | What::Review
            | What::Version(_)
            | What::Help(_) => None,
        }
    }
}

/// A question over everything else.
#[derive(Debug)]
pub enum Dialog {
    /// Launch? In live a word must be typed.
    Launch(Option<LineInput>),
    /// Leave while something runs?
    Quit,
    /// Take control from whoever has it?
    TakeControl,
    /// What to do about these people.
    Actions(Whom),
    /// An order to be confirmed.
    Ask(Box<Asking>),
    /// Find a command.
    Palette(LineInput, usize),
    /// The editor is left, and its draft is not saved.
    Unsaved,
    /// Which segment gets a ladder of its own?
    Split(usize),
}

impl Model {
    /// A fresh screen on this picture.
    pub fn new(picture: Arc<Picture>, area: Rect, now: At, mouse: bool) -> Self {
        let mut model = Self {
            picture,
            now,
            speed: 1.0,
            area,
            focus: Pane::Cohort,
            zoomed: false,
            cohort: Cohort::default(),
            frozen: None,
            cursors: [0; 6],
            pages: Vec::new(),
            dialog: None,
            notices: Notices::default(),
            mouse,
            hold_asked: false,
            scroll_max: 0,
            clicked: None,
            awaits: None,
            desk: Desk::default(),
            review: None,
            history: History::default(),
            learning: Learning::default(),
            forge: None,
            forge_rests: false,
            proposing: false,
            on_disk: Vec::new(),
        };
        model.settle();
        model
    }

    /// Rehearsal or live; the campaign's word if there is one.
    pub fn mode(&self) -> Mode {
        self.picture.snapshot.campaign.as_ref().map_or(self.picture.place.mode, |c| c.mode)
    }

    /// Whether a campaign is on its way, sending or paused.
    pub fn in_flight(&self) -> bool {
        matches!(self.picture.snapshot.phase, Phase::Running | Phase::Paused(_) | Phase::Stuck)
    }

    /// Nothing was launched yet and no page is open: the screen invites instead of showing empty panes.
    pub fn welcomes(&self) -> bool {
        self.picture.snapshot.campaign.is_none() && self.pages.is_empty()
    }

    /// Why nobody is at the other end of an attached console, if nobody is.
    pub fn lost(&self) -> Option<&str> {
        self.picture.seat.as_ref()?.lost.as_deref()
    }

    /// Why nothing can be changed from here, if this console only reads.
    pub fn refusal(&self) -> Option<String> {
        let zone = self.picture.place.timezone.parse().unwrap_or(chrono_tz::Tz::UTC);
        self.picture.seat.as_ref()?.refusal(zone)
    }

    /// Whether this console's drafts are kept on the disk. Whoever only reads has theirs in memory: those on the disk are the
    /// ones of whoever is in control.
    pub fn keeps_drafts(&self) -> bool {
        let reads = |seat: &Arc<Seat>| matches!(seat.control, InControl::Another { .. });
        !self.picture.seat.as_ref().is_some_and(reads)
    }

    /// Lines of standing banners.
    pub fn banners(&self) -> u16 {
        alarms::lines(self).len() as u16
    }

    /// Why nothing is sent, if nothing is.
    pub fn held_by(&self) -> Option<&str> {
        match &self.picture.snapshot.phase {
            Phase::Paused(why) => Some(why),
            Phase::Running | Phase::Stuck if self.hold_asked => Some("asked for just now"),
            Phase::Idle | Phase::Running | Phase::Stuck | Phase::Ended => None,
        }
    }

    /// Nobody can go on yet: what was sent after the backup is still being asked for.
    pub fn asks_what_was_lost(&self) -> bool {
        let asking = self.picture.settling == Some(Settling::Asking);
        asking && self.picture.snapshot.pauses.iter().any(|pause| pause.asking)
    }

    /// Where everything stands now.
    pub fn places(&self) -> Places {
        layout::arrange(self.area, self.focus, self.zoomed, self.banners(), self.notices.lines())
    }

    /// Which rows of the command table apply to the next key.
    pub fn context(&self) -> Vec<Place> {
        match &self.dialog {
            _ if self.types_a_line() => vec![Place::Everywhere, Place::Line],
            Some(Dialog::Ask(asking)) if matches!(asking.wanted, Wanted::Resume(_)) => {
                vec![Place::Everywhere, Place::Question, Place::Order, Place::Resume]
            }
            Some(Dialog::Ask(_)) => vec![Place::Everywhere, Place::Question, Place::Order],
            Some(Dialog::Actions(_)) => vec![Place::Everywhere, Place::Question, Place::Actions],
            Some(Dialog::Unsaved) => vec![Place::Everywhere, Place::Question, Place::Unsaved],
            Some(_) => vec![Place::Everywhere, Place::Question],
            None => self.screen_context(),
        }
    }

    /// Whether keys go into a line: a filter, a reason, a word that confirms.
    pub fn types_a_line(&self) -> bool {
        match (&self.dialog, self.pages.last().map(|page| &page.what)) {
            (Some(Dialog::Launch(Some(_)) | Dialog::Palette(..)), _) => true,
            (Some(Dialog::Ask(asking)), _) => asking.field != asking::Field::Choice,
            (Some(_), _) => false,
            (None, Some(What::Review)) => {
                self.review.as_ref().is_some_and(|review| review.field != review::Field::Choice)
            }
            (None, Some(What::Editor)) => self.desk.focus == Focus::Text && self.desk.finding.is_some(),
            (None, _) => self.cohort.typing.is_some(),
        }
    }

    /// As [`Model::context`], without any dialog.
    pub fn screen_context(&self) -> Vec<Place> {
        match self.pages.last().map(|page| &page.what) {
            None => vec![Place::Everywhere, Place::Screen, Place::Panes],
            Some(What::Editor) if self.desk.focus == Focus::Text => vec![Place::Everywhere, Place::Editor],
            Some(What::Editor) => vec![Place::Everywhere, Place::Screen, Place::Page, Place::Ladder],
            Some(What::Review) => vec![Place::Everywhere, Place::Screen, Place::Page, Place::Review],
            Some(What::Versions | What::Version(_)) => {
                vec![Place::Everywhere, Place::Screen, Place::Page, Place::Versions]
            }
            Some(What::Learning(_)) => vec![Place::Everywhere, Place::Screen, Place::Page, Place::Learning],
            Some(What::Person { .. }) => vec![Place::Everywhere, Place::Screen, Place::Page, Place::Person],
            Some(_) => vec![Place::Everywhere, Place::Screen, Place::Page],
        }
    }

    /// The customer that an action would be about.
    pub fn subject(&self) -> Option<CascadeId> {
        match self.pages.last().map(|page| &page.what) {
            Some(What::Person { cascade, .. }) => Some(*cascade),
            Some(What::Order(campaign, order)) => {
                let at = self.pages.last().map_or(0, |page| page.at);
                self.account(*campaign, *order)?.items.get(at).map(|item| item.cascade)
            }
            None if !self.welcomes() => self.cohort.selected,
            None | Some(_) => None,
        }
    }

    /// Whom an action of the menu would be about.
    pub fn whom(&self) -> Option<Whom> {
        match &self.dialog {
            Some(Dialog::Actions(whom)) => Some(whom.clone()),
            _ => self.subject().map(Whom::One),
        }
    }

    /// An order and what came of it.
    pub fn account(&self, campaign: CampaignId, order: OrderId) -> Option<&Arc<Account>> {
        let orders = self.picture.audit.orders();
        orders.iter().rfind(|account| account.campaign == campaign && account.order == order)
    }

    /// A customer's row; the rows stand in order of their ids.
    pub fn row(&self, cascade: CascadeId) -> Option<&Arc<Row>> {
        let rows = &self.picture.snapshot.rows;
        rows.binary_search_by_key(&cascade, |row| row.cascade).ok().map(|at| &rows[at])
    }

    /// A customer's name, safe for the screen.
    pub fn name(&self, cascade: CascadeId) -> String {
        let card = self.row(cascade).and_then(|row| self.picture.people.get(&row.person));
        card.map_or_else(|| format!("customer {cascade}"), |card| card.name.clone())
    }

    /// What waits for a person.
    pub fn needs(&self) -> Vec<Need> {
        needs::list(self)
    }

    /// Tells the operator something.
    pub fn tell(&mut self, level: Level, text: impl Into<String>) {
        self.notices.tell(self.now, level, text.into(), None);
    }

    /// Tells something about a draft, which is forgotten with it.
    pub fn tell_of(&mut self, draft: File, level: Level, text: impl Into<String>) {
        self.notices.tell(self.now, level, text.into(), Some(draft));
    }

    /// Whether the screen shows a time that runs, so that it must tick.
    pub fn counts_down(&self) -> bool {
        self.picture.settling.is_some()
            || matches!(self.picture.snapshot.phase, Phase::Running | Phase::Stuck)
                && !self.picture.snapshot.next.is_empty()
    }

    /// Brings index, selection and scroll in line with the picture and the window.
    pub fn settle(&mut self) {
        if !matches!(self.picture.snapshot.phase, Phase::Running | Phase::Stuck) {
            self.hold_asked = false;
        }
        let drafts = &self.desk.drafts;
        self.notices.forget_drafts(|file| drafts.get(&file).is_some_and(Draft::is_changed));
        let visible = self.cohort_lines();
        self.cohort.refresh(&self.picture);
        self.cohort.keep_visible(&self.picture, visible);
    }

    /// Customers that the cohort pane shows at once.
    pub fn cohort_lines(&self) -> usize {
        // Two lines of frame, the filter line and the heads of the columns.
        self.places().of(Pane::Cohort).map_or(0, |rect| rect.height.saturating_sub(4) as usize)
    }
}
