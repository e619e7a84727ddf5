"""The student: a BiLSTM trained on a teacher's labels of many posts.

Method: Mukherjee and Awadallah, "Distilling BERT into Simple Neural Networks with Unlabeled Transfer
Data" (arXiv 1910.01769): cross-entropy with the teacher's probabilities on in-domain posts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from ...text.batches import concatenate, encode
from ...text.hold_outs import Split
from ...text.mixture import ANCHOR, Mixture, build_mixture

SOFT = "soft_"  # prefix of sources with a teacher's labels

# Corpora that keep their own labels. Each but the anchor trains its own correction of the output layer.
HARD = [ANCHOR, "emoticon", "goemotions", "software_engineering", "sst5", "reviews"]


@dataclass
class Labelled:
    """Texts of the pool and their teacher probabilities float32 [texts, 3]."""

    texts: list[str]
    probabilities: np.ndarray


def by_source(pool: list[tuple[str, str]], probabilities: np.ndarray) -> dict[str, Labelled]:
    """Groups the labelled pool by corpus."""
    names = np.array([name for name, _ in pool])
    return {
        name: Labelled([text for corpus, text in pool if corpus == name], probabilities[names == name])
        for name in dict.fromkeys(names.tolist())
    }


def student_mixture(split: Split, soft: dict[str, Labelled], tokenizer: Tokenizer, max_tokens: int, seed: int) -> Mixture:
    """Hard-labelled and soft-labelled corpora in one mixture.

    Soft rows train the exported output layer, since the teacher labels every corpus by the anchor's
    definition of neutral.
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
