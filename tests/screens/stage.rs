//! A fake terminal that counts frames, and a script of keys and pictures played to the real loop in paused time.

use crate::changes;
use crate::fixture::{self, Engine};
use cascade::runtime::handle::{Command, Picture};
use cascade::tui::{self, Exit, Options};
use futures::stream::{self, StreamExt};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Size};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the script does next.
pub enum Step {
    /// Key presses by name, separated by spaces.
    Keys(&'static str),
    /// Text, character by character.
    Type(&'static str),
    /// Any other event.
    Event(Event),
    /// The engine does something.
    Engine(Box<dyn FnOnce(&Engine) + Send>),
    /// Time passes.
    Wait(Duration),
}

/// What came of a script.
pub struct Seen {
    /// The last frame.
    pub buffer: Buffer,
    /// Frames drawn.
    pub frames: usize,
    /// What the engine was asked, in order.
    pub asked: Vec<String>,
    /// Why it ended.
    pub exit: Exit,
}

impl Seen {
    /// The last frame as text.
    pub fn text(&self) -> String {
        let area = self.buffer.area;
        let mut lines = Vec::new();
        for y in 0..area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < area.width {
                let symbol = self.buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += unicode_width::UnicodeWidthStr::width(symbol).max(1) as u16;
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }
}

/// Plays a script on a window of this size; the terminal closes at its end.
pub async fn play(size: (u16, u16), picture: Picture, options: Options, script: Vec<Step>) -> Seen {
    let (handle, engine) = fixture::handle(picture);
    play_on(size, handle, engine, options, script).await
}

/// As [`play`], on a handle made by the test.
pub async fn play_on(
    size: (u16, u16),
    handle: cascade::runtime::handle::Handle,
    mut engine: Engine,
    options: Options,
    script: Vec<Step>,
) -> Seen {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (_, nobody) = tokio::sync::mpsc::channel(1);
    let mut commands = std::mem::replace(&mut engine.commands, nobody);
    let (learnt, stands) = (engine.learnt.clone(), engine.stands.clone());
    let listener = tokio::spawn({
        let asked = Arc::clone(&asked);
        async move {
            let mut previews = 0;
            while let Some(command) = commands.recv().await {
                asked.lock().unwrap().push(said(&command));
                match command {
                    Command::History(_, answer) => {
                        _ = answer.send(fixture::timeline().into_iter().collect());
                    }
                    Command::Learn(answer) => _ = answer.send(learnt.clone()),
                    Command::Preview(wanted, answer) => {
                        previews += 1;
                        _ = answer.send(changes::answer(&wanted, previews, stands.as_deref()));
                    }
                    Command::Versions(answer) => _ = answer.send(changes::versions()),
                    Command::VersionFiles(hash, answer) => _ = answer.send(changes::files(&hash)),
                    Command::Quit => return,
                    _ => {}
                }
            }
        }
    });
    let events = Box::pin(stream::iter(script).then(move |step| act(step, &engine)).flat_map(stream::iter));
    let events = events.map(Ok::<_, std::io::Error>);
    let frames = Arc::new(Mutex::new(0));
    let screen = Counting { screen: TestBackend::new(size.0, size.1), frames: Arc::clone(&frames) };
    let mut terminal = Terminal::new(screen).unwrap();
    let exit = tui::run_on(&mut terminal, handle, options, events, stream::pending()).await.unwrap();
    listener.await.unwrap();
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    let frames = *frames.lock().unwrap();
    Seen { buffer: terminal.backend().screen.buffer().clone(), frames, asked, exit }
}

/// A command as a test compares it: orders without the calendar's time, with their reason.
fn said(command: &Command) -> String {
    match command {
        Command::Launch(signature) => {
            assert_eq!(signature.by, fixture::ops());
            "Launch".into()
        }
        Command::Order { order, signature, why } => {
            assert_eq!(signature.by, fixture::ops());
            let why = if why.is_empty() { String::new() } else { format!(" because {why}") };
            format!("{order:?}{why}")
        }
        Command::Save { preview, choice, why, include, .. } => {
            let include = if *include { ", with what nobody committed" } else { "" };
            format!("Save {preview} {choice} because {why}{include}")
        }
        Command::DropSaved(_) => "DropSaved".into(),
        Command::Preview(wanted, _) => format!("Preview {wanted:?}"),
        Command::Versions(_)
        | Command::VersionFiles(..)
        | Command::History(..)
        | Command::Learn(_)
        | Command::Quit => format!("{command:?}").chars().take(60).collect(),
    }
}

fn act(step: Step, engine: &Engine) -> futures::future::BoxFuture<'static, Vec<Event>> {
    let press = |code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
    let (events, wait): (Vec<Event>, _) = match step {
        Step::Keys(names) => (names.split(' ').map(key).collect(), Duration::from_millis(100)),
        Step::Type(text) => (text.chars().map(KeyCode::Char).map(press).collect(), Duration::ZERO),
        Step::Event(event) => (vec![event], Duration::from_millis(100)),
        Step::Engine(does) => {
            does(engine);
            (vec![], Duration::from_millis(100))
        }
        Step::Wait(time) => (vec![], time),
    };
    // In paused time this takes no time, but whoever is ready runs first: answers arrive between two steps.
    Box::pin(async move {
        tokio::time::sleep(wait).await;
        events
    })
}

/// A key press by name.
pub fn key(name: &str) -> Event {
    let (code, modifiers) = match name {
        "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
        "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
        "Tab" => (KeyCode::Tab, KeyModifiers::NONE),
        "Down" => (KeyCode::Down, KeyModifiers::NONE),
        "Up" => (KeyCode::Up, KeyModifiers::NONE),
        "PgUp" => (KeyCode::PageUp, KeyModifiers::NONE),
        "PgDn" => (KeyCode::PageDown, KeyModifiers::NONE),
        "End" => (KeyCode::End, KeyModifiers::NONE),
        "Home" => (KeyCode::Home, KeyModifiers::NONE),
        "Shift-Tab" => (KeyCode::BackTab, KeyModifiers::SHIFT),
        "Ctrl-Space" => (KeyCode::Char(' '), KeyModifiers::CONTROL),
        control if control.len() == 6 && control.starts_with("Ctrl-") => {
            (KeyCode::Char(control.chars().last().unwrap()), KeyModifiers::CONTROL)
        }
        one => (KeyCode::Char(one.chars().next().unwrap()), KeyModifiers::NONE),
    };
    Event::Key(KeyEvent::new(code, modifiers))
}

/// A fake terminal that counts frames.
struct Counting {
    screen: TestBackend,
    frames: Arc<Mutex<usize>>,
}

type Never = <TestBackend as Backend>::Error;

impl Backend for Counting {
    type Error = Never;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> Result<(), Never> {
        *self.frames.lock().unwrap() += 1;
        self.screen.draw(content)
    }
    fn hide_cursor(&mut self) -> Result<(), Never> {
        self.screen.hide_cursor()
    }
    fn show_cursor(&mut self) -> Result<(), Never> {
        self.screen.show_cursor()
    }
    fn get_cursor_position(&mut self) -> Result<Position, Never> {
        self.screen.get_cursor_position()
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Never> {
        self.screen.set_cursor_position(position)
    }
    fn clear(&mut self) -> Result<(), Never> {
        self.screen.clear()
    }
    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Never> {
        self.screen.clear_region(clear_type)
    }
    fn size(&self) -> Result<Size, Never> {
        self.screen.size()
    }
    fn window_size(&mut self) -> Result<WindowSize, Never> {
        self.screen.window_size()
    }
    fn flush(&mut self) -> Result<(), Never> {
        self.screen.flush()
    }
}
