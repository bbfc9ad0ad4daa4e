//! `cascade`: a terminal operations console for WhatsApp, phone and SMS cascades.

pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod engine;
pub mod model;
pub mod phrases;
pub mod providers;
pub mod rules;
pub mod runtime;
pub mod sandbox;
pub mod tui;
pub mod workspace;
