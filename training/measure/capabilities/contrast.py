"""Contrast and former states: which of two opposite opinions counts."""

from __future__ import annotations

from fractions import Fraction

from .cases import IS_NEGATIVE, IS_POSITIVE, Case, Expectation, Test
from .frames import sentences

BOUND = Fraction(10, 100)

PRAISE = ("I love it", "it works great", "I would buy it again", "I am very happy with it", "it is worth every cent")
COMPLAINT = ("I hate it", "it keeps crashing", "I want my money back", "I am very unhappy with it", "it is a waste of money")

BUT_GOOD = [
    "The {thing} looks {bad}, but {praise}.",
    "The first week with the {thing} was {bad}, but now {praise}.",
    "Setting up the {thing} was {bad}, but in the end {praise}.",
    "People say the {thing} is {bad}, but {praise}.",
]
BUT_BAD = [
    "The {thing} looks {good}, but {complaint}.",
    "The first week with the {thing} was {good}, but now {complaint}.",
    "The ads for the {thing} are {good}, but {complaint}.",
    "People say the {thing} is {good}, but {complaint}.",
]
ALTHOUGH_GOOD = [
    "Although the {thing} looks {bad}, {praise}.",
    "Even though my friends call the {thing} {bad}, {praise}.",
    "The {thing} is brilliant, although the manual is {bad}.",
    "Despite the {bad} reviews of this {thing}, {praise}.",
]
ALTHOUGH_BAD = [
    "Although the {thing} looks {good}, {complaint}.",
    "Even though my friends call the {thing} {good}, {complaint}.",
    "The {thing} is rubbish, although the manual is {good}.",
    "Despite the {good} reviews of this {thing}, {complaint}.",
]
NOW_GOOD = [
    "I used to {hate} the {thing}, now I love it.",
    "The {thing} used to be {bad}, now it is {good}.",
    "It took a year, but the {thing} is no longer {bad}. It is {good} now.",
    "I was no fan of the {thing} last year. These days it is {good}.",
    "The {thing} was {bad} before the update. Since then it has been {good}.",
]
NOW_BAD = [
    "I used to {like} the {thing}, now I hate it.",
    "The {thing} used to be {good}, now it is {bad}.",
    "The {thing} is no longer {good}. It is {bad} now.",
    "I was a fan of the {thing} last year. These days it is {bad}.",
    "The {thing} was {good} before the update. Since then it has been {bad}.",
]


def tests() -> list[Test]:
    """All tests of both capabilities."""

    def test(capability: str, name: str, frames: list[str], expectation: Expectation) -> Test:
        texts = sentences(120, frames, praise=PRAISE, complaint=COMPLAINT)
        return Test(capability, name, BOUND, tuple(Case(text, expectation) for text in texts))

    return [
        test("contrast", "bad, but good", BUT_GOOD, IS_POSITIVE),
        test("contrast", "good, but bad", BUT_BAD, IS_NEGATIVE),
        test("contrast", "good, although bad", ALTHOUGH_GOOD, IS_POSITIVE),
        test("contrast", "bad, although good", ALTHOUGH_BAD, IS_NEGATIVE),
        test("former states", "once bad, now good", NOW_GOOD, IS_POSITIVE),
        test("former states", "once good, now bad", NOW_BAD, IS_NEGATIVE),
    ]
