"""Figures and temperature against values worked out by hand. Needs numpy."""

from __future__ import annotations

import numpy as np
import pytest

from training.text import evaluation


def test_macro_recall_and_accuracy_of_a_small_confusion() -> None:
    labels, predicted = np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 2, 1, 0, 2])
    found = evaluation.figures(labels, np.eye(3)[predicted])
    assert found["confusion"] == [[2, 1, 1], [1, 1, 0], [0, 0, 1]]
    assert found["macro_recall"] == pytest.approx(100 * (0.5 + 0.5 + 1) / 3, abs=0.01)
    assert found["accuracy"] == pytest.approx(100 * 4 / 7, abs=0.01)


def test_a_class_that_does_not_occur_does_not_count() -> None:
    assert evaluation.macro_recall(np.array([0, 2]), np.array([0, 1])) == pytest.approx(50)


def test_calibration_error_is_the_distance_of_confidence_from_accuracy() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1]] * 10)
    labels = np.array([0] * 6 + [1] * 4)
    assert evaluation.expected_calibration_error(labels, probabilities) == pytest.approx(0.2)
    assert evaluation.expected_calibration_error(np.array([0] * 8 + [1] * 2), probabilities) == pytest.approx(0)


def test_the_temperature_that_was_put_in_is_found() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, (40_000, 3))
    chances = evaluation.softmax(logits)
    labels = np.array([generator.choice(3, p=row) for row in chances])
    assert evaluation.fit_temperature(2 * logits, labels) == pytest.approx(2, abs=0.06)


def test_softmax_of_large_logits_is_finite() -> None:
    assert evaluation.softmax(np.array([[1e4, 0, -1e4]])).tolist() == [[1, 0, 0]]
