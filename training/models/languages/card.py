"""Renders the model card from the manifest and the probes."""

from __future__ import annotations

from pathlib import Path

from ...model_folder import card
from ...text.exported import ExportedModel
from ...text.probes import known_failures
from .corpus import CODES
from .goldens import PROBES

NAMES = {code: name.capitalize() for name, code in CODES.items()}


def write_card(folder: Path, manifest: dict) -> None:
    """Renders the card of a published model; runs the model on the probes."""
    rows = [*((f"held_out_{code}", NAMES[code]) for code in manifest["language"]), ("held_out", "all rows")]
    failures = known_failures(ExportedModel(folder), manifest["labels"], PROBES)
    card.write_card(folder, Path(__file__).with_name("card.md.jinja"), manifest=manifest, names=NAMES, rows=rows, known_failures=failures)
