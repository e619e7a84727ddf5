"""What the model learns from: labels towards a target, labels of whole texts, what teachers think of many posts, and drills."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer

from training.distillation.student import Labelled
from training.drills.made import drills
from training.sentiment.batches import Encoded, concatenate, encode
from training.sentiment.corpus import Row
from training.sentiment.mixture import TWO_CLASSES, Mixture, Stage, smoothed
from training.sentiment.splits import Split

# Labels towards a target, as the exported output layer shall give them.
TOWARDS = ("targets", "semeval_topic")
# These draw the border of neutral elsewhere: each trains a correction of its own beside.
OTHERS = ("brand_entity", "goemotions", "reviews", "software_engineering", "sst5", "tse")
DRILLS = "drills"
TAUGHT = "taught"  # whole posts with the teachers' probabilities

STAGE = Stage(
    "towards targets", 3, 8e-4, 2e-5,
    {
        TAUGHT: 1.0, "semeval_topic": 1.0, "targets": 3.0, "brand_entity": 0.5, "tse": 0.5, "goemotions": 0.3,
        "software_engineering": 0.7, "sst5": 0.3, "reviews": 0.3, DRILLS: 1.0,
    },
    warm_up=0.05,
)


def mixture(split: Split, taught: Labelled, tokenizer: Tokenizer, max_tokens: int, drill_count: int, seed: int) -> Mixture:
    """All rows, encoded with their targets."""
    encoded, labels, two_classes, source = [], [], [], []
    sources = [*TOWARDS, *OTHERS, DRILLS, TAUGHT]

    def add(name: str, part: Encoded, soft: np.ndarray, *, no_neutral: bool = False) -> None:
        encoded.append(part)
        labels.append(soft.astype(np.float32))
        two_classes.append(np.full(len(part), no_neutral))
        source.append(np.full(len(part), sources.index(name), dtype=np.int64))

    for name in (*TOWARDS, *OTHERS):
        rows: list[Row] = split.training[name]
        part = encode(tokenizer, [row.text for row in rows], max_tokens, targets=[row.target for row in rows])
        soft = smoothed(np.array([row.label for row in rows]), name in TWO_CLASSES)
        add(name, part, soft, no_neutral=name in TWO_CLASSES)
    made = drills(drill_count, seed)
    add(DRILLS, encode(tokenizer, [one.text for one in made], max_tokens, targets=[one.target for one in made]),
        np.array([one.probabilities for one in made]))
    add(TAUGHT, encode(tokenizer, taught.texts, max_tokens), taught.probabilities)
    return Mixture(
        concatenate(encoded), np.concatenate(labels), np.concatenate(two_classes), np.concatenate(source), sources,
        np.array([0] * len(TOWARDS) + list(range(1, len(OTHERS) + 1)) + [0, 0], dtype=np.int64),
        unweighted=frozenset({DRILLS, TAUGHT}),
    )
