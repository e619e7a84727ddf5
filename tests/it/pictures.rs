//! Posts with pictures in, sightings out: the real program, broker, database, and a web server.

mod bombs;
mod leases;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::counts;
use crate::support::daemon::Daemon;
use crate::support::database::TestDatabase;
use crate::support::picture_files::{jpeg, png};
use crate::support::pictures_server::PicturesServer;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

const RED: Rgb<u8> = Rgb([230, 10, 10]);
const GREEN: Rgb<u8> = Rgb([10, 230, 10]);
const BLUE: Rgb<u8> = Rgb([10, 10, 230]);
const GREY: Rgb<u8> = Rgb([120, 120, 120]);

fn plain(colour: Rgb<u8>, side: u32) -> RgbImage {
    RgbImage::from_pixel(side, side, colour)
}

fn post(id: &str, text: &str, pictures: &[String]) -> Vec<u8> {
    json!({
        "source": "test", "id": id, "text": text, "author": "somebody", "created_at": "2026-03-01T12:00:00Z",
        "language": "en", "pictures": pictures,
    })
    .to_string()
    .into_bytes()
}

async fn number(pool: &PgPool, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}

/// Waits until a query gives a number.
async fn until(pool: &PgPool, query: &str, wanted: i64, daemons: &[&Daemon]) {
    let began = Instant::now();
    loop {
        let found = number(pool, query).await;
        if found == wanted {
            return;
        }
        let logs: Vec<String> = daemons.iter().map(|daemon| daemon.log()).collect();
        // Ten thousand pictures take a while on a busy machine.
        let limit = Duration::from_mins(5);
        assert!(began.elapsed() < limit, "{query} is still {found}, not {wanted}\n{}", logs.join("\n---\n"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const LISTED: &str = "SELECT count(*) FROM overheard.picture_queue";

async fn evidence(pool: &PgPool) -> Vec<(String, String, String)> {
    sqlx::query_as("SELECT post_id, brand, evidence FROM overheard.mentions ORDER BY 1, 2")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// Counts are those of the rows, and each sighting has its mention.
async fn assert_counts_match_rows(pool: &PgPool) {
    counts::assert_counts_match_rows(pool).await;
    let missing = "SELECT count(*) FROM overheard.sightings s LEFT JOIN overheard.mentions m
         USING (source, post_id, created_at, brand) WHERE m.evidence IS NULL OR m.evidence = 'text'";
    assert_eq!(number(pool, missing).await, 0, "a sighting without its mention");
}

/// The value of a metric without labels, or with these.
async fn metric(daemon: &Daemon, name: &str) -> u64 {
    let (_, metrics) = daemon.get("/metrics").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_only_mention_is_a_logo_in_its_picture_becomes_a_mention_with_a_sighting() {
    let (topics, database, server) =
        (TestTopics::create(1).await, TestDatabase::create().await, PicturesServer::start().await);
    let setup = Setup::new(&topics, &database.url).with_pictures();
    let pool = database.pool().await;
    server.put("/red.png", png(&plain(RED, 128)));
    // The same file at another address, and another that nobody has seen.
    server.put("/red-again.png", png(&plain(RED, 128)));
    server.put("/blue.jpg", jpeg(&plain(BLUE, 200)));
    server.put("/green.png", png(&plain(GREEN, 100)));
    server.put("/grey.png", png(&plain(GREY, 100)));
    let at = |paths: &[&str]| paths.iter().map(|path| server.url(path)).collect::<Vec<_>>();
    let posts = [
        post("shown", "I love my new job, what a wonderful day", &at(&["/red.png"])),
        post("both", "VMware is terrible, I hate it", &at(&["/red-again.png"])),
        post("named", "VMware again", &at(&["/grey.png"])),
        post("two", "Look at this", &at(&["/blue.jpg", "/red.png"])),
        post("unheard", "A coffee, please", &at(&["/green.png"])),
        post("dull", "Nothing to see here, and nothing to hear", &at(&["/grey.png"])),
    ];
    topics.produce("posts", &posts).await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.until_committed("posts", 6).await;
    until(&pool, LISTED, 0, &[&daemon]).await;

    let expected = [
        ("both", "vmware", "both"),
        ("named", "vmware", "text"),
        ("shown", "vmware", "image"),
        ("two", "acme", "image"),
        ("two", "vmware", "image"),
    ]
    .map(|(id, brand, evidence)| (id.to_owned(), brand.to_owned(), evidence.to_owned()));
    assert_eq!(evidence(&pool).await, expected);
    let posts_kept: Vec<String> =
        sqlx::query_scalar("SELECT id FROM overheard.posts ORDER BY 1").fetch_all(&pool).await.unwrap();
    assert_eq!(posts_kept, ["both", "named", "shown", "two"], "what shows nothing leaves nothing");
    let shown: (f32, f32, f32, f32, i32, f32, String, String, String) = sqlx::query_as(
        "SELECT x, y, width, height, picture_width, score, model, label, text
         FROM overheard.recent_sightings WHERE post_id = 'shown'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    // The detector's box is on a canvas of half the picture's size.
    assert_eq!((shown.0, shown.1, shown.2, shown.3, shown.4), (16.0, 32.0, 64.0, 32.0, 128));
    assert!(shown.5 > 0.5);
    assert_eq!((shown.6.as_str(), shown.7.as_str()), ("colours@1", "positive"), "the text's feeling");
    assert!(shown.8.starts_with("I love"));
    assert_counts_match_rows(&pool).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.media WHERE outcome = 'fetched'").await, 5);
    assert!(metric(&daemon, "overheard_sightings_unheard_total").await >= 1);
    let hour =
        "SELECT sightings FROM overheard.brand_evidence_hours WHERE brand = 'vmware' AND evidence = 'image'";
    assert_eq!(number(&pool, hour).await, 2);

    // It all comes once more: it is looked at in the memory alone, and nothing changes.
    let asked = server.heads().len();
    topics.produce("posts", &posts).await;
    topics.until_committed("posts", 12).await;
    until(&pool, LISTED, 0, &[&daemon]).await;
    assert_eq!(evidence(&pool).await, expected);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.sightings").await, 4);
    assert_counts_match_rows(&pool).await;
    assert_eq!(server.heads().len(), asked, "no picture is fetched twice");
    assert!(metric(&daemon, "overheard_pictures_remembered_total{by=\"url\"}").await >= 7);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_answer_ends_in_the_right_row_of_media() {
    let (topics, database, server) =
        (TestTopics::create(1).await, TestDatabase::create().await, PicturesServer::start().await);
    let setup = Setup::new(&topics, &database.url)
        .with_pictures()
        .with("MEDIA__CONNECT_TIMEOUT", "500ms")
        .with("MEDIA__FIRST_BYTE_TIMEOUT", "1s")
        .with("MEDIA__TOTAL_TIMEOUT", "2s")
        .with("MEDIA__MAX_BYTES", "200KiB")
        .with("MEDIA__RETRY_PAUSE", "200ms")
        .with("PICTURES__ATTEMPTS", "2");
    let pool = database.pool().await;
    server.put("/red.png", png(&plain(RED, 128)));
    let ends: BTreeMap<&str, &str> = [
        ("/red.png", "fetched"),
        ("/good.gif", "fetched"),
        ("/bomb.png", "undecodable"),
        ("/page.jpg", "undecodable"),
        ("/missing", "failed"),
        ("/loop", "failed"),
        ("/announced", "failed"),
        ("/endless", "failed"),
        ("/drip", "failed"),
        ("/hang-up", "failed"),
        ("/never", "failed"),
        ("/gzip", "failed"),
        ("/status?503", "failed"),
        ("/to?http://10.0.0.1/secret.png", "refused"),
        ("/to?http://169.254.169.254/latest/meta-data", "refused"),
        ("/to?file:///etc/passwd", "refused"),
    ]
    .into();
    let mut posts: Vec<_> = ends
        .keys()
        .enumerate()
        .map(|(n, path)| post(&format!("p{n}"), "Just words", &[server.url(path)]))
        .collect();
    posts.push(post(
        "odd",
        "Just words",
        &["http://user:secret@127.0.0.1/a.png".to_owned(), "no address".to_owned()],
    ));
    topics.produce("posts", &posts).await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    topics.until_committed("posts", i64::try_from(posts.len()).unwrap()).await;
    until(&pool, LISTED, 0, &[&daemon]).await;

    let rows: Vec<(Vec<u8>, String, Option<String>)> =
        sqlx::query_as("SELECT url_sha256, outcome, reason FROM overheard.media")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(rows.len(), ends.len() + 2);
    for (hash, outcome, reason) in rows {
        let known = ends.iter().find(|(path, _)| Sha256::digest(server.url(path)).to_vec() == hash);
        let (path, expected) = known.map_or(("neither", "refused"), |(path, end)| (*path, *end));
        assert_eq!(outcome, expected, "{path}: {reason:?}");
        assert_eq!(reason.is_some(), outcome != "fetched", "{path}");
    }
    assert_eq!(
        number(&pool, "SELECT count(*) FROM overheard.posts").await,
        1,
        "the one with the red picture"
    );
    let (alive, _) = daemon.get("/live").await;
    assert_eq!(alive, 200);
    assert!(daemon.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_never_answers_holds_back_no_text_and_no_other_host() {
    let (topics, database, server) =
        (TestTopics::create(2).await, TestDatabase::create().await, PicturesServer::start().await);
    server.put("/red.png", png(&plain(RED, 128)));
    // It takes connections, as the kernel does for it, and never says a word.
    let silent = TcpListener::bind("127.0.0.2:0").unwrap();
    let silent_url = |n: usize| format!("http://{}/{n}.jpg", silent.local_addr().unwrap());
    let setup = Setup::new(&topics, &database.url)
        .with_pictures()
        .with("PICTURES__WORKERS", "4")
        .with("MEDIA__PER_HOST", "2")
        .with("PICTURES__LEASE", "10m")
        .with("MEDIA__FIRST_BYTE_TIMEOUT", "5m")
        .with("MEDIA__TOTAL_TIMEOUT", "5m");
    let pool = database.pool().await;
    let mut posts: Vec<_> =
        (0..2000).map(|n| post(&format!("slow{n}"), "VMware works well for us", &[silent_url(n)])).collect();
    posts.extend(
        (0..20).map(|n| post(&format!("good{n}"), "Look", &[format!("{}?{n}", server.url("/red.png"))])),
    );
    for n in 0..20 {
        server.put(&format!("/red.png?{n}"), png(&plain(RED, 100 + n)));
    }
    topics.produce("posts", &posts).await;
    let mut daemon = setup.start("daemon");
    daemon.until_ready().await;
    // Every text is durable and its offset committed, and so is what other hosts' pictures show,
    // while not one of the silent host's pictures has come.
    topics.until_committed("posts", 2020).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions WHERE evidence = 'text'").await, 2000);
    until(&pool, "SELECT count(*) FROM overheard.sightings", 20, &[&daemon]).await;
    assert_eq!(number(&pool, LISTED).await, 2000);
    // Two are being asked for, and leased are twice as many as there are workers.
    let leased = "SELECT count(*) FROM overheard.picture_queue WHERE leased";
    until(&pool, leased, 8, &[&daemon]).await;
    daemon.until_metric("overheard_picture_list_rows 2000").await;
    assert_counts_match_rows(&pool).await;

    // A stop in good order does not wait for the host, and gives back what it had leased.
    let began = Instant::now();
    assert!(daemon.stop().await.success());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let untouched =
        "SELECT count(*) FROM overheard.picture_queue WHERE NOT leased AND attempts = 0 AND due_at <= now()";
    assert_eq!(number(&pool, untouched).await, 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_survives_a_kill_and_two_processes_share_the_rest() {
    let (topics, database, server) =
        (TestTopics::create(2).await, TestDatabase::create().await, PicturesServer::start().await);
    let setup = Setup::new(&topics, &database.url)
        .with_pictures()
        .with("MEDIA__FIRST_BYTE_TIMEOUT", "5s")
        .with("MEDIA__TOTAL_TIMEOUT", "5s")
        .with("PICTURES__LEASE", "10s")
        .with("MEDIA__PER_HOST", "64")
        .with("PICTURES__WORKERS", "64");
    let texts_only = Setup::new(&topics, &database.url).with_pictures().with("PIPELINE__PICTURES", "false");
    // Without a broker to speak of, since pictures need none.
    let pictures_only = |name: &str| {
        let setup = Setup::new(&topics, &database.url)
            .with_pictures()
            .with("PIPELINE__TEXT", "false")
            .with("KAFKA__BROKERS", "127.0.0.1:1")
            .with("MEDIA__PER_HOST", "64")
            .with("PICTURES__WORKERS", "64");
        let daemon = setup.start(name);
        (setup, daemon)
    };
    let pool = database.pool().await;
    for n in 0..8 {
        let colour = [RED, BLUE, GREY, GREEN][n % 4];
        server.put(&format!("/{n}.png"), png(&plain(colour, 64 + u32::try_from(n).unwrap())));
    }
    // Four pictures a post: red, blue, grey, green.
    let posts: Vec<_> = (0..2500)
        .map(|n| {
            let first = if n % 2 == 0 { 0 } else { 4 };
            let urls: Vec<String> = (first..first + 4).map(|p| server.url(&format!("/{p}.png"))).collect();
            let text = if n % 5 == 0 { "VMware works" } else { "Look at this" };
            post(&format!("p{n}"), text, &urls)
        })
        .collect();
    topics.produce("posts", &posts).await;
    let mut lister = texts_only.start("texts");
    lister.until_ready().await;
    topics.until_committed("posts", 2500).await;
    assert_eq!(number(&pool, LISTED).await, 10_000);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 500);
    assert!(lister.stop().await.success());

    let mut killed = setup.start("killed");
    killed.until_ready().await;
    while number(&pool, LISTED).await > 9_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    killed.kill().await;
    let left = number(&pool, LISTED).await;
    assert!(left > 0, "the kill came too late to mean anything");
    let done = "SELECT 10000 - count(*) FROM overheard.picture_queue";
    let (rest, finished) = (number(&pool, LISTED).await, number(&pool, done).await);
    assert_eq!(rest + finished, 10_000);
    assert_counts_match_rows(&pool).await;

    let (_first_setup, mut first) = pictures_only("first");
    let (_second_setup, mut second) = pictures_only("second");
    for daemon in [&mut first, &mut second] {
        daemon.until_ready().await;
    }
    until(&pool, LISTED, 0, &[&first, &second]).await;
    let name = "overheard_pictures_finished_total{outcome=\"fetched\"}";
    let (by_first, by_second) = (metric(&first, name).await, metric(&second, name).await);
    assert_eq!(by_first + by_second, u64::try_from(left).unwrap(), "each picture was finished once");
    assert!(by_first > 0 && by_second > 0, "{by_first} and {by_second}");
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.sightings").await, 5000);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions WHERE brand = 'vmware'").await, 2500);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.mentions WHERE evidence = 'both'").await, 500);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 2500);
    assert_counts_match_rows(&pool).await;
    for daemon in [first, second] {
        assert!(daemon.stop().await.success());
    }
}
