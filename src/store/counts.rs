//! The roll-ups: mentions and sightings, counted by minute and by hour, and by hour and day for
//! evidence alone, in the transactions that change them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row};

use super::late_counts;
use super::parse::parse_name;
use crate::domain::{Counts, Evidence, Label};

/// What a row of counts is about. Its columns are named alike wherever they are selected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub(super) struct CountKey {
    pub(super) brand: String,
    /// The minute of the posts' claimed time.
    pub(super) minute: DateTime<Utc>,
    pub(super) source: String,
    /// `und` where it is not known.
    pub(super) language: String,
    pub(super) kind: String,
    pub(super) evidence: String,
}

impl CountKey {
    /// The key at that time where nothing but the evidence is told apart.
    fn by_evidence(&self, time: DateTime<Utc>) -> Self {
        let empty = String::new;
        let (brand, evidence) = (self.brand.clone(), self.evidence.clone());
        Self { brand, minute: time, source: empty(), language: empty(), kind: empty(), evidence }
    }

    /// The same but for the evidence.
    pub(super) fn with_evidence(&self, evidence: Evidence) -> Self {
        Self { evidence: evidence.as_str().to_owned(), ..self.clone() }
    }
}

/// A mention as it is counted: its key, `post_id`, `label`, `polarity` and `muted` of a row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct CountedMention {
    #[sqlx(flatten)]
    pub(super) key: CountKey,
    /// The post's identifier.
    pub(super) post_id: String,
    label: Option<String>,
    polarity: Option<f32>,
    /// Whether a mute hides it: it counts for nothing.
    pub(super) muted: bool,
}

impl CountedMention {
    /// What it counts for.
    pub(super) fn counts(&self) -> Result<Counts, sqlx::Error> {
        counts_of_mention(self.label.as_deref(), self.polarity)
    }
}

/// What a mention with that label and polarity counts for.
pub(super) fn counts_of_mention(label: Option<&str>, polarity: Option<f32>) -> Result<Counts, sqlx::Error> {
    let label =
        label.map(|label| parse_name("mentions.label", label, &Label::ALL, Label::as_str)).transpose()?;
    Ok(Counts::of_mention(label.zip(polarity.map(f64::from))))
}

/// Counts as columns of these names.
pub(super) fn counts(row: &PgRow) -> Result<Counts, sqlx::Error> {
    Ok(Counts {
        negative: row.try_get("negative")?,
        neutral: row.try_get("neutral")?,
        positive: row.try_get("positive")?,
        unscored: row.try_get("unscored")?,
        polarity_sum: row.try_get("polarity_sum")?,
        sightings: row.try_get("sightings")?,
    })
}

/// A mention, or a part of what it counts for, that is counted elsewhere from now on, or nowhere.
struct Move {
    from: CountKey,
    taken: Counts,
    to: Option<(CountKey, Counts)>,
}

/// What a transaction changes in the counts: all in one statement and in the order of the keys, so
/// that transactions wait for each other in one direction and don't deadlock.
#[derive(Default)]
pub(super) struct CountChanges {
    new: BTreeMap<CountKey, Counts>,
    moves: Vec<Move>,
}

impl CountChanges {
    /// Counts what was not counted before.
    pub(super) fn add(&mut self, key: CountKey, counts: Counts) {
        *self.new.entry(key).or_default() += counts;
    }

    /// Counts something elsewhere: `taken` goes from one row, `added` to another. Where the first
    /// has gone, since counts may be kept for a shorter time than mentions, nothing changes.
    pub(super) fn shift(&mut self, from: CountKey, taken: Counts, to: CountKey, added: Counts) {
        self.moves.push(Move { from, taken, to: Some((to, added)) });
    }

    /// Counts something no more.
    pub(super) fn take(&mut self, from: CountKey, taken: Counts) {
        self.moves.push(Move { from, taken, to: None });
    }

    /// Counts logos seen with a mention that is counted already, if it still is.
    pub(super) fn add_sightings(&mut self, of_mention: CountKey, sightings: i64) {
        let added = Counts::of_sightings(sightings);
        self.shift(of_mention.clone(), Counts::default(), of_mention, added);
    }

    /// Changes the counts.
    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.mark_late(connection).await?;
        let Self { new: mut changes, moves } = self;
        let moved: Vec<CountKey> = moves.iter().map(|moved| moved.from.clone()).collect();
        if !moved.is_empty() {
            let counted = counted(connection, &moved).await?;
            for Move { from, taken, to } in moves {
                if counted.contains(&from) || changes.contains_key(&from) {
                    *changes.entry(from).or_default() += -taken;
                    if let Some((to, added)) = to {
                        *changes.entry(to).or_default() += added;
                    }
                }
            }
        }
        for roll_up in &ROLL_UPS {
            let mut rows: BTreeMap<CountKey, Counts> = BTreeMap::new();
            for (key, counts) in &changes {
                *rows.entry((roll_up.key)(key)).or_default() += *counts;
            }
            if !rows.is_empty() {
                upsert(connection, roll_up, &rows).await?;
            }
            if !moved.is_empty() {
                delete_empty(connection, roll_up, &moved).await?;
            }
        }
        Ok(())
    }
}

