//! The settings of every component, each read and checked here once.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::alerting::{Condition, Rule};
use crate::decode::Format;
use crate::domain::{Brand, BrandId, Secret};
use crate::inference::Device;
use crate::{admin, inference, pipeline, publish, source, store, telemetry};

use super::layers::{Layered, lay};
use super::places::Search;
use super::{Bytes, ConfigError, Problems, Section, read_brands, read_rules};

/// Everything that the daemon is told, checked. What needs files that not every command needs
/// (the library, the models, brands and rules) is resolved when it is asked for.
#[derive(Debug)]
pub struct Settings {
    /// Kafka in.
    pub source: source::Options,
    /// Kafka out.
    pub publish: publish::Options,
    /// Postgres.
    pub store: store::Options,
    /// The post's way.
    pub pipeline: pipeline::Options,
    /// HTTP for operators.
    pub admin: admin::Options,
    /// Logs.
    pub log: telemetry::Options,
    model: ModelSettings,
    brands: Option<PathBuf>,
    rules: Option<PathBuf>,
}

/// What `[inference]` says, before places are looked for.
#[derive(Debug)]
struct ModelSettings {
    library: Option<PathBuf>,
    models: Option<PathBuf>,
    device: Device,
    threads: NonZeroUsize,
    text_model: String,
    batch_tokens: NonZeroUsize,
    queue: NonZeroUsize,
}

