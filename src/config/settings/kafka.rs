//! `[kafka]` -> options of consumer and producer; `[kafka.client]` -> librdkafka's own properties.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv6Addr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use super::{instance_id, mapping, names, secrets};
use crate::config::Section;
use crate::decode::{Format, Framing, Wire};
use crate::domain::{ExposeSecret, SecretString};
use crate::{publish, source};

/// Properties that can't be passed through, and why or what to set instead.
const OURS: &[(&str, &str)] = &[
    ("bootstrap.servers", "set kafka.brokers instead"),
    ("metadata.broker.list", "set kafka.brokers instead"),
    ("group.id", "set kafka.group instead"),
    ("group.instance.id", "set kafka.instance_id instead"),
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
    ("statistics.interval.ms", "whether a broker answers is read from these statistics; leave it out"),
    ("allow.auto.create.topics", "the daemon never creates topics; create them yourself, and leave this out"),
];
const OFFSETS: &str = "Overheard stores and commits offsets itself, so that no record is lost; leave it out";
const REBALANCES: &str = "the handling of rebalances depends on it; leave it out";
const ACKNOWLEDGED: &str = "alerts and dead letters could be lost or duplicated; leave it out";

/// librdkafka's property for how long a consumer may go without a poll, and its default.
const MAX_POLL_INTERVAL: &str = "max.poll.interval.ms";
const DEFAULT_MAX_POLL_INTERVAL: Duration = Duration::from_mins(5);

