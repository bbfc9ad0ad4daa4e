//! Parse the command line, run one command, return its exit code.

use cascade::{cli::Cli, commands};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        // Help and version come this way too, with exit code 0; a closed pipe is nobody's fault.
        Err(usage) => {
            commands::output::usage(&usage);
            ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2))
        }
    }
}
