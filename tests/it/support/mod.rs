//! What several tests use: topics and databases of their own on the real servers, the real program
//! as a process, a web server and a proxy that
//! misbehave.

pub mod counts;
pub mod daemon;
pub mod database;
pub mod feeds;
pub mod models;
pub mod picture_files;
pub mod pictures_server;
pub mod proxy;
mod services;
pub mod settings;
pub mod simulated;
pub mod topics;
