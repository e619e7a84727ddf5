"""The quick recipe of every text model: all stages from nothing to the model folder, on texts that the tests write."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from training.model_folder.manifest import described, read_manifest
from training.text.exported import ExportedModel

from .data import write_text_data

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text_data(tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="module")
def make(data: Path) -> Callable[[str, Path], dict]:
    def run(model: str, folder: Path) -> dict:
        module = importlib.import_module(f"training.models.{model}.__main__")
        words = ["--data", str(data), "--out", str(folder / "out"), "--work", str(folder / "work"), "--quick"]
        words += ["--sentiment", str(ROOT / "models" / "sentiment")] * (model == "film_reviews")
        arguments: argparse.Namespace = module.parse_arguments(words)
        return module.make(arguments)

    return run


@pytest.mark.parametrize("model", ["sentiment", "languages", "film_reviews"])
def test_every_stage_runs_and_the_folder_is_one_that_loads(model: str, make: Callable[[str, Path], dict], tmp_path: Path) -> None:
    manifest = make(model, tmp_path)
    folder = tmp_path / "out"
    assert read_manifest(folder) == manifest
    for file in manifest["files"].values():
        assert described(folder / file["path"], folder) == file
    exported = ExportedModel(folder)
    for golden in manifest["goldens"]:
        assert exported.probabilities([golden["text"]])[0].tolist() == pytest.approx(golden["probabilities"], abs=1e-5)
    card = (folder / "README.md").read_text()
    assert manifest["training"]["command"] in card and "{{" not in card
    # A second run finds every stage finished.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("finished.json")}
    assert len(before) >= 5
    assert make(model, tmp_path)["files"] == manifest["files"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
