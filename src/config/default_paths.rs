//! Finds files that the configuration does not name: first in the checkout that contains the program,
//! then at their installed paths.

use std::path::{Path, PathBuf};

/// Candidate paths of one file or folder.
#[derive(Debug)]
pub struct Search {
    candidates: Vec<PathBuf>,
}

impl Search {
    /// A path relative to the checkout, then an installed path.
    pub fn new(in_checkout: &str, installed: &str) -> Self {
        let mut candidates = checkout_roots();
        for root in &mut candidates {
            root.push(in_checkout);
        }
        candidates.push(PathBuf::from(installed));
        Self { candidates }
    }

    /// Tries the candidates of `first` before its own.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        Self { candidates: first.candidates.into_iter().chain(self.candidates).collect() }
    }

    /// The first candidate that exists.
    ///
    /// # Errors
    /// The paths that were tried, in one message.
    pub fn find(self) -> Result<PathBuf, String> {
        if let Some(found) = self.candidates.iter().find(|path| path.exists()) {
            return Ok(found.clone());
        }
        let tried: Vec<_> = self.candidates.iter().map(|path| path.display().to_string()).collect();
        Err(format!("not found; tried {}", tried.join(", ")))
    }
}

/// Possible checkouts: folders above the program, and the working folder, if they contain both
/// `models` and `config`.
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

/// Finds a file or folder in the checkout or the installation.
///
/// # Errors
/// The paths that were tried.
pub fn find(in_checkout: &str, installed: &str) -> Result<PathBuf, String> {
    Search::new(in_checkout, installed).find()
}
