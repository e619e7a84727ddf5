//! `overheard check-config` with the real program: what is refused, and with which messages.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::support::daemon::PROGRAM;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

/// The exit code and what the program says of a settings file and variables.
fn check(file: &str, environment: &[(&str, &OsStr)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("overheard.toml");
    std::fs::write(&path, file).unwrap();
    let output = Command::new(PROGRAM)
        .args(["check-config", "--config", path.to_str().unwrap()])
        .env("OVERHEARD__INFERENCE__DEVICE", "cpu")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Checks a file; every one of the words must be said, each problem once.
fn refused(file: &str, words: &[&str]) -> String {
    let (code, said) = check(file, &[]);
    assert_eq!(code, Some(1), "{said}");
    for words in words {
        assert_eq!(said.matches(words).count(), 1, "{words:?} in\n{said}");
    }
    assert!(said.contains(&format!(": {} problems", words.len())), "{words:#?} and no more in\n{said}");
    said
}

fn accepted(file: &str, environment: &[(&str, &OsStr)]) {
    let (code, said) = check(file, environment);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn check_config_reports_every_error_at_once_with_its_key_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(
        &file,
        "[kafka]\nstart = \"yesterday\"\nsession_timeout = 30\ntopics = []\nbroker = \"x\"\n\
         [postgres]\nconnections = 0\npassword_file = \"/does/not/exist\"\n[inference]\ndevice = \"tpu\"\n[oddity]\n",
    )
    .unwrap();
    let output = Command::new(PROGRAM)
        .args(["check-config", "--config", file.to_str().unwrap()])
        .env("OVERHEARD__PIPELINE__QUEUE", "many")
        .env("OVERHEARD__ALERTS__OFTEN", "1s")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    for words in [
        "kafka.start: \"yesterday\" is neither",
        "kafka.session_timeout: 30 is not a duration",
        "kafka.topics: is empty; list at least one",
        "kafka.broker: unknown key; known here:",
        "postgres.connections: 0 is not a whole number from 1 up",
        "postgres.password_file: /does/not/exist can't be read",
        "inference.device: \"tpu\" is no device",
        "oddity: unknown key",
        "pipeline.queue (from OVERHEARD__PIPELINE__QUEUE): \"many\" is not",
        "alerts.often (from OVERHEARD__ALERTS__OFTEN): unknown key",
    ] {
        assert!(errors.contains(words), "no {words:?} in\n{errors}");
    }
}

#[test]
fn check_config_reports_brands_and_rules_with_their_files() {
    let topics = TestTopics::names_only(1);
    let setup = Setup::new(&topics, "postgres://nobody@127.0.0.1:1/none")
        .with_file("brands.toml", "[[brand]]\nid = \"A B\"\nname = \"x\"\nwords = [\"#x\"]\n");
    let output = setup.command(&["check-config"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("brands.toml: brand[0].id: `A B` is not a brand id"), "{errors}");

    let setup = Setup::new(&topics, "postgres://nobody@127.0.0.1:1/none");
    let output = setup.command(&["check-config"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().contains("2 brands, 1 alert rules"));
}

#[test]
fn settings_out_of_range_are_refused_with_the_range() {
    refused(
        r#"
        [kafka]
        instance_id = "web 1"
        session_timeout = "5s"
        drain_timeout = "5m"
        delivery_timeout = "0s"
        [postgres]
        connections = 1
        connect_timeout = "99ms"
        statement_timeout = "2d"
        partitions_ahead_days = 367
        retention_posts = "1h"
        retention_counts = "40000d"
        [inference]
        threads = 300
        batch_tokens = 2000000
        queue = 4000000000
        [pipeline]
        queue = 9000000000000000000
        in_flight = "1KiB"
        batch_posts = 65536
        batch_wait = "0ms"
        shutdown_deadline = "1h"
        [alerts]
        every = "0s"
        publish_every = "2h"
        [admin]
        stall_after = "0.5s"
        "#,
        &[
            "kafka.instance_id: \"web 1\" is not a member's name; write \"auto\", \"none\" or a name",
            "kafka.session_timeout: 5s is out of range; write 6s to 30m",
            "kafka.drain_timeout: 5m is out of range; write 100ms to 4m",
            "kafka.delivery_timeout: 0ms is out of range; write 1s to 1h",
            "postgres.connections: 1 is out of range; write 2 to 1000",
            "postgres.connect_timeout: 99ms is out of range; write 100ms to 10m",
            "postgres.statement_timeout: 2d is out of range; write 100ms to 1d",
            "postgres.partitions_ahead_days: 367 is out of range; write 1 to 366",
            "postgres.retention_posts: 1h is out of range; write 1d to 36500d",
            "postgres.retention_counts: 40000d is out of range; write 1d to 36500d",
            "inference.threads: 300 is out of range; write 1 to 256",
            "inference.batch_tokens: 2000000 is out of range; write 1 to 1000000",
            "inference.queue: 4000000000 is out of range; write 1 to 1000000",
            "pipeline.queue: 9000000000000000000 is out of range; write 1 to 1000000",
            "pipeline.in_flight: 1KiB is out of range; write 1MiB to 64GiB",
            "pipeline.batch_posts: 65536 is out of range; write 1 to 10000",
            "pipeline.batch_wait: 0ms is out of range; write 1ms to 1m",
            "pipeline.shutdown_deadline: 1h is out of range; write 1s to 10m",
            "alerts.every: 0ms is out of range; write 1ms to 1h",
            "alerts.publish_every: 2h is out of range; write 1ms to 1h",
            "admin.stall_after: 500ms is out of range; write 5s to 1h",
        ],
    );
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    refused(
        r#"
        [kafka]
        session_timeout = "10m"
        drain_timeout = "3m"
        [pipeline]
        shutdown_deadline = "10m"
        "#,
        &[
            "kafka.session_timeout: is above librdkafka's limit of 300s; raise \"max.poll.interval.ms\"",
            "pipeline.shutdown_deadline: must be below kafka.session_timeout",
            "admin.stall_after: must be above kafka.drain_timeout",
        ],
    );
    refused(
        "[kafka.client]\n\"max.poll.interval.ms\" = 15000\n",
        &[
            "kafka.session_timeout: is above librdkafka's limit of 15s",
            "kafka.drain_timeout: must be below librdkafka's limit of 15s",
        ],
    );
    accepted("[kafka]\nsession_timeout = \"10m\"\n[kafka.client]\n\"max.poll.interval.ms\" = 700000\n", &[]);
}

#[test]
fn names_of_topics_and_groups_follow_kafkas_rules() {
    refused(
        r#"
        [kafka]
        brokers = "one:9092,:9092,three:port"
        group = " "
        topics = [{ name = "posts", format = "post" }, { name = "^posts.*", format = "post" }]
        alert_topic = ""
        dead_letter_topic = "posts"
        "#,
        &[
            "kafka.brokers: \":9092\" is not a broker address; write host:port",
            "kafka.brokers: \"three:port\" is not a broker address",
            "kafka.group: is empty",
            "kafka.topics[1].name: \"^posts.*\" is not a topic name; use 1 to 249",
            "kafka.alert_topic: \"\" is not a topic name",
            "kafka.dead_letter_topic: \"posts\" is also consumed and would feed itself",
        ],
    );
    refused("[kafka]\nalert_topic = \"a\"\ndead_letter_topic = \"a\"\n", &["is also kafka.alert_topic"]);
}

#[test]
fn the_address_of_postgres_is_read_and_its_password_is_not_shown() {
    for (address, words) in [
        ("mysql://u:hunter2@db/x", "does not begin with postgres://"),
        ("postgres://u:hunter2@db:port/x", "invalid port number"),
        ("postgres://u:hunter2@/x", "empty host"),
        ("postgres://u:hunter2@db/x?sslmode=sure", "sure"),
        ("postgres://u:hunter2@db/x?sslmod=verify-full", "has the unknown parameter \"sslmod\""),
        (
            "postgres://u:hunter2@db/x?sslrootcert=/none.pem",
            "sslrootcert=/none.pem can't be read: No such file",
        ),
    ] {
        let said = refused(&format!("[postgres]\nurl = \"{address}\"\n"), &["postgres.url: "]);
        assert!(said.contains(words), "{words:?} in\n{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    refused("[postgres]\nurl_file = \"/dev/null\"\n", &["postgres.url: "]);
    refused("[postgres]\nurl = \"\"\n", &["postgres.url: is missing"]);
    accepted("[postgres]\nurl = \"postgres://u@db/x?sslmode=verify-full&options[search_path]=a\"\n", &[]);
}

#[test]
fn librdkafka_checks_its_properties() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter2\n").unwrap();
    let secret = secret.to_str().unwrap();
    let said = refused(
        &format!(
            r#"
            [kafka.client]
            "securty.protocol" = "SSL"
            "sasl.mechanism" = ["PLAIN"]
            security.protocol = "SSLL"
            "socket.timeout.ms_file" = "{secret}"
            "ssl.key.password_file" = "/does/not/exist"
            "#
        ),
        &[
            "kafka.client.securty.protocol: librdkafka refuses it: No such configuration property",
            "kafka.client.sasl.mechanism: is not a string",
            "kafka.client.security.protocol: librdkafka refuses it: Invalid value",
            "kafka.client.socket.timeout.ms_file: librdkafka refuses it",
            "kafka.client.ssl.key.password_file: /does/not/exist can't be read",
        ],
    );
    assert!(!said.contains("hunter2"), "{said}");
    let file = format!("[kafka.client]\nssl.key.password_file = \"{secret}\"\nsecurity.protocol = \"SSL\"\n");
    accepted(&file, &[("OVERHEARD__KAFKA__CLIENT__SSL_KEYSTORE_PASSWORD_FILE", OsStr::new(secret))]);
}

#[test]
fn librdkafka_checks_properties_together() {
    for (property, words) in [
        ("ssl.ca.location = \"/does/not/exist\"\nsecurity.protocol = \"SSL\"", "ssl.ca.location"),
        ("max.in.flight = 100", "max.in.flight"),
        // The mechanism is GSSAPI where none is named, which this program is built without.
        ("security.protocol = \"SASL_SSL\"", "No provider for SASL mechanism GSSAPI"),
        ("fetch.max.bytes = 100", "fetch.max.bytes"),
    ] {
        let said = refused(&format!("[kafka.client]\n{property}\n"), &["kafka.client: "]);
        assert!(said.contains(words), "{words:?} in\n{said}");
    }
}

#[test]
fn properties_with_a_setting_of_their_own_or_that_delivery_depends_on_are_refused() {
    let refusals = [
        ("bootstrap.servers", "kafka.brokers"),
        ("metadata.broker.list", "kafka.brokers"),
        ("group.id", "kafka.group"),
        ("session.timeout.ms", "kafka.session_timeout"),
        ("auto.offset.reset", "kafka.start"),
        ("message.timeout.ms", "kafka.delivery_timeout"),
        ("delivery.timeout.ms", "kafka.delivery_timeout"),
        ("sasl.password", "kafka.password"),
        ("sasl.password_file", "kafka.password_file"),
        ("enable.auto.commit", "leave it out"),
        ("enable.auto.offset.store", "leave it out"),
        ("enable.idempotence", "leave it out"),
        ("partition.assignment.strategy", "leave it out"),
        ("statistics.interval.ms", "leave it out"),
        ("allow.auto.create.topics", "leave this out"),
    ];
    let lines = refusals.map(|(property, _)| format!("\"{property}\" = \"1\""));
    let file = format!("[kafka.client]\n{}\n", lines.join("\n"));
    let paths = refusals.map(|(property, _)| format!("kafka.client.{property}: can't be passed through: "));
    let said = refused(&file, &paths.each_ref().map(String::as_str));
    for ((_, way_out), path) in refusals.iter().zip(&paths) {
        let line = said.lines().find(|line| line.starts_with(path)).unwrap();
        assert!(line.contains(way_out), "{line}");
    }
}

#[test]
fn a_secret_of_the_wrong_type_is_not_shown() {
    let said = refused(
        "[kafka]\npassword = 12345678\n[postgres]\nurl = [\"hunter2\"]\npassword = 12345678.5\n",
        &[
            "kafka.password: is not a string (the value is not shown)",
            "postgres.url: is not a string (the value is not shown)",
            "postgres.password: is not a string (the value is not shown)",
        ],
    );
    assert!(!said.contains("12345678") && !said.contains("hunter2"), "{said}");
    let said = refused("[postgres]\npassword = \"hunter2\n", &["line 2: "]);
    assert!(!said.contains("hunter2"), "{said}");
    let said =
        refused("postgres = \"hunter2\"\n", &["postgres: is not a table of settings but of type string"]);
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_variable_that_is_not_utf_8_is_reported_if_it_has_the_prefix() {
    let garbage = OsStr::from_bytes(b"\xff\xfe");
    accepted("", &[("UNRELATED", garbage)]);
    let (code, said) = check("oddity = 1", &[("OVERHEARD__KAFKA__GROUP", garbage)]);
    assert_eq!(code, Some(1));
    assert!(said.contains("OVERHEARD__KAFKA__GROUP: this environment variable is not UTF-8"), "{said}");
    assert!(said.contains("oddity: unknown key"), "{said}");
}

#[test]
fn a_secret_from_the_environment_overrides_a_file_that_the_settings_name() {
    let file = "[postgres]\npassword_file = \"/does/not/exist\"\n";
    refused(file, &["postgres.password_file: /does/not/exist can't be read"]);
    accepted(file, &[("OVERHEARD__POSTGRES__PASSWORD", OsStr::new("x"))]);
    // Within one layer the file takes precedence.
    refused(&format!("{file}password = \"x\"\n"), &["postgres.password_file: /does/not/exist can't be read"]);
    let both = [("PASSWORD", "x"), ("PASSWORD_FILE", "/none")];
    let both = both.map(|(key, value)| (format!("OVERHEARD__POSTGRES__{key}"), value));
    let (code, said) = check("", &both.each_ref().map(|(name, value)| (name.as_str(), OsStr::new(value))));
    assert_eq!(code, Some(1));
    assert!(said.contains("(from OVERHEARD__POSTGRES__PASSWORD_FILE): /none can't be read"), "{said}");
}

#[test]
fn the_text_model_must_be_there() {
    let said = refused("[inference]\ntext_model = \"mood\"\n", &["inference.text_model: "]);
    assert!(said.contains("mood/manifest.json"), "{said}");
    refused("[inference]\ntext_model = 5\n", &["inference.text_model: 5 is not a string"]);
    refused("[inference]\nvision_model = \"sentiment\"\n", &["inference.vision_model: "]);
    let more = |names: &str| format!("[inference]\nmore_text_models = {names}\n");
    let said = refused(&more("[\"mood\"]"), &["inference.more_text_models: "]);
    assert!(said.contains("mood/manifest.json"), "{said}");
    refused(&more("[\"\"]"), &["inference.more_text_models: is empty"]);
    refused(&more("[\"sentiment\"]"), &["names \"sentiment\", which is already text_model"]);
    refused(&more("\"mood\""), &["inference.more_text_models: \"mood\" is not an array"]);
}

#[test]
fn the_version_is_shown_whatever_the_configuration_is() {
    let output = Command::new(PROGRAM)
        .args(["--version", "--config", "/does/not/exist"])
        .env("OVERHEARD__ODDITY", "x")
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for words in
        [concat!("overheard ", env!("CARGO_PKG_VERSION")), "tokenizers 0.", "sqlx 0.", "ONNX Runtime 1."]
    {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("The configuration is wrong (1 problems"), "{errors}");
}

#[test]
fn a_mapping_that_cannot_work_is_refused_key_by_key() {
    let topic = |rest: &str| format!("[[kafka.topics]]\nname = \"bought\"\n{rest}\n");
    refused(
        &topic(
            "format = \"mapping\"\nframing = \"avro\"\n[kafka.topics.mapping]\nid = \"a[\"\ntime_format = \"iso\"",
        ),
        &[
            "[0].framing",
            "mapping.id",
            "mapping.source",
            "mapping.text",
            "mapping.time:",
            "mapping.time_format",
        ],
    );
    refused(
        &topic("format = \"post\"\nmapping = { id = \"a\" }"),
        &["goes with format = \"mapping\" only, and not with post"],
    );
    let mapping = "{ source = \"bought\", id = \"id\", time = \"at\", text = [\"text\"] }";
    accepted(
        &topic(&format!("format = \"mapping\"\nframing = \"schema-registry\"\nmapping = {mapping}")),
        &[],
    );
}
