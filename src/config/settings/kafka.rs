//! `[kafka]` -> how to consume and produce; `[kafka.client]` -> librdkafka's own properties.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use super::secrets;
use crate::config::Section;
use crate::decode::Format;
use crate::domain::Secret;
use crate::{publish, source};

/// Properties that can't be passed through, and why or what to set instead.
const OURS: &[(&str, &str)] = &[
    ("bootstrap.servers", "set kafka.brokers instead"),
    ("metadata.broker.list", "set kafka.brokers instead"),
    ("group.id", "set kafka.group instead"),
    ("session.timeout.ms", "set kafka.session_timeout instead"),
    ("auto.offset.reset", "set kafka.start instead"),
    ("message.timeout.ms", "set kafka.delivery_timeout instead"),
    ("delivery.timeout.ms", "set kafka.delivery_timeout instead"),
    ("sasl.password", "set kafka.password or kafka.password_file instead"),
    ("enable.auto.commit", OFFSETS),
    ("auto.commit.enable", OFFSETS),
    ("auto.commit.interval.ms", OFFSETS),
    ("enable.auto.offset.store", OFFSETS),
    ("enable.partition.eof", OFFSETS),
    ("partition.assignment.strategy", REBALANCES),
    ("group.protocol", REBALANCES),
    ("group.remote.assignor", REBALANCES),
    ("enable.idempotence", ACKNOWLEDGED),
    ("acks", ACKNOWLEDGED),
    ("request.required.acks", ACKNOWLEDGED),
    ("delivery.report.only.error", ACKNOWLEDGED),
    ("transactional.id", ACKNOWLEDGED),
    ("statistics.interval.ms", "the lag in /metrics comes from these statistics; leave it out"),
    ("allow.auto.create.topics", "topics are waited for, never made; create them, and leave this out"),
];
const OFFSETS: &str = "no record is lost because offsets are stored and committed in one way; leave it out";
const REBALANCES: &str = "what happens to records in a rebalance depends on it; leave it out";
const ACKNOWLEDGED: &str = "no alert or dead letter is lost or doubled because of it; leave it out";

/// librdkafka's property for how long a consumer may go without a poll, and its default.
const MAX_POLL_INTERVAL: &str = "max.poll.interval.ms";
const DEFAULT_MAX_POLL_INTERVAL: Duration = Duration::from_mins(5);

/// Reads the section.
pub(super) fn read(
    root: &mut Section<'_>,
    queue: NonZeroUsize,
    in_flight_bytes: usize,
) -> (source::Options, publish::Options, HashMap<String, Format>) {
    let mut kafka = root.section("kafka");
    let brokers = read_brokers(&mut kafka);
    let session_timeout = kafka.within("session_timeout", Duration::from_secs(6)..=Duration::from_mins(30));
    let drain_timeout = kafka.within("drain_timeout", Duration::from_millis(100)..=Duration::from_mins(4));
    let mut client = read_client(&mut kafka, session_timeout, drain_timeout);
    client.insert("bootstrap.servers".to_owned(), Secret::new(brokers));
    if let Some(password) = secrets::read(&mut kafka, "password") {
        client.insert("sasl.password".to_owned(), password);
    }

    let (topics, formats) = read_topics(&mut kafka);
    let alert_topic = read_output_topic(&mut kafka, "alert_topic", &topics);
    let dead_letter_topic = read_output_topic(&mut kafka, "dead_letter_topic", &topics);
    if dead_letter_topic == alert_topic && kafka.is_sound("alert_topic") {
        kafka.note("dead_letter_topic", "is kafka.alert_topic too; name another topic");
    }

    let start: String = kafka.required("start");
    if !["earliest", "latest"].contains(&start.as_str()) {
        kafka.note("start", format_args!("{start:?} is neither \"earliest\" nor \"latest\""));
    }
    let group: String = kafka.required("group");
    if group.trim().is_empty() {
        kafka.note("group", "is empty; write a name that all processes of this daemon share");
    }
    let source = source::Options {
        topics,
        produced: vec![alert_topic.clone(), dead_letter_topic.clone()],
        group,
        start,
        session_timeout,
        drain_timeout,
        queue,
        in_flight_bytes,
        client: client.clone(),
    };
    let publish = publish::Options {
        alert_topic,
        dead_letter_topic,
        delivery_timeout: kafka.within("delivery_timeout", Duration::from_secs(1)..=Duration::from_hours(1)),
        client,
    };
    kafka.finish();
    (source, publish, formats)
}

