"""Sentiment towards a target: comparisons of two brands, and two things with different sentiment."""

from __future__ import annotations

from fractions import Fraction

from .cases import (
    IS_NEGATIVE,
    IS_NEUTRAL,
    IS_POSITIVE,
    NOT_POSITIVE,
    Case,
    Expectation,
    Test,
)
from .frames import fillings, write

BOUND = Fraction(10, 100)

# `brand` wins over `brand2`. In FAR_BETTER `brand2` is also called bad, so it is negative.
BETTER = [
    "The {device} from {brand} is better than the one from {brand2}.",
    "I prefer {brand} to {brand2}.",
    "{brand} is more reliable than {brand2}.",
    "Between {brand} and {brand2}, I would take {brand} any day.",
    "{brand2} is no match for {brand}.",
]
FAR_BETTER = [
    "{brand} beats {brand2} in every way, {brand2} is just {bad}.",
    "{brand2} is far worse than {brand}, which is {good}.",
    "We left {brand2} for {brand} and never looked back.",
    "My {brand2} {device} broke twice, my {brand} has run for years without a single problem.",
    "Unlike {brand2}, which is {bad}, {brand} is {good}.",
]
# Positive towards the first target, negative towards the second.
TWO = [
    "The {part} is {good} but the {part2} is {bad}.",
    "The {part2} is {bad}, but the {part} is {good}.",
    "{good} {part}, {bad} {part2}.",
    "I love the {part} and hate the {part2}.",
    "The {part2} could not be worse. The {part} on the other hand is {good}.",
    "Whoever is behind the {part} deserves a prize, whoever is behind the {part2} should be ashamed.",
]
TWO_BRANDS = [
    "{brand} is {good}, {brand2} is {bad}.",
    "{brand2} is {bad}, {brand} is {good}.",
    "{brand} answered within minutes, {brand2} never answered at all.",
    "Thank you {brand} for a {good} {device}! {brand2}, yours is {bad}.",
    "I love my {brand} {device}, but I will never buy from {brand2} again.",
]
# Sentiment towards the first target, neutral towards the second.
ONE_GOOD = [
    "The {part} is {good}; I have not tried the {part2} yet.",
    "I saw {brand2} and {brand} in {place} on {day}. {brand} was {good}.",
    "{brand} and {brand2} both have an office in {place}. I work with {brand}, and it is {good}.",
]
ONE_BAD = [
    "The {part} is {bad}; I have not tried the {part2} yet.",
    "I saw {brand2} and {brand} in {place} on {day}. {brand} was {bad}.",
    "{brand} and {brand2} both have an office in {place}. I work with {brand}, and it is {bad}.",
]


def tests() -> list[Test]:
    """All tests of both capabilities."""
    return [
        _test("comparisons", "towards the better one", BETTER + FAR_BETTER, "", IS_POSITIVE, 160),
        _test("comparisons", "towards the lesser one", BETTER, "2", NOT_POSITIVE, 100),
        _test("comparisons", "towards one that is called bad", FAR_BETTER, "2", IS_NEGATIVE, 100),
        _test("targets", "the liked part of two", TWO, "", IS_POSITIVE, 120),
        _test("targets", "the disliked part of two", TWO, "2", IS_NEGATIVE, 120),
        _test("targets", "the liked brand of two", TWO_BRANDS, "", IS_POSITIVE, 100),
        _test("targets", "the disliked brand of two", TWO_BRANDS, "2", IS_NEGATIVE, 100),
        _test("targets", "the one beside something good", ONE_GOOD, "2", IS_NEUTRAL, 90),
        _test("targets", "the one beside something bad", ONE_BAD, "2", IS_NEUTRAL, 90),
    ]


def _test(capability: str, name: str, frames: list[str], field: str, expectation: Expectation, count: int) -> Test:
    """`field`: "" where the first brand or part is the target, "2" where the second is."""
    cases = []
    for frame in frames:
        target = ("part" if "{part2}" in frame else "brand") + field
        cases += [Case(write(frame, filled), expectation, filled[target]) for filled in fillings(frame, count // len(frames))]
    return Test(capability, name, BOUND, tuple(cases))
