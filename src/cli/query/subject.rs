//! Whom a command is about: a brand of the configuration, or a query.

use std::fmt::Write as _;

use anyhow::Context;
use clap::Args;

use crate::domain::{Brand, BrandId};
use crate::query::parse;

/// One of the two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct What {
    /// A brand of the configuration
    #[arg(long, value_name = "ID")]
    pub(super) brand: Option<BrandId>,
    /// A query
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
}

impl What {
    /// The brand, or the query as one. The configuration is read only for a brand.
    pub(super) fn listened_for(
        &self,
        brands: impl FnOnce() -> anyhow::Result<Vec<Brand>>,
    ) -> anyhow::Result<Brand> {
        match (&self.brand, &self.query) {
            (Some(id), _) => configured(&brands()?, id).with_context(|| format!("--brand {id}")),
            (None, query) => parsed("--query", query.as_deref().unwrap_or_default()),
        }
    }
}

/// The brand with this id.
pub(super) fn configured(brands: &[Brand], id: &BrandId) -> anyhow::Result<Brand> {
    let brand = brands.iter().find(|brand| brand.id == *id).cloned();
    brand.with_context(|| {
        let known = brands.iter().map(|brand| brand.id.as_str()).collect::<Vec<_>>().join(", ");
        format!("no brand has the id {id}; there are {known}")
    })
}

/// A query as a brand. All its mistakes are told at once.
pub(super) fn parsed(whence: &str, source: &str) -> anyhow::Result<Brand> {
    let query = parse(source).map_err(|mistakes| {
        let mut told = format!("{whence} is not a query");
        for mistake in mistakes {
            let (place, pointer) = (mistake.place(source), mistake.pointer(source));
            let _ = write!(told, "\n{place}: {}\n{pointer}", mistake.message);
        }
        anyhow::Error::msg(told)
    })?;
    Ok(Brand { query: Some(query), ..Brand::new("query".parse()?) })
}
