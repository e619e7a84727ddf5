"""How the detector is trained: phases from ImageNet weights on, and how much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """One training with a schedule of its own; it starts from the averaged weights of the phase before."""

    name: str
    steps: int
    seed: int
    # The highest learning rate of the new layers.
    rate: float = 2e-3
    # That of the backbone, as a share of each tensor's size.
    backbone_rate: float = 3e-3


@dataclass(frozen=True)
class Recipe:
    """All numbers of a run."""

    phases: tuple[Phase, ...]
    # Sides of the samples, and how many make a batch: about the same number of pixels in each.
    batch_shapes: tuple[tuple[int, int], ...] = ((256, 14), (320, 9), (384, 6))
    weight_decay: float = 0.02
    warm_up: int = 150
    average_decay: float = 0.999
    checkpoint_every: int = 250
    calibration_samples: int = 64
    # Evaluation uses each so many-th validation picture.
    evaluate_every: int = 1
    # Scenes for the recall of brands that are learned from artwork, and pictures for each condition of robustness.
    evaluation_scenes: int = 150
    pictures_a_condition: int = 12


# The phases of versions 1, 2 and 3.
FULL = Recipe(
    phases=(
        Phase("from-imagenet", steps=3200, seed=1),
        Phase("longer", steps=5000, seed=1),
        Phase("final", steps=3600, seed=3, rate=1.2e-3, backbone_rate=2e-3),
    )
)
# Every stage in seconds, on small data; the model is useless.
QUICK = Recipe(
    phases=(Phase("from-imagenet", steps=3, seed=1), Phase("final", steps=2, seed=3, rate=1.2e-3, backbone_rate=2e-3)),
    batch_shapes=((128, 2),),
    warm_up=1,
    checkpoint_every=2,
    calibration_samples=2,
    evaluate_every=30,
    evaluation_scenes=2,
    pictures_a_condition=1,
)
RECIPES = {"full": FULL, "quick": QUICK}
