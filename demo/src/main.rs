//! `overheard-demo`: the daemon's own pipeline on an embedded broker and a private Postgres, fed
//! with one simulated hour of sample posts.
//!
//! Everything between broker and database is the real thing. Time is simulated: a manual clock
//! runs through the hour in about half a minute, and alert rules follow it.
//!
//! - `demo` starts one thing after the other, plays the hour and shows what came of it.
//! - `postgres`, on `process` and `folder`, is the private server; `picture_server` serves the
//!   pictures of the sample posts.
//! - `player` plays the `samples`, no faster than the daemon commits them (`committed_offsets`).
//! - `output_topics` reads back what the daemon publishes; `report` and `console` print.
//! - `signals` turns signals into one token; `resources` stops everything in order.

mod committed_offsets;
mod console;
mod demo;
mod folder;
mod output_topics;
mod picture_server;
mod player;
mod postgres;
mod process;
mod report;
mod resources;
mod samples;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use overheard::{environment, media};

/// Shows the daemon at work: an embedded broker, a private Postgres, one simulated hour of sample
/// posts.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Leave broker and Postgres running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Real seconds that the simulated hour takes; a slow machine takes longer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(10..=3600))]
    seconds: u32,
}

fn main() -> ExitCode {
    if let Some(ended) = media::serve_if_asked() {
        return ended;
    }
    let arguments = Arguments::parse();
    let result = environment::complete().and_then(|()| {
        let runtime = tokio::runtime::Runtime::new()?;
        let result = runtime.block_on(demo::run(arguments));
        // A thread that is blocked in a library must not keep the process from ending.
        runtime.shutdown_background();
        result
    });
    result.unwrap_or_else(|error| {
        eprintln!("overheard-demo: {error:#}");
        ExitCode::FAILURE
    })
}
