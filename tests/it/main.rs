//! Tests against real servers, in one program so that they link once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod postgres;
mod schemas;
mod store;