fn read_brokers(kafka: &mut Section<'_>) -> String {
    let brokers: String = kafka.required("brokers");
    for broker in brokers.split(',').map(str::trim) {
        let host_and_port = broker.rsplit('/').next().unwrap_or_default();
        let (host, port) = host_and_port.rsplit_once(':').unwrap_or((host_and_port, "9092"));
        // An IPv6 address alone ends with its bracket.
        if host.is_empty() || !(port.ends_with(']') || port.parse::<u16>().is_ok_and(|port| port > 0)) {
            kafka.note("brokers", format_args!("{broker:?} is no broker; write host:port"));
        }
    }
    brokers
}

fn read_topics(kafka: &mut Section<'_>) -> (Vec<String>, HashMap<String, Format>) {
    let mut formats = HashMap::new();
    let mut topics = Vec::new();
    for mut topic in kafka.sections("topics") {
        let name: String = topic.required("name");
        let format = topic.parsed("format").unwrap_or(Format::Post);
        if let Some(problem) = topic_problem(&name) {
            topic.note("name", problem);
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
    (topics, formats)
}

fn read_output_topic(kafka: &mut Section<'_>, key: &str, consumed: &[String]) -> String {
    let name: String = kafka.required(key);
    if let Some(problem) = topic_problem(&name) {
        kafka.note(key, problem);
    } else if consumed.contains(&name) {
        kafka.note(key, format_args!("{name:?} is consumed too, and would feed itself; name another topic"));
    }
    name
}

/// Kafka's own rule for names of topics.
fn topic_problem(name: &str) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || [b'.', b'_', b'-'].contains(&b);
    let legal = (1..=249).contains(&name.len()) && name.bytes().all(allowed) && name != "." && name != "..";
    let rule = "use 1 to 249 letters of a-z and A-Z, digits, dots, underscores and dashes";
    (!legal).then(|| format!("{name:?} is no name for a topic; {rule}"))
}

/// Reads what goes on to librdkafka, each property held to librdkafka's own judgement.
fn read_client(
    kafka: &mut Section<'_>,
    session_timeout: Duration,
    drain_timeout: Duration,
) -> BTreeMap<String, Secret> {
    let mut section = kafka.section("client");
    let given = section.pass_through();
    let mut client = BTreeMap::new();
    for (key, value) in &given {
        // As with every secret: ssl.key.password_file, say.
        let in_file = key.strip_suffix("_file");
        let property = in_file.unwrap_or(key);
        if let Some((_, reason)) = OURS.iter().find(|(ours, _)| *ours == property) {
            section.note(key, format_args!("can't be passed through: {reason}"));
            continue;
        }
        let both = given.contains_key(property) && given.contains_key(&format!("{property}_file"));
        if both && in_file.is_some() != secrets::file_goes_over(&section, property) {
            continue;
        }
        let value = match in_file {
            Some(_) => secrets::from_file(&section, key, Path::new(value)),
            None => Some(Secret::new(value)),
        };
        let Some(value) = value else { continue };
        if let Err(problem) = understood(property, &value, in_file.is_some()) {
            section.note(key, problem);
        }
        client.insert(property.to_owned(), value);
    }

    let max_poll_interval = client.get(MAX_POLL_INTERVAL).map_or(Some(DEFAULT_MAX_POLL_INTERVAL), |given| {
        given.expose().trim().parse().ok().map(Duration::from_millis)
    });
    // What is no number librdkafka has refused.
    let Some(limit) = max_poll_interval else { return client };
    let way_out = format!("raise \"{MAX_POLL_INTERVAL}\" under [kafka.client], or lower this");
    if kafka.is_sound("session_timeout") && session_timeout > limit {
        kafka.note("session_timeout", format_args!("is above librdkafka's limit of {limit:?}; {way_out}"));
    }
    if kafka.is_sound("drain_timeout") && drain_timeout >= limit {
        let why = "the consumer would be taken for dead while it drains";
        kafka.note(
            "drain_timeout",
            format_args!("must be below librdkafka's limit of {limit:?}: {why}; {way_out}"),
        );
    }
    client
}

/// Whether librdkafka knows a property and takes its value, in words that may be shown.
fn understood(property: &str, value: &Secret, is_hidden: bool) -> Result<(), String> {
    source::check_property(property, value).map_err(|words| {
        if is_hidden && !value.expose().is_empty() {
            words.replace(value.expose(), "(the value is not shown)")
        } else {
            words
        }
    })
}
