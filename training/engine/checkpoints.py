"""Checkpoints that a killed run resumes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch


class Stateful(Protocol):
    """A network, an average or an optimizer."""

    def state_dict(self) -> dict[str, Any]:
        """Its state."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Restores a state."""


class Checkpoint:
    """A file with the state of each part and further values, such as the step number."""

    def __init__(self, path: Path, **parts: Stateful) -> None:
        self.path, self.parts = path, parts

    def save(self, **values: Any) -> None:
        """Replaces the file atomically, so that a killed run keeps the previous checkpoint."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".partial")
        torch.save({"parts": {name: part.state_dict() for name, part in self.parts.items()}, "values": values}, partial)
        partial.replace(self.path)

    def load(self) -> dict[str, Any]:
        """Restores the parts and returns the values; an empty dictionary if there is no checkpoint."""
        if not self.path.exists():
            return {}
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        return state["values"]
