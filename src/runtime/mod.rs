//! The world, joined to the engine by one loop.

pub mod handle;
pub mod store;
pub mod webhooks;
