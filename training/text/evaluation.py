"""Metrics of a classifier: macro-averaged recall, accuracy, confusion, calibration; and temperature scaling.

Macro-averaged recall is the measure of SemEval 2017 task 4A; the expected calibration error and
temperature scaling are those of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score


def softmax(logits: np.ndarray, temperature: float | np.ndarray = 1.0) -> np.ndarray:
    """Probabilities [rows, classes] of logits [rows, classes]."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def macro_recall(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Mean recall over the classes that occur, in percent."""
    return float(100 * recall_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0))


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over equal-width bins of confidence, 0 to 1."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = bin_of == index
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return float(error)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature, from 0.5 to 4 in steps of 0.01, with the least cross-entropy."""
    grid = np.arange(0.5, 4.0, 0.01)
    rows = np.arange(len(labels))
    losses = [-np.log(softmax(logits, t)[rows, labels] + 1e-12).mean() for t in grid]
    return float(round(grid[int(np.argmin(losses))], 2))


def figures(labels: np.ndarray, probabilities: np.ndarray) -> dict:
    """The metrics of one set, as in the manifest."""
    predicted = probabilities.argmax(axis=1)
    counts = confusion_matrix(labels, predicted, labels=range(probabilities.shape[1]))
    return {
        "rows": len(labels),
        "macro_recall": round(macro_recall(labels, predicted), 2),
        "accuracy": round(100 * accuracy_score(labels, predicted), 2),
        "expected_calibration_error": round(expected_calibration_error(labels, probabilities), 4),
        "confusion": counts.tolist(),
    }
