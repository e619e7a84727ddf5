//! Lists the pictures of posts to be looked at, in the posts' own transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use url::Url;

use super::write::key;
use super::{Options, StoredPost};
use crate::domain::BrandId;

/// Columns of the pictures to list, one entry a row.
#[derive(Default)]
pub(super) struct WorkRows<'a> {
    source: Vec<&'a str>,
    post_id: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    position: Vec<i16>,
    url: Vec<&'a str>,
    host: Vec<String>,
    received_at: Vec<DateTime<Utc>>,
    kind: Vec<&'static str>,
    author: Vec<Option<&'a str>>,
    text: Vec<&'a str>,
    link: Vec<Option<&'a str>>,
    language: Vec<Option<&'a str>>,
    reach: Vec<Option<i64>>,
    named: Vec<String>,
}

impl<'a> WorkRows<'a> {
    /// The first pictures of each post, as many as the options say, in the order of their keys.
    pub(super) fn of(posts: &'a [StoredPost], options: &Options) -> Self {
        let per_post = usize::try_from(options.pictures.per_post).unwrap_or(usize::MAX);
        let mut unique = BTreeMap::new();
        for stored in posts {
            for (position, url) in (0i16..).zip(stored.post.pictures.iter().take(per_post)) {
                unique.entry((key(&stored.post.key), position)).or_insert((stored, url));
            }
        }
        let mut rows = Self::default();
        for (((source, post_id, created_at), position), (stored, url)) in unique {
            let post = &stored.post;
            rows.source.push(source);
            rows.post_id.push(post_id);
            rows.created_at.push(created_at);
            rows.position.push(position);
            rows.url.push(url);
            rows.host.push(host(url));
            rows.received_at.push(stored.received_at);
            rows.kind.push(post.kind.as_str());
            rows.author.push(post.author.as_deref().filter(|_| options.keep_author));
            rows.text.push(&post.text);
            rows.link.push(post.link.as_deref());
            rows.language.push(post.language.as_deref());
            rows.reach.push(post.reach.map(|reach| i64::try_from(reach).unwrap_or(i64::MAX)));
            rows.named.push(joined(stored.mentions.iter().map(|mention| &mention.brand)));
        }
        rows
    }
}

/// Stands for the host where an address names none. Fetching says what is wrong with it.
const NO_HOST: &str = "-";

fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(Url::host_str).filter(|host| !host.is_empty());
    host.unwrap_or(NO_HOST).to_owned()
}

/// Brand ids with commas, which no id holds. (`UNNEST` would flatten an array of arrays.)
fn joined<'a>(brands: impl Iterator<Item = &'a BrandId>) -> String {
    brands.map(BrandId::as_str).collect::<Vec<_>>().join(",")
}

/// Inserts pictures that are not listed yet; gives back how many.
pub(super) async fn list_pictures(
    connection: &mut PgConnection,
    rows: &WorkRows<'_>,
) -> Result<u64, sqlx::Error> {
    if rows.source.is_empty() {
        return Ok(0);
    }
    let result = sqlx::query(
        "INSERT INTO overheard.picture_work
             (source, post_id, created_at, position, url, host, received_at,
              kind, author, text, link, language, reach, named)
         SELECT source, post_id, created_at, position, url, host, received_at,
                kind, author, text, link, language, reach, string_to_array(named, ',')
         FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                     $13::bigint[], $14::text[])
           AS new (source, post_id, created_at, position, url, host, received_at,
                   kind, author, text, link, language, reach, named)
         ON CONFLICT DO NOTHING",
    )
    .bind(&rows.source)
    .bind(&rows.post_id)
    .bind(&rows.created_at)
    .bind(&rows.position)
    .bind(&rows.url)
    .bind(&rows.host)
    .bind(&rows.received_at)
    .bind(&rows.kind)
    .bind(&rows.author)
    .bind(&rows.text)
    .bind(&rows.link)
    .bind(&rows.language)
    .bind(&rows.reach)
    .bind(&rows.named)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_host_is_listed_under_none() {
        assert_eq!(host("https://Pictures.Example:8080/a.png?b"), "pictures.example");
        assert_eq!(host("http://[::1]/a"), "[::1]");
        for odd in ["", "no address", "data:image/png;base64,AA", "http://"] {
            assert_eq!(host(odd), NO_HOST, "{odd}");
        }
    }
}
