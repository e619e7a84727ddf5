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
    RECORDS_RECEIVED "overheard_posts_received_total" Counter Count ["topic"] "Records taken from Kafka.";
    RECORDS_IGNORED "overheard_posts_ignored_total" Counter Count ["kind"] "Events that are no new post, such as deletions.";
    RECORDS_REJECTED "overheard_posts_rejected_total" Counter Count ["reason"] "Records sent to the dead-letter topic.";
    POSTS_UNNAMED "overheard_posts_unnamed_total" Counter Count [] "Posts whose text names no brand.";
    PICTURES_SEEN "overheard_pictures_seen_total" Counter Count [] "Pictures that posts carry.";
    PICTURES_LISTED "overheard_pictures_listed_total" Counter Count [] "Pictures really inserted into the list of work.";
    PICTURE_FETCHES "overheard_picture_fetches_total" Counter Count ["outcome"] "Addresses of pictures looked at; outcome is fetched or the kind of reason why not.";
    PICTURE_BYTES "overheard_picture_bytes_total" Counter Bytes [] "Bytes of the pictures fetched.";
    PICTURE_FETCH_SECONDS "overheard_picture_fetch_seconds" Histogram Seconds [] "Time from a picture's address to its file, or to the reason why not.";
    PICTURE_DECODES "overheard_picture_decodes_total" Counter Count ["outcome"] "Files given to a decoder; outcome is decoded or what is wrong with the file.";
    PICTURE_DECODE_SECONDS "overheard_picture_decode_seconds" Histogram Seconds [] "Time of decoding one file.";
    PICTURES_REMEMBERED "overheard_pictures_remembered_total" Counter Count ["by"] "Pictures not looked at again, since they are remembered by url, content or likeness.";
    PICTURES_PUT_OFF "overheard_pictures_put_off_total" Counter Count [] "Times that a picture was put off.";
    PICTURES_FINISHED "overheard_pictures_finished_total" Counter Count ["outcome"] "Pictures done with: fetched, refused, failed or undecodable.";
    PICTURE_LIST_ROWS "overheard_picture_list_rows" Gauge Count [] "Pictures still to be looked at, by the whole fleet.";
    PICTURE_LIST_WAITING "overheard_picture_list_waiting_rows" Gauge Count [] "Of these, pictures that are leased or put off.";
    PICTURE_LIST_AGE "overheard_picture_list_age_seconds" Gauge Seconds [] "Age of the oldest picture still to be looked at.";
    PICTURE_LIST_DEAD_ROWS "overheard_picture_list_dead_rows" Gauge Count [] "Removed rows that vacuum has yet to clear out of the list of pictures.";
    SIGHTINGS_STORED "overheard_sightings_stored_total" Counter Count [] "Sightings really inserted into Postgres.";
    SIGHTINGS_UNHEARD "overheard_sightings_unheard_total" Counter Count [] "Logos seen of brands that are not listened for.";
    MENTIONS_STRENGTHENED "overheard_mentions_strengthened_total" Counter Count [] "Mentions by text that a picture was found to show as well.";
    POSTS_STORED "overheard_posts_stored_total" Counter Count [] "Posts really inserted into Postgres.";
    MENTIONS_STORED "overheard_mentions_stored_total" Counter Count [] "Mentions really inserted into Postgres.";
    MENTIONS_SCORED "overheard_mentions_scored_total" Counter Count ["brand" "label"] "Mentions scored, redelivered ones among them.";
    MENTIONS_UNSCORED "overheard_mentions_unscored_total" Counter Count ["language"] "Mentions in a language that no model scores, redelivered ones among them.";
    MODEL_RUN_SECONDS "overheard_model_run_seconds" Histogram Seconds ["model"] "Time of one batch in the model.";
    MODEL_BATCH_POSTS "overheard_model_batch_posts" Histogram Count ["model"] "Texts in one batch.";
    MODEL_TOKENS "overheard_model_tokens_total" Counter Count ["model" "kind"] "Tokens given to the model; kind is real or padding.";
    MODEL_BATCH_VIEWS "overheard_model_batch_views" Histogram Count ["model"] "Views of pictures in one batch.";
    MODEL_VIEWS "overheard_model_views_total" Counter Count ["model" "kind"] "Views of pictures given to the model; kind is real or padding.";
    MODEL_DEVICE "overheard_model_device" Gauge Count ["model" "device"] "1 for the device that the model runs on.";
    STORE_COMMIT_SECONDS "overheard_store_commit_seconds" Histogram Seconds [] "Time of one batch's transaction in Postgres.";
    STORE_BATCH_POSTS "overheard_store_batch_posts" Histogram Count [] "Records settled by one transaction.";
    STORE_RETRIES "overheard_store_retries_total" Counter Count [] "Transactions tried again after a transient error.";
    CONSUMER_LAG "overheard_consumer_lag_records" Gauge Count ["topic" "partition"] "Records between the committed offset and the end of the partition.";
    CONSUMER_ASSIGNED "overheard_consumer_assigned_partitions" Gauge Count [] "Partitions assigned to this process.";
    CONSUMER_PAUSED "overheard_consumer_paused" Gauge Count [] "1 while the consumer is paused because later steps are full.";
    CONSUMER_REBALANCES "overheard_consumer_rebalances_total" Counter Count ["kind"] "Partitions given or taken away: assign or revoke.";
    OFFSETS_LATE "overheard_offsets_late_total" Counter Count [] "Completions that came after their partition was taken away.";
    ALERTS_EVALUATED "overheard_alert_evaluations_total" Counter Count [] "Evaluations of all alert rules by this process.";
    ALERTS_CHANGED "overheard_alerts_total" Counter Count ["rule" "state"] "Alerts that began to fire or were resolved.";
    OUTBOX_PUBLISHED "overheard_outbox_published_total" Counter Count [] "Alert messages that the broker acknowledged.";
}

/// Tells the recorder what every metric means.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.unit, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.unit, metric.help),
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
}
