"""From which score on a detection is reported: one threshold a brand, chosen on validation pictures."""

from __future__ import annotations

import numpy as np

from ..vision_evaluation.figures import ALARMS, Looked, score_for
from ..vision_evaluation.labelled import VMWARE
from ..vision_evaluation.program import Answer
from .labels import LABELS

BOUNDS = (0.15, 0.8)


def best_common(looked: list[Looked]) -> float:
    """The one threshold with the best F1 over all brands together: a brand alone has four boxes to judge by."""
    judged = [(one.detection.score, one.hit) for picture in looked for one in picture.judged if one.hit is not None]
    score, hit = np.array([one[0] for one in judged]), np.array([one[1] for one in judged])
    total = sum(not truth.ignore for one in looked for truth in one.picture.truths)
    candidates = np.arange(BOUNDS[0], BOUNDS[1], 0.01)
    quality = [2 * (hit & (score >= t)).sum() / ((score >= t).sum() + total) for t in candidates]
    return round(float(candidates[int(np.argmax(quality))]), 2)


def choose(looked: list[Looked], everyday: list[Answer], wordmark: float) -> dict[str, float]:
    """Thresholds by label: VMware's own, and for the others the common one, raised where it would cry wolf.

    `everyday` are answers for pictures that were looked through for all brands and show none.
    """
    common = best_common(looked)
    result = {VMWARE: wordmark}
    for name in LABELS[1:]:
        result[name] = max(common, score_for(everyday, ALARMS, name))
    return {name: round(float(np.clip(value, *BOUNDS)), 3) for name, value in result.items()}
