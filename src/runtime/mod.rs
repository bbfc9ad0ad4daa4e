//! The world, joined to the engine by one loop.

mod asking;
mod boot;
pub mod brakes;
mod commands;
mod commit;
mod dispatch;
mod driver;
mod ears;
mod gallery;
mod gap;
pub mod handle;
pub mod hearing;
mod junction;
pub mod launch;
pub mod links;
mod listening;
mod news;
pub mod operator;
mod pace;
mod panicked;
mod parts;
pub mod plan;
mod proof;
mod recovery;
mod rehearsal;
mod reports;
mod speaker;
pub mod store;
mod tasks;
mod turn;
pub mod webhooks;

pub use boot::{BootError, Options, Purpose, Running, Wires, boot};
pub use driver::Ended;
pub use junction::{Joined, Junction, Seams};
pub use proof::RoundTrip;
pub use rehearsal::first_monday;
