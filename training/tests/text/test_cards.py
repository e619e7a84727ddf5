"""The cards of the shipped text models are those that their manifests and the models themselves give."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

from training.model_folder.manifest import read_manifest

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.mark.parametrize(("folder", "package"), [("sentiment", "sentiment"), ("languages", "languages"), ("film-reviews", "film_reviews")])
def test_the_card_is_current(folder: str, package: str, tmp_path: Path) -> None:
    copy = shutil.copytree(MODELS / folder, tmp_path / folder)
    importlib.import_module(f"training.models.{package}.card").write_card(copy, read_manifest(copy))
    assert (copy / "README.md").read_text() == (MODELS / folder / "README.md").read_text()
