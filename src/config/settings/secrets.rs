//! Secrets, read from the key itself or from the file that `key_file` names.

use std::path::{Path, PathBuf};

use crate::config::Section;
use crate::domain::SecretString;

/// The secret under `key` or in the file that `key_file` names. Where both are given the file takes
/// precedence, unless only `key` comes from the environment.
pub(super) fn read(section: &mut Section<'_>, key: &str) -> Option<SecretString> {
    let plain = section.secret(key);
    let file_key = format!("{key}_file");
    let path = section.optional::<PathBuf>(&file_key);
    if plain.is_some() && !file_takes_precedence(section, key) {
        return plain;
    }
    path.and_then(|path| from_file(section, &file_key, &path)).or(plain)
}

/// Whether `key_file` takes precedence over `key`. Within one layer it does, since the defaults
/// always have `key`.
pub(super) fn file_takes_precedence(section: &Section<'_>, key: &str) -> bool {
    section.is_from_environment(&format!("{key}_file")) || !section.is_from_environment(key)
}

/// The content of a file without trailing line breaks.
pub(super) fn from_file(section: &Section<'_>, key: &str, path: &Path) -> Option<SecretString> {
    std::fs::read_to_string(path)
        .map(|text| SecretString::from(text.trim_end_matches(['\r', '\n'])))
        .map_err(|error| section.note(key, format_args!("{} can't be read: {error}", path.display())))
        .ok()
}
