//! Tests against real servers and of the real program, in one binary so that they link once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod architecture;
mod backfill;
mod check_config;
mod commands;
mod cuda;
mod dashboards;
mod decoders;
mod detect;
mod failover;
mod flow;
mod forget;
mod formats;
mod generated;
mod health;
mod ingest;
mod languages;
mod late_world;
mod layering;
mod media;
mod membership;
mod memory;
mod model;
mod monitoring;
mod mutes;
mod pictures;
mod preview;
mod queries;
mod query_import;
mod query_plans;
mod reload;
mod rescore;
mod schemas;
mod start;
mod store;
mod support;
mod token_ids;
mod vision;
