//! Boolean queries: from text to [`Query`](crate::domain::Query) and back.
//!
//! `AND`, `OR`, `NOT`, `NEAR/n` and `ONEAR/n` in capitals, parentheses, `"phrases"`, `vmw*`, `{GAP}` for
//! words in this case only, `#tag`, `@handle`, and fields such as `lang:en` and `in:alt(…)`. Words side by
//! side are joined by AND. `NEAR` binds tightest, then `NOT`, `AND` and `OR`. docs/queries.md is for
//! those who write them.
//!
//! Every mistake points at its place in the text and says the way out; all that can be found are
//! reported at once.

pub mod import;
mod mistake;
mod parse;
mod print;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod tokens;

pub use mistake::Mistake;
pub use parse::{DEEPEST, LONGEST, parse};
pub use tokens::{DEFAULT_DISTANCE, FURTHEST, SHORTEST_PREFIX};
