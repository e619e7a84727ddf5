//! Configuration: files and environment -> validated options for each component.
//!
//! - `layers` merges defaults, file and environment.
//! - `reader` and `setting` read typed values and collect every problem with its key path.
//! - `settings` builds each component's options.
//! - `brands` and `alerts` read the files of those names.
//! - `recorder` notes which keys are read; `keys` makes schemas and tables of them.
//! - `default_paths` finds files that the configuration does not name.

mod alerts;
mod brands;
pub mod default_paths;
mod keys;
mod layers;
mod reader;
mod recorder;
mod setting;
mod settings;

pub use alerts::read_rules;
pub use brands::read_brands;
pub use keys::{brand_keys, json_schema, rule_keys, settings_keys, unread_variable};
pub use layers::DEFAULTS;
pub use reader::{ConfigError, Problems, Section};
pub use recorder::{Key, Keys};
pub use setting::{Bounded, Bytes, Setting};
pub use settings::Settings;
