//! The console's side: a copy of the campaign, pictures of it, and a way to ask. When the other side goes away the
//! last picture stays, and the console attaches again as soon as somebody is there.

use super::reach::{Attached, PATIENCE, reach};
use super::replica::{Caught, Replica};
use super::seat::{InControl, Seat};
use super::wire::{self, Asked, Pen, Told, Welcome};
use crate::clock::Clock;
use crate::model::Mode;
use crate::runtime::ears::Hearing;
use crate::runtime::feed::Beside;
use crate::runtime::gallery::{self, Gallery};
use crate::runtime::handle::{Command, Handle, Level, Notice, Picture, Previewed};
use crate::runtime::history::{self, Shelf};
use crate::runtime::operator;
use crate::runtime::question::Question;
use crate::runtime::saving;
use crate::runtime::store::{Reader, StoreError};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Between two tries to attach again.
const AGAIN: Duration = Duration::from_millis(500);

/// Commands and notices that may wait.
const WAITING: usize = 64;

/// Events of one customer that a history shows at most.
const HISTORY: usize = 5000;

/// A console's handle on a campaign that another process runs. Everything ends with the handle; there, nothing does.
pub fn attach(link: Attached) -> Handle {
    let clock = match link.welcome.place.mode {
        Mode::Live => Clock::live(),
        Mode::Rehearsal => Clock::scaled(crate::model::At::default(), 1.0),
    };
    let (picture, shown) = watch::channel(Arc::new(Picture::default()));
    let (commands, asked) = mpsc::channel(WAITING);
    let (notices, told) = mpsc::channel(WAITING);
    let (control, wanted) = mpsc::channel(WAITING);
    let hearing = Hearing::default();
    let gallery = Gallery::new(picture, Arc::new(link.welcome.place.clone()), hearing.clone());
    let client = Client {
        replica: Some(Replica::new(link.store.clone())),
        store: link.store.clone(),
        gallery,
        hearing,
        clock: clock.clone(),
        notices,
        seat: seat(&link.welcome),
        beside: Arc::default(),
        loaded: false,
        wanted: None,
        held: None,
        questions: HashMap::new(),
        asked: 0,
        shelf: Arc::default(),
    };
    tokio::spawn(client.run(link, Asks { commands: asked, control: wanted }));
    Handle {
        picture: shown,
        commands,
        notices: told,
        clock,
        operator: operator::here(),
        control: Some(control),
    }
}

fn seat(welcome: &Welcome) -> Seat {
    Seat {
        program: crate::model::clean(&welcome.program),
        process: welcome.process,
        control: InControl::Nobody,
        lost: None,
    }
}

/// What the screen asks.
struct Asks {
    commands: mpsc::Receiver<Command>,
    control: mpsc::Receiver<bool>,
}

struct Client {
    store: PathBuf,
    /// `None` while it reads.
    replica: Option<Replica>,
    gallery: Gallery,
    hearing: Hearing,
    clock: Clock,
    notices: mpsc::Sender<Notice>,
    seat: Seat,
    /// As told; shown once the rows have been read.
    beside: Arc<Beside>,
    loaded: bool,
    /// How far the log is on disk, and how often it was made anew.
    wanted: Option<(u64, u64)>,
    /// A hold that was asked for while nobody was there.
    held: Option<Command>,
    /// Who waits for what saving would do.
    questions: HashMap<u64, oneshot::Sender<Previewed>>,
    asked: u64,
    /// What learning has read of the store.
    shelf: Arc<Mutex<Shelf>>,
}

/// Why a connection is over.
enum Over {
    /// The operator leaves.
    Left,
    /// The other side is gone.
    Lost(String),
}

type Read = (Replica, Result<Caught, StoreError>);

/// What is being read beside the screen.
type Reading = Option<tokio::task::JoinHandle<Read>>;

impl Client {
    async fn run(mut self, link: Attached, mut asks: Asks) {
        let mut link = link;
        self.gallery.set_starting(Some("reading the store".into()));
        self.gallery.set_seat(self.seat.clone());
        self.gallery.show(None, 0, self.clock.now(), true);
        loop {
            let mut reading = None;
            let why = match self.follow(&mut link, &mut asks, &mut reading).await {
                Over::Left => return,
                Over::Lost(why) => why,
            };
            drop(link);
            if reading.is_some() {
                // What is on disk is true, whoever wrote it.
                let read = done(&mut reading).await;
                self.caught(read);
            }
            self.lose(&why);
            link = match self.wait(&mut asks).await {
                Some(link) => link,
                None => return,
            };
            self.find(&link);
        }
    }

