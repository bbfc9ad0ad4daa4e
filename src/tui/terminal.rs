//! Takes the terminal and gives it back. Nothing else touches raw mode or the alternate screen.

use super::placed::Placed;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};
use std::io::{self, BufWriter, Stdout, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;

/// A frame leaves in one write.
const FRAME_BYTES: usize = 64 * 1024;

static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// The thread that draws: a panic anywhere else is a task's, and must not take the screen away.
static DRAWS: Mutex<Option<ThreadId>> = Mutex::new(None);

/// The screen, for as long as this lives; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    /// To draw on.
    pub terminal: Terminal<Placed<CrosstermBackend<BufWriter<Stdout>>>>,
}

impl Screen {
    /// Takes the terminal: the panic hook first, so that no failure on the way leaves it raw.
    pub fn take(mouse: bool) -> io::Result<Self> {
        install_hook();
        *DRAWS.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current().id());
        TAKEN.store(true, Ordering::SeqCst);
        let taken = (|| {
            enable_raw_mode()?;
            execute!(
                stdout(),
                EnterAlternateScreen,
                Clear(ClearType::All),
                EnableBracketedPaste,
                cursor::Hide
            )?;
            if mouse {
                self::mouse(true)?;
            }
            Terminal::new(Placed(CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, stdout()))))
        })();
        if taken.is_err() {
            restore();
        }
        taken.map(|terminal| Self { terminal })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Takes the mouse, or gives it back so that the terminal selects text.
pub fn mouse(on: bool) -> io::Result<()> {
    if on { execute!(stdout(), EnableMouseCapture) } else { execute!(stdout(), DisableMouseCapture) }
}

/// Gives the terminal back. Each step is tried even if one fails; a second call does nothing.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let steps = [
        execute!(stdout(), DisableMouseCapture),
        execute!(stdout(), DisableBracketedPaste),
        execute!(stdout(), LeaveAlternateScreen),
        execute!(stdout(), cursor::Show),
        disable_raw_mode(),
    ];
    for failed in steps.into_iter().filter_map(Result::err) {
        tracing::debug!(%failed, "a step of giving the terminal back failed");
    }
}

fn install_hook() {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let draws = *DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
            let ours = draws == Some(std::thread::current().id());
            if ours || !TAKEN.load(Ordering::SeqCst) {
                restore();
                before(panic);
            } else {
                // Printing would tear the screen; whoever joins the task tells the operator. What stands in quotes
                // may be somebody's words.
                let words = panic.payload_as_str().and_then(|words| words.split(['`', '"', '\'']).next());
                let at = panic.location().map(ToString::to_string);
                tracing::error!(at, words, "a task panicked");
            }
        }));
    });
}
