"""Where the tests find the model folder and what is skipped, with its reason, when something lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

MODEL_FOLDER = Path(__file__).resolve().parents[2] / "models" / "sentiment"


@pytest.fixture(scope="session")
def model_folder() -> Path:
    if not (MODEL_FOLDER / "manifest.json").is_file():
        pytest.skip(f"no model in {MODEL_FOLDER}: train one with `python -m training.models.sentiment --data DIR`")
    return MODEL_FOLDER
