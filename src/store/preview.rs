//! Stored posts, read for what a query would find in them.

use chrono::{DateTime, Utc};
use sqlx::Executor;

use super::client::Store;
use super::error::StoreError;
use super::parse::parse_name;
use crate::domain::{Post, PostKey, PostKind};

/// A stored post, as far as it is kept: without its pictures and their descriptions.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPost {
    /// What is kept of it.
    pub post: Post,
    /// Whether its text is; where not, its links and hashtags aren't either.
    pub has_text: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    source: String,
    id: String,
    created_at: DateTime<Utc>,
    kind: String,
    author: Option<String>,
    text: Option<String>,
    link: Option<String>,
    languages: Vec<String>,
    links: Option<Vec<String>>,
    hashtags: Option<Vec<String>>,
}

impl Row {
    fn read(self) -> Result<KeptPost, sqlx::Error> {
        let key = PostKey { source: self.source, id: self.id, created_at: self.created_at };
        let has_text = self.text.is_some();
        let post = Post {
            kind: parse_name("posts.kind", &self.kind, &PostKind::ALL, PostKind::as_str)?,
            author: self.author,
            link: self.link,
            languages: self.languages,
            links: self.links.unwrap_or_default(),
            hashtags: self.hashtags.unwrap_or_default(),
            ..Post::new(key, self.text.unwrap_or_default())
        };
        Ok(KeptPost { post, has_text })
    }
}

/// Posts from `$1` on and before `$2`, after the key `$3`, `$4`, `$5`; `$6` of them.
pub const KEPT_QUERY: &str = "
    SELECT source, id, created_at, kind, author, text, link, languages, links, hashtags
    FROM overheard.posts
    WHERE created_at >= $1 AND created_at < $2 AND (source, id, created_at) > ($3, $4, $5)
    ORDER BY source, id, created_at
    LIMIT $6";

/// For the transaction of [`KEPT_QUERY`]. Postgres thinks that few rows come after a key, and would sort all
/// that are left for each page, where the primary keys of the partitions have them in order.
pub const KEPT_SETTINGS: &str =
    "SET LOCAL transaction_read_only = on; SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off";

impl Store {
    /// The next posts that claim a time from `since` on and before `until`, in the order of their networks
    /// and identifiers, after one that was read before.
    ///
    /// # Errors
    /// Postgres refused or did not answer, or a row holds what this version does not know.
    pub async fn kept_posts(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        after: Option<&PostKey>,
        limit: u32,
    ) -> Result<Vec<KeptPost>, StoreError> {
        // No source is empty, so this sorts before all others.
        let (source, id, created_at) =
            after.map_or(("", "", since), |last| (last.source.as_str(), last.id.as_str(), last.created_at));
        self.within("read posts", async {
            let mut transaction = self.pool.begin().await?;
            transaction.execute(KEPT_SETTINGS).await?;
            let rows: Vec<Row> = sqlx::query_as(KEPT_QUERY)
                .bind(since)
                .bind(until)
                .bind(source)
                .bind(id)
                .bind(created_at)
                .bind(i64::from(limit))
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            rows.into_iter().map(Row::read).collect()
        })
        .await
    }
}