impl Settings {
    /// Reads a file (if given) and the environment over the defaults.
    ///
    /// # Errors
    /// The file can't be read, or every problem with its contents at once.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = file.map(|path| read(path).map(|text| (path.display().to_string(), text))).transpose()?;
        let named = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
        Self::from_layers(lay(named, environment())?)
    }

    /// The defaults with the demo's changes. Of the environment, only where models run and how
    /// counts: an address meant for the daemon must not reach the demo.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn for_demo(changes: &str) -> Result<Self, ConfigError> {
        let models_only = environment().filter(|(name, _)| name.starts_with("OVERHEARD__INFERENCE__"));
        Self::from_layers(lay(Some(("the demo", changes)), models_only)?)
    }

    fn from_layers(layers: Layered) -> Result<Self, ConfigError> {
        let problems = Problems::with_origins(layers.origins);
        let mut root = Section::root(layers.table, &problems);

        let mut way = root.section("pipeline");
        let queue = way.required("queue");
        let Bytes(in_flight_bytes) = way.required("in_flight");

        let mut kafka = root.section("kafka");
        let (source, publish, formats) = kafka_options(&mut kafka, queue, in_flight_bytes);
        kafka.finish();

        let mut postgres = root.section("postgres");
        let store = store_options(&mut postgres);
        postgres.finish();

        let mut inference = root.section("inference");
        let model = ModelSettings {
            library: inference.optional("library"),
            models: inference.optional("models"),
            device: inference.parsed("device").unwrap_or(Device::Auto),
            threads: inference.required("threads"),
            text_model: inference.required("text_model"),
            batch_tokens: inference.required("batch_tokens"),
            queue: inference.required("queue"),
        };
        inference.finish();

        let mut brands = root.section("brands");
        let brands_file = brands.optional("file");
        brands.finish();

        let mut alerts = root.section("alerts");
        let rules_file = alerts.optional("file");
        let evaluate_every = alerts.required("every");
        let publish_every = alerts.required("publish_every");
        alerts.finish();

        let pipeline = pipeline::Options {
            formats,
            queue,
            batch_posts: way.required("batch_posts"),
            batch_wait: way.required("batch_wait"),
            keep_unnamed: way.required("keep_unnamed"),
            shutdown_deadline: way.required("shutdown_deadline"),
            evaluate_every,
            publish_every,
        };
        if pipeline.shutdown_deadline >= source.session_timeout {
            way.note(
                "shutdown_deadline",
                "must be below kafka.session_timeout, or the partitions go to others before the last commit",
            );
        }
        way.finish();

        let mut listener = root.section("admin");
        let admin = admin::Options {
            listen: listener.required("listen"),
            stall_after: listener.required("stall_after"),
        };
        if admin.stall_after <= source.drain_timeout {
            listener.note(
                "stall_after",
                "must be above kafka.drain_timeout, during which the consumer stands still",
            );
        }
        listener.finish();

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
            store,
            pipeline,
            admin,
            log: telemetry,
            model,
            brands: brands_file,
            rules: rules_file,
        })
    }

    /// How to find and run models.
    ///
    /// # Errors
    /// ONNX Runtime's library or the models are in none of the places looked at.
    pub fn inference(&self) -> Result<inference::Options, ConfigError> {
        let problems = Problems::default();
        let cpu =
            Search::new(".runtime/onnxruntime/libonnxruntime.so", "/usr/lib/overheard/libonnxruntime.so");
        let library = match self.model.device {
            Device::Cpu => cpu,
            Device::Auto | Device::Cuda => cpu.after(Search::new(
                ".runtime/onnxruntime-cuda/libonnxruntime.so",
                "/usr/lib/overheard/cuda/libonnxruntime.so",
            )),
        };
        let library = resolve(self.model.library.as_ref(), library).unwrap_or_else(|problem| {
            let way_out = "run `make build`, or set it to the libonnxruntime.so of PyPI's onnxruntime";
            problems.note("inference.library", format_args!("{problem}; {way_out}"));
            PathBuf::new()
        });
        let models = Search::new("models", "/usr/share/overheard/models");
        let models = resolve(self.model.models.as_ref(), models).unwrap_or_else(|problem| {
            problems.note("inference.models", problem);
            PathBuf::new()
        });
        problems.finish(inference::Options {
            library,
            models,
            device: self.model.device,
            threads: self.model.threads,
            text_model: self.model.text_model.clone(),
            batch_tokens: self.model.batch_tokens,
            queue: self.model.queue,
        })
    }

    /// Whom to listen for.
    ///
    /// # Errors
    /// The file is in none of the places looked at, or every problem with its contents at once.
    pub fn brands(&self) -> Result<Vec<Brand>, ConfigError> {
        let path =
            resolve(self.brands.as_ref(), Search::new("config/brands.toml", "/etc/overheard/brands.toml"))
                .map_err(|problem| ConfigError::one(format!("brands.file: {problem}")))?;
        read_brands(&read(&path)?).map_err(|error| error.within(&path))
    }

    /// When to raise an alert.
    ///
    /// # Errors
    /// The file is in none of the places looked at, or every problem with its contents at once.
    pub fn rules(&self, brands: &[Brand]) -> Result<Vec<Rule>, ConfigError> {
        let path =
            resolve(self.rules.as_ref(), Search::new("config/alerts.toml", "/etc/overheard/alerts.toml"))
                .map_err(|problem| ConfigError::one(format!("alerts.file: {problem}")))?;
        let known: Vec<BrandId> = brands.iter().map(|brand| brand.id.clone()).collect();
        let rules = read_rules(&read(&path)?, &known).map_err(|error| error.within(&path))?;
        let longest = rules.iter().filter_map(|rule| match rule.condition {
            Condition::Volume { baseline, .. } => Some(baseline),
            Condition::NegativeShare { .. } => None,
        });
        match (self.store.retention_counts, longest.max()) {
            (Some(kept), Some(longest)) if kept < longest => Err(ConfigError::one(format!(
                "postgres.retention_counts: {kept:?} is shorter than a rule's baseline of {longest:?} in {}",
                path.display()
            ))),
            _ => Ok(rules),
        }
    }
}

/// The environment as far as it is text; what is not can be no setting.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
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

