//! Counts of mentions.

use std::ops::{AddAssign, Neg};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::Label;

/// Mentions, counted by how they feel, with the logos seen in their posts. Signed, so that what is
/// to be added to counts, or taken from them, is counts as well.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Those labelled negative.
    pub negative: i64,
    /// Those labelled neutral.
    pub neutral: i64,
    /// Those labelled positive.
    pub positive: i64,
    /// Those that no model scored.
    pub unscored: i64,
    /// Sum of the polarities of those scored.
    pub polarity_sum: f64,
    /// Logos seen in the pictures of these posts.
    pub sightings: i64,
}

impl Counts {
    /// One mention; without a label and a polarity where no model scored it.
    pub fn of_mention(score: Option<(Label, f64)>) -> Self {
        let one = Self::default();
        match score {
            None => Self { unscored: 1, ..one },
            Some((Label::Negative, polarity_sum)) => Self { negative: 1, polarity_sum, ..one },
            Some((Label::Neutral, polarity_sum)) => Self { neutral: 1, polarity_sum, ..one },
            Some((Label::Positive, polarity_sum)) => Self { positive: 1, polarity_sum, ..one },
        }
    }

    /// So many logos, and no mention.
    pub fn of_sightings(sightings: i64) -> Self {
        Self { sightings, ..Self::default() }
    }

    /// All mentions.
    pub fn mentions(&self) -> i64 {
        self.scored() + self.unscored
    }

    /// Mentions that a model scored.
    pub fn scored(&self) -> i64 {
        self.negative + self.neutral + self.positive
    }

    /// Mean polarity of those scored, -1..=1; none without such.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn polarity(&self) -> Option<f64> {
        let mean = self.polarity_sum / self.scored() as f64;
        // Rounding in the sum must not lead outside the range.
        (self.scored() > 0).then(|| mean.clamp(-1.0, 1.0))
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.negative += other.negative;
        self.neutral += other.neutral;
        self.positive += other.positive;
        self.unscored += other.unscored;
        self.polarity_sum += other.polarity_sum;
        self.sightings += other.sightings;
    }
}

impl Neg for Counts {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            negative: -self.negative,
            neutral: -self.neutral,
            positive: -self.positive,
            unscored: -self.unscored,
            polarity_sum: -self.polarity_sum,
            sightings: -self.sightings,
        }
    }
}

/// As messages have it: with the number of all mentions, and the mean in place of the sum.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Counts", 7)?;
        fields.serialize_field("mentions", &self.mentions())?;
        fields.serialize_field("negative", &self.negative)?;
        fields.serialize_field("neutral", &self.neutral)?;
        fields.serialize_field("positive", &self.positive)?;
        fields.serialize_field("unscored", &self.unscored)?;
        fields.serialize_field("polarity", &self.polarity())?;
        fields.serialize_field("sightings", &self.sightings)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_and_taken_again_leaves_nothing() {
        let mut counts = Counts::default();
        let parts = [
            Counts::of_mention(Some((Label::Negative, -0.5))),
            Counts::of_mention(Some((Label::Positive, 0.75))),
            Counts::of_mention(None),
            Counts::of_sightings(3),
        ];
        for part in parts {
            counts += part;
        }
        assert_eq!((counts.mentions(), counts.scored(), counts.sightings), (3, 2, 3));
        assert_eq!(counts.polarity(), Some(0.125));
        for part in parts {
            counts += -part;
        }
        assert_eq!((counts, counts.polarity()), (Counts::default(), None));
    }

    #[test]
    fn a_mean_stays_within_its_range() {
        assert_eq!(
            Counts { positive: 3, polarity_sum: 3.000_000_1, ..Counts::default() }.polarity(),
            Some(1.0)
        );
    }
}
