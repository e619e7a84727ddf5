//! What is listened for: brands and alert rules, which a reload replaces as a whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::alerting::Rule;
use crate::domain::{Brand, BrandId, QueryVersion};
use crate::matching::Matcher;
use crate::store::BrandQuery;

/// Brands and rules, with what follows from them. Whoever works by it takes it once for a record, a
/// picture or an evaluation, so that nothing sees half of a change.
pub struct Listening {
    /// Finds brands in posts.
    pub matcher: Matcher,
    /// All brands, for the rules.
    pub brands: Vec<BrandId>,
    /// When to raise alerts.
    pub rules: Vec<Rule>,
    /// The brand of each of the detector's labels. Other labels are counted and dropped.
    pub logos: HashMap<String, BrandId>,
    /// By which query each brand is found.
    pub queries: Vec<BrandQuery>,
    /// Tells this from what was or will be listened for.
    pub version: QueryVersion,
    versions: BTreeMap<BrandId, QueryVersion>,
}

impl Listening {
    /// Of these brands and rules.
    pub fn new(brands: &[Brand], rules: Vec<Rule>) -> Self {
        let queries: Vec<BrandQuery> = brands
            .iter()
            .map(|brand| {
                let definition = brand.definition();
                let version = QueryVersion::of(&definition);
                BrandQuery { brand: brand.id.clone(), version, definition }
            })
            .collect();
        let all = queries.iter().map(|query| (query.brand.as_str(), query.version.as_str()));
        let version = QueryVersion::of(&format!("{:?} {rules:?}", all.collect::<BTreeMap<_, _>>()));
        Self {
            matcher: Matcher::new(brands),
            brands: brands.iter().map(|brand| brand.id.clone()).collect(),
            rules,
            logos: brands.iter().map(|brand| (brand.logo.clone(), brand.id.clone())).collect(),
            versions: queries.iter().map(|query| (query.brand.clone(), query.version.clone())).collect(),
            queries,
            version,
        }
    }

    /// The version of a brand's query; none where it is not listened for.
    pub fn query_of(&self, brand: &BrandId) -> Option<&QueryVersion> {
        self.versions.get(brand)
    }
}

/// What is listened for now. Clones are handles to the same.
#[derive(Clone)]
pub struct Current(Arc<RwLock<Arc<Listening>>>);

impl Current {
    /// Begins with this.
    pub fn new(listening: Listening) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(listening))))
    }

    /// What it is now.
    pub fn get(&self) -> Arc<Listening> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it is from now on. What is being worked on goes on by what it began with.
    pub fn replace(&self, listening: Listening) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(listening);
    }
}
