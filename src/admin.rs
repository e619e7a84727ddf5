//! HTTP for operators: `/live`, `/ready` and `/metrics`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
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
}

struct Context {
    health: Health,
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
    stop: CancellationToken,
) -> std::io::Result<()> {
    let context = Arc::new(Context { health, metrics: metrics.clone(), stall_after: options.stall_after });
    let routes = Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/metrics", get(show_metrics))
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
    (status, Json(serde_json::json!({ "ready": ready, "parts": parts }))).into_response()
}

async fn show_metrics(State(context): State<Arc<Context>>) -> Response {
    let text = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (text, context.metrics.render()).into_response()
}
