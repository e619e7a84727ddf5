//! The schema: migrations, day partitions, retention.

mod migrations;
mod partitions;
mod retention;

pub use migrations::MigrationState;
pub use partitions::PartitionsCreated;
pub use retention::Removed;
