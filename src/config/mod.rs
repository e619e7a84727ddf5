//! Configuration: what the files and the environment say -> validated options for each component.
//!
//! - `layers` lays defaults, file and environment over each other.
//! - `reader` and `setting` read typed values and gather every problem with its key path.
//! - `settings` makes each component's options.
//! - `brands` and `alerts` read the files of those names.
//! - `places` looks for what the configuration does not name.

mod alerts;
mod brands;
mod layers;
pub mod places;
mod reader;
mod setting;
mod settings;

pub use alerts::read_rules;
pub use brands::read_brands;
pub use layers::DEFAULTS;
pub use reader::{ConfigError, Problems, Section};
pub use setting::{Bounded, Bytes, Setting};
pub use settings::Settings;
