//! Counts by evidence: what of the mentions that are counted is known by pictures.
//!
//! Mentions by text alone have no counts of their own here. They are what `mention_counts` has
//! beyond these, so that a text's mention costs nothing more, and an older program that knows of
//! texts alone counts right.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Neg};

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use crate::domain::Evidence;

/// Mentions that are new, of one brand, minute, network and language.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct NewMentions {
    brand: String,
    minute: DateTime<Utc>,
    source: String,
    language: String,
    #[sqlx(flatten)]
    tally: Tally,
}

impl NewMentions {
    /// How many.
    pub(super) fn mentions(&self) -> u64 {
        let Tally { negative, neutral, positive, unscored, .. } = self.tally;
        u64::try_from(negative + neutral + positive + unscored).unwrap_or_default()
    }
}

/// Sightings that are new, of one brand, minute, network, language, and evidence of their mention.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct NewSightings {
    brand: String,
    minute: DateTime<Utc>,
    source: String,
    language: String,
    evidence: String,
    sightings: i64,
}

impl NewSightings {
    /// How many.
    pub(super) fn sightings(&self) -> u64 {
        u64::try_from(self.sightings).unwrap_or_default()
    }
}

/// What is added to a row of counts, or taken from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, sqlx::FromRow)]
pub(super) struct Tally {
    pub(super) negative: i64,
    pub(super) neutral: i64,
    pub(super) positive: i64,
    pub(super) unscored: i64,
    pub(super) polarity_sum: f64,
    #[sqlx(default)]
    pub(super) sightings: i64,
}

impl Neg for Tally {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            negative: -self.negative,
            neutral: -self.neutral,
            positive: -self.positive,
            unscored: -self.unscored,
            polarity_sum: -self.polarity_sum,
            sightings: -self.sightings,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.negative += other.negative;
        self.neutral += other.neutral;
        self.positive += other.positive;
        self.unscored += other.unscored;
        self.polarity_sum += other.polarity_sum;
        self.sightings += other.sightings;
    }
}

/// Brand, minute, network, language, evidence.
pub(super) type EvidenceKey<'a> = (&'a str, DateTime<Utc>, &'a str, &'a str, &'a str);

/// What is to be added to the counts: all of a transaction in one statement, in the order of the
/// keys, so that transactions that count alike wait for each other in one direction only.
#[derive(Default)]
pub(super) struct EvidenceChanges<'a> {
    changes: BTreeMap<EvidenceKey<'a>, Tally>,
}

impl<'a> EvidenceChanges<'a> {
    /// Mentions that are known by this evidence from now on.
    pub(super) fn add_mentions(&mut self, evidence: Evidence, new: &'a [NewMentions]) {
        for new in new {
            let key = (
                new.brand.as_str(),
                new.minute,
                new.source.as_str(),
                new.language.as_str(),
                evidence.as_str(),
            );
            self.add(key, new.tally);
        }
    }

    /// A change of one row of counts.
    pub(super) fn add(&mut self, key: EvidenceKey<'a>, tally: Tally) {
        *self.changes.entry(key).or_default() += tally;
    }

    /// Sightings, each with the evidence of its mention. Where that has gone, none is counted.
    pub(super) fn add_sightings(&mut self, new: &'a [NewSightings]) {
        let by_picture = [Evidence::Image, Evidence::Both].map(Evidence::as_str);
        for new in new.iter().filter(|new| by_picture.contains(&new.evidence.as_str())) {
            let key = (
                new.brand.as_str(),
                new.minute,
                new.source.as_str(),
                new.language.as_str(),
                new.evidence.as_str(),
            );
            self.changes.entry(key).or_default().sightings += new.sightings;
        }
    }

    /// Adds them to the counts.
    pub(super) async fn write(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = self.changes.keys().collect();
        let column = |of: fn(&Tally) -> i64| self.changes.values().map(of).collect::<Vec<i64>>();
        sqlx::query(
            "INSERT INTO overheard.evidence_counts AS counts
                 (brand, minute, source, language, evidence,
                  negative, neutral, positive, polarity_sum, sightings, unscored, mentions)
             SELECT brand, minute, source, language, evidence,
                    negative, neutral, positive, polarity_sum, sightings, unscored,
                    negative + neutral + positive + unscored
             FROM UNNEST($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[],
                         $6::bigint[], $7::bigint[], $8::bigint[], $9::double precision[], $10::bigint[],
                         $11::bigint[])
               AS new (brand, minute, source, language, evidence,
                       negative, neutral, positive, polarity_sum, sightings, unscored)
             ON CONFLICT (brand, minute, source, language, evidence) DO UPDATE SET
                 mentions = counts.mentions + excluded.mentions,
                 negative = counts.negative + excluded.negative,
                 neutral = counts.neutral + excluded.neutral,
                 positive = counts.positive + excluded.positive,
                 polarity_sum = counts.polarity_sum + excluded.polarity_sum,
                 sightings = counts.sightings + excluded.sightings,
                 unscored = counts.unscored + excluded.unscored",
        )
        .bind(keys.iter().map(|key| key.0).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.1).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.2).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.3).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.4).collect::<Vec<_>>())
        .bind(column(|change| change.negative))
        .bind(column(|change| change.neutral))
        .bind(column(|change| change.positive))
        .bind(self.changes.values().map(|change| change.polarity_sum).collect::<Vec<_>>())
        .bind(column(|change| change.sightings))
        .bind(column(|change| change.unscored))
        .execute(connection)
        .await
        .map(drop)
    }
}
