//! Speed of the engine, as ratios measured in one run.

fn main() {}