impl CountChanges {
    /// Tells the evaluation of alert rules which minutes change that it has judged already.
    async fn mark_late(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let moved = self
            .moves
            .iter()
            .flat_map(|moved| [Some(&moved.from), moved.to.as_ref().map(|(to, _)| to)].into_iter().flatten());
        let changed = self.new.keys().chain(moved).map(|key| (key.brand.as_str(), key.minute)).collect();
        let mentions = self.new.iter().map(|(key, counts)| (key.minute, counts.mentions()));
        late_counts::mark(connection, &changed, mentions).await
    }
}

/// A table of counts: its column of time, its other dimensions, and the key that a mention has there,
/// in which dimensions that it lacks are empty.
struct RollUp {
    table: &'static str,
    time: &'static str,
    dimensions: &'static str,
    key: fn(&CountKey) -> CountKey,
}

const ROLL_UPS: [RollUp; 4] = [
    RollUp { table: "mention_counts", time: "minute", dimensions: ALL, key: CountKey::clone },
    RollUp {
        table: "mention_hours",
        time: "hour",
        dimensions: ALL,
        key: |key| CountKey { minute: hour_of(key.minute), ..key.clone() },
    },
    RollUp {
        table: "evidence_hours",
        time: "hour",
        dimensions: "evidence",
        key: |key| key.by_evidence(hour_of(key.minute)),
    },
    RollUp {
        table: "evidence_days",
        time: "day",
        dimensions: "evidence",
        key: |key| key.by_evidence(day_of(key.minute)),
    },
];

const ALL: &str = "source, language, kind, evidence";

/// The UTC hour that a minute belongs to.
pub(super) fn hour_of(minute: DateTime<Utc>) -> DateTime<Utc> {
    minute.duration_trunc(TimeDelta::hours(1)).unwrap_or(minute)
}

/// The UTC day that a minute belongs to.
pub(super) fn day_of(minute: DateTime<Utc>) -> DateTime<Utc> {
    minute.duration_trunc(TimeDelta::days(1)).unwrap_or(minute)
}

/// The keys of the same brands and minutes that have rows, and some others.
async fn counted(
    connection: &mut PgConnection,
    keys: &[CountKey],
) -> Result<BTreeSet<CountKey>, sqlx::Error> {
    let known: Vec<CountKey> = sqlx::query_as(
        "SELECT brand, minute, source, language, kind, evidence FROM overheard.mention_counts
         WHERE brand = ANY ($1) AND minute = ANY ($2)",
    )
    .bind(keys.iter().map(|key| key.brand.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.minute).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(known.into_iter().collect())
}

async fn upsert(
    connection: &mut PgConnection,
    RollUp { table, time, dimensions, .. }: &RollUp,
    rows: &BTreeMap<CountKey, Counts>,
) -> Result<(), sqlx::Error> {
    let text = |of: fn(&CountKey) -> &String| rows.keys().map(of).collect::<Vec<_>>();
    let number = |of: fn(&Counts) -> i64| rows.values().map(of).collect::<Vec<_>>();
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO overheard.{table} AS counts
             (brand, {time}, {dimensions},
              mentions, negative, neutral, positive, unscored, polarity_sum, sightings)
         SELECT brand, time, {dimensions},
                mentions, negative, neutral, positive, unscored, polarity_sum, sightings
         FROM UNNEST($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
                     $12::double precision[], $13::bigint[])
           AS new (brand, time, source, language, kind, evidence,
                   mentions, negative, neutral, positive, unscored, polarity_sum, sightings)
         ON CONFLICT (brand, {time}, {dimensions}) DO UPDATE SET
             mentions = counts.mentions + excluded.mentions,
             negative = counts.negative + excluded.negative,
             neutral = counts.neutral + excluded.neutral,
             positive = counts.positive + excluded.positive,
             unscored = counts.unscored + excluded.unscored,
             polarity_sum = counts.polarity_sum + excluded.polarity_sum,
             sightings = counts.sightings + excluded.sightings"
    )))
    .bind(text(|key| &key.brand))
    .bind(rows.keys().map(|key| key.minute).collect::<Vec<_>>())
    .bind(text(|key| &key.source))
    .bind(text(|key| &key.language))
    .bind(text(|key| &key.kind))
    .bind(text(|key| &key.evidence))
    .bind(number(Counts::mentions))
    .bind(number(|counts| counts.negative))
    .bind(number(|counts| counts.neutral))
    .bind(number(|counts| counts.positive))
    .bind(number(|counts| counts.unscored))
    .bind(rows.values().map(|counts| counts.polarity_sum).collect::<Vec<_>>())
    .bind(number(|counts| counts.sightings))
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes rows from which everything was taken. No transaction leaves such rows behind, so these
/// are rows that this one has locked already.
async fn delete_empty(
    connection: &mut PgConnection,
    RollUp { table, time, key, .. }: &RollUp,
    moved: &[CountKey],
) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM overheard.{table}
         WHERE brand = ANY ($1) AND {time} = ANY ($2) AND mentions = 0 AND sightings = 0"
    )))
    .bind(moved.iter().map(|moved| moved.brand.as_str()).collect::<Vec<_>>())
    .bind(moved.iter().map(|moved| key(moved).minute).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}
