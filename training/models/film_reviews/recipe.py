"""All hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .training import Plan


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a run."""

    vocabulary: int = 16_000
    dimensions: int = 300
    hidden: int = 128
    attention: int = 64
    penalty: float = 1.0  # L2 penalty of the linear model
    plan: Plan = field(default_factory=Plan)
    talk_epochs: int = 2
    seed: int = 1


FULL = Recipe()
# Runs every stage in seconds, on small data; the model is useless.
QUICK = replace(FULL, vocabulary=400, dimensions=216, hidden=8, attention=8, plan=Plan(epochs=2, plain_epochs=1, longest=48), talk_epochs=1)
RECIPES = {"full": FULL, "quick": QUICK}
