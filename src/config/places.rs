//! Where files are looked for that the configuration does not name: the checkout that the program
//! stands in, then the places of an installation.

use std::path::{Path, PathBuf};

/// Looks for one thing in several places.
#[derive(Debug)]
pub struct Search {
    candidates: Vec<PathBuf>,
}

impl Search {
    /// A file or folder below the checkout, or at an installed place.
    pub fn new(in_checkout: &str, installed: &str) -> Self {
        let mut candidates = checkout_roots();
        for root in &mut candidates {
            root.push(in_checkout);
        }
        candidates.push(PathBuf::from(installed));
        Self { candidates }
    }

    /// Looks in the places of `first` before its own.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        Self { candidates: first.candidates.into_iter().chain(self.candidates).collect() }
    }

    /// The first place that exists.
    ///
    /// # Errors
    /// The places that were looked at, as one text.
    pub fn find(self) -> Result<PathBuf, String> {
        if let Some(found) = self.candidates.iter().find(|path| path.exists()) {
            return Ok(found.clone());
        }
        let places: Vec<_> = self.candidates.iter().map(|path| path.display().to_string()).collect();
        Err(format!("not found; looked at {}", places.join(", ")))
    }
}

/// The folders above the program that could be its checkout, and the working folder: those that
/// hold both `models` and `config`.
fn checkout_roots() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|path| path.ancestors().skip(1).take(5).map(Path::to_owned));
    let mut roots: Vec<PathBuf> = Vec::new();
    for root in above.chain(std::env::current_dir()) {
        let is_checkout = root.join("models").is_dir() && root.join("config").is_dir();
        if is_checkout && !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// A file or folder of the checkout or the installation, for what the configuration does not name
/// at all, such as the demo's Postgres.
///
/// # Errors
/// The places that were looked at.
pub fn find(in_checkout: &str, installed: &str) -> Result<PathBuf, String> {
    Search::new(in_checkout, installed).find()
}
