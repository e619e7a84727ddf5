//! Which model said something.

use std::fmt;
use std::sync::Arc;

/// Name and version of a model, as rows carry it: `sentiment@1`. Clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelId(Arc<str>);

impl ModelId {
    /// The identifier of a version of a model.
    pub fn new(name: &str, version: &str) -> Self {
        Self(format!("{name}@{version}").into())
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
