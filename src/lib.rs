//! Overheard hears and sees what people say about a brand while they say it.
//!
//! The modules stand in reading order, and a module imports only from layers above its own:
//! vocabulary, decisions, adapters, composition, shell. `tests/it/layering.rs` holds them to it.

// Vocabulary: plain data, no I/O.
pub mod clock;
pub mod domain;
pub mod health;
pub mod metrics;

// Decisions: pure and synchronous.
pub mod alerting;
pub mod decode;
pub mod folding;
pub mod geometry;
pub mod language;
pub mod matching;
pub mod offsets;
pub mod privacy;
pub mod query;

// Adapters: one outside world each; they never import each other.
pub mod feeds;
pub mod inference;
pub mod media;
pub mod publish;
pub mod source;
pub mod store;

// Composition: the post's way, and what an operator sees of it.
pub mod admin;
pub mod ingest;
pub mod pipeline;

// Shell: what a person types and configures.
pub mod assembly;
pub mod cli;
pub mod config;
pub mod environment;
pub mod telemetry;
