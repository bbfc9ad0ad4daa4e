//! Parse the command line, run one command, return its exit code.

fn main() {}
