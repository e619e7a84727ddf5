"""How the network is trained and how much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """All numbers of a run. Hard negatives are mined when each share of `mine_at` of the steps is over."""

    steps: int = 800
    batch: int = 64
    # The highest learning rate; the first dense layer has a tenth.
    rate: float = 1e-3
    seed: int = 1
    chunk: int = 2000
    mined_a_batch: int = 10
    mine_at: tuple[float, ...] = (0.45, 0.7)
    # Pictures that each mining searches, at one scale each.
    mining_passes: int = 40
    save_every: int = 100
    # Held-out pictures that are searched at all scales for false alarms.
    searched_pictures: int = 24


# Version 1.
FULL = Recipe()
# Every stage in seconds, on small data; the model is useless.
QUICK = Recipe(steps=4, batch=8, chunk=32, mined_a_batch=2, mining_passes=2, save_every=2, searched_pictures=2)
RECIPES = {"full": FULL, "quick": QUICK}
