"""The student: the BiLSTM that ships, trained on what the teachers think of many posts.

Method: Mukherjee and Awadallah, "Distilling BERT into Simple Neural Networks with Unlabeled Transfer
Data" (arXiv 1910.01769): cross-entropy with the teachers' probabilities on in-domain posts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from training.sentiment.batches import concatenate, encode
from training.sentiment.mixture import ANCHOR, Mixture, Stage, build_mixture
from training.sentiment.recipe import PRE_TRAINING
from training.sentiment.splits import Split

SOFT = "soft_"  # prefix of a source whose labels are the teachers'

POOL_EVERY = 10  # each n-th unlabelled post joins the pool
# Corpora far from the anchor keep their own labels, each with its own correction of the output layer.
HARD = [ANCHOR, "emoticon", "goemotions", "software_engineering", "sst5", "reviews"]
EMOTICON_SHARE = 0.1  # keeps the emoji that no pool text has

PRE_TRAINING_STAGE = Stage("pre-training", 1, 1e-3, 1e-3, PRE_TRAINING)
SOFT_LABELS = Stage(
    "soft labels",
    3,
    1e-3,
    1e-4,
    {
        "soft_brand_tweets": 1.0,
        "soft_semeval": 1.0,
        "soft_semeval_topic": 1.0,
        "soft_tse": 1.0,
        "soft_brand_entity": 1.0,
        "goemotions": 0.3,
        "software_engineering": 0.5,
        "sst5": 0.3,
        "reviews": 0.3,
        "emoticon": EMOTICON_SHARE,
    },
)


@dataclass
class Labelled:
    """A source of the pool: its texts and the teachers' probabilities float32 [texts, 3]."""

    texts: list[str]
    probabilities: np.ndarray


def by_source(pool: list[tuple[str, str]], probabilities: np.ndarray) -> dict[str, Labelled]:
    """Sorts the labelled pool by corpus."""
    names = np.array([name for name, _ in pool])
    return {
        name: Labelled([text for corpus, text in pool if corpus == name], probabilities[names == name])
        for name in dict.fromkeys(names.tolist())
    }


def student_mixture(split: Split, soft: dict[str, Labelled], tokenizer: Tokenizer, max_tokens: int, seed: int) -> Mixture:
    """Hard-labelled corpora and soft-labelled ones in one mixture.

    Soft rows train the exported output layer: the teachers have already translated every corpus
    into the anchor's idea of neutral.
    """
    hard = build_mixture({name: split.training[name] for name in HARD if name in split.training}, tokenizer, max_tokens, seed)
    encoded, labels, source = [hard.encoded], [hard.soft_labels], [hard.source]
    sources, output_of = list(hard.sources), list(hard.output_of)
    for name, part in soft.items():
        encoded.append(encode(tokenizer, part.texts, max_tokens))
        labels.append(part.probabilities)
        source.append(np.full(len(part.texts), len(sources), dtype=np.int64))
        sources.append(SOFT + name)
        output_of.append(0)
    all_labels = np.concatenate(labels)
    two_classes = np.zeros(len(all_labels), dtype=bool)
    two_classes[: len(hard.two_classes)] = hard.two_classes
    return Mixture(
        concatenate(encoded),
        all_labels,
        two_classes,
        np.concatenate(source),
        sources,
        np.array(output_of, dtype=np.int64),
        unweighted=frozenset(SOFT + name for name in soft),
    )
