"""The student: the BiLSTM that ships, from the teachers' vectors and their opinions on many texts.

Method: Mukherjee and Awadallah, "Distilling BERT into Simple Neural Networks with Unlabeled Transfer Data" (arXiv 1910.01769).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from training.sentiment.batches import concatenate, encode
from training.sentiment.evaluation import softmax
from training.sentiment.mixture import Mixture, Stage
from training.sentiment.network import Dropout

from .tokenizer import shaken_tokenizer

MAX_TOKENS = 96
LABEL_SMOOTHING = 0.1
# How much of a training text's label is its own; the rest is the teachers' opinion.
OWN_SHARE = 0.4
# Standard deviation of what is added to the logarithms of the pieces' frequencies for made-up texts.
SHAKING = 1.5
DROPOUT = Dropout(word=0.1, embedding=0.3, between_layers=0.3, features=0.4)
GOLD, MADE_UP, POOL, ENGLISH = "languages", "made up of languages", "unlabelled posts", "semeval"
LABELS = {GOLD: "the corpus's and the teachers'", MADE_UP: "the teachers'", POOL: "the teachers'", ENGLISH: "the teachers'"}
STAGES = (
    Stage("teachers' labels", 6, 1e-3, 1e-4, {GOLD: 1.0, MADE_UP: 0.4, POOL: 0.5, ENGLISH: 0.15}, warm_up=0.03),
    Stage("own labels", 2, 2e-4, 2e-5, {GOLD: 1.0, MADE_UP: 0.2, POOL: 0.2}),
)


@dataclass(frozen=True)
class Source:
    """Texts with probabilities of the labels, float32 [texts, 3]."""

    name: str
    texts: list[str]
    probabilities: np.ndarray


def opinions(logits: list[np.ndarray]) -> np.ndarray:
    """One opinion float32 [texts, 3] of several teachers: the mean of their probabilities."""
    return np.mean([softmax(one) for one in logits], axis=0).astype(np.float32)


def with_own(labels: list[int], opinion: np.ndarray) -> np.ndarray:
    """The teachers' opinion and the texts' own labels, which are softened a little (Szegedy et al., 2016)."""
    own = np.eye(3, dtype=np.float32)[np.array(labels)] * (1 - LABEL_SMOOTHING) + np.float32(LABEL_SMOOTHING / 3)
    return OWN_SHARE * own + (1 - OWN_SHARE) * opinion


def mixture(sources: list[Source], tokenizer: Tokenizer, seed: int) -> Mixture:
    """All sources, encoded. All of them teach the one output layer. Made-up texts are cut into pieces in unlikelier ways."""
    shaken = shaken_tokenizer(tokenizer, SHAKING, seed)
    joined = concatenate(
        [encode(shaken if source.name == MADE_UP else tokenizer, source.texts, MAX_TOKENS) for source in sources]
    )
    return Mixture(
        joined,
        np.concatenate([source.probabilities for source in sources]).astype(np.float32),
        np.zeros(len(joined), dtype=bool),
        np.repeat(np.arange(len(sources)), [len(source.texts) for source in sources]),
        [source.name for source in sources],
        np.zeros(len(sources), dtype=np.int64),
        unweighted=frozenset(source.name for source in sources),
    )
