//! The pipeline in this process, on the real servers, with a clock that the test moves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use overheard::assembly;
use overheard::clock::{Clock, ManualClock};
use overheard::health::{Health, Part};
use overheard::pipeline::{self, Components, Current, Listening, PipelineError, Pipelines};
use overheard::publish::Publisher;
use overheard::source::Source;
use overheard::store::Store;
use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::database::TestDatabase;
use super::models::runtime;
use super::settings::Setup;
use super::topics::{Seen, TestTopics};

const LIMIT: Duration = Duration::from_mins(1);

/// A daemon in simulated time.
pub struct Simulated {
    pub topics: TestTopics,
    pub pool: PgPool,
    /// What is listened for.
    pub listening: Current,
    start: DateTime<Utc>,
    clock: ManualClock,
    stop: CancellationToken,
    task: JoinHandle<Result<(), PipelineError>>,
    posts: usize,
    database: TestDatabase,
}

impl Simulated {
    /// Starts a daemon with these alert rules, at a full minute some hours ago.
    pub async fn start(rules: &str) -> Self {
        let (topics, database) = (TestTopics::create(2).await, TestDatabase::create().await);
        let setup = Setup::new(&topics, &database.url)
            .with_word_models()
            .with_file("alerts.toml", rules)
            .with("ALERTS__EVERY", "100ms")
            .with("ALERTS__PUBLISH_EVERY", "50ms");
        let settings = setup.settings();
        let start = (Utc::now() - TimeDelta::hours(6)).duration_trunc(TimeDelta::hours(1)).unwrap();
        let clock = ManualClock::new(start + TimeDelta::seconds(5));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let health = Health::new();
        let brands = settings.brands().unwrap();
        let options = settings.inference().unwrap();
        let store = Store::connect_lazy(settings.store.clone()).unwrap().reading_as(&settings.source.group);
        let listening = Current::new(Listening::new(&brands, settings.rules(&brands).unwrap()));
        // The library can be loaded once in a process, and other tests need it as well.
        let components = Components {
            listening: listening.clone(),
            judge: assembly::judge(runtime(&options), &options, &health).unwrap(),
            pseudonyms: settings.pseudonyms.clone(),
            store: store.clone(),
            publisher: Publisher::new(&settings.publish).unwrap(),
            clock: shared.clone(),
            health: health.clone(),
        };
        health.report(Part::TextModel, true, "counts words");
        pipeline::prepare_store(&store, &*shared, &health).await.unwrap();
        let source = Source::start(&settings.source, shared.clone(), health.clone()).unwrap();
        let pipelines = Pipelines { text: Some((components, source)), pictures: None };
        let stop = CancellationToken::new();
        let running =
            pipeline::run(pipelines, store, shared, health.clone(), settings.pipeline.clone(), stop.clone());
        let task = tokio::spawn(running);
        let began = Instant::now();
        while !health.readiness().0 {
            assert!(began.elapsed() < LIMIT, "not ready: {:?}", health.readiness());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let pool = database.pool().await;
        let simulated = Self { topics, pool, listening, start, clock, stop, task, posts: 0, database };
        simulated.until_judged(0).await;
        simulated
    }

    /// A store beside the daemon's, as another process has it.
    pub fn store(&self) -> Store {
        Store::connect_lazy(self.database.options()).unwrap()
    }

    /// That many minutes after the start.
    pub fn minute(&self, number: i64) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(number)
    }

    /// Moves the clock to five seconds past that minute.
    pub fn set(&self, minute: i64) {
        self.clock.set(self.minute(minute) + TimeDelta::seconds(5));
    }

    /// Moves the clock to that minute, and waits after each one until it is judged: a jump would be a
    /// time in which nothing was read.
    pub async fn play_until(&self, minute: i64) {
        let now = (self.clock.now() - self.start).num_minutes();
        for minute in (now + 1).min(minute)..=minute {
            self.set(minute);
            self.until_judged(minute).await;
        }
    }

    async fn until_judged(&self, minute: i64) {
        let judged = self.minute(minute);
        self.until("everything is judged", async || {
            let until: Option<Option<DateTime<Utc>>> =
                sqlx::query_scalar("SELECT judged_until FROM overheard.alert_progress")
                    .fetch_optional(&self.pool)
                    .await
                    .unwrap();
            until.flatten().is_some_and(|until| until >= judged)
        })
        .await;
    }

    /// Waits for something, with a limit.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !holds().await {
            assert!(!self.task.is_finished(), "the pipeline ended while waiting until {what}");
            assert!(began.elapsed() < LIMIT, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Appends posts now that hate a brand and claim to be from that time.
    pub async fn hate(&mut self, brand: &str, created_at: DateTime<Utc>, count: usize) {
        let posts: Vec<_> = (0..count)
            .map(|_| {
                self.posts += 1;
                let text = format!("It is the weather, but the people of {brand} are awful again");
                json!({
                    "source": "test", "id": self.posts.to_string(), "created_at": created_at.to_rfc3339(),
                    "language": "en", "text": text,
                })
                .to_string()
                .into_bytes()
            })
            .collect();
        self.topics.produce_at("posts", &posts, self.clock.now()).await;
    }

    /// Waits until all posts are stored.
    pub async fn until_stored(&self) {
        let expected = i64::try_from(self.posts).unwrap();
        self.until("all posts are stored", async || {
            let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM overheard.mentions")
                .fetch_one(&self.pool)
                .await
                .unwrap();
            stored == expected
        })
        .await;
    }

    /// What was told so far, in its order: state, brand and whether it is late.
    pub async fn told(&self) -> Vec<(String, String, bool)> {
        sqlx::query_as(
            "SELECT payload->>'state', key, coalesce((payload->>'late')::boolean, false)
             FROM overheard.outbox ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// Waits until so much was told, and gives it.
    pub async fn until_told(&self, count: usize) -> Vec<(String, String, bool)> {
        self.until("so much is told", async || self.told().await.len() >= count).await;
        self.told().await
    }

    /// The messages on the alert topic.
    pub fn messages(&self, count: usize) -> Vec<Seen> {
        self.topics.read("alerts", count, LIMIT)
    }

    /// Stops in good order.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}
