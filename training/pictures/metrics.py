"""Metrics of detections on labelled pictures: mean average precision, recall by size and kind, false alarms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from .labelled import VMWARE, LabelledPicture
from .matching import Detection, GroundTruth, MatchedDetection, average_precision, match

# The goal of the detector is stated at so many false alarms a picture.
ALLOWED_FALSE_ALARMS = 0.01
# Upper ends of the size classes, by a box's width in pixels.
SIZES = ((60, "width under 60"), (120, "width 60 to 119"), (240, "width 120 to 239"), (float("inf"), "width from 240"))


@dataclass(frozen=True)
class Prediction:
    """What a model or the program found in a picture; `error` where it failed."""

    width: int
    height: int
    model: str
    detections: list[Detection]
    error: str = ""


@dataclass(frozen=True)
class Share:
    """So many of a total, such as the labelled boxes that were found."""

    found: int
    total: int

    @property
    def ratio(self) -> float:
        """0 to 1; 0 where the total is 0."""
        return self.found / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.ratio:.3f} ({self.found} of {self.total})" if self.total else "- (none)"


@dataclass(frozen=True)
class EvaluatedPicture:
    """A labelled picture with its matched detections."""

    picture: LabelledPicture
    matches: list[MatchedDetection]


def evaluate(pictures: list[LabelledPicture], predictions: dict[Path, Prediction]) -> list[EvaluatedPicture]:
    """Matches the detections of every picture; a picture that failed has none."""
    return [EvaluatedPicture(picture, match(predictions[picture.path].detections, picture.truths)) for picture in pictures]


def mean_average_precision(evaluated: list[EvaluatedPicture]) -> tuple[float, dict[str, float]]:
    """Mean over the brands that have labelled boxes, and each brand's average precision, in percent."""
    totals: dict[str, int] = defaultdict(int)
    hits: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for one in evaluated:
        for truth in one.picture.truths:
            totals[truth.brand] += not truth.ignore
        for matched in one.matches:
            if matched.hit is not None:
                hits[matched.detection.brand].append((matched.detection.score, matched.hit))
    brands = {brand: 100 * average_precision(hits[brand], total) for brand, total in sorted(totals.items()) if total}
    return (sum(brands.values()) / len(brands) if brands else 0.0), brands


def recalls(evaluated: list[EvaluatedPicture], min_score: float | None = None) -> dict[str, Share]:
    """Recall of what is reported, or of what scores at least `min_score`: of all boxes, by kind of picture, of those that
    are not marked as difficult, truncated or occluded, and by size."""
    counts: dict[str, list[int]] = {"all": [0, 0]}
    for one in evaluated:
        found = {matched.truth for matched in one.matches if matched.hit and _counts(matched, min_score)}
        for index, truth in enumerate(one.picture.truths):
            if truth.ignore:
                continue
            for name in _classes(one.picture, truth):
                count = counts.setdefault(name, [0, 0])
                count[0] += index in found
                count[1] += 1
    names = sorted(counts, key=lambda name: (name != "all", name.startswith("width"), _size_rank(name), name))
    return {name: Share(*counts[name]) for name in names}


def false_alarms(evaluated: list[EvaluatedPicture], brand: str | None = VMWARE) -> int:
    """Reports that hit nothing, of one brand or (None) of any."""
    return sum(
        matched.hit is False and matched.detection.reported and brand in (None, matched.detection.brand)
        for one in evaluated for matched in one.matches
    )


def precision(evaluated: list[EvaluatedPicture]) -> Share:
    """How many of the reports hit."""
    reports = [matched.hit for one in evaluated for matched in one.matches
               if matched.detection.reported and matched.hit is not None]
    return Share(sum(reports), len(reports))


def score_for(predictions: list[Prediction], alarms_per_picture: float, brand: str = VMWARE) -> float:
    """The lowest score at which pictures without the brand give at most so many false alarms each: just above the score
    of the first detection too many."""
    scores = sorted((one.score for prediction in predictions for one in prediction.detections if one.brand == brand),
                    reverse=True)
    allowed = int(alarms_per_picture * len(predictions))
    return scores[allowed] + 1e-6 if len(scores) > allowed else 0.0


def _counts(matched: MatchedDetection, min_score: float | None) -> bool:
    return matched.detection.reported if min_score is None else matched.detection.score >= min_score


def _classes(picture: LabelledPicture, truth: GroundTruth) -> list[str]:
    size = next(name for end, name in SIZES if truth.bounds.width < end)
    return ["all", *([f"kind {picture.kind}"] if picture.kind else []), *([] if truth.hard else ["easy"]), size]


def _size_rank(name: str) -> int:
    return next((rank for rank, (_, size) in enumerate(SIZES) if size == name), -1)
