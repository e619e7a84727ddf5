//! Roll-ups beside the counts: who mentioned a brand on a day, and which links, hashtags and hosts
//! its mentions have by hour. Changed in the transactions that change mentions.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgConnection;

use super::counts::{CountKey, hour_of};
use crate::domain::{AuthorKey, Topics};

type AuthorDay = (String, NaiveDate, AuthorKey);
type TopicHour = (String, &'static str, DateTime<Utc>, String);

/// What a transaction changes in these roll-ups.
#[derive(Default)]
pub(super) struct AudienceChanges {
    authors: BTreeMap<AuthorDay, i64>,
    topics: BTreeMap<TopicHour, i64>,
}

impl AudienceChanges {
    /// Counts a mention (1), or takes it away (-1).
    pub(super) fn add(&mut self, of: &CountKey, author: Option<AuthorKey>, topics: &Topics, mentions: i64) {
        if let Some(author) = author {
            let day = (of.brand.clone(), of.minute.date_naive(), author);
            *self.authors.entry(day).or_default() += mentions;
        }
        let hour = hour_of(of.minute);
        for (kind, names) in [("link", &topics.links), ("hashtag", &topics.hashtags), ("host", &topics.hosts)]
        {
            for name in names {
                *self.topics.entry((of.brand.clone(), kind, hour, name.clone())).or_default() += mentions;
            }
        }
    }

    /// Changes the roll-ups: each in the order of its keys, so that transactions don't deadlock. Rows
    /// that come to nothing go, so that authors are the rows of a day, and so do those that were not
    /// there to be subtracted from, since retention had removed them.
    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let authors: Vec<_> = self.authors.into_iter().filter(|(_, change)| *change != 0).collect();
        if !authors.is_empty() {
            change_authors(connection, &authors).await?;
        }
        let topics: Vec<_> = self.topics.into_iter().filter(|(_, change)| *change != 0).collect();
        if !topics.is_empty() {
            change_topics(connection, &topics).await?;
        }
        Ok(())
    }
}

async fn change_authors(connection: &mut PgConnection, rows: &[(AuthorDay, i64)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO overheard.author_days AS known (brand, day, author_key, mentions)
         SELECT * FROM UNNEST($1::text[], $2::date[], $3::bytea[], $4::bigint[])
         ON CONFLICT (brand, day, author_key) DO UPDATE SET mentions = known.mentions + excluded.mentions",
    )
    .bind(rows.iter().map(|((brand, ..), _)| brand.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|((_, day, _), _)| *day).collect::<Vec<_>>())
    .bind(rows.iter().map(|((.., author), _)| author.0.to_vec()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, change)| *change).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let fewer: Vec<&AuthorDay> = rows.iter().filter(|(_, change)| *change < 0).map(|(key, _)| key).collect();
    if fewer.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM overheard.author_days known
         USING UNNEST($1::text[], $2::date[], $3::bytea[]) AS fewer (brand, day, author_key)
         WHERE known.brand = fewer.brand AND known.day = fewer.day AND known.author_key = fewer.author_key
           AND known.mentions <= 0",
    )
    .bind(fewer.iter().map(|(brand, ..)| brand.as_str()).collect::<Vec<_>>())
    .bind(fewer.iter().map(|(_, day, _)| *day).collect::<Vec<_>>())
    .bind(fewer.iter().map(|(.., author)| author.0.to_vec()).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

async fn change_topics(connection: &mut PgConnection, rows: &[(TopicHour, i64)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO overheard.topic_hours AS known (brand, kind, hour, topic, mentions)
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[])
         ON CONFLICT (brand, kind, hour, topic) DO UPDATE SET mentions = known.mentions + excluded.mentions",
    )
    .bind(rows.iter().map(|((brand, ..), _)| brand.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|((_, kind, ..), _)| *kind).collect::<Vec<_>>())
    .bind(rows.iter().map(|((_, _, hour, _), _)| *hour).collect::<Vec<_>>())
    .bind(rows.iter().map(|((.., topic), _)| topic.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, change)| *change).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let fewer: Vec<&TopicHour> = rows.iter().filter(|(_, change)| *change < 0).map(|(key, _)| key).collect();
    if fewer.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM overheard.topic_hours known
         USING UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[]) AS fewer (brand, kind, hour, topic)
         WHERE known.brand = fewer.brand AND known.kind = fewer.kind AND known.hour = fewer.hour
           AND known.topic = fewer.topic AND known.mentions <= 0",
    )
    .bind(fewer.iter().map(|(brand, ..)| brand.as_str()).collect::<Vec<_>>())
    .bind(fewer.iter().map(|(_, kind, ..)| *kind).collect::<Vec<_>>())
    .bind(fewer.iter().map(|(_, _, hour, _)| *hour).collect::<Vec<_>>())
    .bind(fewer.iter().map(|(.., topic)| topic.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}
