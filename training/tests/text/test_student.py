"""Averaging of teachers and the student's mixture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.models.sentiment.student import by_source, student_mixture
from training.models.sentiment.teaching import averaged
from training.text.corpora import NEGATIVE, POSITIVE, Row
from training.text.hold_outs import VALIDATION, Split
from training.text.tokenizer import load_tokenizer
from training.text.training import mean_weights


def test_teachers_are_averaged_as_a_normalised_geometric_mean() -> None:
    one, other = np.array([[0.8, 0.1, 0.1]]), np.array([[0.2, 0.4, 0.4]])
    assert averaged([one, other]) == pytest.approx(np.array([[0.4, 0.2, 0.2]]) / 0.8, abs=1e-4)


def test_weights_are_averaged_with_the_start() -> None:
    start = {"output.bias": torch.tensor([0.0, 4.0])}
    end = {"output.bias": torch.tensor([2.0, 0.0]), "source_output.0.bias": torch.tensor([1.0])}
    found = mean_weights(start, end, 0.25)
    assert {name: tensor.tolist() for name, tensor in found.items()} == {"output.bias": [0.5, 3.0], "source_output.0.bias": [1.0]}


def test_soft_rows_train_the_exported_output_with_the_teachers_labels(model_folder: Path) -> None:
    split = Split({VALIDATION: [], "semeval": [Row("good", POSITIVE)], "emoticon": [Row("bad :(", NEGATIVE), Row("fine", POSITIVE)]})
    labels = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], dtype=np.float32)
    posts = [("semeval", "good"), ("brand_tweets", "i bought a phone")]
    mixture = student_mixture(split, by_source(posts, labels), load_tokenizer(model_folder / "tokenizer.json"), 32, 1)
    assert mixture.sources == ["semeval", "emoticon", "soft_semeval", "soft_brand_tweets"]
    assert mixture.output_of.tolist() == [0, 1, 0, 0]
    assert mixture.soft_labels[3:].tolist() == labels.tolist()
    assert mixture.two_classes.tolist() == [False, True, True, False, False]
    weights = mixture.class_weights(0.5)
    assert weights[2:].tolist() == [[1, 1, 1], [1, 1, 1]]
    drawn = mixture.draw({"soft_brand_tweets": 1.0, "emoticon": 0.5}, np.random.default_rng(0))
    assert sorted(mixture.source[drawn].tolist()) == [1, 3]
