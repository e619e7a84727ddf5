//! HTTP for operators: `/live`, `/ready`, `/metrics`, and `POST /reload`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::metrics;

/// Where to listen, and when a stage counts as stalled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address and port.
    pub listen: SocketAddr,
    /// A stage that makes no turn for this long is stalled.
    pub stall_after: Duration,
    /// While a write to Postgres takes longer than this, the process is not ready.
    pub write_limit: Duration,
}

/// A request to read brands and alert rules anew, with where the answer goes.
pub type ReloadRequest = oneshot::Sender<Reloaded>;

/// What a reload came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// What was read is in use.
    Applied {
        /// Settings that are different now and wait for a restart, by their keys.
        needs_restart: Vec<String>,
    },
    /// The files have these mistakes; everything is as it was.
    Refused(Vec<String>),
    /// It could not be done for now; everything is as it was.
    Unavailable(String),
}

struct Context {
    health: Health,
    reloads: mpsc::Sender<ReloadRequest>,
    metrics: PrometheusHandle,
    stall_after: Duration,
}

const FOLD_EVERY: Duration = Duration::from_secs(5);
/// Bounds of histogram buckets, in seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds of histogram buckets, in views of pictures.
const VIEWS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
/// Bounds of histogram buckets, in posts.
const POSTS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];

/// Makes the process's metrics recorder. Once in a process.
///
/// # Errors
/// A recorder is in place already.
pub fn record_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_posts".to_owned()), POSTS)?
        .set_buckets_for_metric(Matcher::Suffix("_views".to_owned()), VIEWS)?
        .install_recorder()?;
    metrics::describe();
    Ok(handle)
}

/// Opens the listener.
///
/// # Errors
/// The address can't be had.
pub async fn listen(options: &Options) -> std::io::Result<TcpListener> {
    TcpListener::bind(options.listen).await
}

/// Answers until told to stop.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    health: Health,
    metrics: PrometheusHandle,
    reloads: mpsc::Sender<ReloadRequest>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let stall_after = options.stall_after;
    let context = Arc::new(Context { health, reloads, metrics: metrics.clone(), stall_after });
    let routes = Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/metrics", get(show_metrics))
        .route("/reload", post(reload))
        .with_state(context);
    let answers = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).into_future();
    tokio::select! {
        result = answers => result,
        never = keep_small(&metrics) => match never {},
    }
}

/// Histograms gather observations until they are folded into buckets, also when nobody looks.
async fn keep_small(metrics: &PrometheusHandle) -> Infallible {
    let mut ticks = tokio::time::interval(FOLD_EVERY);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// 200 while every stage makes progress, else 503 with the stalled ones.
async fn live(State(context): State<Arc<Context>>) -> Response {
    let stalled = context.health.stalled(context.stall_after);
    let status = if stalled.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "alive": stalled.is_empty(), "stalled": stalled }))).into_response()
}

/// 200 when broker, database and model are there, else 503; each says how it is.
async fn ready(State(context): State<Arc<Context>>) -> Response {
    let (ready, parts) = context.health.readiness();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let listening = context.health.listening();
    let answer = serde_json::json!({ "ready": ready, "parts": parts, "listening": listening });
    (status, Json(answer)).into_response()
}

/// 200 when brands and rules were read anew and are in use, 422 with all mistakes where they have any,
/// 503 where it has to be tried again.
async fn reload(State(context): State<Arc<Context>>) -> Response {
    let (answer, reloaded) = oneshot::channel();
    let sent = context.reloads.send(answer).await.is_ok();
    let reloaded = if sent { reloaded.await.ok() } else { None };
    let listening = context.health.listening();
    let (status, answer) = match reloaded {
        Some(Reloaded::Applied { needs_restart }) => (
            StatusCode::OK,
            serde_json::json!({ "reloaded": true, "listening": listening, "needs_restart": needs_restart }),
        ),
        Some(Reloaded::Refused(mistakes)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            serde_json::json!({ "reloaded": false, "listening": listening, "mistakes": mistakes }),
        ),
        Some(Reloaded::Unavailable(reason)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            serde_json::json!({ "reloaded": false, "listening": listening, "reason": reason }),
        ),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            serde_json::json!({ "reloaded": false, "reason": "the process is starting or stopping; ask again" }),
        ),
    };
    (status, Json(answer)).into_response()
}

async fn show_metrics(State(context): State<Arc<Context>>) -> Response {
    let ready = if context.health.readiness().0 { 1.0 } else { 0.0 };
    ::metrics::gauge!(metrics::READY).set(ready);
    let text = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (text, context.metrics.render()).into_response()
}
