"""Strength of sentiment: intensifiers, reducers, and elongated words."""

from __future__ import annotations

import re
from fractions import Fraction

from .cases import IS_NEGATIVE, IS_POSITIVE, Case, Expectation, Moves, SameLabel, Test
from .frames import draw, fillings, sentences, write

BOUND = Fraction(10, 100)
DIRECTION_BOUND = Fraction(5, 100)

INTENSIFIER = ("very", "really", "extremely", "incredibly", "absolutely", "truly", "so damn", "insanely")
REDUCER = ("somewhat", "a bit", "slightly", "kind of", "sort of", "fairly")
# Words that take both an intensifier and a reducer, such as "very useful" and "a bit useful".
GRADED_GOOD = ("good", "useful", "helpful", "nice", "impressive", "reliable", "pleasant")
GRADED_BAD = ("bad", "annoying", "disappointing", "frustrating", "unreliable", "slow", "confusing", "ugly")

DEGREE = ["The {thing} is {degree} {word}.", "I find this {thing} {degree} {word}.", "The new {thing}: {degree} {word}."]

PRAISE = [
    "I {love} this {thing}", "This {thing} is {so} {good}", "What a {good} {thing}", "The {thing} is {so} {good} and I {love} it",
]
COMPLAINT = [
    "I {hate} this {thing}", "This {thing} is {so} {bad}", "What a {bad} {thing}", "The {thing} is {so} {bad} and I {hate} it",
]
LOVE, HATE, SO = ("love", "adore"), ("hate", "despise"), ("so", "really")
GOOD = ("good", "great", "amazing", "awesome", "nice", "cool", "lovely")
BAD = ("bad", "awful", "terrible", "horrible", "annoying", "slow", "lame")


def drawn_out(word: str, times: int) -> str:
    """The word with its last vowel (ignoring a final e) written `times` + 2 times: "good" -> "gooood"."""
    vowels = list(re.finditer(r"[aeiou]", word.rstrip("e")))
    at = vowels[-1].start()
    return word[:at] + word[at] * (times + 2) + word[at + 1 :]


def tests() -> list[Test]:
    """All tests of these capabilities."""
    return [
        _known("intensifiers", "of something good", INTENSIFIER, GRADED_GOOD, IS_POSITIVE),
        _known("intensifiers", "of something bad", INTENSIFIER, GRADED_BAD, IS_NEGATIVE),
        _compared("intensifiers", "good is not weaker", INTENSIFIER, GRADED_GOOD, Moves(1)),
        _compared("intensifiers", "bad is not weaker", INTENSIFIER, GRADED_BAD, Moves(-1)),
        _compared("reducers", "good is not stronger", REDUCER, GRADED_GOOD, Moves(-1)),
        _compared("reducers", "bad is not stronger", REDUCER, GRADED_BAD, Moves(1)),
        _drawn_out("good", PRAISE, IS_POSITIVE),
        _drawn_out("bad", COMPLAINT, IS_NEGATIVE),
        _drawn_out("as without it", [*PRAISE, *COMPLAINT], SameLabel()),
    ]


def _known(capability: str, name: str, degrees: tuple[str, ...], graded: tuple[str, ...], expectation: Expectation) -> Test:
    texts = sentences(120, DEGREE, degree=degrees, word=graded)
    return Test(capability, name, BOUND, tuple(Case(text, expectation) for text in texts))


def _compared(capability: str, name: str, degrees: tuple[str, ...], graded: tuple[str, ...], expectation: Expectation) -> Test:
    cases = tuple(
        Case(write(frame, filled), expectation, base=write(frame.replace("{degree} ", ""), filled))
        for frame in DEGREE for filled in fillings(frame, 40, degree=degrees, word=graded)
    )
    return Test(capability, name, DIRECTION_BOUND, cases)


def _drawn_out(name: str, frames: list[str], expectation: Expectation) -> Test:
    """Elongates one sentiment word, or the "so" before it."""
    cases = []
    for frame in frames:
        for filled in fillings(frame, 30, love=LOVE, hate=HATE, so=SO, good=GOOD, bad=BAD):
            base = write(frame, filled)
            felt = [field for field in filled if field != "thing"]
            field = felt[draw(base, len(felt))]
            text = write(frame, {**filled, field: drawn_out(filled[field], 1 + draw(base, 4))})
            cases.append(Case(text, expectation, base=base if expectation.kind == SameLabel.kind else None))
    return Test("elongations", name, BOUND, tuple(cases))