/// Reads the section.
pub(super) fn read(
    root: &mut Section<'_>,
    queue: NonZeroUsize,
    in_flight_bytes: NonZeroUsize,
) -> (source::Options, publish::Options, HashMap<String, Wire>) {
    let mut kafka = root.section("kafka");
    let brokers = read_brokers(&mut kafka);
    let session_timeout = kafka.within("session_timeout", Duration::from_secs(6)..=Duration::from_mins(30));
    let drain_timeout = kafka.within("drain_timeout", Duration::from_millis(100)..=Duration::from_mins(4));
    let mut client = read_client(&mut kafka, session_timeout, drain_timeout);
    client.insert("bootstrap.servers".to_owned(), SecretString::from(brokers));
    if let Some(password) = secrets::read(&mut kafka, "password") {
        client.insert("sasl.password".to_owned(), password);
    }

    let (topics, wires) = read_topics(&mut kafka);
    let alert_topic = read_output_topic(&mut kafka, "alert_topic", &topics);
    let dead_letter_topic = read_output_topic(&mut kafka, "dead_letter_topic", &topics);
    if dead_letter_topic == alert_topic && kafka.is_sound("alert_topic") {
        kafka.note("dead_letter_topic", "is also kafka.alert_topic; name another topic");
    }

    let start: String = kafka.required("start");
    if !["earliest", "latest"].contains(&start.as_str()) {
        kafka.note("start", format_args!("{start:?} is neither \"earliest\" nor \"latest\""));
    }
    let group: String = kafka.required("group");
    if group.trim().is_empty() {
        kafka.note("group", "is empty; write a name that all processes of this daemon share");
    } else if group.trim() != group || group.contains(char::is_control) {
        kafka.note("group", format_args!("{group:?} has spaces around it or a line break; take them out"));
    }
    let instance_id = instance_id::read(&mut kafka);
    let source = source::Options {
        topics,
        produced: vec![alert_topic.clone(), dead_letter_topic.clone()],
        group,
        instance_id,
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
    (source, publish, wires)
}

fn read_brokers(kafka: &mut Section<'_>) -> String {
    let brokers: String = kafka.required("brokers");
    for broker in brokers.split(',').map(str::trim) {
        if broker.contains("://") {
            let problem = "has a scheme; write host:port alone, and encryption as security.protocol under [kafka.client]";
            kafka.note("brokers", format_args!("{broker:?} {problem}"));
        } else if broker.contains([';', ' ', '\t', '\n']) {
            kafka.note("brokers", format_args!("{broker:?} is not one broker; separate brokers by commas"));
        } else if !is_broker(broker) {
            kafka.note("brokers", format_args!("{broker:?} is not a broker address; write host:port"));
        }
    }
    brokers
}

/// Whether a text is a host or an address, in brackets if it has colons, and maybe a port.
fn is_broker(text: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return address.parse::<Ipv6Addr>().is_ok()
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !host.is_empty() && host.bytes().all(is_host) && port.is_none_or(is_port)
}

fn read_topics(kafka: &mut Section<'_>) -> (Vec<String>, HashMap<String, Wire>) {
    let mut wires = HashMap::new();
    let mut topics = Vec::new();
    for mut topic in kafka.sections("topics") {
        let name: String = topic.required("name");
        let format = topic.parsed("format").unwrap_or(Format::Post);
        let framing = topic.or("framing", "none".to_owned());
        let framing = framing.parse().unwrap_or_else(|problem: String| {
            topic.note("framing", problem);
            Framing::default()
        });
        let mapping = mapping::read(&mut topic, format);
        if let Some(problem) = topic_problem(&name) {
            topic.note("name", problem);
        }
        if wires.insert(name.clone(), Wire { format, framing, mapping }).is_some() {
            topic.note("name", format_args!("the topic {name:?} is listed twice"));
        }
        topics.push(name);
        topic.finish();
    }
    if topics.is_empty() {
        kafka.note("topics", "is empty; list at least one { name, format }");
    }
    (topics, wires)
}

fn read_output_topic(kafka: &mut Section<'_>, key: &str, consumed: &[String]) -> String {
    let name: String = kafka.required(key);
    if let Some(problem) = topic_problem(&name) {
        kafka.note(key, problem);
    } else if consumed.contains(&name) {
        kafka.note(key, format_args!("{name:?} is also consumed and would feed itself; name another topic"));
    }
    name
}

fn topic_problem(name: &str) -> Option<String> {
    (!names::is_allowed(name)).then(|| format!("{name:?} is not a topic name; {}", names::RULE))
}

/// Reads the properties for librdkafka and has librdkafka check each of them.
fn read_client(
    kafka: &mut Section<'_>,
    session_timeout: Duration,
    drain_timeout: Duration,
) -> BTreeMap<String, SecretString> {
    let mut section = kafka.section("client");
    let given = section.pass_through();
    let mut client = BTreeMap::new();
    for (key, value) in &given {
        // Every property can be read from a file, such as ssl.key.password_file.
        let in_file = key.strip_suffix("_file");
        let property = in_file.unwrap_or(key);
        if let Some((_, reason)) = OURS.iter().find(|(ours, _)| *ours == property) {
            section.note(key, format_args!("can't be passed through: {reason}"));
            continue;
        }
        let both = given.contains_key(property) && given.contains_key(&format!("{property}_file"));
        if both && in_file.is_some() != secrets::file_takes_precedence(&section, property) {
            continue;
        }
        let value = match in_file {
            Some(_) => secrets::from_file(&section, key, Path::new(value)),
            None => Some(SecretString::from(value.as_str())),
        };
        let Some(value) = value else { continue };
        if let Err(problem) = check_property(property, &value, in_file.is_some()) {
            section.note(key, problem);
        }
        client.insert(property.to_owned(), value);
    }

    let max_poll_interval = client.get(MAX_POLL_INTERVAL).map_or(Some(DEFAULT_MAX_POLL_INTERVAL), |given| {
        given.expose_secret().trim().parse().ok().map(Duration::from_millis)
    });
    // If it is not a number, librdkafka has refused it above.
    let Some(limit) = max_poll_interval else { return client };
    let way_out = format!("raise \"{MAX_POLL_INTERVAL}\" under [kafka.client], or lower this");
    if kafka.is_sound("session_timeout") && session_timeout > limit {
        kafka.note("session_timeout", format_args!("is above librdkafka's limit of {limit:?}; {way_out}"));
    }
    if kafka.is_sound("drain_timeout") && drain_timeout >= limit {
        let why = "the consumer would be removed from the group while it drains";
        kafka.note(
            "drain_timeout",
            format_args!("must be below librdkafka's limit of {limit:?}: {why}; {way_out}"),
        );
    }
    client
}

/// Has librdkafka check a property. The error does not show a value that comes from a file.
fn check_property(property: &str, value: &SecretString, is_hidden: bool) -> Result<(), String> {
    source::check_property(property, value).map_err(|words| {
        if is_hidden && !value.expose_secret().is_empty() {
            words.replace(value.expose_secret(), "(the value is not shown)")
        } else {
            words
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_broker;
    use crate::config::Settings;

    fn problems(section: &str) -> Vec<String> {
        let read = Settings::over_defaults("the test", &format!("[kafka]\n{section}"), []);
        read.err().map(|error| error.problems().to_vec()).unwrap_or_default()
    }

    #[test]
    fn brokers_are_hosts_with_ports_between_commas() {
        for good in
            ["a", "a:9092", "kafka-0.kafka.svc:9092", "10.0.0.1:1", "[::1]:9092", "[fd00::7]", "a_b:9092"]
        {
            assert!(is_broker(good), "{good}");
        }
        for wrong in
            ["", ":9092", "a:", "a:0", "a:99999", "::1", "[::1]9092", "[a]:1", "a/b:1", "'a:9092'", "a:9092]"]
        {
            assert!(!is_broker(wrong), "{wrong}");
        }
        assert!(problems("brokers = \"a:9092, b:9092\"").is_empty());
        for (wrong, said) in [
            ("a:9092 b:9092", "separate brokers by commas"),
            ("a:9092;b:9092", "separate brokers by commas"),
            ("kafka://a:9092", "has a scheme"),
            ("SSL://a:9092,b:9092", "has a scheme"),
            ("a:9092,", "write host:port"),
        ] {
            let found = problems(&format!("brokers = {wrong:?}"));
            assert!(found.len() == 1 && found[0].contains(said), "{wrong}: {found:?}");
        }
    }

    #[test]
    fn what_no_editor_shows_is_refused() {
        for section in [
            r#"group = "overheard\r""#,
            r#"group = "overheard ""#,
            r#"group = "overheard\n""#,
            r#"alert_topic = "alerts\r""#,
            r#"password = "secret\r""#,
            r#"client = { "sasl.username" = "me\r" }"#,
        ] {
            let found = problems(section);
            assert_eq!(found.len(), 1, "{section}: {found:?}");
            assert!(!found[0].contains("secret"), "{found:?}");
        }
    }
}
