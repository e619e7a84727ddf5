//! Small files that unpack to a lot: they cost a child process at most.

use super::{LISTED, RED, number, plain, post, until};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;
use crate::support::picture_files::png;
use crate::support::pictures_server::PicturesServer;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

const BOMBS: u32 = 16;
const INNOCENT: u32 = 24;
/// Bytes of pixels that a bomb unpacks to: 10,000 x 5,000, three bytes each.
const UNPACKED: u64 = 150_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn bombs_take_no_more_memory_than_they_may_and_cost_no_text_and_no_other_picture() {
    let (topics, database, server) =
        (TestTopics::create(1).await, TestDatabase::create().await, PicturesServer::start().await);
    let pool = database.pool().await;
    // One file at many addresses would be known by its content.
    let bomb = png(&image::RgbImage::new(10_000, 5_000));
    assert!(bomb.len() < 2_000_000, "{} bytes are not small", bomb.len());
    let mut posts = Vec::new();
    for n in 0..BOMBS {
        let path = format!("/bomb-{n}.png");
        server.put(&path, [&bomb[..], &n.to_be_bytes()].concat());
        posts.push(post(&format!("bomb{n}"), "VMware is terrible", &[server.url(&path)]));
    }
    for n in 0..INNOCENT {
        let path = format!("/innocent-{n}.png");
        server.put(&path, png(&plain(RED, 60 + n)));
        posts.push(post(&format!("innocent{n}"), "Look at this", &[server.url(&path)]));
    }
    let setup = Setup::new(&topics, &database.url).with_pictures();
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    let before = daemon.most_memory();
    topics.produce("posts", &posts).await;
    topics.until_committed("posts", i64::try_from(posts.len()).unwrap()).await;
    until(&pool, LISTED, 0, &[&daemon]).await;

    // Of each bomb the daemon holds what the detector needs, a small part of it.
    let grown = daemon.most_memory() - before;
    assert!(grown < UNPACKED, "the daemon took {grown} bytes");
    let text = "SELECT count(*) FROM overheard.mentions WHERE evidence = 'text' AND label = 'negative'";
    assert_eq!(number(&pool, text).await, i64::from(BOMBS));
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.sightings").await, i64::from(INNOCENT));
    let outcomes: Vec<(String, i64)> = sqlx::query_as(
        "SELECT outcome, count(*) FROM overheard.media
         WHERE url_sha256 IN (SELECT sha256(convert_to(url, 'UTF8')) FROM unnest($1::text[]) AS url) GROUP BY 1",
    )
    .bind((0..INNOCENT).map(|n| server.url(&format!("/innocent-{n}.png"))).collect::<Vec<_>>())
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(outcomes, [("fetched".to_owned(), i64::from(INNOCENT))]);
    for n in 0..INNOCENT {
        assert_eq!(server.asked_for(&format!("/innocent-{n}.png")), 1, "an attempt was lost");
    }
    assert_counts_match_rows(&pool).await;
    assert!(daemon.stop().await.success());
}
