"""The shipped folder of the talk's network: manifest, hashes, goldens, and dense scores against those of windows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from training.models.logo_windows.architecture import LABELS, map_size
from training.models.logo_windows.exported import ExportedWindows
from training.pictures.crops.window import HEIGHT, STRIDE, WIDTH

FOLDER = Path(__file__).resolve().parents[3] / "models" / "logo-windows"
KEYS = [
    "format", "name", "version", "kind", "files", "inputs", "outputs", "labels", "window", "scales", "thresholds", "training",
    "figures", "size", "licence", "goldens", "notes",
]  # fmt: skip


@pytest.fixture(scope="module")
def manifest() -> dict:
    if not (FOLDER / "manifest.json").is_file():
        pytest.skip(f"no model in {FOLDER}: train one with `python -m training.models.logo_windows --data DIR`")
    return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model(manifest: dict) -> ExportedWindows:
    return ExportedWindows(FOLDER / "model.onnx")


def test_the_manifest_has_exactly_the_agreed_keys(manifest: dict) -> None:
    assert list(manifest) == KEYS
    assert (manifest["format"], manifest["name"], manifest["kind"]) == (1, "logo-windows", "logo-windows")
    assert manifest["labels"] == list(LABELS)
    assert 0 < manifest["thresholds"]["vmware"] < 1
    window = manifest["window"]
    assert (window["width"], window["height"], window["stride"]) == (WIDTH, HEIGHT, STRIDE)
    assert window["core"] == {"x": 13, "y": 14, "width": 75, "height": 22}


def test_files_are_those_that_the_manifest_names(manifest: dict) -> None:
    described = manifest["files"]["model"]
    content = (FOLDER / described["path"]).read_bytes()
    assert len(content) == described["bytes"] <= 25_000_000
    assert hashlib.sha256(content).hexdigest() == described["sha256"]
    for golden in manifest["goldens"]:
        assert hashlib.sha256((FOLDER / golden["picture"]).read_bytes()).hexdigest() == golden["sha256"]


def test_the_graph_has_the_agreed_shapes_and_names_its_labels(manifest: dict) -> None:
    graph_model = onnx.load(FOLDER / "model.onnx")

    def shapes(values: list) -> list:
        return [
            (value.name, value.type.tensor_type.elem_type, [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim])
            for value in values
        ]

    assert shapes(graph_model.graph.input) == [("pixels", onnx.TensorProto.UINT8, ["batch", "height", "width", 3])]
    assert shapes(graph_model.graph.output) == [("probabilities", onnx.TensorProto.FLOAT, ["batch", "rows", "columns"])]
    assert {entry.key: entry.value for entry in graph_model.metadata_props}["labels"] == ",".join(manifest["labels"])


def test_all_the_talks_layers_are_in_the_graph(manifest: dict) -> None:
    operators = [node.op_type for node in onnx.load(FOLDER / "model.onnx").graph.node]
    assert (operators.count("Conv"), operators.count("MaxPool"), operators.count("Relu")) == (11, 2, 10)
    assert manifest["size"]["parameters"] == 25_612_354


def test_goldens_come_out_again(manifest: dict, model: ExportedWindows) -> None:
    assert len(manifest["goldens"]) >= 8
    for golden in manifest["goldens"]:
        pixels = np.asarray(Image.open(FOLDER / golden["picture"]).convert("RGB"))
        assert pixels.shape == (golden["height"], golden["width"], 3)
        assert np.abs(model.score_map(pixels) - np.array(golden["probabilities"])).max() < 1e-3, golden["picture"]


def test_goldens_with_a_logo_are_found_and_those_without_are_not(manifest: dict) -> None:
    best = {Path(golden["picture"]).stem: np.max(golden["probabilities"]) for golden in manifest["goldens"]}
    for name in ("white-on-blue", "grey-on-white", "screen"):
        assert best[name] > 0.5, name
    for name in ("plain-type", "another-word", "nothing"):
        assert best[name] < 0.5, name


@pytest.mark.parametrize(("width", "height"), [(131, 71), (103, 53)])
def test_dense_scores_equal_those_of_each_window_alone(manifest: dict, model: ExportedWindows, width: int, height: int) -> None:
    screen = np.asarray(Image.open(FOLDER / "goldens" / "screen.png").convert("RGB"))
    picture = np.ascontiguousarray(screen[20 : 20 + height, 30 : 30 + width])
    dense = model.score_map(picture)
    rows, columns = map_size(width, height)
    assert dense.shape == (rows, columns)
    windows = [
        picture[row * STRIDE : row * STRIDE + HEIGHT, column * STRIDE : column * STRIDE + WIDTH]
        for row in range(rows)
        for column in range(columns)
    ]
    alone = model.window_scores(np.stack(windows)).reshape(rows, columns)
    assert np.abs(dense - alone).max() < 1e-4


def test_a_batch_gives_what_each_of_its_pictures_gives(manifest: dict, model: ExportedWindows) -> None:
    pictures = np.random.default_rng(2).integers(0, 256, (3, HEIGHT + 4, WIDTH + 8, 3), dtype=np.uint8)
    together = model.run(pictures)
    assert together.shape == (3, 2, 3)
    for picture, found in zip(pictures, together, strict=True):
        assert np.abs(model.score_map(picture) - found).max() < 1e-5


def test_figures_are_those_of_their_confusion_and_better_than_the_talks(manifest: dict) -> None:
    for name in ("exact", "jittered"):
        for found in manifest["figures"]["crops"][name]["at"].values():
            (hit, missed), (false, right) = found["confusion"]
            assert found["logo_recall"] == pytest.approx(hit / (hit + missed), abs=1e-4)
            assert found["logo_precision"] == pytest.approx(hit / (hit + false), abs=1e-4)
            assert found["macro_recall"] == pytest.approx((hit / (hit + missed) + right / (right + false)) / 2, abs=1e-4)
        at_half = manifest["figures"]["crops"][name]["at"]["0.5"]
        assert at_half["macro_precision"] >= 0.9661 and at_half["macro_recall"] >= 0.8829 and at_half["logo_recall"] > 0.769
