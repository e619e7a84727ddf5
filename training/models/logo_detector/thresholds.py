"""From which score on a detection is reported: one threshold a brand, chosen on validation pictures."""

from __future__ import annotations

import numpy as np

from ...pictures.labelled import VMWARE
from ...pictures.metrics import (
    ALLOWED_FALSE_ALARMS,
    EvaluatedPicture,
    Prediction,
    score_for,
)
from .labels import LABELS

BOUNDS = (0.15, 0.8)


def best_common(evaluated: list[EvaluatedPicture]) -> float:
    """The one threshold with the best F1 over all brands: a single brand has only about four boxes."""
    matches = [one for picture in evaluated for one in picture.matches if one.hit is not None]
    scores, hits = np.array([one.detection.score for one in matches]), np.array([one.hit for one in matches], bool)
    total = sum(not truth.ignore for one in evaluated for truth in one.picture.truths)
    candidates = np.arange(BOUNDS[0], BOUNDS[1], 0.01)
    f1 = [2 * (hits & (scores >= at)).sum() / ((scores >= at).sum() + total) for at in candidates]
    return round(float(candidates[int(np.argmax(f1))]), 2)


def choose(evaluated: list[EvaluatedPicture], everyday: list[Prediction], wordmark: float) -> dict[str, float]:
    """Thresholds by label: VMware's own, and for the others the common one, raised where it gives too many false alarms.

    `everyday` are predictions for pictures that were checked for all brands and show none.
    """
    common = best_common(evaluated)
    result = {VMWARE: wordmark}
    for name in LABELS[1:]:
        result[name] = max(common, score_for(everyday, ALLOWED_FALSE_ALARMS, name))
    return {name: round(float(np.clip(value, *BOUNDS)), 3) for name, value in result.items()}
