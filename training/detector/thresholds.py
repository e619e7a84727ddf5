"""From which score on a detection is reported: one threshold a brand, chosen on validation pictures."""

from __future__ import annotations

import numpy as np

from .boxes import Found, Truth, outcomes
from .labels import LABELS

# Reported without a logo: at most so many a picture.
ALARMS = 0.01
BOUNDS = (0.15, 0.8)


def best_common(seen: list[tuple[Found, Truth]]) -> float:
    """The one threshold with the best F1 over all brands together: a brand alone has four boxes to judge by."""
    scores, results = [], []
    for label in range(1, len(LABELS)):
        for found, truth in seen:
            score, result = outcomes(found, truth, label)
            scores.append(score)
            results.append(result)
    score, result = np.concatenate(scores), np.concatenate(results)
    total = sum(len(truth.labels) for _, truth in seen)
    candidates = np.arange(BOUNDS[0], BOUNDS[1], 0.01)
    quality = [2 * (result[score >= t] == 1).sum() / ((score >= t).sum() + total) for t in candidates]
    return round(float(candidates[int(np.argmax(quality))]), 2)


def choose(seen: list[tuple[Found, Truth]], empty: list[Found], wordmark: float) -> dict[str, float]:
    """Thresholds by label: VMware's own, and for the others the common one, raised where it would cry wolf.

    `empty` are detections in pictures that were looked through for all brands and show none.
    """
    common = best_common(seen)
    result = {LABELS[0]: round(float(np.clip(wordmark, *BOUNDS)), 3)}
    for label, name in enumerate(LABELS[1:], start=1):
        false = np.sort(np.concatenate([found.scores[found.labels == label] for found in empty]))[::-1]
        allowed = int(ALARMS * len(empty))
        least = float(false[allowed]) + 1e-3 if len(false) > allowed else 0.0
        result[name] = round(float(np.clip(max(common, least), *BOUNDS)), 3)
    return result
