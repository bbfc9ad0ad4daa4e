//! The world, joined to the engine by one loop.

pub mod handle;
pub mod links;
pub mod webhooks;
