//! What is generated from the code stands in the documentation as the code has it.
//!
//! `make docs` writes it anew.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ::metrics::Unit;
use overheard::config::{self, Keys, brand_keys, json_schema, rule_keys, settings_keys};
use overheard::metrics::{self, Kind};
use serde_json::Value;

const UPDATE: &str = "OVERHEARD_UPDATE_DOCS";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Compares a file with what it should be, or writes it.
fn hold(path: &str, expected: &str) {
    let file: PathBuf = root().join(path);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(file, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(file).unwrap_or_default();
    assert!(found == expected, "{path} is not what the code says: run `make docs`");
}

/// Compares the part of a page between its marks.
fn hold_part(page: &str, name: &str, expected: &str) {
    let text = read(page);
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page} has no {begin}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("{page} has no {end}"));
    hold(page, &format!("{before}{begin}{expected}{end}{after}"));
}

#[test]
fn the_table_of_metrics_is_that_of_the_code() {
    let mut table = "| Metric | Kind | Unit | Labels | Meaning |\n|---|---|---|---|---|\n".to_owned();
    for metric in metrics::ALL {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let unit = if metric.unit == Unit::Count { "" } else { metric.unit.as_str() };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = labels.join(", ");
        writeln!(table, "| `{}` | {kind} | {unit} | {labels} | {} |", metric.name, metric.help).unwrap();
    }
    hold_part("docs/operations.md", "metrics", &table);
}

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let defaults: toml::Table = config::DEFAULTS.parse().unwrap();
    let mut table =
        "| Setting | Environment variable | Default | From | To |\n|---|---|---|---|---|\n".to_owned();
    for (path, key) in &settings_keys() {
        if path.contains('[') {
            continue;
        }
        let (section, name) = path.split_once('.').unwrap_or((path, ""));
        let default = defaults.get(section).and_then(|section| section.get(name));
        let default = default.filter(|value| !value.is_array() && !value.is_table());
        let default = default.map(|value| format!("`{value}`")).unwrap_or_default();
        let variable = path.replace('.', "__").to_uppercase();
        let (from, to) = key.range.clone().unwrap_or_default();
        writeln!(table, "| `{path}` | `OVERHEARD__{variable}` | {default} | {from} | {to} |").unwrap();
    }
    assert!(table.lines().count() > 40, "only a few settings were seen");
    hold_part("docs/configuration.md", "settings", &table);
}

/// The schema's path, the shipped file, and whether that may hold only what differs.
fn schemas() -> [(&'static str, &'static str, Value); 3] {
    let brands = read("config/brands.toml");
    let ids: Vec<_> = config::read_brands(&brands).unwrap().into_iter().map(|brand| brand.id).collect();
    let made = |title: &str, keys: &Keys, partial| json_schema(title, keys, partial);
    [
        (
            "docs/schemas/overheard.schema.json",
            "config/overheard.toml",
            made("Overheard's settings", &settings_keys(), true),
        ),
        (
            "docs/schemas/brands.schema.json",
            "config/brands.toml",
            made("Brands", &brand_keys(&brands), false),
        ),
        (
            "docs/schemas/alerts.schema.json",
            "config/alerts.toml",
            made("Alert rules", &rule_keys(&read("config/alerts.toml"), &ids), false),
        ),
    ]
}

#[test]
fn schemas_of_the_configuration_are_those_of_the_code_and_the_shipped_files_fit() {
    for (path, shipped, schema) in schemas() {
        hold(path, &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
        let text = read(shipped);
        let directive = format!("#:schema ../{path}\n");
        assert!(text.starts_with(&directive), "{shipped} does not begin with {directive}");
        let content: toml::Table = text.parse().unwrap();
        let content = serde_json::to_value(content).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&content).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{shipped}: {errors:?}");
    }
}

#[test]
fn schemas_refuse_unknown_keys_and_wrong_kinds() {
    let [(_, _, settings), (_, _, brands), (_, _, rules)] = schemas();
    for (schema, wrong) in [
        (&settings, "[kafka]\nbroker = \"a:1\""),
        (&settings, "[pipeline]\nqueue = \"many\""),
        (&settings, "[postgres]\nconnect_timeout = 5"),
        (&settings, "[postgres]\nconnections = 1"),
        (&settings, "[postgers]\nmigrate = true"),
        (&brands, "[[brand]]\nid = \"acme\"\nword = [\"acme\"]"),
        (&rules, "[[rule]]\nid = \"a\"\nkind = \"volume\"\nwindow = 5\ncooldown = \"1h\""),
    ] {
        let content: toml::Table = wrong.parse().unwrap();
        let content = serde_json::to_value(content).unwrap();
        assert!(!jsonschema::validator_for(schema).unwrap().is_valid(&content), "{wrong}");
    }
}

#[test]
fn the_schema_takes_librdkafkas_properties_without_quotes() {
    let [(_, _, settings), ..] = schemas();
    for right in ["\"security.protocol\" = \"SSL\"", "security.protocol = \"SSL\""] {
        let content: toml::Table = format!("[kafka.client]\n{right}").parse().unwrap();
        let content = serde_json::to_value(content).unwrap();
        assert!(jsonschema::validator_for(&settings).unwrap().is_valid(&content), "{right}");
    }
}

#[test]
fn no_metric_is_used_that_is_not_described() {
    let mut waiting = vec![root().join("src"), root().join("demo/src")];
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        if path.extension().is_none_or(|end| end != "rs") || path == root().join("src/metrics.rs") {
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        for macro_name in ["counter!(", "gauge!(", "histogram!("] {
            for used in text.split(macro_name).skip(1) {
                assert!(!used.trim_start().starts_with('"'), "{}: a metric by its name", path.display());
            }
        }
        // A constant of another file would get past the check above.
        assert!(!text.contains("\"overheard_"), "{}: a metric's name of its own", path.display());
    }
    assert!(files > 100);
}
