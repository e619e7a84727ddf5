//! Members of the consumer group: who they are, and how they leave.

use crate::support::daemon::Daemon;
use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn post(id: usize) -> Vec<u8> {
    format!(r#"{{"source":"t","id":"{id}","created_at":"2026-03-01T12:00:00Z","text":"VMware is fine"}}"#)
        .into_bytes()
}

fn posts(ids: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    ids.map(post).collect()
}

/// The session outlasts every test, so that whoever waited for its end would fail.
const SESSION: (&str, &str) = ("KAFKA__SESSION_TIMEOUT", "4m");

/// Two members with names of their own that share two partitions.
struct Members {
    topics: TestTopics,
    /// The first one's settings.
    one: Setup,
    first: Daemon,
    second: Daemon,
    _database: TestDatabase,
}

impl Members {
    async fn start() -> Self {
        let topics = TestTopics::create(2).await;
        let database = TestDatabase::create().await;
        let setup = Setup::new(&topics, &database.url).with(SESSION.0, SESSION.1);
        let (one, two) =
            (setup.clone().with("KAFKA__INSTANCE_ID", "one"), setup.with("KAFKA__INSTANCE_ID", "two"));
        let mut first = one.start("first");
        first.until_ready().await;
        let mut second = two.start("second");
        second.until_ready().await;
        second.until_log("partitions.assigned=1").await;
        Self { topics, one, first, second, _database: database }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_killed_gets_its_partitions_back_at_once() {
    let Members { topics, one, first, second, _database } = Members::start().await;
    first.kill().await;
    topics.produce("posts", &posts(0..20)).await;
    let mut again = one.start("again");
    again.until_ready().await;
    topics.until_committed("posts", 20).await;
    assert!(again.stop().await.success());
    assert!(second.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_a_name_that_stops_in_good_order_leaves_its_partitions_to_others_at_once() {
    let Members { topics, first, second, _database, .. } = Members::start().await;
    assert!(first.stop().await.success());
    topics.produce("posts", &posts(0..20)).await;
    topics.until_committed("posts", 20).await;
    assert!(second.stop().await.success());
}
