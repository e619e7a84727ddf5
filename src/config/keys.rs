//! The keys of the configuration files, recorded while the shipped files are read. JSON Schemas and
//! the documentation's tables are generated from them.

use serde_json::{Map, Value, json};

use super::reader::Problems;
use super::recorder::{Key, Keys, Recorder};
use super::{alerts, brands, settings};
use crate::domain::BrandId;

/// The keys of the settings file.
pub fn settings_keys() -> Keys {
    let recorder = Recorder::default();
    drop(settings::Settings::read_defaults(Problems::recording(&recorder)));
    recorder.keys()
}

/// What to say of an environment variable that looks like a setting, but that nothing reads.
pub fn unread_variable(name: &str) -> String {
    let letters = |text: &str| {
        text.replace(|character: char| !character.is_ascii_alphanumeric(), "").to_ascii_uppercase()
    };
    let variable = |path: &String| format!("OVERHEARD__{}", path.replace('.', "__").to_ascii_uppercase());
    let given = letters(name);
    let meant = settings_keys().keys().map(variable).find(|known| letters(known) == given);
    let way_out = meant
        .map_or("settings are written OVERHEARD__SECTION__KEY".to_owned(), |meant| format!("write {meant}"));
    format!("{name}: nothing reads this variable; {way_out}")
}

/// The keys of the brands file. `text` is such a file with at least one brand.
pub fn brand_keys(text: &str) -> Keys {
    let recorder = Recorder::default();
    drop(brands::read(text, Problems::recording(&recorder)));
    recorder.keys()
}

/// The keys of the alert rules file. `text` is such a file with a rule of each kind.
pub fn rule_keys(text: &str, brands: &[BrandId]) -> Keys {
    let recorder = Recorder::default();
    drop(alerts::read(text, brands, Problems::recording(&recorder)));
    recorder.keys()
}

/// The JSON Schema of a file with these keys. No key is required where `may_be_partial`.
pub fn json_schema(title: &str, keys: &Keys, may_be_partial: bool) -> Value {
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
    });
    for (path, key) in keys {
        insert(&mut root, path, key, may_be_partial);
    }
    root["additionalProperties"] = json!(false);
    root
}

fn insert(table: &mut Value, path: &str, key: &Key, may_be_partial: bool) {
    // Both `a[].b` and `a.b` lead into the table `a`.
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let (name, is_array) = head.strip_suffix("[]").map_or((head, false), |name| (name, true));
    let Some(rest) = rest else {
        table["properties"][name] = key.schema.clone();
        if key.is_required && !may_be_partial {
            let required = table.as_object_mut().map(|table| table.entry("required").or_insert(json!([])));
            if let Some(Value::Array(names)) = required {
                names.push(json!(name));
            }
        }
        return;
    };
    let property = &mut table["properties"][name];
    let below = if is_array {
        if !property.is_object() || property["items"].is_null() {
            *property = json!({"type": "array", "items": {"type": "object", "additionalProperties": false}});
        }
        &mut property["items"]
    } else {
        if !property.is_object() {
            *property = Value::Object(Map::from_iter([("type".to_owned(), json!("object"))]));
            property["additionalProperties"] = json!(false);
        }
        property
    };
    insert(below, rest, key, may_be_partial);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_nothing_reads_is_told_with_the_one_that_was_meant() {
        for name in ["OVERHEARD_KAFKA_BROKERS", "OVERHEARD_KAFKA__BROKERS", "Overheard__kafka__brokers"] {
            let said = unread_variable(name);
            assert_eq!(said, format!("{name}: nothing reads this variable; write OVERHEARD__KAFKA__BROKERS"));
        }
        assert!(unread_variable("OVERHEARD_KAFKA_BROKERZ").ends_with("OVERHEARD__SECTION__KEY"));
    }
}
