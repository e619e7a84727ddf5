"""Metrics of a classifier from labels and answers. A text without a score counts as wrong.

Macro-averaged recall is the measure of SemEval 2017 task 4A, macro-averaged F1 that of multilingual sets of tweets. The
expected calibration error is that of Guo et al. (ICML 2017), over the texts with a score. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...text.corpora import LABELS
from .program import Answer

BINS = 15


@dataclass(frozen=True)
class Figures:
    """Metrics of one set, in percent; the calibration error is from 0 to 1."""

    rows: int
    macro_recall: float
    macro_f1: float
    accuracy: float
    calibration_error: float
    unscored: int


def figures(labels: list[str], answers: list[Answer]) -> Figures:
    """The metrics of one set, which must not be empty. Averages are over the labels that occur in it."""
    predicted = [answer.label for answer in answers]
    right = [label == said for label, said in zip(labels, predicted, strict=True)]
    recalls, f1s = [], []
    for label in LABELS:
        there, said = labels.count(label), predicted.count(label)
        if there:
            hits = sum(hit for hit, truth in zip(right, labels, strict=True) if truth == label)
            recalls.append(hits / there)
            f1s.append(2 * hits / (there + said))
    return Figures(
        len(labels),
        100 * sum(recalls) / len(recalls),
        100 * sum(f1s) / len(f1s),
        100 * sum(right) / len(right),
        expected_calibration_error(labels, answers),
        predicted.count(None),
    )


def expected_calibration_error(labels: list[str], answers: list[Answer], bins: int = BINS) -> float:
    """Mean distance between confidence and accuracy over equal-width bins of confidence; 0 if no text has a score."""
    inside: dict[int, list[tuple[float, bool]]] = {}
    for label, answer in zip(labels, answers, strict=True):
        if answer.scores is not None:
            confidence = max(answer.scores)
            inside.setdefault(min(int(confidence * bins), bins - 1), []).append((confidence, answer.label == label))
    scored = sum(map(len, inside.values()))
    return sum(
        abs(sum(hit for _, hit in bin_) - sum(confidence for confidence, _ in bin_)) for bin_ in inside.values()
    ) / scored if scored else 0.0
