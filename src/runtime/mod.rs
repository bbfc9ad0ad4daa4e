//! The world, joined to the engine by one loop.

pub mod brakes;
pub mod handle;
pub mod hearing;
pub mod links;
mod pace;
pub mod store;
pub mod webhooks;
