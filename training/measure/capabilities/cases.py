"""Cases with expectations, and tests: cases of one kind with a bound on the failure rate.

The three kinds are those of CheckList (Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList", ACL 2020): a minimum functionality test knows the label; an invariance test makes changes that must keep the
label; a directional expectation test makes changes that may move the polarity in one direction only. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

NEGATIVE, NEUTRAL, POSITIVE = LABELS = ("negative", "neutral", "positive")

# Probabilities of LABELS, or None where a text got no score.
Scores = tuple[float, float, float] | None
# Texts, each with its target (None: the whole text), to scores in the same order.
Model = Callable[[list[tuple[str, str | None]]], list[Scores]]


def label_of(scores: tuple[float, float, float]) -> str:
    """The most probable label; an exact tie is neutral, as in the daemon."""
    best = max(scores)
    winners = [label for label, score in zip(LABELS, scores, strict=True) if score == best]
    return winners[0] if len(winners) == 1 else NEUTRAL


def polarity(scores: tuple[float, float, float]) -> float:
    """Positive minus negative, -1 to 1."""
    return scores[2] - scores[0]


@dataclass(frozen=True)
class OneOf:
    """The label is one of `labels`, whose probabilities sum to at least `at_least`."""

    labels: tuple[str, ...]
    at_least: float = 0.0

    kind = "minimum functionality"

    def holds(self, found: Scores, base: Scores = None) -> bool:
        if found is None:
            return False
        probability = sum(found[LABELS.index(label)] for label in self.labels)
        return label_of(found) in self.labels and probability >= self.at_least

    def __str__(self) -> str:
        return " or ".join(self.labels) + (f", at least {self.at_least:g}" if self.at_least else "")


@dataclass(frozen=True)
class SameLabel:
    """The label is that of the base text."""

    kind = "invariance"

    def holds(self, found: Scores, base: Scores = None) -> bool:
        return found is not None and base is not None and label_of(found) == label_of(base)

    def __str__(self) -> str:
        return "the label of the base text"


@dataclass(frozen=True)
class Moves:
    """The polarity is not lower (`sign` 1) or not higher (`sign` -1) than that of the base text by more than `tolerance`."""

    sign: int
    tolerance: float = 0.1

    kind = "direction"

    def holds(self, found: Scores, base: Scores = None) -> bool:
        if found is None or base is None:
            return False
        return self.sign * (polarity(found) - polarity(base)) >= -self.tolerance

    def __str__(self) -> str:
        return f"not {'lower' if self.sign > 0 else 'higher'} in polarity than the base text by more than {self.tolerance:g}"


Expectation = OneOf | SameLabel | Moves
IS_NEGATIVE, IS_NEUTRAL, IS_POSITIVE = (OneOf((label,)) for label in LABELS)
NOT_NEGATIVE, NOT_POSITIVE = OneOf((NEUTRAL, POSITIVE)), OneOf((NEGATIVE, NEUTRAL))


@dataclass(frozen=True)
class Case:
    """One text. `target`: the target of the sentiment; None for the whole text. `base`: the text that it is compared with."""

    text: str
    expectation: Expectation
    target: str | None = None
    base: str | None = None


@dataclass(frozen=True)
class Test:
    """Cases of one kind. `bound`: the largest accepted failure rate."""

    capability: str
    name: str
    bound: Fraction
    cases: tuple[Case, ...]

    __test__ = False  # keeps pytest from collecting it

    @property
    def kind(self) -> str:
        return self.cases[0].expectation.kind

    @property
    def full_name(self) -> str:
        return f"{self.capability}: {self.name}"


@dataclass(frozen=True)
class Failure:
    """A case whose expectation does not hold, with the scores of its text and of its base text."""

    case: Case
    found: Scores
    base: Scores


@dataclass(frozen=True)
class Result:
    """A test and the cases that fail."""

    test: Test
    failures: tuple[Failure, ...]

    @property
    def rate(self) -> Fraction:
        return Fraction(len(self.failures), len(self.test.cases))

    @property
    def holds(self) -> bool:
        return self.rate <= self.test.bound


def run(tests: list[Test], model: Model) -> list[Result]:
    """Runs all tests on a model, which scores each distinct pair of text and target once."""
    asked: dict[tuple[str, str | None], int] = {}
    for test in tests:
        for case in test.cases:
            asked.setdefault((case.text, case.target), len(asked))
            if case.base is not None:
                asked.setdefault((case.base, case.target), len(asked))
    scores = model(list(asked))
    results = []
    for test in tests:
        failures = []
        for case in test.cases:
            found = scores[asked[case.text, case.target]]
            base = None if case.base is None else scores[asked[case.base, case.target]]
            if not case.expectation.holds(found, base):
                failures.append(Failure(case, found, base))
        results.append(Result(test, tuple(failures)))
    return results
