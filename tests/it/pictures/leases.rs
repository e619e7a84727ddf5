//! Leases: what waits to be written keeps its own, and they run ahead of a host's requests.

use std::time::Duration;

use super::{GREY, LISTED, RED, metric, number, plain, post, until};
use crate::support::daemon::Daemon;
use crate::support::database::TestDatabase;
use crate::support::picture_files::png;
use crate::support::pictures_server::PicturesServer;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

#[tokio::test(flavor = "multi_thread")]
async fn pictures_whose_results_wait_for_several_leases_to_be_written_are_neither_lost_nor_looked_at_again() {
    const LEASE: Duration = Duration::from_secs(4);
    const PICTURES: i64 = 12;
    let (topics, database, server) =
        (TestTopics::create(1).await, TestDatabase::create().await, PicturesServer::start().await);
    let setup = |topics: &TestTopics| {
        Setup::new(topics, &database.url)
            .with_pictures()
            .with("PICTURES__LEASE", "4s")
            .with("PICTURES__ATTEMPTS", "2")
            .with("MEDIA__CONNECT_TIMEOUT", "1s")
            .with("MEDIA__FIRST_BYTE_TIMEOUT", "2s")
            .with("MEDIA__TOTAL_TIMEOUT", "2s")
    };
    let pool = database.pool().await;
    let paths: Vec<String> = (0..PICTURES).map(|n| format!("/{n}.png")).collect();
    for (side, path) in (100..).zip(&paths) {
        server.put(path, png(&plain(RED, side)));
    }
    let (all, pictures_only) = (setup(&topics), setup(&topics).with("PIPELINE__TEXT", "false"));
    let (mut first, mut second) = (all.start("first"), pictures_only.start("second"));
    first.until_ready().await;
    second.until_ready().await;

    // Whoever finishes a picture writes to this table, in the same transaction.
    let mut blocking = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.media IN SHARE MODE").execute(&mut *blocking).await.unwrap();
    let posts: Vec<_> =
        (0..).zip(&paths).map(|(n, path)| post(&format!("p{n}"), "Look", &[server.url(path)])).collect();
    topics.produce("posts", &posts).await;
    let leased = "SELECT count(*) FROM overheard.picture_queue
                  WHERE leased AND due_at > now() AND attempts = 0";
    let daemons: [&Daemon; 2] = [&first, &second];
    until(&pool, leased, PICTURES, &daemons).await;
    tokio::time::sleep(LEASE * 7 / 2).await;
    assert_eq!(number(&pool, leased).await, PICTURES, "each is still leased, and no attempt counts");
    blocking.rollback().await.unwrap();

    until(&pool, LISTED, 0, &daemons).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.sightings").await, PICTURES);
    assert_eq!(
        number(&pool, "SELECT count(*) FROM overheard.media WHERE outcome = 'fetched'").await,
        PICTURES
    );
    for path in &paths {
        assert_eq!(server.asked_for(path), 1, "{path}");
    }
    for daemon in [first, second] {
        assert!(daemon.stop().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_at_default_settings_always_has_as_many_requests_to_answer_as_it_may() {
    const PER_HOST: usize = 8;
    const PICTURES: u32 = 120;
    let (topics, database, server) =
        (TestTopics::create(1).await, TestDatabase::create().await, PicturesServer::start().await);
    let pool = database.pool().await;
    let paths: Vec<String> = (0..PICTURES).map(|n| format!("/{n}.png")).collect();
    for (n, path) in (0..).zip(&paths) {
        // Longer than a busy machine takes for the rest, and each another time, so that answers don't
        // come in waves.
        let pause = Duration::from_millis(400 + u64::from(n * 37 % 400));
        server.put_slow(path, png(&plain(GREY, 40 + n)), pause);
    }
    let posts: Vec<_> = paths
        .chunks(4)
        .enumerate()
        .map(|(n, paths)| {
            let urls: Vec<String> = paths.iter().map(|path| server.url(path)).collect();
            post(&format!("p{n}"), "Look", &urls)
        })
        .collect();
    topics.produce("posts", &posts).await;
    let setup = Setup::new(&topics, &database.url).with_pictures();
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.until_committed("posts", i64::try_from(posts.len()).unwrap()).await;
    until(&pool, LISTED, 0, &[&daemon]).await;

    assert_eq!(server.most_at_once(), PER_HOST);
    // A leaser that slept until all were done would let them come in waves of one to eight. A busy machine
    // makes waves of its own, but few.
    let found_busy = server.open_at_arrival().iter().filter(|open| **open >= PER_HOST - 2).count();
    assert!(found_busy * 10 >= server.heads().len() * 6, "{:?}", server.open_at_arrival());
    assert_eq!(
        metric(&daemon, "overheard_pictures_put_off_total").await,
        0,
        "nobody is put off for a busy host"
    );
    assert!(daemon.stop().await.success());
}
