"""The shipped model folder: manifest, hashes, goldens, padding, limits of the graph."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from training.text.exported import ExportedModel

TEXTS = [
    "Best update so far, thank you!",
    "meh",
    "The new licence terms are a slap in the face of every small customer, we are moving away",
    "Session starts at 9, see https://example.org 😀",
]
KEYS = [
    "format", "name", "version", "kind", "files", "inputs", "outputs", "labels", "pad_id", "empty_id", "max_tokens",
    "language", "training", "figures", "size", "licence", "goldens", "notes",
]  # fmt: skip


@pytest.fixture(scope="module")
def manifest(model_folder: Path) -> dict:
    return json.loads((model_folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ExportedModel:
    return ExportedModel(model_folder)


def test_the_manifest_has_exactly_the_agreed_keys(manifest: dict) -> None:
    assert list(manifest) == KEYS
    assert (manifest["format"], manifest["name"], manifest["kind"]) == (1, "sentiment", "text-sentiment")
    assert manifest["labels"] == ["negative", "neutral", "positive"]
    assert isinstance(manifest["version"], str)


@pytest.mark.parametrize("role", ["model", "tokenizer"])
def test_files_are_those_that_the_manifest_names(model_folder: Path, manifest: dict, role: str) -> None:
    described = manifest["files"][role]
    content = (model_folder / described["path"]).read_bytes()
    assert len(content) == described["bytes"] <= 25_000_000
    assert hashlib.sha256(content).hexdigest() == described["sha256"]


def test_the_graph_has_the_agreed_shapes(model_folder: Path) -> None:
    graph_model = onnx.load(model_folder / "model.onnx")

    def shapes(values: list) -> dict:
        return {
            value.name: (
                value.type.tensor_type.elem_type,
                [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim],
            )
            for value in values
        }

    assert shapes(graph_model.graph.input) == {
        "input_ids": (onnx.TensorProto.INT64, ["batch", "tokens"]),
        "lengths": (onnx.TensorProto.INT64, ["batch"]),
        "target_starts": (onnx.TensorProto.INT64, ["batch"]),
        "target_ends": (onnx.TensorProto.INT64, ["batch"]),
    }
    assert shapes(graph_model.graph.output) == {"probabilities": (onnx.TensorProto.FLOAT, ["batch", 3])}
    assert graph_model.ir_version <= 10
    newest = {"": 21, "com.microsoft": 1}
    assert all(opset.version <= newest[opset.domain] for opset in graph_model.opset_import)


def test_goldens_come_out_again(model: ExportedModel, manifest: dict) -> None:
    assert len(manifest["goldens"]) >= 12
    for golden in manifest["goldens"]:
        found = model.run([model.ids(golden["text"])])[0]
        assert found == pytest.approx(golden["probabilities"], abs=1e-3), golden["text"]


def test_goldens_come_out_again_in_one_batch(model: ExportedModel, manifest: dict) -> None:
    found = model.run([model.ids(golden["text"]) for golden in manifest["goldens"]])
    expected = np.array([golden["probabilities"] for golden in manifest["goldens"]])
    assert np.abs(found - expected).max() < 1e-3


def test_padding_and_company_change_nothing(model: ExportedModel) -> None:
    rows = [model.ids(text) for text in TEXTS]
    alone = np.concatenate([model.run([row]) for row in rows])
    together = model.run(rows)
    padded = model.run(rows, pad_to=model.max_tokens)
    assert np.abs(alone - together).max() < 1e-5
    assert np.abs(alone - padded).max() < 1e-5


def test_what_stands_in_the_padding_changes_nothing(model: ExportedModel) -> None:
    row = model.ids(TEXTS[0])
    lengths = np.array([len(row)], dtype=np.int64)
    filled = np.full((1, 60), 17, dtype=np.int64)
    filled[0, : len(row)] = row
    nowhere = np.zeros(1, dtype=np.int64)
    inputs = {"input_ids": filled, "lengths": lengths, "target_starts": nowhere, "target_ends": nowhere}
    found = model.session.run(None, inputs)[0]
    assert np.abs(found - model.run([row])).max() < 1e-5


def test_a_text_may_be_good_for_one_and_bad_for_another(model: ExportedModel) -> None:
    text = "the screen is great but support never answers"
    screen, support = model.probabilities([text, text], targets=["screen", "support"])
    assert (screen.argmax(), support.argmax()) == (2, 0)


def test_rows_are_probabilities(model: ExportedModel) -> None:
    found = model.probabilities([*TEXTS, "", "🤷", "\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "ignore"), "x " * 1000])
    assert found.dtype == np.float32
    assert (found >= 0).all() and found.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_blank_text_has_no_strong_opinion(model: ExportedModel) -> None:
    assert model.probabilities([""])[0].argmax() == 1


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this, best purchase ever!", 2),
        ("this is terrible, I want my money back", 0),
        ("The event takes place on Monday in hall B", 1),
        ("so happy with it 😍😍", 2),
        ("worst support ever 😡", 0),
    ],
)
def test_plain_cases_are_right(model: ExportedModel, text: str, label: int) -> None:
    assert model.probabilities([text])[0].argmax() == label


def test_figures_are_complete_and_agree_with_their_confusion(manifest: dict) -> None:
    from training.text import evaluation

    assert "semeval_val" in manifest["figures"] and len(manifest["figures"]) >= 3
    for name, figures in manifest["figures"].items():
        counts = np.array(figures["confusion"])
        assert counts.sum() == figures["rows"], name
        labels, predicted = np.repeat(np.arange(3), counts.sum(axis=1)), np.concatenate([np.repeat(np.arange(3), row) for row in counts])
        assert evaluation.macro_recall(labels, predicted) == pytest.approx(figures["macro_recall"], abs=0.01), name
        assert 100 * np.mean(labels == predicted) == pytest.approx(figures["accuracy"], abs=0.01), name


def test_the_model_is_good_enough_to_ship(manifest: dict) -> None:
    figures = manifest["figures"]["semeval_val"]
    assert figures["macro_recall"] >= 69
    assert figures["expected_calibration_error"] <= 0.03


def test_the_file_names_the_labels_that_the_manifest_says(model_folder: Path, manifest: dict) -> None:
    network = onnx.load(model_folder / "model.onnx")
    properties = {entry.key: entry.value for entry in network.metadata_props}
    assert properties["labels"] == ",".join(manifest["labels"])