    /// Shows what happens there, until one side leaves.
    async fn follow(&mut self, link: &mut Attached, asks: &mut Asks, reading: &mut Reading) -> Over {
        if let Some(hold) = self.held.take()
            && let Err(error) = ask(&mut link.pen, Asked::Command(hold)).await
        {
            return Over::Lost(error.to_string());
        }
        loop {
            if reading.is_none() {
                *reading = self.read();
            }
            let due = self.replica.as_ref().and_then(|_| self.gallery.due_in());
            let said = tokio::select! {
                biased;
                Some(take) = asks.control.recv() => {
                    ask(&mut link.pen, if take { Asked::TakeControl } else { Asked::GiveControl }).await
                }
                command = asks.commands.recv() => match command {
                    None | Some(Command::Quit) => return Over::Left,
                    Some(Command::Preview(wanted, reply)) => {
                        self.asked += 1;
                        self.questions.insert(self.asked, reply);
                        ask(&mut link.pen, Asked::Preview { number: self.asked, wanted }).await
                    }
                    Some(question) if question.asks_the_store() => {
                        self.answer(question);
                        Ok(())
                    }
                    Some(command) => ask(&mut link.pen, Asked::Command(command)).await,
                },
                told = wire::hear(&mut link.lines) => match told {
                    Ok(Some(Told::Bye { why })) => return Over::Lost(crate::model::clean(&why)),
                    Ok(Some(told)) => {
                        self.take(told);
                        Ok(())
                    }
                    Ok(None) => return Over::Lost("killed, or ended badly".into()),
                    Err(error) => Err(error),
                },
                read = done(reading) => {
                    *reading = None;
                    self.caught(read);
                    Ok(())
                }
                () = nap(due) => {
                    self.show(false);
                    Ok(())
                }
            };
            if let Err(error) = said {
                return Over::Lost(error.to_string());
            }
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Log { seq, anew, heard_s } => {
                self.hearing.mirror(&heard_s);
                self.gallery.listen_again();
                self.wanted = Some((seq, anew));
            }
            Told::Beside(beside) => {
                self.beside = beside;
                if self.loaded {
                    self.gallery.set_beside(&self.beside);
                }
            }
            Told::Place(place) => self.gallery.set_place((*place).clone()),
            Told::Previewed { number, answer } => {
                if let Some(reply) = self.questions.remove(&number) {
                    drop(reply.send(answer));
                }
            }
            Told::Clock(reading) => self.clock.mirror(reading),
            Told::Control { by } => {
                self.seat.control = by;
                self.gallery.set_seat(self.seat.clone());
                // The words about it come at once, too.
                self.show(true);
            }
            Told::Notice(notice) => self.tell(notice.level, notice.text),
            // Taken where it is heard.
            Told::Bye { .. } => {}
        }
    }

    /// Reads beside the screen what is new on disk, if anything is.
    fn read(&mut self) -> Reading {
        let (seq, anew) = self.wanted?;
        if !self.replica.as_ref().is_some_and(|replica| replica.is_behind(seq, anew)) {
            return None;
        }
        let mut replica = self.replica.take()?;
        Some(tokio::task::spawn_blocking(move || {
            let read = replica.catch_up(anew);
            if read.is_err() {
                // Whatever it is will not be over in a moment.
                std::thread::sleep(AGAIN);
            }
            (replica, read)
        }))
    }

    fn caught(&mut self, read: Option<Read>) {
        let Some((replica, caught)) = read else {
            self.replica = Some(Replica::new(self.store.clone()));
            return self.tell(Level::Error, "reading the store ended badly; it is read again".into());
        };
        match caught {
            Ok(Caught::Anew(shown)) => {
                self.gallery.reset(replica.campaign(), &shown.people, &shown.newest);
                self.gallery.know(shown.others.iter().map(|(id, customer)| (*id, customer)));
                self.gallery.set_inbox(&shown.inbox);
                self.gallery.set_audit(shown.audit);
                self.gallery.set_beside(&self.beside);
                self.loaded = true;
            }
            Ok(Caught::More(events, touched, others)) => {
                self.gallery.know(others.iter().map(|(id, customer)| (*id, customer)));
                self.gallery.add_stored(&events, &touched);
            }
            Err(error) => {
                self.tell(Level::Error, format!("{error}; what is shown here is not the newest"));
            }
        }
        self.replica = Some(replica);
    }

    fn show(&mut self, at_once: bool) {
        let Some(replica) = &self.replica else { return };
        self.gallery.show(replica.campaign(), replica.seq(), self.clock.now(), at_once);
    }

