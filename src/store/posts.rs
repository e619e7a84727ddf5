//! Posts as rows.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::client::Options;
use crate::domain::{Mention, Post, PostKey, Topics};
use crate::matching::topics;

/// A post to store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPost {
    /// What was posted.
    pub post: Post,
    /// When it was read from Kafka.
    pub received_at: DateTime<Utc>,
    /// The brands that it names, if any.
    pub mentions: Vec<Mention>,
    /// Whether it gets a row now. A post that names no brand may get one only once a picture shows
    /// a brand; until then it is in the picture queue alone.
    pub kept: bool,
}

/// A post's key, by which rows are sorted.
pub(super) type RowKey<'a> = (&'a str, &'a str, DateTime<Utc>);

/// A post's key as Postgres has it.
pub(super) fn key(key: &PostKey) -> RowKey<'_> {
    (&key.source, &key.id, microseconds(key.created_at))
}

/// A time as Postgres has it, in whole microseconds.
pub(super) fn microseconds(exact: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(exact.timestamp_micros()).unwrap_or(exact)
}

/// What is stored and counted of a post's topics: they are its text's, so nothing where texts are not
/// kept.
pub(super) fn kept_topics(post: &Post, options: &Options) -> Topics {
    if options.keep_text { topics(post) } else { Topics::default() }
}

/// The posts to insert, column by column.
#[derive(Default)]
pub(super) struct PostRows<'a> {
    source: Vec<&'a str>,
    id: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    received_at: Vec<DateTime<Utc>>,
    kind: Vec<&'static str>,
    author: Vec<Option<&'a str>>,
    text: Vec<Option<&'a str>>,
    link: Vec<Option<&'a str>>,
    languages: Vec<String>,
    reach: Vec<Option<i64>>,
    links: Vec<Option<String>>,
    hashtags: Vec<Option<String>>,
    hosts: Vec<Option<String>>,
}

impl<'a> PostRows<'a> {
    /// Adds a row; rows come in the order of their keys.
    pub(super) fn push(
        &mut self,
        (source, id, created_at): RowKey<'a>,
        post: &'a Post,
        topics: &Topics,
        received_at: DateTime<Utc>,
        options: &Options,
    ) {
        self.source.push(source);
        self.id.push(id);
        self.created_at.push(created_at);
        self.received_at.push(received_at);
        self.kind.push(post.kind.as_str());
        self.author.push(post.author.as_deref().filter(|_| options.keep_author));
        self.text.push(Some(post.text.as_str()).filter(|_| options.keep_text));
        self.link.push(post.link.as_deref());
        self.languages.push(text_array(&post.languages));
        self.reach.push(post.reach.map(|reach| i64::try_from(reach).unwrap_or(i64::MAX)));
        let kept = |names: &[String]| options.keep_text.then(|| text_array(names));
        self.links.push(kept(&topics.links));
        self.hashtags.push(kept(&topics.hashtags));
        self.hosts.push(kept(&topics.hosts));
    }
}

/// Inserts posts that are not there yet; returns how many.
pub(super) async fn insert_posts(
    connection: &mut PgConnection,
    rows: &PostRows<'_>,
) -> Result<u64, sqlx::Error> {
    if rows.source.is_empty() {
        return Ok(0);
    }
    let result = sqlx::query(
        "INSERT INTO overheard.posts
             (source, id, created_at, received_at, kind, author, text, link, languages, reach,
              links, hashtags, hosts)
         SELECT source, id, created_at, received_at, kind, author, text, link, languages::text[], reach,
                links::text[], hashtags::text[], hosts::text[]
         FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
                     $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[],
                     $12::text[], $13::text[])
           AS new (source, id, created_at, received_at, kind, author, text, link, languages, reach,
                   links, hashtags, hosts)
         ON CONFLICT DO NOTHING",
    )
    .bind(&rows.source)
    .bind(&rows.id)
    .bind(&rows.created_at)
    .bind(&rows.received_at)
    .bind(&rows.kind)
    .bind(&rows.author)
    .bind(&rows.text)
    .bind(&rows.link)
    .bind(&rows.languages)
    .bind(&rows.reach)
    .bind(&rows.links)
    .bind(&rows.hashtags)
    .bind(&rows.hosts)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Texts as the text of a `text[]`. (`UNNEST` would flatten an array of arrays.)
pub(super) fn text_array(texts: &[String]) -> String {
    let mut array = String::from("{");
    for (index, text) in texts.iter().enumerate() {
        array.push_str(if index == 0 { "\"" } else { ",\"" });
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                array.push('\\');
            }
            array.push(character);
        }
        array.push('"');
    }
    array.push('}');
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_an_array_whatever_they_hold() {
        assert_eq!(text_array(&[]), "{}");
        let texts = ["a,b", "", r#"say "hi" \ {x}"#].map(str::to_owned);
        assert_eq!(text_array(&texts), r#"{"a,b","","say \"hi\" \\ {x}"}"#);
    }
}
