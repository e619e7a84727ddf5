//! Every metric: its name, kind, unit, labels and meaning, described once.
//!
//! Code elsewhere uses the constants with the macros of the `metrics` crate.

use metrics::Unit;

/// What a metric counts or shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations, counted in buckets, with their sum and number.
    Histogram,
}

/// One metric's description.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name as Prometheus shows it.
    pub name: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Unit.
    pub unit: Unit,
    /// Label names.
    pub labels: &'static [&'static str],
    /// Meaning, one sentence.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident $unit:ident [$($label:literal)*] $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// All metrics of this process.
        pub const ALL: &[Metric] = &[
            $(Metric { name: $name, kind: Kind::$kind, unit: Unit::$unit, labels: &[$($label),*], help: $help },)*
        ];
    };
}

metrics! {
    READY "overheard_ready" Gauge Count [] "1 while /ready returns 200, else 0.";
    RECORDS_RECEIVED "overheard_posts_received_total" Counter Count ["topic"] "Records taken from Kafka.";
    RECORDS_IGNORED "overheard_posts_ignored_total" Counter Count ["kind"] "Events that are no new post, such as deletions.";
    RECORDS_REJECTED "overheard_posts_rejected_total" Counter Count ["reason"] "Records sent to the dead-letter topic.";
    POSTS_REPAIRED "overheard_post_parts_repaired_total" Counter Count ["part"] "Parts of posts that could not be read and were left out or mended; the posts were kept.";
    POSTS_EDITED "overheard_posts_edited_total" Counter Count [] "Stored posts that an edit replaced.";
    POSTS_REMOVED "overheard_posts_removed_total" Counter Count [] "Stored posts taken away by a deletion or with their account.";
    POSTS_UNNAMED "overheard_posts_unnamed_total" Counter Count [] "Posts whose text names no brand.";
    PICTURES_SEEN "overheard_pictures_seen_total" Counter Count [] "Pictures that posts carry.";
    PICTURES_LISTED "overheard_pictures_listed_total" Counter Count [] "Pictures inserted into the picture queue.";
    PICTURE_LEASE_SECONDS "overheard_picture_lease_seconds" Histogram Seconds [] "Time of leasing pictures once, with looking up what is known of their addresses.";
    PICTURE_FETCHES "overheard_picture_fetches_total" Counter Count ["outcome"] "Fetches of pictures; outcome is fetched or why not.";
    PICTURE_BYTES "overheard_picture_bytes_total" Counter Bytes [] "Bytes of the pictures fetched.";
    PICTURE_FETCH_SECONDS "overheard_picture_fetch_seconds" Histogram Seconds [] "Time of one fetch of a picture.";
    PICTURE_DECODES "overheard_picture_decodes_total" Counter Count ["outcome"] "Files decoded; outcome is decoded or what is wrong with the file.";
    PICTURE_DECODE_SECONDS "overheard_picture_decode_seconds" Histogram Seconds [] "Time of decoding one file.";
    PICTURE_DECODERS_LOST "overheard_picture_decoders_lost_total" Counter Count [] "Processes that decode pictures and ended, or were ended, over a file.";
    PICTURES_REMEMBERED "overheard_pictures_remembered_total" Counter Count ["by"] "Pictures that were known by url, content or likeness and not examined again.";
    PICTURES_PUT_OFF "overheard_pictures_put_off_total" Counter Count [] "Times that a picture was put off.";
    PICTURES_FINISHED "overheard_pictures_finished_total" Counter Count ["outcome"] "Pictures finished, by outcome: fetched, refused, failed or undecodable.";
    PICTURES_LATE "overheard_pictures_late_total" Counter Count [] "Results that came after their picture's lease had ended and are found again.";
    PICTURE_LIST_ROWS "overheard_picture_list_rows" Gauge Count [] "Pictures in the queue, for all processes.";
    PICTURE_LIST_WAITING "overheard_picture_list_waiting_rows" Gauge Count [] "Pictures in the queue that are leased or put off.";
    PICTURE_LIST_AGE "overheard_picture_list_age_seconds" Gauge Seconds [] "Age of the oldest picture in the queue.";
    PICTURE_LIST_DEAD_ROWS "overheard_picture_list_dead_rows" Gauge Count [] "Dead rows of the queue that vacuum has yet to remove.";
    SIGHTINGS_STORED "overheard_sightings_stored_total" Counter Count [] "Sightings inserted into Postgres.";
    SIGHTINGS_UNHEARD "overheard_sightings_unheard_total" Counter Count [] "Logos found of brands that are not configured.";
    MENTIONS_STRENGTHENED "overheard_mentions_strengthened_total" Counter Count [] "Mentions by text whose brand a picture of the post shows as well.";
    POSTS_STORED "overheard_posts_stored_total" Counter Count [] "Posts inserted into Postgres, redelivered ones not counted.";
    MENTIONS_STORED "overheard_mentions_stored_total" Counter Count [] "Mentions inserted into Postgres, redelivered ones not counted.";
    MENTIONS_MUTED "overheard_mentions_muted_total" Counter Count [] "Mentions inserted into Postgres that a mute hides from all figures.";
    MENTIONS_SCORED "overheard_mentions_scored_total" Counter Count ["brand" "label"] "Mentions scored, redelivered ones among them.";
    MENTIONS_UNSCORED "overheard_mentions_unscored_total" Counter Count ["language"] "Mentions in a language that no model scores, redelivered ones among them.";
    MODEL_RUN_SECONDS "overheard_model_run_seconds" Histogram Seconds ["model"] "Time of one batch in the model.";
    MODEL_BATCH_POSTS "overheard_model_batch_posts" Histogram Count ["model"] "Texts in one batch.";
    MODEL_TOKENS "overheard_model_tokens_total" Counter Count ["model" "kind"] "Tokens given to the model; kind is real or padding.";
    MODEL_BATCH_VIEWS "overheard_model_batch_views" Histogram Count ["model"] "Views of pictures in one batch.";
    MODEL_VIEWS "overheard_model_views_total" Counter Count ["model" "kind"] "Views of pictures given to the model; kind is real or padding.";
    MODEL_DEVICE "overheard_model_device" Gauge Count ["model" "device"] "1 for the device that the model runs on.";
    STORE_COMMIT_SECONDS "overheard_store_commit_seconds" Histogram Seconds [] "Time of one batch's transaction in Postgres.";
    STORE_BATCH_POSTS "overheard_store_batch_posts" Histogram Count [] "Records in one transaction.";
    STORE_RETRIES "overheard_store_retries_total" Counter Count [] "Transactions retried after a transient error.";
    CONSUMER_LAG "overheard_consumer_lag_records" Gauge Count ["topic" "partition"] "Records between what is settled and the end of the partition, for every assigned partition.";
    CONSUMER_LAG_SECONDS "overheard_consumer_lag_seconds" Gauge Seconds ["topic" "partition"] "Age of what was read last, 0 at the end of the partition.";
    CONSUMER_ASSIGNED "overheard_consumer_assigned_partitions" Gauge Count [] "Partitions assigned to this process.";
    CONSUMER_PAUSED "overheard_consumer_paused" Gauge Count [] "1 while the consumer is paused because later steps are full.";
    CONSUMER_REBALANCES "overheard_consumer_rebalances_total" Counter Count ["kind"] "Partitions given or taken away: assign or revoke.";
    BROKER_FAILURES "overheard_broker_connection_failures_total" Counter Count ["client"] "Connections to brokers that failed, attempts included; client is consumer or producer.";
    OFFSETS_LATE "overheard_offsets_late_total" Counter Count [] "Completions that came after their partition was taken away.";
    ALERTS_EVALUATED "overheard_alert_evaluations_total" Counter Count [] "Evaluations of all alert rules by this process.";
    ALERTS_CHANGED "overheard_alerts_total" Counter Count ["rule" "state"] "Alerts that began to fire or were resolved.";
    ALERTS_BEHIND "overheard_alerts_behind" Gauge Count [] "1 while time can't be judged because posts are not read yet; 0 in processes that don't evaluate.";
    ALERTS_BEHIND_SECONDS "overheard_alerts_behind_seconds" Gauge Seconds [] "How far the time that may be judged is behind the clock; 0 in processes that don't evaluate.";
    MENTIONS_TOO_LATE "overheard_mentions_too_late_total" Counter Count [] "Mentions counted that came too late to raise an alert, again when a transaction is retried.";
    EVALUATION_LAST_SUCCESS "overheard_evaluation_last_success_seconds" Gauge Seconds [] "When this process last evaluated the alert rules, in Unix time.";
    RELAY_LAST_SUCCESS "overheard_relay_last_success_seconds" Gauge Seconds [] "When this process last published all that waited in the outbox, in Unix time.";
    MAINTENANCE_LAST_SUCCESS "overheard_maintenance_last_success_seconds" Gauge Seconds [] "When maintenance last did all that was due, in Unix time.";
    BACKLOG_LAST_SUCCESS "overheard_backlog_watch_last_success_seconds" Gauge Seconds [] "When the picture queue was last measured, in Unix time.";
    RELOADS "overheard_reloads_total" Counter Count ["outcome"] "Reloads of brands and alert rules; outcome is applied, refused or unavailable.";
    RELOAD_LAST_SUCCESS "overheard_reload_last_success_seconds" Gauge Seconds [] "When brands and alert rules were last reloaded, in Unix time; 0 before the first time.";
    OUTBOX_MESSAGES "overheard_outbox_messages" Gauge Count [] "Messages in the outbox that are not sent yet; 0 in processes that don't publish it.";
    OUTBOX_AGE "overheard_outbox_age_seconds" Gauge Seconds [] "Age of the oldest message that is not sent yet.";
    OUTBOX_PUBLISHED "overheard_outbox_published_total" Counter Count [] "Alert messages that the broker acknowledged.";
}

