"""The figures of a model, from what it said of labelled pictures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from .labelled import VMWARE, LabelledPicture
from .matching import Judged, Truth, average_precision, judge
from .program import Answer

# The goal for the detector is stated at so many false alarms a picture.
ALARMS = 0.01
# Upper ends of the classes of size, by a box's width in pixels.
SIZES = ((60, "width under 60"), (120, "width 60 to 119"), (240, "width 120 to 239"), (float("inf"), "width from 240"))


@dataclass(frozen=True)
class Recall:
    """How many of some boxes were found and reported."""

    found: int
    there: int

    @property
    def share(self) -> float:
        """0 to 1; 0 where there is none."""
        return self.found / self.there if self.there else 0.0

    def __str__(self) -> str:
        return f"{self.share:.3f} ({self.found} of {self.there})" if self.there else "- (none)"


@dataclass(frozen=True)
class Looked:
    """A picture with the judgement of all that was said of it."""

    picture: LabelledPicture
    judged: list[Judged]


def look(pictures: list[LabelledPicture], answers: dict[Path, Answer]) -> list[Looked]:
    """Judges every picture; one that could not be looked at shows nothing."""
    return [Looked(picture, judge(answers[picture.path].detections, picture.truths)) for picture in pictures]


def mean_average_precision(looked: list[Looked]) -> tuple[float, dict[str, float]]:
    """Mean over the brands that are there, and each brand's average precision, in percent."""
    there: dict[str, int] = defaultdict(int)
    hits: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for one in looked:
        for truth in one.picture.truths:
            there[truth.brand] += not truth.ignore
        for judged in one.judged:
            if judged.hit is not None:
                hits[judged.detection.brand].append((judged.detection.score, judged.hit))
    brands = {brand: 100 * average_precision(hits[brand], count) for brand, count in sorted(there.items()) if count}
    return (sum(brands.values()) / len(brands) if brands else 0.0), brands


def recalls(looked: list[Looked], least_score: float | None = None) -> dict[str, Recall]:
    """Recall of what is reported, or of what scores at least so much: of all boxes, by kind of picture, of those that
    are not marked as difficult, truncated or occluded, and by size."""
    counts: dict[str, list[int]] = {"all": [0, 0]}
    for one in looked:
        found = {judged.truth for judged in one.judged if judged.hit and _counts(judged, least_score)}
        for index, truth in enumerate(one.picture.truths):
            if truth.ignore:
                continue
            for name in _classes(one.picture, truth):
                count = counts.setdefault(name, [0, 0])
                count[0] += index in found
                count[1] += 1
    names = sorted(counts, key=lambda name: (name != "all", name.startswith("width"), _place(name), name))
    return {name: Recall(*counts[name]) for name in names}


def false_alarms(looked: list[Looked], brand: str | None = VMWARE) -> int:
    """Reports that hit nothing, of a brand or (None) of any."""
    return sum(
        judged.hit is False and judged.detection.reported and brand in (None, judged.detection.brand)
        for one in looked for judged in one.judged
    )


def precision(looked: list[Looked]) -> Recall:
    """How many of the reports hit."""
    reports = [judged.hit for one in looked for judged in one.judged
               if judged.detection.reported and judged.hit is not None]
    return Recall(sum(reports), len(reports))


def score_for(answers: list[Answer], alarms_per_picture: float, brand: str = VMWARE) -> float:
    """The lowest score at which pictures without the brand give at most so many false alarms each. It is just above
    that of the first detection too many."""
    scores = sorted((one.score for answer in answers for one in answer.detections if one.brand == brand), reverse=True)
    allowed = int(alarms_per_picture * len(answers))
    return scores[allowed] + 1e-6 if len(scores) > allowed else 0.0


def _counts(judged: Judged, least_score: float | None) -> bool:
    return judged.detection.reported if least_score is None else judged.detection.score >= least_score


def _classes(picture: LabelledPicture, truth: Truth) -> list[str]:
    size = next(name for end, name in SIZES if truth.bounds.width < end)
    return ["all", *([f"kind {picture.kind}"] if picture.kind else []), *([] if truth.hard else ["easy"]), size]


def _place(name: str) -> int:
    return next((place for place, (_, size) in enumerate(SIZES) if size == name), -1)