    /// Read beside the loop, which waits for no disk.
    fn answer(&self, question: Command) {
        let (store, notices) = (self.store.clone(), self.notices.clone());
        let (place, now, read) = (self.gallery.place(), self.clock.now(), Arc::clone(&self.shelf));
        tokio::task::spawn_blocking(move || {
            // The screen may have gone elsewhere meanwhile.
            let read = Reader::open(&store).and_then(|reader| {
                match question {
                    Command::History(cascade, reply) => {
                        let entries = reader.events_after(0, Some(cascade), HISTORY)?;
                        drop(reply.send(entries.iter().map(gallery::entry).collect()));
                    }
                    Command::Versions(reply) => drop(reply.send(reader.versions()?)),
                    Command::VersionFiles(hash, reply) => {
                        drop(reply.send(saving::as_text(reader.version(&hash)?)));
                    }
                    Command::Learn(reply) => {
                        let learnt = history::ask(&read, &reader, &Question::in_place(&place, now));
                        drop(reply.send(learnt.map(Box::new).map_err(|error| error.to_string())));
                    }
                    // Asked of whoever runs the campaign.
                    Command::Launch(_)
                    | Command::Order { .. }
                    | Command::Save { .. }
                    | Command::DropSaved(_)
                    | Command::Preview(..)
                    | Command::Quit => {}
                }
                Ok(())
            });
            if let Err(error) = read {
                let text = format!("the store cannot be read: {error}");
                let _ = notices.try_send(Notice { level: Level::Error, text });
            }
        });
    }

    /// Nobody is there any more: the last picture stays, and says so.
    fn lose(&mut self, why: &str) {
        // Whoever waits for an answer sees that none comes.
        self.questions.clear();
        self.clock.run(false);
        if let Some(replica) = &mut self.replica {
            // Nobody's way is stood in while the store may be moved, restored or made smaller.
            replica.forget();
        }
        self.shelf = Arc::default();
        let (program, process) = (&self.seat.program, self.seat.process);
        self.sit_lost(format!(
            "{program} (process {process}) is gone: {why} · the last picture; looking for it again"
        ));
    }

    fn sit_lost(&mut self, why: String) {
        if self.seat.lost.as_ref() != Some(&why) {
            self.seat.lost = Some(why);
            self.gallery.set_seat(self.seat.clone());
        }
    }

    /// Until somebody is there again; `None`: the operator leaves.
    async fn wait(&mut self, asks: &mut Asks) -> Option<Attached> {
        let (words, mut heard) = mpsc::channel(1);
        let mut search = std::pin::pin!(search(self.store.clone(), words));
        loop {
            let due = self.gallery.due_in();
            tokio::select! {
                biased;
                command = asks.commands.recv() => match command {
                    None | Some(Command::Quit) => return None,
                    Some(question) if question.asks_the_store() => self.answer(question),
                    Some(hold) if hold.holds_all() => {
                        self.held = Some(hold);
                        let then = "nobody is there to hold: it is the first thing asked for when somebody is";
                        self.tell(Level::Error, then.into());
                    }
                    Some(_) => self.tell(Level::Warning, "not done: nobody is at the other end".into()),
                },
                Some(_) = asks.control.recv() => {
                    self.tell(Level::Warning, "not done: nobody is at the other end".into());
                }
                () = nap(due) => self.show(false),
                Some(why) = heard.recv() => self.sit_lost(why),
                link = &mut search => return Some(link),
            }
        }
    }

    /// Somebody is there again: their rows are read as if nothing had been.
    fn find(&mut self, link: &Attached) {
        self.seat = seat(&link.welcome);
        (self.wanted, self.loaded) = (None, false);
        self.gallery.set_place(link.welcome.place.clone());
        self.gallery.set_seat(self.seat.clone());
        self.tell(Level::Info, format!("attached again, to {}", link.to_whom()));
    }

    fn tell(&self, level: Level, text: String) {
        let text = crate::model::clean(&text);
        let _ = self.notices.try_send(Notice { level, text });
    }
}

/// Tries until somebody is there; whoever is there and does not want us says why.
async fn search(store: PathBuf, words: mpsc::Sender<String>) -> Attached {
    loop {
        tokio::time::sleep(AGAIN).await;
        match reach(&store).await {
            Ok(Some(link)) => return link,
            Ok(None) => {}
            // The same words wait already.
            Err(error) => drop(words.try_send(error.to_string())),
        }
    }
}

/// Asks one thing; a side that does not take it is as good as gone.
async fn ask(pen: &mut Pen, asked: Asked) -> io::Result<()> {
    match tokio::time::timeout(PATIENCE, wire::say(pen, &asked)).await {
        Ok(said) => said,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it does not take what is asked")),
    }
}

/// What was read; never without a read under way. `None`: it panicked.
async fn done(reading: &mut Reading) -> Option<Read> {
    match reading {
        Some(reading) => reading.await.ok(),
        None => std::future::pending().await,
    }
}

async fn nap(left: Option<Duration>) {
    match left {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}
