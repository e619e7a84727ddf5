//! Reads and checks the settings of every component.
//!
//! - `inference` reads `[inference]`.
//! - `instance_id` reads who the process is in its consumer group.
//! - `kafka` reads `[kafka]` and librdkafka's own properties.
//! - `media` reads `[media]`.
//! - `names` knows what Kafka allows in names.
//! - `pictures` reads `[pictures]`.
//! - `postgres` reads `[postgres]`.
//! - `secrets` reads secrets from the key itself or from a file.

mod inference;
mod instance_id;
mod kafka;
mod mapping;
mod media;
mod names;
mod pictures;
mod postgres;
mod secrets;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::alerting::Rule;
use crate::domain::{Brand, BrandId};
use crate::privacy::Pseudonyms;
use crate::{admin, pipeline, publish, source, store, telemetry};

use super::default_paths::Search;
use super::layers::{Layered, lay};
use super::{Bytes, ConfigError, Problems, Section, read_brands, read_rules};

/// All settings, checked. Files that only some commands need (the library, models, brands and rules)
/// are found and read on demand.
#[derive(Debug)]
pub struct Settings {
    /// The Kafka consumer.
    pub source: source::Options,
    /// The Kafka producer.
    pub publish: publish::Options,
    /// Postgres.
    pub store: store::Options,
    /// Fetching and decoding of pictures.
    pub media: crate::media::Options,
    /// The picture workers.
    pub pictures: pipeline::PictureOptions,
    /// The pipeline of posts.
    pub pipeline: pipeline::Options,
    /// Pseudonyms of authors.
    pub pseudonyms: Pseudonyms,
    /// Whether this process consumes posts.
    pub does_text: bool,
    /// Whether this process examines pictures.
    pub does_pictures: bool,
    /// Health pages and metrics over HTTP.
    pub admin: admin::Options,
    /// Logs.
    pub log: telemetry::Options,
    /// Environment variables that look like settings, but that nothing reads.
    pub unread_variables: Vec<String>,
    /// The file that they were read from.
    file: Option<PathBuf>,
    values: Values,
    inference: inference::Inference,
    brands: Option<PathBuf>,
    rules: Option<PathBuf>,
}