fn kafka_options(
    kafka: &mut Section<'_>,
    queue: NonZeroUsize,
    in_flight_bytes: usize,
) -> (source::Options, publish::Options, HashMap<String, Format>) {
    let brokers: String = kafka.required("brokers");
    let mut client: BTreeMap<String, Secret> = kafka
        .section("client")
        .pass_through()
        .into_iter()
        .filter_map(|(property, value)| match property.strip_suffix("_file") {
            None => Some((property, Secret::new(value))),
            // As with every secret: ssl.key.password_file, say.
            Some(secret) => {
                from_file(kafka, "client", Path::new(&value)).map(|text| (secret.to_owned(), text))
            }
        })
        .collect();
    client.insert("bootstrap.servers".to_owned(), Secret::new(brokers));
    if let Some(password) = secret(kafka, "password") {
        client.insert("sasl.password".to_owned(), password);
    }
    for ours in ["group.id", "enable.auto.commit", "enable.auto.offset.store"] {
        if client.contains_key(ours) {
            kafka.note("client", format_args!("{ours} can't be passed through: offsets depend on it"));
        }
    }

    let mut formats = HashMap::new();
    let mut topics = Vec::new();
    for mut topic in kafka.sections("topics") {
        let name: String = topic.required("name");
        let format = topic.parsed("format").unwrap_or(Format::Post);
        if name.is_empty() {
            topic.note("name", "a topic needs a name");
        }
        if formats.insert(name.clone(), format).is_some() {
            topic.note("name", format_args!("the topic {name:?} is listed twice"));
        }
        topics.push(name);
        topic.finish();
    }
    if topics.is_empty() {
        kafka.note("topics", "there is nothing to consume; list at least one { name, format }");
    }

    let start: String = kafka.required("start");
    if !["earliest", "latest"].contains(&start.as_str()) {
        kafka.note("start", format_args!("{start:?} is neither \"earliest\" nor \"latest\""));
    }
    let alert_topic: String = kafka.required("alert_topic");
    let dead_letter_topic: String = kafka.required("dead_letter_topic");
    let source = source::Options {
        topics,
        produced: vec![alert_topic.clone(), dead_letter_topic.clone()],
        group: kafka.required("group"),
        start,
        session_timeout: kafka.required("session_timeout"),
        drain_timeout: kafka.required("drain_timeout"),
        queue,
        in_flight_bytes,
        client: client.clone(),
    };
    let publish = publish::Options {
        alert_topic,
        dead_letter_topic,
        delivery_timeout: kafka.required("delivery_timeout"),
        client,
    };
    (source, publish, formats)
}

fn store_options(postgres: &mut Section<'_>) -> store::Options {
    let url = secret(postgres, "url").unwrap_or_else(|| {
        postgres.note("url", "is missing; write postgres://user@host:port/database");
        Secret::new(String::new())
    });
    let retention_posts = postgres.optional("retention_posts");
    if retention_posts.is_some_and(|kept: Duration| kept < Duration::from_hours(24)) {
        postgres.note("retention_posts", "must be a day or more: whole days are dropped");
    }
    store::Options {
        url,
        password: secret(postgres, "password"),
        max_connections: postgres.required("connections"),
        connect_timeout: postgres.required("connect_timeout"),
        statement_timeout: postgres.required("statement_timeout"),
        migrate: postgres.required("migrate"),
        keep_text: postgres.required("keep_text"),
        keep_author: postgres.required("keep_author"),
        partitions_ahead: postgres.required("partitions_ahead_days"),
        retention_posts,
        retention_counts: postgres.optional("retention_counts"),
    }
}

/// A secret from `key`, or from the file that `key_file` names. The file wins, since the defaults
/// always have the key.
fn secret(section: &mut Section<'_>, key: &str) -> Option<Secret> {
    let plain: Option<String> = section.optional(key);
    let file_key = format!("{key}_file");
    let path = section.optional::<PathBuf>(&file_key);
    path.and_then(|path| from_file(section, &file_key, &path)).or(plain.map(Secret::new))
}

/// The text of a file without the line break at its end.
fn from_file(section: &Section<'_>, key: &str, path: &Path) -> Option<Secret> {
    std::fs::read_to_string(path)
        .map(|text| Secret::new(text.trim_end_matches(['\r', '\n'])))
        .map_err(|error| section.note(key, format_args!("{} can't be read: {error}", path.display())))
        .ok()
}
