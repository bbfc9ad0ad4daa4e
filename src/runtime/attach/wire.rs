//! What goes over the socket: JSON, a line each, and no line of any length.

use super::InControl;
use crate::clock::Reading;
use crate::engine::order::Who;
use crate::runtime::feed::Beside;
use crate::runtime::handle::{Command, Notice, PlaceFacts, Previewed};
use crate::runtime::operator;
use crate::runtime::saving::Wanted;
use futures::{SinkExt as _, StreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec, LinesCodecError};

/// Raised with every change of these lines, and with every change of the log or the rows: a console reads those
/// itself, with its own program.
pub const PROTOCOL: u32 = 3;

/// Bytes of a line: rules and content may be 1 MiB a file.
const LINE_MAX: usize = 16 * 1024 * 1024;

/// What a console says first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// See [`PROTOCOL`].
    pub protocol: u32,
    /// Of the program.
    pub version: String,
    /// Who sits there. The user is not believed: the socket knows it.
    pub who: Who,
}

impl Hello {
    /// Of this process.
    pub fn here() -> Self {
        Self { protocol: PROTOCOL, version: version(), who: operator::here() }
    }
}

/// The first answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Come in.
    Welcome(Box<Welcome>),
    /// Not here.
    Refused {
        /// Why, and what to do.
        why: String,
    },
}

/// What holds as long as the process lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// See [`PROTOCOL`].
    pub protocol: u32,
    /// Of the program.
    pub version: String,
    /// `cascade run`
    pub program: String,
    /// Its process.
    pub process: u32,
    /// Which files and settings it runs on.
    pub place: PlaceFacts,
}

/// What a console is told afterwards; each replaces what was told before.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// How far the log is on disk.
    Log {
        /// Its last place.
        seq: u64,
        /// How often everything was made anew without the log saying so.
        anew: u64,
        /// Wall seconds since each provider was heard.
        heard_s: Vec<Option<u64>>,
    },
    /// What no event tells.
    Beside(Arc<Beside>),
    /// Which files it runs on now: rules or texts were saved.
    Place(Arc<PlaceFacts>),
    /// What saving a draft would do; the number is the question's.
    Previewed {
        /// Which question.
        number: u64,
        /// The answer.
        answer: Previewed,
    },
    /// How a rehearsal's clock stands.
    Clock(Reading),
    /// Who is in control.
    Control {
        /// As this console sees it.
        #[serde(flatten)]
        by: InControl,
    },
    /// Something to be told.
    Notice(Notice),
    /// The process ends.
    Bye {
        /// How.
        why: String,
    },
}

/// What a console asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", content = "what", rename_all = "snake_case")]
pub enum Asked {
    /// Of the engine.
    Command(Command),
    /// What saving this would do.
    Preview {
        /// The question's number, for its answer.
        number: u64,
        /// This.
        wanted: Wanted,
    },
    /// To be in control, whoever is.
    TakeControl,
    /// To be in control no more.
    GiveControl,
}

/// The reading half.
pub type Lines = FramedRead<OwnedReadHalf, LinesCodec>;
/// The writing half.
pub type Pen = FramedWrite<OwnedWriteHalf, LinesCodec>;

/// Both halves of a connection.
pub fn lines(socket: UnixStream) -> (Lines, Pen) {
    let (read, write) = socket.into_split();
    let codec = LinesCodec::new_with_max_length(LINE_MAX);
    (FramedRead::new(read, codec.clone()), FramedWrite::new(write, codec))
}

/// The next line, understood. `None`: the other end is gone.
pub async fn hear<T: DeserializeOwned>(lines: &mut Lines) -> io::Result<Option<T>> {
    match lines.next().await {
        None => Ok(None),
        Some(line) => {
            let line = line.map_err(broken)?;
            serde_json::from_str(&line).map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
        }
    }
}

/// Sends one line.
pub async fn say<T: Serialize + Sync>(pen: &mut Pen, what: &T) -> io::Result<()> {
    let line = serde_json::to_string(what).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    pen.send(line).await.map_err(broken)
}

fn broken(error: LinesCodecError) -> io::Error {
    match error {
        LinesCodecError::Io(error) => error,
        LinesCodecError::MaxLineLengthExceeded => {
            io::Error::new(io::ErrorKind::InvalidData, "a line is longer than any of ours")
        }
    }
}

/// This program's.
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