impl Settings {
    /// Reads the defaults, overridden by a file (if given) and the environment.
    ///
    /// # Errors
    /// The file can't be read, or every problem with its contents at once.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = file.map(|path| read(path).map(|text| (path.display().to_string(), text))).transpose()?;
        let named = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
        let settings = Self::from_layers(lay(named, std::env::vars_os())?)?;
        Ok(Self { file: file.map(Path::to_owned), ..settings })
    }

    /// The defaults alone, for commands that must work whatever the configuration is.
    ///
    /// # Errors
    /// Never; a test reads them.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::from_layers(lay(None, std::iter::empty::<(OsString, OsString)>())?)
    }

    /// The defaults, overridden by a settings text and the variables of an environment. Messages call
    /// the text `name`.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn over_defaults(
        name: &str,
        text: &str,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        Self::from_layers(lay(Some((name, text)), environment.into_iter())?)
    }

    /// Reads the defaults and records their keys.
    pub(super) fn read_defaults(problems: Problems) -> Result<Self, ConfigError> {
        Self::read(lay(None, std::iter::empty::<(OsString, OsString)>())?, problems)
    }

    fn from_layers(layers: Layered) -> Result<Self, ConfigError> {
        let problems = Problems::with_origins(layers.origins.clone());
        Self::read(layers, problems)
    }

    fn read(layers: Layered, problems: Problems) -> Result<Self, ConfigError> {
        for name in &layers.unreadable {
            problems.note(name, "this environment variable is not UTF-8; correct or unset it");
        }
        let values = Values(flat(&layers.table, ""));
        let mut root = Section::root(layers.table, &problems);

        let mut pipeline_section = root.section("pipeline");
        let queue = pipeline_section.within("queue", 1..=1_000_000);

        let Bytes(in_flight) = pipeline_section.within("in_flight", 1 << 20..=64 << 30);
        let in_flight_bytes = NonZeroUsize::new(in_flight).unwrap_or(NonZeroUsize::MIN);

        let (mut source, publish, wires) = kafka::read(&mut root, queue, in_flight_bytes);
        let media = media::read(&mut root);
        let pictures = pictures::read(&mut root, &media);
        let (store, privacy) = postgres::read(&mut root, pictures.store);
        let inference = inference::read(&mut root);

        let mut brands = root.section("brands");
        let brands_file = brands.optional("file");
        brands.finish();

        let mut alerts = root.section("alerts");
        let rules_file = alerts.optional("file");
        let pauses = Duration::from_millis(1)..=Duration::from_hours(1);
        let evaluate_every = alerts.within("every", pauses.clone());
        let publish_every = alerts.within("publish_every", pauses);
        let timing = pipeline::AlertTiming {
            behind_after: alerts.within("behind_after", Duration::from_secs(10)..=Duration::from_hours(24)),
            lateness: alerts.within("lateness", Duration::from_mins(1)..=Duration::from_hours(24)),
        };
        if timing.lateness < timing.behind_after && problems.is_sound("alerts.behind_after") {
            alerts.note(
                "lateness",
                "must not be below alerts.behind_after, or what is late would raise nothing",
            );
        }
        alerts.finish();

        let pipeline = pipeline::Options {
            wires,
            queue,
            batch_posts: pipeline_section.within("batch_posts", 1..=10_000),
            batch_wait: pipeline_section
                .within("batch_wait", Duration::from_millis(1)..=Duration::from_mins(1)),
            keep_unnamed: pipeline_section.required("keep_unnamed"),
            honour_deletions: privacy.honour_deletions,
            shutdown_deadline: pipeline_section
                .within("shutdown_deadline", Duration::from_secs(1)..=Duration::from_mins(10)),
            evaluate_every,
            alerts: timing,
            publish_every,
        };
        if problems.is_sound("kafka.session_timeout") && pipeline.shutdown_deadline >= source.session_timeout
        {
            pipeline_section.note(
                "shutdown_deadline",
                "must be below kafka.session_timeout, or other processes get the partitions before the last commit",
            );
        }
        let does_text: bool = pipeline_section.required("text");
        let does_pictures = pipeline_section.required::<bool>("pictures") && pictures.enabled;
        if !does_text && !does_pictures && problems.is_sound("pictures.enabled") {
            pipeline_section.note(
                "text",
                "is false, and pictures are not examined either: the process would have nothing to do",
            );
        }
        pipeline_section.finish();

        let drain_timeout = problems.is_sound("kafka.drain_timeout").then_some(source.drain_timeout);
        let admin = read_admin(&mut root, drain_timeout);
        source.instance_id = instance_id::resolve(source.instance_id, admin.listen);

        let mut log = root.section("log");
        let telemetry = telemetry::Options {
            format: log.parsed("format").unwrap_or(telemetry::Format::Text),
            filter: log.required("filter"),
        };
        if let Err(problem) = telemetry.check() {
            log.note("filter", problem);
        }
        log.finish();
        root.finish();

        problems.finish(Self {
            source,
            publish,
            pseudonyms: Pseudonyms::new(privacy.author_keys, store.keep_author),
            store,
            media,
            pictures: pictures.workers,
            pipeline,
            does_text,
            does_pictures,
            admin,
            log: telemetry,
            unread_variables: layers.unread,
            file: None,
            values,
            inference,
            brands: brands_file,
            rules: rules_file,
        })
    }

    /// The settings as their file is now. (The environment of a process does not change.)
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn read_again(&self) -> Result<Self, ConfigError> {
        Self::load(self.file.as_deref())
    }

    /// The keys whose values differ, but for those of the files of brands and rules.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let files = ["brands.file", "alerts.file"];
        let (here, there) = (&self.values.0, &other.values.0);
        let either = here.symmetric_difference(there).map(|(key, _)| key.as_str());
        let keys: BTreeSet<&str> = either.filter(|key| !files.contains(key)).collect();
        keys.into_iter().map(str::to_owned).collect()
    }

    /// Brands and rules together.
    ///
    /// # Errors
    /// As for [`brands`](Self::brands) and [`rules`](Self::rules), with all problems of both files.
    pub fn brands_and_rules(&self) -> Result<(Vec<Brand>, Vec<Rule>), ConfigError> {
        let brands = self.brands()?;
        let rules = self.rules(&brands)?;
        Ok((brands, rules))
    }

    /// The brands.
    ///
    /// # Errors
    /// The file was not found, or every problem with its contents at once.
    pub fn brands(&self) -> Result<Vec<Brand>, ConfigError> {
        let path =
            resolve(self.brands.as_ref(), Search::new("config/brands.toml", "/etc/overheard/brands.toml"))
                .map_err(|problem| ConfigError::one(format!("brands.file: {problem}")))?;
        read_brands(&read(&path)?).map_err(|error| error.within(&path))
    }

    /// The alert rules.
    ///
    /// # Errors
    /// The file was not found, or every problem with its contents at once.
    pub fn rules(&self, brands: &[Brand]) -> Result<Vec<Rule>, ConfigError> {
        let path =
            resolve(self.rules.as_ref(), Search::new("config/alerts.toml", "/etc/overheard/alerts.toml"))
                .map_err(|problem| ConfigError::one(format!("alerts.file: {problem}")))?;
        let known: Vec<BrandId> = brands.iter().map(|brand| brand.id.clone()).collect();
        let rules = read_rules(&read(&path)?, &known).map_err(|error| error.within(&path))?;
        let longest = rules.iter().filter_map(|rule| rule.condition.reach());
        match (self.store.retention_counts, longest.max()) {
            (Some(kept), Some(longest)) if kept < longest => Err(ConfigError::one(format!(
                "postgres.retention_counts: {kept:?} is shorter than the {longest:?} that a rule looks back in {}: keep counts for longer, or shorten its baseline or absent_for",
                path.display()
            ))),
            _ => Ok(rules),
        }
    }
}

