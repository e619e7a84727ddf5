//! How much memory the daemon takes while records wait.

use std::time::{Duration, Instant};

use crate::support::daemon::Daemon;
use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

const MIB: usize = 1 << 20;

/// What a process has in memory, in bytes.
fn resident(daemon: &Daemon) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Waits until it has not grown for a while.
async fn settled(daemon: &Daemon) -> usize {
    let (mut largest, mut since) = (resident(daemon), Instant::now());
    while since.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = resident(daemon);
        if now > largest + MIB {
            (largest, since) = (now, Instant::now());
        }
    }
    largest
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_that_wait_take_no_more_memory_than_the_settings_say() {
    const IN_FLIGHT: usize = 64 * MIB;
    const PREFETCH: usize = 8 * MIB;
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url)
        .with("PIPELINE__IN_FLIGHT", "64MiB")
        .with("PIPELINE__KEEP_UNNAMED", "true")
        .with("POSTGRES__LOCK_TIMEOUT", "1h")
        .with("KAFKA__CLIENT__QUEUED_MAX_MESSAGES_KBYTES", "8192")
        .with("KAFKA__CLIENT__FETCH_MAX_BYTES", "1048576");
    let pool = database.pool().await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    // One long text first, for what is made when the first one comes.
    let text = "Nothing at all. ".repeat(60_000 / 16);
    let post = |id: usize| {
        format!(r#"{{"source":"t","id":"{id}","created_at":"2026-03-01T12:00:00Z","text":"{text}"}}"#)
            .into_bytes()
    };
    topics.produce("posts", &[post(0)]).await;
    topics.until_committed("posts", 1).await;
    let before = settled(&daemon).await;

    let mut hold = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.posts IN ACCESS EXCLUSIVE MODE").execute(&mut *hold).await.unwrap();
    // 72 MB, which count twice: more than twice what may be in flight.
    for hundreds in 0..12 {
        topics.produce("posts", &(1..=100).map(|n| post(hundreds * 100 + n)).collect::<Vec<_>>()).await;
    }
    daemon.until_metric("overheard_consumer_paused 1").await;
    let grown = settled(&daemon).await.saturating_sub(before);
    // The batch that is being written has several copies on its way, and memory is not given back
    // to the last byte.
    let allowed = IN_FLIGHT + PREFETCH + 64 * MIB;
    assert!(grown < allowed, "{} MiB, {} MiB allowed", grown / MIB, allowed / MIB);
    hold.rollback().await.unwrap();
    topics.until_committed("posts", 1201).await;
    let grown = settled(&daemon).await.saturating_sub(before);
    assert!(grown < allowed, "{} MiB after all was written, {} MiB allowed", grown / MIB, allowed / MIB);
    assert!(daemon.stop().await.success());
}
