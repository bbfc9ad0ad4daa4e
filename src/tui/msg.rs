//! What reaches the screen, and what the screen asks of its loop.

use super::editor::Keep;
use super::editor::draft::File;
use crate::engine::order::Order;
use crate::engine::retime::Choice;
use crate::model::{CascadeId, Customer, Phone};
use crate::rules::{Judged, Problem};
use crate::runtime::handle::{Learnt, Notice, Picture, Previewed, TimelineEntry, VersionFiles};
use crate::runtime::saving::{Version, Wanted};
use crate::trail::Evidence;
use crate::workspace::bench::{Bench, Keeping, Kept, Texts};
use crate::workspace::forge;
use crate::workspace::on_disk::Stamp;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What reaches the screen.
#[derive(Debug)]
pub enum Msg {
    /// Time went on.
    Tick,
    /// A key.
    Key(KeyEvent),
    /// The mouse, and when by the wall.
    Mouse(MouseEvent, Instant),
    /// Pasted text.
    Paste(String),
    /// The window has another size.
    Resize(u16, u16),
    /// The engine's newest picture.
    Picture(Arc<Picture>),
    /// Something to tell.
    Notice(Notice),
    /// The answer to [`Request::History`].
    History(CascadeId, Vec<Arc<TimelineEntry>>),
    /// The runtime is gone.
    EngineGone,
    /// The answer to [`Request::Bench`].
    Bench(Result<Arc<Bench>, String>),
    /// The answer to [`Request::Check`].
    Checked(Vec<(File, u64)>, Box<Judged>),
    /// The answer to [`Request::Keep`]: what of which revision, and what came of it, or why nothing did.
    Kept(Box<Keep>, Result<Keeping, String>),
    /// The answer to [`Request::Found`].
    Found(Vec<Kept>),
    /// The answer to [`Request::Customer`].
    Customer(Phone, Option<Box<Customer>>),
    /// The answer to [`Request::Preview`].
    Previewed(u64, Previewed),
    /// The answer to [`Request::Versions`].
    Versions(Vec<Version>),
    /// The answer to [`Request::VersionFiles`].
    VersionFiles(String, VersionFiles),
    /// The answer to [`Request::Learn`], and how long it took; `None`: there will be none.
    Learnt(Option<Learnt>, Duration),
    /// The record may be asked again.
    LearnAgain,
    /// Where the rules stand in git.
    Forge(Option<Box<forge::Place>>),
    /// How the pull request stands may be asked again.
    ForgeAgain,
    /// The answer to [`Request::Propose`].
    Proposed(Result<Box<forge::Place>, String>),
    /// What is wrong with the rules and texts on disk, now that somebody wrote them.
    OnDisk(Stamp, Vec<Problem>),
}

/// What the screen asks of the loop.
#[derive(Debug)]
pub enum Request {
    /// An order of the engine, and why.
    Ask(Order, String),
    /// Launch what the preflight showed.
    Launch,
    /// Everything that happened to one customer.
    History(CascadeId),
    /// Take control of what another process runs, or give it back.
    Control(bool),
    /// Take the mouse, or give it back to the terminal.
    Mouse(bool),
    /// Leave; everything is saved.
    Leave,
    /// Read the workspace for the editor.
    Bench,
    /// Judge these texts: drafts of which revisions.
    Check {
        /// What is judged together.
        texts: Texts,
        /// The drafts among them.
        revisions: Vec<(File, u64)>,
    },
    /// Keep a draft on the disk.
    Keep(Box<Keep>),
    /// Read the drafts that the disk keeps.
    Found,
    /// The row of this customer, for a preview.
    Customer(Arc<Bench>, Phone),
    /// What saving this would do; the number comes back with the answer.
    Preview(u64, Wanted),
    /// Save what a preview showed.
    Save {
        /// Which.
        preview: u64,
        /// What becomes of those in flight.
        choice: Choice,
        /// Why.
        why: String,
        /// What nobody committed may go along.
        include: bool,
    },
    /// What was saved and is not in force is not to be.
    DropSaved,
    /// The versions that ran.
    Versions,
    /// The files of one, by the hash of its rules or texts.
    VersionFiles(String),
    /// What the record says.
    Learn,
    /// To be told after this time that it may be asked again.
    LearnLater(Duration),
    /// Look again where the rules stand in git.
    Forge,
    /// The same in a while: others merge, review and check.
    ForgeLater,
    /// Push the branch that holds the rules, and open a pull request.
    Propose(Vec<Evidence>),
    /// To be told when rules or texts on disk are not as they were then.
    Watch(Stamp),
}
