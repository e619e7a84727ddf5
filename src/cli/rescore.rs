//! `overheard rescore`: stored mentions, judged anew by the models of today.

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::Args;

use super::times::time;
use crate::assembly;
use crate::config::Settings;
use crate::domain::{BrandId, Judgement};
use crate::health::Health;
use crate::inference::InferenceError;
use crate::pipeline::Judge;
use crate::store::{RescoreRange, StaleMention, Store};
use crate::telemetry;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What `rescore` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Each batch changes its rows and their counts in one transaction, beside running daemons. Mentions \
that one of these models has scored already are passed over, so a run that was cut off goes on \
where it stopped when the same command is given again. Mentions whose text is not kept stay as \
they are.")]
pub(super) struct Arguments {
    /// The brand's id
    #[arg(long, value_name = "ID")]
    brand: BrandId,
    /// Mentions in posts that claim this time or a later one: 2026-03-01, or 2026-03-01T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: DateTime<Utc>,
    /// Mentions in posts that claim a time before this
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: DateTime<Utc>,
    /// Mentions in one transaction, 10000 at most
    #[arg(long, value_name = "NUMBER", default_value = "500", value_parser = batch)]
    batch: NonZeroU32,
}

fn batch(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse().ok().filter(|number: &NonZeroU32| number.get() <= 10_000);
    number.ok_or_else(|| "write a number from 1 to 10000".to_owned())
}

/// What became of the mentions.
#[derive(Debug, Default)]
struct Progress {
    /// Read so far.
    seen: u64,
    /// Changed.
    rescored: u64,
    /// In a language that no model scores.
    unscored: u64,
    /// Left as they are, since their text is not kept.
    without_text: u64,
    /// Left as they are, since their text can't be scored.
    failed: u64,
}

/// Rescores batch by batch, with progress on standard error and a summary on standard output.
pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let Arguments { brand, since, until, batch } = arguments;
    if since >= until {
        bail!("--since {since} is not before --until {until}: nothing lies between them");
    }
    let options = settings.inference()?;
    let store = Store::connect_lazy(settings.store.clone())?;
    let pending = store.migration_state().await?.pending;
    if pending > 0 {
        bail!("{pending} migrations are pending; run `overheard migrate`");
    }
    let is_configured = settings.brands()?.iter().any(|configured| configured.id == brand);
    if !is_configured && !store.is_mentioned(&brand).await? {
        bail!("--brand {brand}: no brand of the configuration has this id, and no mention is stored of it");
    }
    let judge = tokio::task::spawn_blocking(move || {
        assembly::judge(&assembly::runtime(&options)?, &options, &Health::new())
    })
    .await??;
    let models: Vec<_> = judge.scorers().map(|scorer| scorer.model().clone()).collect();
    let names = models.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let range = RescoreRange { brand, since, until, models };
    let progress = rescore_all(&store, &judge, &range, batch).await.context(
        "Stopped early; what was rescored so far is kept, and the same command goes on from there",
    )?;
    let Progress { seen, rescored, unscored, without_text, failed } = progress;
    println!(
        "{}: {rescored} of {seen} mentions rescored with {names}; {unscored} in a language that is not scored, \
         {without_text} without a text, {failed} that can't be scored",
        range.brand
    );
    Ok(ExitCode::SUCCESS)
}

async fn rescore_all(
    store: &Store,
    judge: &Judge,
    range: &RescoreRange,
    batch: NonZeroU32,
) -> anyhow::Result<Progress> {
    let total = store.count_stale(range).await?;
    let mut progress = Progress::default();
    let mut last: Option<StaleMention> = None;
    let mut told: Option<Instant> = None;
    loop {
        let mentions = store.stale_mentions(range, last.as_ref(), batch.get()).await?;
        let Some(end) = mentions.last() else { break };
        last = Some(end.clone());
        progress.seen += mentions.len() as u64;
        let judged = judge_all(judge, mentions, &mut progress).await?;
        progress.rescored += loop {
            match store.rescore(&range.brand, &judged).await {
                // Somebody holds a row for long. The batch is the same again.
                Err(error) if error.is_locked() => tracing::warn!(error = %error, "Trying again"),
                result => break result?,
            }
        };
        if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            told = Some(Instant::now());
            eprintln!("{} of {total} mentions seen, {} rescored", progress.seen, progress.rescored);
        }
    }
    Ok(progress)
}

/// Judges a batch: all texts are on their way before the first is waited for.
async fn judge_all(
    judge: &Judge,
    mentions: Vec<StaleMention>,
    progress: &mut Progress,
) -> anyhow::Result<Vec<(StaleMention, Judgement)>> {
    let mut pending = Vec::with_capacity(mentions.len());
    for mention in mentions {
        let Some(text) = &mention.text else {
            progress.without_text += 1;
            continue;
        };
        let submitted = judge.submit(text, &mention.claimed, &mention.names(), &[mention.place()]).await;
        pending.push((mention, submitted));
    }
    let mut judged = Vec::with_capacity(pending.len());
    for (mention, submitted) in pending {
        let judgements = match submitted {
            Ok(pending) => pending.all().await,
            Err(error) => Err(error),
        };
        match judgements {
            Ok(mut judgements) => {
                let judgement = judgements.swap_remove(0);
                progress.unscored += u64::from(judgement.score.is_none());
                judged.push((mention, judgement));
            }
            Err(error @ InferenceError::Stopped) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(error = %error, "A text can't be scored; its mention stays as it is");
                progress.failed += 1;
            }
        }
    }
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded() {
        assert_eq!(batch("10000").unwrap().get(), 10_000);
        for wrong in ["0", "10001", "-1", "many"] {
            assert!(batch(wrong).is_err(), "{wrong}");
        }
    }
}
