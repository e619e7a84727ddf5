"""Runs a model folder with ONNX Runtime, with targets if the model takes them."""

from __future__ import annotations

from pathlib import Path

from ...text.exported import ExportedModel
from .cases import Scores


class OnnxModel:
    """Scores texts as `overheard score` does. A model without inputs for the target judges the whole text."""

    def __init__(self, folder: Path):
        self.exported = ExportedModel(folder)
        self.name = f"{self.exported.manifest['name']}@{self.exported.manifest['version']}"
        self.takes_target = self.exported.takes_targets

    def __call__(self, asked: list[tuple[str, str | None]]) -> list[Scores]:
        found = self.exported.probabilities([text for text, _ in asked], targets=[target for _, target in asked])
        return [tuple(map(float, probabilities)) for probabilities in found]
