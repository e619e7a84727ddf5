//! Secrets: from the key itself, or from the file that `key_file` names.

use std::path::{Path, PathBuf};

use crate::config::Section;
use crate::domain::Secret;

/// The secret under `key` or in the file that `key_file` names; the file where both are given,
/// unless only the secret itself comes from the environment, which goes over files.
pub(super) fn read(section: &mut Section<'_>, key: &str) -> Option<Secret> {
    let plain = section.secret(key);
    let file_key = format!("{key}_file");
    let path = section.optional::<PathBuf>(&file_key);
    if plain.is_some() && !file_goes_over(section, key) {
        return plain;
    }
    path.and_then(|path| from_file(section, &file_key, &path)).or(plain)
}

/// Whether `key_file` goes over `key` where both are given. Within one layer it does: the defaults
/// always have the key.
pub(super) fn file_goes_over(section: &Section<'_>, key: &str) -> bool {
    section.is_from_environment(&format!("{key}_file")) || !section.is_from_environment(key)
}

/// The text of a file without the line break at its end.
pub(super) fn from_file(section: &Section<'_>, key: &str, path: &Path) -> Option<Secret> {
    std::fs::read_to_string(path)
        .map(|text| Secret::new(text.trim_end_matches(['\r', '\n'])))
        .map_err(|error| section.note(key, format_args!("{} can't be read: {error}", path.display())))
        .ok()
}
