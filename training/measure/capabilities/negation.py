"""Negation: of good, bad and neutral words, at the end of the text, over a distance, and of an expectation."""

from __future__ import annotations

from fractions import Fraction

from .cases import IS_NEGATIVE, IS_NEUTRAL, NOT_NEGATIVE, Case, Expectation, Test
from .frames import sentences

BOUND = Fraction(5, 100)

POSITIVE = [
    "The {thing} is not {decent}.",
    "The {thing} isn't {decent}.",
    "This {thing} was never {decent}.",
    "I don't {like} this {thing}.",
    "I do not {like} the new {thing} at all.",
    "I can't say that I {like} the {thing}.",
    "Nobody here would call the {thing} {decent}.",
    "No one I know finds this {thing} {decent}.",
    "The {thing} is anything but {decent}.",
    "We didn't find the {thing} {decent}.",
]
NEGATIVE = [
    "The {thing} is not {bad}.",
    "The {thing} isn't {bad} at all.",
    "The {thing} was never {bad}.",
    "I don't {hate} the {thing}.",
    "I can't say that the {thing} is {bad}.",
    "Nobody here would call the {thing} {bad}.",
    "There is nothing {bad} about this {thing}.",
    "Not a {bad} {thing}.",
]
NEUTRAL = [
    "The {device} is not {plain}.",
    "This is not a {plain} {device}.",
    "The {device} isn't from {place}.",
    "I didn't buy the {device} in {place}.",
    "The {thing} does not come out on {day}, it comes out a day later.",
    "We were not talking about the {thing}, we were talking about the {thing2}.",
]
AT_THE_END_POSITIVE = [
    "Is the {thing} {decent}? No, it is not.",
    "You say that the {thing} is {decent}. It isn't.",
    "{decent} is one thing that this {thing} is not.",
    "They promised a {good} {thing}. This is not one.",
    "Do I {like} the {thing}? No.",
    "Everybody says that the {thing} is {decent}. I don't think so.",
]
AT_THE_END_NEGATIVE = [
    "Is the {thing} {bad}? No, it is not.",
    "You say that the {thing} is {bad}. It isn't.",
    "{bad} is one thing that this {thing} is not.",
    "Do I {hate} the {thing}? No.",
    "Everybody says that the {thing} is {bad}. I don't think so.",
]
FAR_POSITIVE = [
    "I don't think, {meanwhile}, that the {thing} is {decent}.",
    "I can't say, {meanwhile}, that I {like} the {thing}.",
    "I wouldn't, {meanwhile}, call this {thing} {decent}.",
    "None of us, {meanwhile}, would say that the {thing} is {decent}.",
]
FAR_NEGATIVE = [
    "I don't think, {meanwhile}, that the {thing} is {bad}.",
    "I can't say, {meanwhile}, that I {hate} the {thing}.",
    "I wouldn't, {meanwhile}, call this {thing} {bad}.",
    "None of us, {meanwhile}, would say that the {thing} is {bad}.",
]
EXPECTED_GOOD = [
    "I thought the {thing} would be {good}, but it was not.",
    "I thought the {thing} would be {good}, but it wasn't.",
    "I expected the {thing} to be {good}. It was not.",
    "We had hoped for a {good} {thing}, but that is not what we got.",
    "The {thing} was supposed to be {good}, but it isn't.",
]
EXPECTED_BAD = [
    "I thought the {thing} would be {bad}, but it was not.",
    "I thought the {thing} would be {bad}, but it wasn't.",
    "I expected the {thing} to be {bad}. It was not.",
    "We were afraid of a {bad} {thing}, but that is not what we got.",
    "People told me the {thing} would be {bad}, but it isn't.",
]


def tests() -> list[Test]:
    """All tests of this capability."""

    def test(name: str, frames: list[str], expectation: Expectation, count: int = 200) -> Test:
        cases = tuple(Case(text, expectation) for text in sentences(count, frames))
        return Test("negation", name, BOUND, cases)

    return [
        test("of something good", POSITIVE, IS_NEGATIVE),
        test("of something bad", NEGATIVE, NOT_NEGATIVE),
        test("of something neutral", NEUTRAL, IS_NEUTRAL),
        test("of something good, at the end", AT_THE_END_POSITIVE, IS_NEGATIVE),
        test("of something bad, at the end", AT_THE_END_NEGATIVE, NOT_NEGATIVE),
        test("of something good, over a distance", FAR_POSITIVE, IS_NEGATIVE),
        test("of something bad, over a distance", FAR_NEGATIVE, NOT_NEGATIVE),
        test("thought it would be good, but it was not", EXPECTED_GOOD, IS_NEGATIVE),
        test("thought it would be bad, but it was not", EXPECTED_BAD, NOT_NEGATIVE),
    ]
