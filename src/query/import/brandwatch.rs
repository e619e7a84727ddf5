//! The operators of Brandwatch Consumer Research.

use super::operator::{
    Meaning::{self, Around, AsWritten, In, Missing, Property},
    Operators, Value, author, author_elsewhere, kind, language, links_to, posted_on,
};
use crate::domain::{self, Place, PostKind};

const PLACES: Meaning = Missing("posts carry no places; lang: may come close");
const AUTHORS: Meaning = Missing("nothing is known of authors but their names");
const THREADS: Meaning =
    Missing("a query can't name another post; is:reply, is:repost and is:quote tell the kind");
const LOGOS: Meaning =
    Missing("pictures are not searched by queries; give the brand its `logo` in the brands file");
const REVIEWS: Meaning = Missing("posts carry no ratings and products");
const FORUMS: Meaning = Missing("posts carry no parts of a network");

pub(super) const OPERATORS: Operators = &[
    ("at_mentions", In(Place::Handle)),
    ("author", Property(author)),
    ("authorfollowers", AUTHORS),
    ("authorgender", AUTHORS),
    ("authorverified", AUTHORS),
    ("authorverifiedtype", AUTHORS),
    ("blogname", Property(author_elsewhere)),
    ("brandids", LOGOS),
    ("channelid", FORUMS),
    ("city", PLACES),
    ("continent", PLACES),
    ("country", PLACES),
    ("engagementtype", Property(engagement)),
    ("engagingwith", THREADS),
    ("engagingwithguid", THREADS),
    ("guid", THREADS),
    ("hashtags", In(Place::Tag)),
    ("imagetype", Property(image)),
    ("itemreview", REVIEWS),
    ("language", Property(language)),
    ("latitude", PLACES),
    ("links", Property(links_to)),
    ("longitude", PLACES),
    ("minuteofday", Missing("a query does not look at the time; select by it in Postgres")),
    ("objects", LOGOS),
    ("parentblogname", THREADS),
    ("parentpostid", THREADS),
    ("publication", FORUMS),
    ("publishersubtype", Property(image)),
    ("pubtype", FORUMS),
    ("rating", REVIEWS),
    ("raw", AsWritten),
    ("redditauthorflair", FORUMS),
    ("redditpostflair", FORUMS),
    ("redditspoiler", FORUMS),
    ("region", PLACES),
    ("rootblogname", THREADS),
    ("rootpostid", THREADS),
    ("sensitivecontent", FORUMS),
    ("site", Property(posted_on)),
    ("subreddit", FORUMS),
    ("subredditnsfw", FORUMS),
    ("subreddittopics", FORUMS),
    ("tags", Around(Place::Tag, "the tags of every network are looked at, not only Tumblr's")),
    ("title", Around(Place::Text, "titles are not kept apart, so all of the text is looked at")),
    ("topleveldomain", Missing("it is about where a post stands; write source: with the name of your feed")),
    ("url", Property(posted_on)),
    ("weblogtitle", Property(author_elsewhere)),
];

fn engagement(value: &str) -> Value {
    match value {
        "COMMENT" | "REPLY" => kind(PostKind::Reply),
        "RETWEET" => kind(PostKind::Repost),
        "QUOTE" => kind(PostKind::Quote),
        _ => Value::Missing("we know COMMENT, REPLY, RETWEET and QUOTE".to_owned()),
    }
}

fn image(value: &str) -> Value {
    match value.to_ascii_lowercase().as_str() {
        "image" => Value::Wider(
            domain::Property::HasImage,
            "posts with pictures of every network are found, with and without text",
        ),
        _ => Value::Missing("we only know whether a post has pictures".to_owned()),
    }
}
