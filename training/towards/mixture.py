"""What the model learns from: labels towards a target, labels of whole texts, what it thought before, and drills."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tokenizers import Tokenizer

from training.sentiment.batches import Encoded, concatenate, encode
from training.sentiment.corpus import Row
from training.sentiment.drills import drills
from training.sentiment.mixture import ANCHOR, TWO_CLASSES, Mixture, Stage, smoothed
from training.sentiment.splits import Split

# Labels towards a target, and labels of whole texts: both as the exported output layer shall give them.
TOWARDS = ("targets", "semeval_topic", ANCHOR)
# These draw the border of neutral elsewhere: each trains a correction of its own beside.
OTHERS = ("brand_entity", "goemotions", "reviews", "software_engineering", "sst5", "tse")
DRILLS = "drills"
REMEMBERED = "brand_tweets"  # unlabelled: what the model thought of them before is kept
# How much of a tweet's training label is the model's own former opinion, which a teacher has formed.
FORMER_SHARE = 0.8

STAGE = Stage(
    "towards targets", 2, 6e-4, 5e-5,
    {
        ANCHOR: 1.0, "semeval_topic": 1.0, "targets": 3.0, "brand_entity": 0.7, "tse": 0.7, "goemotions": 0.3,
        "software_engineering": 0.7, "sst5": 0.3, "reviews": 0.3, DRILLS: 1.0, REMEMBERED: 1.0,
    },
    warm_up=0.05,
)
# Then more of what the model thought before: whole tweets had been forgotten by a point of macro-averaged recall.
SETTLING = Stage(
    "settling", 1, 2.5e-4, 2e-5,
    {
        ANCHOR: 1.0, "semeval_topic": 0.5, "targets": 3.0, "brand_entity": 0.4, "tse": 0.4, "goemotions": 0.2,
        "software_engineering": 0.4, "sst5": 0.2, "reviews": 0.2, DRILLS: 0.7, REMEMBERED: 2.0,
    },
    warm_up=0.05,
)


def mixture(
    split: Split, unlabelled: list[str], tokenizer: Tokenizer, former: Callable[[Encoded], np.ndarray], max_tokens: int,
    drill_count: int, seed: int,
) -> Mixture:
    """All rows, encoded with their targets. `former` gives the probabilities that the model gave before."""
    encoded, labels, two_classes, source = [], [], [], []
    sources = [*TOWARDS, *OTHERS, DRILLS, REMEMBERED]

    def add(name: str, part: Encoded, soft: np.ndarray, *, no_neutral: bool = False) -> None:
        encoded.append(part)
        labels.append(soft.astype(np.float32))
        two_classes.append(np.full(len(part), no_neutral))
        source.append(np.full(len(part), sources.index(name), dtype=np.int64))

    for name in (*TOWARDS, *OTHERS):
        rows: list[Row] = split.training[name]
        part = encode(tokenizer, [row.text for row in rows], max_tokens, targets=[row.target for row in rows])
        soft = smoothed(np.array([row.label for row in rows]), name in TWO_CLASSES)
        if name == ANCHOR:
            soft = FORMER_SHARE * former(part) + (1 - FORMER_SHARE) * soft
        add(name, part, soft, no_neutral=name in TWO_CLASSES)
    made = drills(drill_count, seed)
    add(DRILLS, encode(tokenizer, [one.text for one in made], max_tokens, targets=[one.target for one in made]),
        np.array([one.probabilities for one in made]))
    part = encode(tokenizer, unlabelled, max_tokens)
    add(REMEMBERED, part, former(part))
    return Mixture(
        concatenate(encoded), np.concatenate(labels), np.concatenate(two_classes), np.concatenate(source), sources,
        np.array([0] * len(TOWARDS) + list(range(1, len(OTHERS) + 1)) + [0, 0], dtype=np.int64),
        unweighted=frozenset({ANCHOR, DRILLS, REMEMBERED}),
    )
