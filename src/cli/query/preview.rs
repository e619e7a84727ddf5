//! `overheard query preview`: what a query finds in stored posts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Args;
use serde::Serialize;

use super::super::times::time;
use super::subject::{What, configured, parsed};
use super::tally::{Sampled, Summary, Tally};
use crate::clock::{Clock, SystemClock};
use crate::config::{Setting, Settings, read_brands};
use crate::domain::{Brand, BrandId, PostKey, Spans};
use crate::matching::Matcher;
use crate::pipeline::language_of;
use crate::store::{KeptPost, Store};
use crate::telemetry;

/// Posts that are read together.
const PAGE: u32 = 500;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// Characters of a post that a line shows.
const SHOWN: usize = 160;

/// What `query preview` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Posts are read from Postgres, and nothing is changed. Days are those that posts claim, in UTC. At the \
end stands what can't be seen: above all, posts that named no brand when they were read are stored \
only with pipeline.keep_unnamed.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    what: What,
    /// Posts that claim this time or a later one: 7d ago, 2026-03-01, or 2026-03-01T09:30:00Z
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = since)]
    since: Since,
    /// What to compare with: a query, a file with one, or a file of brands (.toml) that has the --brand
    #[arg(long, value_name = "QUERY|FILE")]
    against: Option<String>,
    /// Posts to show, 1000 at most
    #[arg(long, value_name = "NUMBER", default_value = "10", value_parser = clap::value_parser!(u16).range(0..=1000))]
    sample: u16,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Since {
    Ago(TimeDelta),
    At(DateTime<Utc>),
}

fn since(text: &str) -> Result<Since, String> {
    let ago = Duration::read(&toml::Value::String(text.to_owned()));
    if let Some(ago) = ago.and_then(|ago| TimeDelta::from_std(ago).ok()) {
        return Ok(Since::Ago(ago));
    }
    time(text).map(Since::At).map_err(|_| "write how long ago (7d, 12h), a day or a time".to_owned())
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Posts that were looked at.
    posts: u64,
    days: Vec<Volume>,
    found: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Difference>,
    /// What can't be seen, a sentence each.
    unseen: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Volume {
    day: NaiveDate,
    posts: u64,
    found: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Difference {
    /// Posts that the new query finds and the old one doesn't.
    added: Summary,
    /// Posts that the old query finds and the new one doesn't.
    lost: Summary,
}

/// Prints what the query finds, with progress on standard error.
pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let new = arguments.what.listened_for(|| settings.brands().map_err(Into::into))?;
    let old = arguments.against.as_deref().map(|old| against(old, arguments.what.brand.as_ref()));
    let old = old.transpose()?;
    let until = SystemClock.now();
    let since = match arguments.since {
        Since::At(time) => time,
        Since::Ago(ago) => until.checked_sub_signed(ago).context("--since is too long ago")?,
    };
    if since >= until {
        bail!("--since {since} is not in the past: no post lies between it and now");
    }
    let store = Store::connect_lazy(settings.store.clone())?;
    let pending = store.migration_state().await?.pending;
    if pending > 0 {
        bail!("{pending} migrations are pending; run `overheard migrate`");
    }

    let mut preview = Preview::new(new, old, arguments.sample.into())?;
    let mut last: Option<PostKey> = None;
    let mut told = Instant::now();
    loop {
        let posts = store.kept_posts(since, until, last.as_ref(), PAGE).await?;
        let Some(end) = posts.last() else { break };
        last = Some(end.post.key.clone());
        for post in &posts {
            preview.look_at(post);
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            eprintln!("{} posts looked at, {} found", preview.posts, preview.found.posts);
        }
    }
    let unseen = unseen(&settings, since, until, preview.without_text);
    let report = preview.report(since, until, unseen);
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", table(&report));
    }
    Ok(ExitCode::SUCCESS)
}

/// What to compare with. What names a file is one.
fn against(old: &str, brand: Option<&BrandId>) -> anyhow::Result<Brand> {
    let path = Path::new(old);
    let is_of_brands = path.extension().is_some_and(|extension| extension == "toml");
    if !is_of_brands && !path.is_file() {
        return parsed("--against", old);
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("--against {old} can't be read"))?;
    if !is_of_brands {
        return parsed(&format!("--against {old}"), text.trim_end());
    }
    let Some(id) = brand else {
        bail!("--against {old}: which of these brands? Name it by --brand instead of --query");
    };
    let brands = read_brands(&text).with_context(|| format!("--against {old}"))?;
    configured(&brands, id).with_context(|| format!("--against {old}"))
}

/// The queries, and what they found so far.
struct Preview {
    matcher: Matcher,
    new: BrandId,
    compares: bool,
    posts: u64,
    without_text: u64,
    days: BTreeMap<NaiveDate, u64>,
    found: Tally,
    added: Tally,
    lost: Tally,
}

impl Preview {
    fn new(new: Brand, old: Option<Brand>, sample: usize) -> anyhow::Result<Self> {
        let (new_id, old_id): (BrandId, BrandId) = ("new".parse()?, "old".parse()?);
        let compares = old.is_some();
        let old = old.map(|old| Brand { id: old_id, ..old });
        let brands: Vec<Brand> = [Brand { id: new_id.clone(), ..new }].into_iter().chain(old).collect();
        Ok(Self {
            matcher: Matcher::new(&brands),
            new: new_id,
            compares,
            posts: 0,
            without_text: 0,
            days: BTreeMap::new(),
            found: Tally::new(sample),
            added: Tally::new(sample),
            lost: Tally::new(sample),
        })
    }