/// The values of a label that are known from the start: their counters exist at 0.
const KNOWN: &[(&str, &str, &[&str])] = &[
    (RECORDS_REJECTED, "reason", &["empty", "syntax", "shape", "value", "score", "store"]),
    (PICTURES_REMEMBERED, "by", &["url", "content", "likeness"]),
    (PICTURES_FINISHED, "outcome", &["fetched", "refused", "failed", "undecodable"]),
    (CONSUMER_REBALANCES, "kind", &["assign", "revoke"]),
    (BROKER_FAILURES, "client", &["consumer", "producer"]),
    (RELOADS, "outcome", &["applied", "refused", "unavailable"]),
];

/// Tells the recorder what every metric means. Counters without labels, and those with
/// values that are known, are there from the start, so that the first event is an increase.
pub fn describe() {
    for metric in ALL {
        if metric.kind == Kind::Counter && metric.labels.is_empty() {
            metrics::counter!(metric.name).increment(0);
        }
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.unit, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.unit, metric.help),
        }
    }
    for &(name, label, values) in KNOWN {
        for &value in values {
            metrics::counter!(name, label => value).increment(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_convention_and_are_unique() {
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert!(metric.name.starts_with("overheard_"), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }

    #[test]
    fn known_values_are_those_of_a_counters_only_label() {
        for (name, label, values) in KNOWN {
            let metric = ALL.iter().find(|metric| metric.name == *name).unwrap();
            assert_eq!((metric.kind, metric.labels), (Kind::Counter, [*label].as_slice()), "{name}");
            assert!(!values.is_empty(), "{name}");
        }
    }
}
