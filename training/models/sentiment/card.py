"""Renders the model card from the manifest, the capability tests and the probes."""

from __future__ import annotations

from pathlib import Path

from ...measure.capabilities import report
from ...measure.capabilities.cases import run
from ...measure.capabilities.onnx_model import OnnxModel
from ...measure.capabilities.suite import all_tests
from ...model_folder import card
from ...text.exported import ExportedModel
from ...text.probes import PROBES, known_failures


def write_card(folder: Path, manifest: dict) -> None:
    """Renders the card of a published model; runs the model on the tests and probes."""
    card.write_card(
        folder, Path(__file__).with_name("card.md.jinja"), manifest=manifest,
        capabilities=report.table(run(all_tests(), OnnxModel(folder))),
        known_failures=known_failures(ExportedModel(folder), manifest["labels"], PROBES),
    )
