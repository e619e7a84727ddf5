"""Macro-averaged F1 of each language, and their mean, as is usual for multilingual sets of tweets."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import f1_score

from .corpus import CODES, Text


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Macro-averaged F1 in percent, over the classes that occur."""
    return float(100 * f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0))


def language_figures(texts: list[Text], predicted: np.ndarray) -> dict[str, float]:
    """Macro-averaged F1 by language, and `mean`, in percent."""
    labels = np.array([text.label for text in texts])
    languages = np.array([text.language for text in texts])
    found = {}
    for code in sorted(CODES.values()):
        inside = languages == code
        if inside.any():
            found[code] = round(macro_f1(labels[inside], predicted[inside]), 1)
    return found | {"mean": round(sum(found.values()) / len(found), 2)}
