"""Macro-averaged F1 of each language, and their mean: the measure of multilingual sets of tweets."""

from __future__ import annotations

import numpy as np

from training.sentiment import evaluation

from .corpus import CODES, Text


def macro_f1(counts: np.ndarray) -> float:
    """Of a confusion [classes, classes] (rows: truth), in percent, over the classes that occur."""
    present = counts.sum(axis=1) > 0
    f1 = 2 * np.diag(counts) / np.maximum(counts.sum(axis=0) + counts.sum(axis=1), 1)
    return float(100 * f1[present].mean())


def language_figures(texts: list[Text], predicted: np.ndarray) -> dict[str, float]:
    """Macro-averaged F1 by language, and `mean`, in percent."""
    labels = np.array([text.label for text in texts])
    languages = np.array([text.language for text in texts])
    found = {}
    for code in sorted(CODES.values()):
        inside = languages == code
        if inside.any():
            found[code] = round(macro_f1(evaluation.confusion(labels[inside], predicted[inside])), 1)
    return found | {"mean": round(sum(found.values()) / len(found), 2)}
