"""The shipped film-reviews folder: hashes, known answers, padding, what neutral is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from training.text.exported import ExportedModel

FOLDER = Path(__file__).resolve().parents[3] / "models" / "film-reviews"


@pytest.fixture(scope="module")
def model() -> ExportedModel:
    if not (FOLDER / "manifest.json").is_file():
        pytest.skip(f"no model in {FOLDER}: train one with `python -m training.models.film_reviews --data DIR`")
    return ExportedModel(FOLDER)


@pytest.mark.parametrize("role", ["model", "tokenizer"])
def test_files_are_those_that_the_manifest_names(model: ExportedModel, role: str) -> None:
    described = model.manifest["files"][role]
    content = (FOLDER / described["path"]).read_bytes()
    assert len(content) == described["bytes"] <= 8_000_000
    assert hashlib.sha256(content).hexdigest() == described["sha256"]


def test_the_manifest_is_that_of_a_text_model(model: ExportedModel) -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    shipped = json.loads((FOLDER.parent / "sentiment" / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest) == list(shipped)
    for key in ("format", "kind", "labels", "pad_id", "empty_id", "outputs", "language"):
        assert manifest[key] == shipped[key], key
    assert manifest["name"] == "film-reviews"
    assert [tensor["name"] for tensor in manifest["inputs"]] == [tensor.name for tensor in model.session.get_inputs()]


def test_goldens_come_out_again_alone_and_together(model: ExportedModel) -> None:
    goldens = model.manifest["goldens"]
    expected = np.array([golden["probabilities"] for golden in goldens])
    rows = [model.ids(golden["text"]) for golden in goldens]
    assert np.abs(np.concatenate([model.run([row]) for row in rows]) - expected).max() < 1e-3
    assert np.abs(model.run(rows, pad_to=max(map(len, rows)) + 7) - expected).max() < 1e-3


def test_neutral_is_never_and_the_rest_are_probabilities(model: ExportedModel) -> None:
    found = model.probabilities(["Great film!", "", "🤷", "The film starts at eight.", "dull " * 3000])
    assert (found[:, 1] == 0).all() and (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("One of the best films I have seen. Superb acting, a wonderful story.", 2),
        ("A complete waste of time. The plot is stupid and the acting is terrible.", 0),
        ("It is not good. I was bored after ten minutes and it never got better.", 0),
    ],
)
def test_plain_cases_are_right(model: ExportedModel, text: str, label: int) -> None:
    assert model.probabilities([text])[0].argmax() == label


def test_it_reached_its_goal_and_is_better_than_the_talks_network(model: ExportedModel) -> None:
    figures = model.manifest["figures"]
    assert figures["imdb_test"]["accuracy"] >= 92
    assert figures["imdb_test"]["accuracy"] > figures["imdb_test, the talk's network"]["accuracy"]
    for name, one in figures.items():
        counts = np.array(one["confusion"])
        assert counts.sum() == one["rows"], name
        assert 100 * np.trace(counts) / counts.sum() == pytest.approx(one["accuracy"], abs=0.01), name