    fn look_at(&mut self, KeptPost { post, has_text }: &KeptPost) {
        if !has_text {
            self.without_text += 1;
            return;
        }
        self.posts += 1;
        *self.days.entry(post.key.created_at.date_naive()).or_default() += 1;
        let found = self.matcher.find(post, &|names| language_of(post, names));
        let (new, old): (Vec<&Spans>, Vec<&Spans>) = found.iter().partition(|found| found.brand == self.new);
        if let Some(new) = new.first() {
            self.found.add(post, new);
        }
        match (new.first(), old.first()) {
            (Some(new), None) if self.compares => self.added.add(post, new),
            (None, Some(old)) => self.lost.add(post, old),
            _ => {}
        }
    }

    fn report(self, since: DateTime<Utc>, until: DateTime<Utc>, unseen: Vec<String>) -> Report {
        let Self { compares, posts, days, found, added, lost, .. } = self;
        let of = |tally: &Tally, day| tally.days.get(&day).copied().unwrap_or_default();
        let days = days.iter().map(|(&day, &posts)| Volume {
            day,
            posts,
            found: of(&found, day),
            added: compares.then(|| of(&added, day)),
            lost: compares.then(|| of(&lost, day)),
        });
        let days = days.collect();
        let against = compares.then(|| Difference { added: added.summary(), lost: lost.summary() });
        Report { since, until, posts, days, found: found.summary(), against, unseen }
    }
}

/// What stored posts don't show.
fn unseen(settings: &Settings, since: DateTime<Utc>, until: DateTime<Utc>, without_text: u64) -> Vec<String> {
    let mut unseen = Vec::new();
    if !settings.pipeline.keep_unnamed {
        unseen.push(
            "Posts that named no brand when they were read are not stored (pipeline.keep_unnamed): \
             a wider query finds more than is shown here"
                .to_owned(),
        );
    }
    if without_text > 0 || !settings.store.keep_text {
        unseen.push(format!(
            "{without_text} posts were passed over, since their texts are not kept (postgres.keep_text)"
        ));
    }
    if !settings.store.keep_author {
        unseen.push("Authors are not kept (postgres.keep_author): author: finds nothing".to_owned());
    }
    let kept_from = settings.store.retention_posts.and_then(|kept| TimeDelta::from_std(kept).ok());
    if let Some(from) = kept_from.and_then(|kept| until.checked_sub_signed(kept))
        && since < from
    {
        let from = from.date_naive();
        unseen.push(format!("Posts from before {from} were removed (postgres.retention_posts)"));
    }
    unseen.push(
        "Pictures and their descriptions are not kept: has:image and in:alt find nothing, NOT has:image all"
            .to_owned(),
    );
    unseen
}

/// The report for people.
fn table(report: &Report) -> String {
    let Report { since, until, posts, days, found, against, unseen } = report;
    let mut rows = vec![vec!["day".to_owned(), "posts".to_owned(), "found".to_owned()]];
    if against.is_some() {
        rows[0].extend(["added".to_owned(), "lost".to_owned()]);
    }
    for Volume { day, posts, found, added, lost } in days {
        let numbers = [Some(*posts), Some(*found), *added, *lost];
        let numbers = numbers.into_iter().flatten().map(|number| number.to_string());
        rows.push(std::iter::once(day.to_string()).chain(numbers).collect());
    }
    let time = |time: &DateTime<Utc>| time.format("%Y-%m-%d %H:%M");
    let mut text =
        format!("{} of {posts} stored posts from {} to {} UTC\n\n", found.posts, time(since), time(until));
    for row in rows {
        let _ = write!(text, "{:<10}", row[0]);
        for number in &row[1..] {
            let _ = write!(text, " {number:>9}");
        }
        text.push('\n');
    }
    section(&mut text, "Found", found);
    if let Some(Difference { added, lost }) = against {
        section(&mut text, "Added", added);
        section(&mut text, "Lost", lost);
    }
    text.push_str("\nNot seen\n");
    for sentence in unseen {
        let _ = writeln!(text, "  {sentence}");
    }
    text
}

fn section(text: &mut String, title: &str, summary: &Summary) {
    let _ = writeln!(text, "\n{title}: {} posts", summary.posts);
    for word in &summary.words {
        let _ = writeln!(text, "{:>9}  {}", word.posts, line(&word.word));
    }
    if summary.with_other_words > 0 {
        let _ = writeln!(text, "{:>9}  (other words)", summary.with_other_words);
    }
    if summary.beside_text > 0 {
        let _ = writeln!(text, "{:>9}  (no word of the text)", summary.beside_text);
    }
    for Sampled { created_at, source, id, text: said, .. } in &summary.sample {
        let at = created_at.format("%Y-%m-%d %H:%M");
        let _ = writeln!(text, "  {at} {} {}: {}", line(source), line(id), line(said));
    }
}

/// A text on one line, without what a terminal would obey.
fn line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match plain.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_span_or_a_time() {
        assert_eq!(since("7d").unwrap(), Since::Ago(TimeDelta::days(7)));
        assert_eq!(since("2026-03-01").unwrap(), Since::At(time("2026-03-01").unwrap()));
        for wrong in ["", "7", "7 weeks", "-1d", "yesterday"] {
            assert!(since(wrong).unwrap_err().contains("7d"), "{wrong}");
        }
    }

    #[test]
    fn a_post_is_one_line_and_commands_nothing() {
        assert_eq!(line("a\n\u{1b}[2Jb\t c"), "a [2Jb c");
        assert_eq!(line(&"é".repeat(SHOWN + 1)), format!("{}…", "é".repeat(SHOWN)));
    }
}
