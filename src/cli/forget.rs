//! `overheard forget` and `overheard trace`: takes back what is stored of a post or an author, and
//! shows what still is.

use std::process::ExitCode;

use chrono::Utc;
use clap::Args;

use crate::config::Settings;
use crate::privacy::Pseudonyms;
use crate::store::{Store, StoredRemoval, Subject};
use crate::telemetry;

/// Whom or what it is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Arguments {
    /// One post, by its network and its identifier there
    #[arg(long, num_args = 2, value_names = ["SOURCE", "ID"])]
    post: Option<Vec<String>>,
    /// All posts of an account until now, by its network and its name there (a DID on Bluesky)
    #[arg(long, num_args = 2, value_names = ["SOURCE", "NAME"])]
    author: Option<Vec<String>>,
}

impl Arguments {
    /// The subject, by all names that it may be stored under.
    fn subject(&self, pseudonyms: &Pseudonyms) -> Subject {
        match (&self.post, &self.author) {
            (Some(post), _) => {
                Subject::Post { source: post[0].clone(), ids: pseudonyms.ids(&post[0], &post[1]) }
            }
            (_, Some(author)) => Subject::Author {
                source: author[0].clone(),
                name: author[1].clone(),
                keys: pseudonyms.of(&author[0], &author[1]).collect(),
            },
            // The group requires one of them.
            (None, None) => Subject::Post { source: String::new(), ids: Vec::new() },
        }
    }
}

/// Removes everything, and prints what is left: nothing, unless something was written meanwhile.
pub(super) async fn forget(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let subject = arguments.subject(&settings.pseudonyms);
    let store = Store::connect_lazy(settings.store)?;
    let at = Utc::now();
    let removal = match subject.clone() {
        Subject::Post { source, ids } => StoredRemoval::Post { source, ids, at },
        Subject::Author { keys, .. } => StoredRemoval::Account { keys, at },
    };
    let written = store.remove(&[removal]).await?;
    println!("{} posts removed", written.removed);
    show(&store, &subject).await
}

/// Prints how many rows of each table still hold something of it.
pub(super) async fn trace(settings: Settings, arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&telemetry::Options { filter: "warn".to_owned(), ..settings.log.clone() });
    let subject = arguments.subject(&settings.pseudonyms);
    let store = Store::connect_lazy(settings.store)?;
    show(&store, &subject).await
}

async fn show(store: &Store, subject: &Subject) -> anyhow::Result<ExitCode> {
    let traces = store.trace(subject).await?;
    if traces.is_empty() {
        println!("Nothing of it is stored");
    }
    for (table, rows) in traces {
        println!("{table}: {rows} rows");
    }
    Ok(ExitCode::SUCCESS)
}
