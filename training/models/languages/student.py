"""The student: the shipped BiLSTM, trained from the teacher's vectors and its probabilities of many texts.

Method: Mukherjee and Awadallah, "Distilling BERT into Simple Neural Networks with Unlabeled Transfer Data" (arXiv 1910.01769).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from ...text.batches import concatenate, encode
from ...text.evaluation import softmax
from ...text.mixture import Mixture
from ...text.network import Dropout
from .tokenizer import shaken_tokenizer

MAX_TOKENS = 96
LABEL_SMOOTHING = 0.1
# Weight of a training text's own label; the rest is the teacher's probabilities.
OWN_SHARE = 0.4
# Standard deviation of the noise on the pieces' log frequencies when generated texts are tokenized.
SHAKING = 1.5
DROPOUT = Dropout(word=0.1, embedding=0.3, between_layers=0.3, features=0.4)
GOLD, GENERATED, POOL, ENGLISH = "languages", "generated from languages", "unlabelled posts", "semeval"
TEMPLATES = "sentences from templates"
LABELS = {GOLD: "the corpus's and the teachers'", GENERATED: "the teachers'", POOL: "the teachers'", ENGLISH: "the teachers'", TEMPLATES: "the templates'"}


@dataclass(frozen=True)
class Source:
    """Texts with soft labels, float32 [texts, 3]."""

    name: str
    texts: list[str]
    probabilities: np.ndarray


def opinion(logits: list[np.ndarray]) -> np.ndarray:
    """The mean of several teachers' probabilities, float32 [texts, 3], from their logits."""
    return np.mean([softmax(one) for one in logits], axis=0).astype(np.float32)


def with_own(labels: list[int], opinion: np.ndarray) -> np.ndarray:
    """The weighted mean of the teacher's probabilities and the texts' labels, with label smoothing (Szegedy et al., 2016)."""
    own = np.eye(3, dtype=np.float32)[np.array(labels)] * (1 - LABEL_SMOOTHING) + np.float32(LABEL_SMOOTHING / 3)
    return OWN_SHARE * own + (1 - OWN_SHARE) * opinion


def mixture(sources: list[Source], tokenizer: Tokenizer, seed: int) -> Mixture:
    """All sources, encoded; all train the one output layer. Generated texts are tokenized with subword regularization."""
    shaken = shaken_tokenizer(tokenizer, SHAKING, seed)
    joined = concatenate(
        [encode(shaken if source.name == GENERATED else tokenizer, source.texts, MAX_TOKENS) for source in sources]
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
