//! What the queue's and the memory's queries cost in a small table and in a large one: times of both,
//! and their ratio, which should stay near one.
//!
//! `OVERHEARD_BENCH_ROWS=40000,4000000 cargo bench --bench pictures_at_volume` with the servers of
//! `make services-up`. It fills a database of its own, which takes minutes and gigabytes for millions of
//! rows, and drops it.

use std::time::{Duration, Instant};

use overheard::config::Settings;
use overheard::store::{LeaseRequest, Likeness, Store};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

const ROWS: &str = "OVERHEARD_BENCH_ROWS";
const SERVER: &str = "OVERHEARD_TEST_POSTGRES";
const RUNS: usize = 200;

fn main() {
    if std::env::args().any(|argument| ["--list", "--test"].contains(&argument.as_str())) {
        return;
    }
    let Some(server) = server() else {
        return eprintln!("SKIPPED: there is no Postgres; `make services-up` starts one");
    };
    let Ok(rows) = std::env::var(ROWS) else {
        return eprintln!("SKIPPED: {ROWS}=40000,4000000 fills tables of these sizes");
    };
    let rows: Vec<u32> = rows.split(',').map(|rows| rows.trim().parse().expect("numbers of rows")).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut all: Vec<Vec<(&str, Duration)>> = Vec::new();
        for rows in &rows {
            all.push(measure(&server, *rows).await.expect("Postgres answers"));
        }
        println!("median of {RUNS}, in milliseconds; rows: {rows:?}");
        for (number, (name, first)) in all[0].iter().enumerate() {
            let times: Vec<Duration> = all.iter().map(|times| times[number].1).collect();
            let shown: Vec<String> =
                times.iter().map(|time| format!("{:>12.3}", time.as_secs_f64() * 1e3)).collect();
            let shown = shown.concat();
            let last = times.last().unwrap_or(first);
            println!("{name:<20}{shown}   ratio {:.2}", last.as_secs_f64() / first.as_secs_f64());
        }
    });
}

/// The server that the environment names, or that of `make services-up`.
fn server() -> Option<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/.runtime/services/services.env");
    let of_file = || {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find_map(|line| line.trim_start_matches("export ").strip_prefix(SERVER))?;
        Some(line.trim_start_matches('=').trim_matches(['\'', '"']).to_owned())
    };
    std::env::var(SERVER).ok().or_else(of_file)
}

async fn measure(server: &str, rows: u32) -> anyhow::Result<Vec<(&'static str, Duration)>> {
    let name = format!("overheard_bench_{}_{rows}", std::process::id());
    let mut admin = PgConnection::connect(server).await?;
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    let mut url = url::Url::parse(server)?;
    url.set_path(&name);
    let settings = format!("[postgres]\nurl = \"{url}\"\nstatement_timeout = \"1h\"\n");
    let settings = Settings::over_defaults("the bench", &settings, [])?;
    let store = Store::connect_lazy(settings.store.clone())?;
    store.migrate().await?;
    fill(url.as_str(), rows).await?;
    let times = times(&store, rows).await;
    store.close().await;
    admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await?;
    times
}

/// Each host has ten pictures in the queue, and one host in ten has one that is ready.
async fn fill(url: &str, rows: u32) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut connection = PgConnection::connect(url).await?;
    // Indexes of hashes are made faster over all rows than row by row.
    connection
        .execute(AssertSqlSafe(format!(
            "DROP INDEX overheard.media_likeness;
             INSERT INTO overheard.media
                 (url_sha256, outcome, content_sha256, perceptual, bytes, width, height, model, detections)
             SELECT sha256(n::text::bytea), 'fetched', sha256(n::text::bytea),
                    hashtextextended(n::text, 1), 1, 400 + n % 1200, 900, 'bench@1', '[]'
             FROM generate_series(1, {rows}) n;
             CREATE INDEX media_likeness ON overheard.media
                 USING gin (overheard.likeness_keys(perceptual, width, height, 0))
                 WITH (fastupdate = off) WHERE perceptual IS NOT NULL;
             INSERT INTO overheard.picture_queue
                 (source, post_id, created_at, position, url, host, ready, due_at, received_at,
                  version, kind, text, links, hashtags, named)
             SELECT 'bench', n::text, now(), 0, 'https://h' || n / 10 || '.example/', 'h' || n / 10 || '.example',
                    n % 100 = 0, now() + interval '1 h', now(), now(), 'original', 'what it says', '{{}}', '{{}}', '{{}}'
             FROM generate_series(1, {rows}) n"
        )))
        .await?;
    for table in ["media", "picture_queue"] {
        connection.execute(AssertSqlSafe(format!("VACUUM ANALYZE overheard.{table}"))).await?;
    }
    connection.close().await?;
    println!("{rows} rows filled in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

async fn times(store: &Store, rows: u32) -> anyhow::Result<Vec<(&'static str, Duration)>> {
    let (mut likeness, mut lease, mut backlog) = (Vec::new(), Vec::new(), Vec::new());
    let mut after = String::new();
    for run in 0..RUNS {
        // A hash that nobody has, and so every candidate is looked at.
        let bits = i64::from(u32::try_from(run)?).wrapping_mul(0x5851_f42d_4c95_7f2d);
        let wanted = Likeness { perceptual: bits, within: 4, width: 1200, height: 900 };
        let began = Instant::now();
        store.known_likeness(wanted, "bench@1").await?;
        likeness.push(began.elapsed());

        let request = LeaseRequest { pictures: 1, per_host: 8, busy: Vec::new(), after: after.clone() };
        let began = Instant::now();
        let leased = store.lease_pictures(&request).await?;
        lease.push(began.elapsed());
        after = leased.first().map(|queued| queued.host.clone()).unwrap_or_default();

        if run % 20 == 0 {
            let began = Instant::now();
            store.backlog().await?;
            backlog.push(began.elapsed());
        }
    }
    println!("{rows} rows measured");
    Ok(vec![("likeness", median(likeness)), ("lease", median(lease)), ("backlog", median(backlog))])
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
