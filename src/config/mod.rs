//! Configuration: what the files and the environment say -> validated options for each component.

mod alerts;
mod reader;
mod setting;

pub use alerts::read_rules;
pub use reader::{ConfigError, Problems, Section};
pub use setting::{Bytes, Setting};
