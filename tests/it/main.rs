//! Tests against real servers and of the real program, in one binary so that they link once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod commands;
mod daemon;
mod dashboards;
mod demo;
mod flow;
mod kafka;
mod layering;
mod model;
mod postgres;
mod schemas;
mod services;
mod start;
mod store;
