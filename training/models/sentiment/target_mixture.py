"""The training mixture of the last stages: labels towards a target, labels of whole texts, teachers' labels, and generated sentences."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer

from ...text.batches import Encoded, concatenate, encode
from ...text.corpora import Row
from ...text.hold_outs import Split
from ...text.mixture import TWO_CLASSES, Mixture, Phase, smoothed
from .pool import POOL_LABELLED
from .student import Labelled
from .templates.sentences import generate

# Labels towards a target; these corpora train the exported output layer.
TOWARDS = ("targets", "semeval_topic")
# These define neutral differently, so each trains its own correction of the output layer.
OTHERS = ("brand_entity", "goemotions", "reviews", "software_engineering", "sst5", "tse")
TEMPLATES = "templates"
TEACHERS = "teachers"  # whole posts with the teachers' probabilities

# For the model card: the origin of texts and labels that are not from a corpus.
FILES = {TEMPLATES: "generated (training/models/sentiment/templates)", TEACHERS: f"brand_tweets.txt.xz and texts of {', '.join(POOL_LABELLED)}"}
LABELS_BY = {TEMPLATES: "given with them", TEACHERS: "the teachers'"}


def target_mixture(split: Split, taught: Labelled, tokenizer: Tokenizer, max_tokens: int, templates: int, seed: int) -> Mixture:
    """Builds the mixture; all rows are encoded with their targets."""
    encoded, labels, two_classes, source = [], [], [], []
    sources = [*TOWARDS, *OTHERS, TEMPLATES, TEACHERS]

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
    generated = generate(templates, seed)
    add(TEMPLATES, encode(tokenizer, [one.text for one in generated], max_tokens, targets=[one.target for one in generated]),
        np.array([one.probabilities for one in generated]))
    add(TEACHERS, encode(tokenizer, taught.texts, max_tokens), taught.probabilities)
    return Mixture(
        concatenate(encoded), np.concatenate(labels), np.concatenate(two_classes), np.concatenate(source), sources,
        np.array([0] * len(TOWARDS) + list(range(1, len(OTHERS) + 1)) + [0, 0], dtype=np.int64),
        unweighted=frozenset({TEMPLATES, TEACHERS}),
    )


def rows_used(mixture: Mixture, phases: tuple[Phase, ...]) -> list[dict]:
    """The manifest's entries on the data: file, rows, share drawn per epoch, origin of the labels."""
    shares = {name: share for phase in phases for name, share in phase.shares.items()}
    return [
        {
            "file": FILES.get(name, f"{name}.tsv.xz"), "rows": int((mixture.source == index).sum()), "share": shares[name],
            "labels": LABELS_BY.get(name, "the corpus's"),
        }
        for index, name in enumerate(mixture.sources) if name in shares
    ]
