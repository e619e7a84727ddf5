//! What a post is about, beside brands.

/// The links, hashtags and hosts of a post, each in alphabetical order and once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// Full addresses.
    pub links: Vec<String>,
    /// Without `#`, in lower case.
    pub hashtags: Vec<String>,
    /// The hosts of all links, in lower-case ASCII, without `www.`.
    pub hosts: Vec<String>,
}
