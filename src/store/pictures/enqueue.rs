//! Enqueues the pictures of posts, in the posts' own transaction.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use url::Url;

use crate::domain::{AuthorKey, BrandId};
use crate::store::client::Options;
use crate::store::identity::author_keys;
use crate::store::posts::{RowKey, StoredPost, microseconds, text_array};

/// Columns of the pictures to enqueue, one entry a row.
#[derive(Default)]
pub(in crate::store) struct QueueRows<'a> {
    source: Vec<&'a str>,
    post_id: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    position: Vec<i16>,
    url: Vec<&'a str>,
    host: Vec<String>,
    received_at: Vec<DateTime<Utc>>,
    kind: Vec<&'static str>,
    author: Vec<Option<&'a str>>,
    author_key: Vec<Option<AuthorKey>>,
    version: Vec<DateTime<Utc>>,
    text: Vec<&'a str>,
    link: Vec<Option<&'a str>>,
    languages: Vec<String>,
    reach: Vec<Option<i64>>,
    links: Vec<String>,
    hashtags: Vec<String>,
    named: Vec<String>,
}

impl<'a> QueueRows<'a> {
    /// The first pictures of each post, as many as the options say. Posts come in the order of their
    /// keys, each once.
    pub(in crate::store) fn of(posts: &[(RowKey<'a>, &'a StoredPost)], options: &Options) -> Self {
        let per_post = usize::try_from(options.pictures.per_post).unwrap_or(usize::MAX);
        let pictures = posts.iter().flat_map(|(key, stored)| {
            let first = (0i16..).zip(stored.post.pictures.iter().take(per_post));
            first.map(move |(position, url)| (*key, position, *stored, url))
        });
        let mut rows = Self::default();
        for ((source, post_id, created_at), position, stored, url) in pictures {
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
            rows.author_key.push(post.author_key);
            rows.version.push(microseconds(post.version));
            rows.text.push(&post.text);
            rows.link.push(post.link.as_deref());
            rows.languages.push(text_array(&post.languages));
            rows.reach.push(post.reach.map(|reach| i64::try_from(reach).unwrap_or(i64::MAX)));
            rows.links.push(text_array(&post.links));
            rows.hashtags.push(text_array(&post.hashtags));
            rows.named.push(joined(stored.mentions.iter().map(|mention| &mention.brand)));
        }
        rows
    }
}

/// Stands for the host where an address names none that can be one. Fetching says what is wrong with
/// it.
const NO_HOST: &str = "-";
/// Longest name in the DNS (RFC 1035, written without the root). The column is indexed, and a
/// longer one would make the post a dead letter.
const LONGEST_HOST: usize = 253;

fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let host =
        parsed.as_ref().and_then(Url::host_str).filter(|host| (1..=LONGEST_HOST).contains(&host.len()));
    host.unwrap_or(NO_HOST).to_owned()
}

/// Brand ids with commas, which no id holds. (`UNNEST` would flatten an array of arrays.)
fn joined<'a>(brands: impl Iterator<Item = &'a BrandId>) -> String {
    brands.map(BrandId::as_str).collect::<Vec<_>>().join(",")
}

/// Inserts pictures that are not in the queue yet; returns how many.
pub(in crate::store) async fn enqueue_pictures(
    connection: &mut PgConnection,
    rows: &QueueRows<'_>,
) -> Result<u64, sqlx::Error> {
    if rows.source.is_empty() {
        return Ok(0);
    }
    let result = sqlx::query(
        "INSERT INTO overheard.picture_queue
             (source, post_id, created_at, position, url, host, received_at, kind, author, author_key,
              version, text, link, languages, reach, links, hashtags, named)
         SELECT source, post_id, created_at, position, url, host, received_at, kind, author, author_key,
                version, text, link, languages::text[], reach, links::text[],
                hashtags::text[], string_to_array(named, ',')
         FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::text[], $9::text[], $10::bytea[], $11::timestamptz[],
                     $12::text[], $13::text[], $14::text[], $15::bigint[], $16::text[], $17::text[],
                     $18::text[])
           AS new (source, post_id, created_at, position, url, host, received_at, kind, author, author_key,
                   version, text, link, languages, reach, links, hashtags, named)
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
    .bind(author_keys(rows.author_key.iter().copied()))
    .bind(&rows.version)
    .bind(&rows.text)
    .bind(&rows.link)
    .bind(&rows.languages)
    .bind(&rows.reach)
    .bind(&rows.links)
    .bind(&rows.hashtags)
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
        let name = |length: usize| format!("https://{}.example/", "a".repeat(length - ".example".len()));
        assert_eq!(host(&name(253)).len(), 253);
        assert_eq!(host(&name(254)), NO_HOST);
        assert_eq!(host(&name(3033)), NO_HOST);
    }
}
