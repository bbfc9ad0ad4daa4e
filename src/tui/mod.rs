//! The screen: model, update, command table, keymap, theme, terminal; `view/` holds one file per pane.
//!
//! ```text
//!  keys, mouse ─┐                         ┌─► Request ─► Command ─► engine
//!  picture ─────┼─► update(&mut Model, Msg)
//!  notices ─────┘                         └─► view::draw(&Model, &Theme, frame), at most 30 times a second
//! ```
//! The engine's truth arrives as an immutable picture and is never changed here; the model holds screen state
//! alone. Nothing on this path blocks, queries a store or waits for the engine.

mod alarms;
mod aside;
mod asking;
mod cells;
mod console;
mod dialogs;
mod editor;
mod filter;
mod having;
mod input;
mod interrupts;
mod keyboard;
pub mod keys;
mod layout;
mod learning;
mod model;
mod mouse;
mod moving;
mod msg;
mod needs;
mod notices;
mod placed;
mod review;
mod terminal;
mod text;
mod theme;
mod update;
mod versions;
mod view;

pub use interrupts::Interrupt;
pub use theme::{Theme, ThemeError};

use crate::runtime::handle::Handle;
use futures::Stream;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::crossterm::event::Event;
use std::io;
use std::path::PathBuf;

/// How the console looks and listens.
#[derive(Clone, Debug)]
pub struct Options {
    /// Looks by role.
    pub theme: Theme,
    /// Whether clicks and the wheel are ours.
    pub mouse: bool,
    /// The workspace that is edited here; `None`: drafts are judged by themselves and not kept.
    pub workspace: Option<PathBuf>,
}

impl Options {
    /// The default theme, or the plain one where `NO_COLOR` is set to anything (`no_color`).
    pub fn new(no_color: bool) -> Result<Self, ThemeError> {
        let theme = Theme::named(if no_color { "plain" } else { "dusk" })?;
        Ok(Self { theme, mouse: true, workspace: None })
    }
}

/// Why the console ended; everything is saved either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The operator left by key.
    Key,
    /// A signal came, or the terminal is gone.
    Interrupted(Interrupt),
}

/// Why the console could not go on. The engine has been told to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Taking the terminal failed.
    #[error("the terminal could not be taken: {0}; without one use `cascade pilot`")]
    Terminal(#[source] io::Error),
    /// Signals could not be listened to.
    #[error("signals could not be listened to: {0}")]
    Signals(#[source] io::Error),
    /// A frame could not be written.
    #[error("the screen could not be drawn: {why}; the campaign is saved, start again to go on")]
    Drawing {
        /// What the terminal said.
        why: String,
    },
}

impl Error {
    fn drawing(why: impl std::fmt::Display) -> Self {
        Self::Drawing { why: why.to_string() }
    }
}

/// Takes the terminal, draws the first frame at once, and runs until the operator leaves, a signal comes or the
/// terminal is gone. Gives the terminal back in every case, a panic included. Call it from the task that
/// `block_on` runs, so that a panic of the screen is told from a panic of a task.
pub async fn run(handle: Handle, options: Options) -> Result<Exit, Error> {
    let interrupts = interrupts::listen().map_err(Error::Signals)?;
    let mut screen = terminal::Screen::take(options.mouse).map_err(Error::Terminal)?;
    let console = console::Console::new(&mut screen.terminal, handle, options, terminal::mouse)?;
    let keys = keyboard::events().map_err(Error::Terminal)?;
    #[cfg(debug_assertions)]
    let keys = futures::StreamExt::inspect(keys, panics_on(std::env::var("CASCADE_PANIC_ON").ok()));
    Box::pin(console.run(keys, interrupts)).await
}

/// For the test that a panic gives the terminal back: in debug builds, `CASCADE_PANIC_ON=!` makes the key `!` one.
#[cfg(debug_assertions)]
fn panics_on(key: Option<String>) -> impl FnMut(&io::Result<Event>) {
    #[expect(clippy::panic, reason = "a panic is what it is there for")]
    move |event| {
        if let Ok(Event::Key(press)) = event
            && key.is_some()
            && keys::name(*press) == key
        {
            panic!("asked for by CASCADE_PANIC_ON");
        }
    }
}

/// The same loop on any screen and any source of events; an end of `events` is a closed terminal.
pub async fn run_on<B, E, I>(
    terminal: &mut Terminal<B>,
    handle: Handle,
    options: Options,
    events: E,
    interrupts: I,
) -> Result<Exit, Error>
where
    B: Backend,
    E: Stream<Item = io::Result<Event>> + Unpin,
    I: Stream<Item = Interrupt> + Unpin,
{
    let console = console::Console::new(terminal, handle, options, |_| Ok(()))?;
    Box::pin(console.run(events, interrupts)).await
}
