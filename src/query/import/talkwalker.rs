//! The operators of Talkwalker.

use super::operator::{
    Meaning::{self, Around, In, Missing, Property},
    Operators, Value, author, kind, language, posted_on,
};
use crate::domain::{self, Place, PostKind};

const PLACES: Meaning = Missing("posts carry no places; lang: may come close");
const AUTHORS: Meaning = Missing("nothing is known of authors but their names");
const FIGURES: Meaning = Missing("a query does not look at figures; select by them in Postgres");
const PICTURES: Meaning =
    Missing("pictures are not searched by queries; give the brand its `logo` in the brands file");
const VERDICTS: Meaning = Missing("how a post feels is found after it is matched; select by it in Postgres");

pub(super) const OPERATORS: Operators = &[
    ("author", Property(author)),
    ("authorgender", AUTHORS),
    ("content", In(Place::Text)),
    ("demographic", AUTHORS),
    ("domainurl", Property(posted_on)),
    ("engagement", FIGURES),
    ("followers", FIGURES),
    ("gender", AUTHORS),
    ("hashtag", In(Place::Tag)),
    ("hosturl", Property(posted_on)),
    ("image", PICTURES),
    ("inurl", Property(posted_on)),
    ("is", Property(is)),
    ("lang", Property(language)),
    ("language", Property(language)),
    ("mention", In(Place::Handle)),
    ("published", FIGURES),
    ("reach", FIGURES),
    ("sentiment", VERDICTS),
    ("site", Property(posted_on)),
    ("sourcecity", PLACES),
    ("sourcecountry", PLACES),
    ("sourceregion", PLACES),
    ("sourcetype", Property(source_type)),
    ("title", Around(Place::Text, "titles are not kept apart, so all of the text is looked at")),
    ("url", Property(posted_on)),
];

fn is(value: &str) -> Value {
    match value {
        "reply" | "comment" => kind(PostKind::Reply),
        "retweet" | "repost" | "share" => kind(PostKind::Repost),
        "quote" => kind(PostKind::Quote),
        _ => Value::Missing("we know reply, retweet and quote".to_owned()),
    }
}

fn source_type(value: &str) -> Value {
    let value = value.to_ascii_uppercase();
    match value.strip_prefix("SOCIALMEDIA_").map(str::to_ascii_lowercase).as_deref() {
        Some("twitter") => Value::Same(domain::Property::Source("x".to_owned())),
        Some(network) => Value::Same(domain::Property::Source(network.to_owned())),
        None => Value::Missing(
            "posts carry no types of media; write source: with the names that your feeds give, joined with OR".to_owned(),
        ),
    }
}
