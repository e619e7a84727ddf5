//! Tests against real servers and of the real program, in one binary so that they link once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod check_config;
mod commands;
mod counts;
mod cuda;
mod daemon;
mod dashboards;
mod demo;
mod detect;
mod flow;
mod health;
mod kafka;
mod languages;
mod layering;
mod media;
mod model;
mod picture_files;
mod pictures;
mod pictures_server;
mod postgres;
mod rescore;
mod schemas;
mod services;
mod start;
mod store;
mod token_ids;
mod vision;
