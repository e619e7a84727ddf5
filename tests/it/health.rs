//! What the daemon says of itself, and how it ends, while the outside world fails.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::net::TcpListener;

use crate::daemon::Setup;
use crate::kafka::TestTopics;
use crate::postgres::TestDatabase;

fn post(id: &str) -> Vec<u8> {
    format!(r#"{{"source":"t","id":"{id}","created_at":"2026-03-01T12:00:00Z","text":"VMware is fine"}}"#)
        .into_bytes()
}

/// Passes connections on to a server until it is silenced: then connections stay open, and nothing
/// comes back.
struct Proxy {
    port: u16,
    silent: tokio::sync::watch::Sender<bool>,
}

impl Proxy {
    async fn to(url: &str) -> (Self, String) {
        let mut url = url::Url::parse(url).unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, heard) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut inbound, _)) = listener.accept().await {
                let (target, mut heard) = (target.clone(), heard.clone());
                tokio::spawn(async move {
                    let mut outbound = tokio::net::TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut inbound, &mut outbound) => {}
                        // Holds both ends open for ever.
                        () = until_silent(&mut heard) => std::future::pending::<()>().await,
                    }
                });
            }
        });
        url.set_port(Some(port)).unwrap();
        (Self { port, silent }, url.into())
    }

    fn fall_silent(&self) {
        self.silent.send(true).unwrap();
    }
}

async fn until_silent(heard: &mut tokio::sync::watch::Receiver<bool>) {
    // An error means that the test is over.
    let _ = heard.wait_for(|silent| *silent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_postgres_makes_the_daemon_unready_but_not_dead_and_does_not_hold_up_its_end() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let (proxy, url) = Proxy::to(&database.url).await;
    let setup = Setup::new(&topics, &url)
        .with("KAFKA__DRAIN_TIMEOUT", "4s")
        .with("ADMIN__STALL_AFTER", "5s")
        .with("POSTGRES__CONNECT_TIMEOUT", "20s")
        .with("PIPELINE__SHUTDOWN_DEADLINE", "2s");
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    proxy.fall_silent();
    let why = daemon.until_answer("/ready", 503).await;
    assert!(why.contains("postgres"), "{why}");
    topics.produce("posts", &[post("1")]).await;
    // Longer than a stage may stand still.
    for _ in 0..16 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (status, stalled) = daemon.get("/live").await;
        assert_eq!(status, 200, "waiting for port {} is not being dead: {stalled}", proxy.port);
    }
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.until_ended().await.code(), Some(1));
    assert!(daemon.log().contains("it will be delivered again"), "{}", daemon.log());
    assert_eq!(topics.committed("posts"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_fails_for_good_ends_the_daemon_with_its_reason() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    // Two members of one static identity: the broker fences the first.
    let setup = Setup::new(&topics, &database.url).with("KAFKA__CLIENT__GROUP_INSTANCE_ID", "the-same");
    let mut first = setup.start("first");
    first.until_ready().await;
    let mut second = setup.start("second");
    assert_eq!(first.until_ended().await.code(), Some(1));
    assert!(first.log().contains("Kafka's client has failed for good"), "{}", first.log());
    second.until_ready().await;
    assert!(second.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_flight_are_bounded_by_their_bytes() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with("PIPELINE__IN_FLIGHT", "1MiB");
    let pool = database.pool().await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    // Held up by a lock, while some 40 MB wait in Kafka; one record alone is over the limit's half.
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE overheard.posts IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let padding = "x".repeat(700_000);
    let posts: Vec<Vec<u8>> = (0..60)
        .map(|number| {
            format!(
                r#"{{"source":"t","id":"{number}","created_at":"2026-03-01T12:00:00Z","text":"VMware","padding":"{padding}"}}"#
            )
            .into_bytes()
        })
        .collect();
    topics.produce("posts", &posts).await;
    daemon.until_metric("overheard_consumer_paused 1").await;
    transaction.rollback().await.unwrap();
    topics.until_committed("posts", 60).await;
    let stored: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overheard.posts").fetch_one(&pool).await.unwrap();
    assert_eq!(stored, 60);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_finds_no_topic_makes_the_daemon_unready_until_it_does() {
    let topics = TestTopics::create(1).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with("KAFKA__DELIVERY_TIMEOUT", "3s");
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.delete("dead-letters").await;
    topics.produce("posts", &[b"no post".to_vec(), post("1")]).await;
    let why = daemon.until_answer("/ready", 503).await;
    assert!(why.contains(&topics.name("dead-letters")), "{why}");
    assert_eq!(topics.committed("posts"), 0);
    topics.make(&["dead-letters"]).await;
    topics.until_committed("posts", 2).await;
    assert_eq!(topics.read("dead-letters", 1, Duration::from_secs(20)).len(), 1);
    daemon.until_ready().await;
    assert!(daemon.stop().await.success());
}
