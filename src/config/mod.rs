//! Configuration: what the files and the environment say -> validated options for each component.

mod brands;
mod reader;
mod setting;

pub use brands::{read_brands, read_brands_file};
pub use reader::{ConfigError, Problems, Section};
pub use setting::{Bytes, Setting};