/// The settings as they were read, by key, to be compared. Some are secrets.
struct Values(BTreeSet<(String, String)>);

impl std::fmt::Debug for Values {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} values", self.0.len())
    }
}

fn flat(table: &toml::Table, above: &str) -> BTreeSet<(String, String)> {
    let mut values = BTreeSet::new();
    for (key, value) in table {
        let key = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match value {
            toml::Value::Table(inner) => values.append(&mut flat(inner, &key)),
            value => drop(values.insert((key, value.to_string()))),
        }
    }
    values
}

/// Reads `[admin]`. A consumer makes no progress while it drains for so long, if that is known.
fn read_admin(root: &mut Section<'_>, drain_timeout: Option<Duration>) -> admin::Options {
    let mut listener = root.section("admin");
    let admin = admin::Options {
        listen: listener.required("listen"),
        stall_after: listener.within("stall_after", Duration::from_secs(5)..=Duration::from_hours(1)),
        write_limit: listener.within("write_limit", Duration::from_secs(1)..=Duration::from_hours(1)),
    };
    if drain_timeout.is_some_and(|drain_timeout| admin.stall_after <= drain_timeout) {
        listener.note(
            "stall_after",
            "must be above kafka.drain_timeout, because a consumer makes no progress while it drains",
        );
    }
    listener.finish();
    admin
}

fn resolve(named: Option<&PathBuf>, search: Search) -> Result<PathBuf, String> {
    match named {
        Some(path) if path.exists() => Ok(path.clone()),
        Some(path) => Err(format!("{} does not exist", path.display())),
        None => search.find(),
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::one(format!("{} can't be read: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        let settings = Settings::defaults().unwrap();
        assert_eq!(settings.source.in_flight_bytes.get(), 256 << 20);
        assert_eq!(settings.store.retention_posts, None);
    }

    #[test]
    fn secrets_are_redacted_in_debug() {
        let text = "[kafka]\npassword = \"hunter2\"\n[kafka.client]\nsasl.username = \"hunter2\"\n\
                    [postgres]\nurl = \"postgres://u:hunter2@db/x\"\npassword = \"hunter2\"\n";
        let shown = format!("{:?}", Settings::over_defaults("the test", text, []).unwrap());
        assert!(shown.contains("REDACTED") && !shown.contains("hunter2"), "{shown}");
    }
}
