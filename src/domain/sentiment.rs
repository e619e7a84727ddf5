//! Sentiment: probabilities of negative, neutral and positive.

use std::fmt;

/// The most probable feeling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// Speaks ill.
    Negative,
    /// Speaks without feeling, or evenly.
    Neutral,
    /// Speaks well.
    Positive,
}

impl Label {
    /// All labels in the order in which models and rows carry them.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// The name in rows, manifests and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Three probabilities, each finite and within 0..=1, that add up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sentiment([f32; 3]);

/// Why three numbers are no [`Sentiment`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("The model gave {0:?}, which are not three probabilities that add up to 1")]
pub struct SentimentError(pub [f32; 3]);

impl Sentiment {
    /// Takes probabilities in the order of [`Label::ALL`].
    ///
    /// # Errors
    /// A value is not finite or outside 0..=1, or the sum is further than 0.001 from 1.
    pub fn new(probabilities: [f32; 3]) -> Result<Self, SentimentError> {
        let in_range = probabilities.iter().all(|p| (0.0..=1.0).contains(p));
        let sum: f32 = probabilities.iter().sum();
        if in_range && (sum - 1.0).abs() <= 1e-3 {
            Ok(Self(probabilities))
        } else {
            Err(SentimentError(probabilities))
        }
    }

    /// Probability of negative, 0..=1.
    pub fn negative(self) -> f32 {
        self.0[0]
    }

    /// Probability of neutral, 0..=1.
    pub fn neutral(self) -> f32 {
        self.0[1]
    }

    /// Probability of positive, 0..=1.
    pub fn positive(self) -> f32 {
        self.0[2]
    }

    /// Positive minus negative, -1..=1.
    pub fn polarity(self) -> f32 {
        self.positive() - self.negative()
    }

    /// The most probable label; an exact tie goes to neutral.
    pub fn label(self) -> Label {
        let [negative, neutral, positive] = self.0;
        if negative > neutral && negative > positive {
            Label::Negative
        } else if positive > neutral && positive > negative {
            Label::Positive
        } else {
            Label::Neutral
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn normalised_weights_are_accepted_and_stay_in_range(weights in prop::array::uniform3(0.01f32..1.0)) {
            let sum: f32 = weights.iter().sum();
            let sentiment = Sentiment::new(weights.map(|w| w / sum)).unwrap();
            prop_assert!((-1.0..=1.0).contains(&sentiment.polarity()));
            let best = sentiment.0.iter().copied().fold(f32::MIN, f32::max);
            let labelled = sentiment.0[Label::ALL.iter().position(|l| *l == sentiment.label()).unwrap()];
            prop_assert!((best - labelled).abs() <= f32::EPSILON);
        }
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        for wrong in [[f32::NAN, 0.5, 0.5], [1.2, -0.1, -0.1], [0.1, 0.1, 0.1], [f32::INFINITY, 0.0, 0.0]] {
            assert!(Sentiment::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_tie_between_the_poles_is_neutral() {
        assert_eq!(Sentiment::new([0.4, 0.2, 0.4]).unwrap().label(), Label::Neutral);
    }
}
