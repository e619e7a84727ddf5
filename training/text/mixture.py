"""The training mixture: the corpora of each phase, their shares, and their labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from tokenizers import Tokenizer

from .batches import Encoded, concatenate, encode
from .corpora import NEUTRAL, POSITIVE, Row
from .emoji import NEGATIVE_EMOJI, POSITIVE_EMOJI
from .tokenizer import is_emoticon

ANCHOR = "semeval"
# Corpora without a neutral class. The loss leaves neutral out for their rows, since they don't show
# where neutral begins.
TWO_CLASSES = frozenset({"emoticon", "reviews", "counterfactual_reviews", "imdb_train"})
EMOJI_SHARE = 0.15
LABEL_SMOOTHING = 0.05


@dataclass(frozen=True)
class Phase:
    """One phase of training. `shares`: the share of each corpus that an epoch draws."""

    name: str
    epochs: int
    learning_rate: float
    final_learning_rate: float
    shares: dict[str, float] = field(default_factory=dict)
    batch_size: int = 64
    warm_up: float = 0.0  # share of the phase with a learning rate rising from zero
    class_weight_power: float = 0.5

    def rate(self, progress: float) -> float:
        """Learning rate at `progress` of the phase, 0 to 1: linear warm-up, then linear decay."""
        if progress < self.warm_up:
            return self.learning_rate * progress / self.warm_up
        down = (progress - self.warm_up) / (1 - self.warm_up)
        return self.learning_rate + (self.final_learning_rate - self.learning_rate) * down


@dataclass
class Mixture:
    """All training texts of all corpora, encoded; one entry per text."""

    encoded: Encoded
    soft_labels: np.ndarray  # float32 [texts, 3]
    two_classes: np.ndarray  # bool [texts]
    source: np.ndarray  # int64 [texts], index into `sources`
    sources: list[str]
    output_of: np.ndarray  # int64 [sources], the output layer that each source trains; 0 is the exported one
    unweighted: frozenset[str] = frozenset()  # sources without class weights

    def draw(self, shares: dict[str, float], generator: np.random.Generator) -> np.ndarray:
        """Row numbers of one epoch: a random share of each corpus's rows, without repetition up to a
        share of 1 (a share of 2 draws every row twice)."""
        chosen = []
        for name, share in shares.items():
            rows = np.flatnonzero(self.source == self.sources.index(name))
            while share > 0:
                chosen.append(generator.permutation(rows)[: round(min(share, 1.0) * len(rows))])
                share -= 1.0
        return np.concatenate(chosen)

    def class_weights(self, power: float) -> np.ndarray:
        """Class weights float32 [sources, 3], proportional to the source's class counts to the power of -`power`."""
        weights = np.ones((len(self.sources), 3), dtype=np.float32)
        for index, name in enumerate(self.sources):
            if name in self.unweighted:
                continue
            counts = self.soft_labels[self.source == index].sum(axis=0)
            present = counts > 0
            raw = np.zeros(3)
            raw[present] = counts[present] ** -power
            # Keeps the mean weight of a row at 1, so that class weights don't change a corpus's influence.
            weights[index] = raw / ((raw * counts).sum() / counts.sum())
        return weights


def emoticon_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """Ids of the emoticon tokens."""
    return frozenset(i for token, i in tokenizer.get_vocab(with_added_tokens=True).items() if is_emoticon(token))


def with_emoji(texts: list[str], labels: np.ndarray, generator: np.random.Generator) -> list[str]:
    """Appends an emoji of the label's sentiment to a share of two-class texts (see emoji.py)."""
    chosen = generator.random(len(texts)) < EMOJI_SHARE
    result = list(texts)
    for index in np.flatnonzero(chosen):
        emoji = POSITIVE_EMOJI if labels[index] == POSITIVE else NEGATIVE_EMOJI
        result[index] = f"{texts[index]} {emoji[generator.integers(len(emoji))]}"
    return result


def smoothed(labels: np.ndarray, two_classes: bool) -> np.ndarray:
    """Labels [rows] as probabilities float32 [rows, 3] with label smoothing (Szegedy et al., 2016)."""
    spread = np.full(3, LABEL_SMOOTHING / (2 if two_classes else 3), dtype=np.float32)
    if two_classes:
        spread[NEUTRAL] = 0.0
    return np.eye(3, dtype=np.float32)[labels] * (1 - LABEL_SMOOTHING) + spread


def build_mixture(training: dict[str, list[Row]], tokenizer: Tokenizer, max_tokens: int, seed: int) -> Mixture:
    """Encodes the training rows of all corpora; the anchor becomes source 0.

    The corpus labelled by emoticons loses them, since they would leak the label.
    """
    sources = [ANCHOR] + sorted(name for name in training if name != ANCHOR)
    faces = emoticon_ids(tokenizer)
    generator = np.random.default_rng(seed)
    encoded, labels, two_classes, source = [], [], [], []
    for index, name in enumerate(sources):
        rows = training[name]
        hard = np.array([row.label for row in rows], dtype=np.int64)
        texts = [row.text for row in rows]
        if name == "emoticon":
            texts = with_emoji(texts, hard, generator)
        encoded.append(encode(tokenizer, texts, max_tokens, faces if name == "emoticon" else frozenset()))
        labels.append(smoothed(hard, name in TWO_CLASSES))
        two_classes.append(np.full(len(rows), name in TWO_CLASSES))
        source.append(np.full(len(rows), index, dtype=np.int64))
    return Mixture(
        concatenate(encoded),
        np.concatenate(labels),
        np.concatenate(two_classes),
        np.concatenate(source),
        sources,
        np.arange(len(sources)),
    )
