"""Questions: neutral ones, complaints, and ones that the writer answers."""

from __future__ import annotations

from fractions import Fraction

from .cases import IS_NEGATIVE, IS_NEUTRAL, IS_POSITIVE, Case, Expectation, Test
from .frames import sentences

BOUND = Fraction(10, 100)

TASK = ("print in two colours", "work offline", "export to a file", "come in blue", "run on an older system", "pair with a radio")
TROUBLE = ("crash", "freeze", "lose my data", "log me out", "drain the battery", "show the same error")

ASKING = [
    "Does the {thing} {task}?",
    "Does anyone know whether the {brand} {thing} can {task}?",
    "Where in {place} can I buy the {thing}?",
    "Is the {thing} out on {day} or on the weekend?",
    "Which {thing} do you use at work, {name}?",
    "How do I get the {thing} to {task}?",
]
COMPLAINING = [
    "Why does this {thing} {trouble} every single time?",
    "Why is the {thing} so {bad}?",
    "How can a {thing} be this {bad}?",
    "Who thought that a {thing} that has to {trouble} twice a day was ready for customers?",
    "Am I the only one who finds the {thing} {bad}?",
    "When will {brand} finally fix this {bad} {thing}?",
]
ANSWERED_YES = [
    "Do I {like} the {thing}? Yes.",
    "Is the {thing} {good}? Absolutely.",
    "Would I buy this {thing} again? Yes, any time.",
    "Did the {thing} live up to its {good} reviews? It did.",
]
ANSWERED_NO = [
    "Do I {like} the {thing}? Absolutely not.",
    "Is the {thing} {good}? Not at all.",
    "Would I buy this {thing} again? No, never.",
    "Did the {thing} live up to its {good} reviews? It did not.",
]


def tests() -> list[Test]:
    """All tests of this capability."""

    def test(name: str, frames: list[str], expectation: Expectation) -> Test:
        texts = sentences(120, frames, task=TASK, trouble=TROUBLE)
        return Test("questions", name, BOUND, tuple(Case(text, expectation) for text in texts))

    return [
        test("that only ask", ASKING, IS_NEUTRAL),
        test("that complain", COMPLAINING, IS_NEGATIVE),
        test("answered with yes", ANSWERED_YES, IS_POSITIVE),
        test("answered with no", ANSWERED_NO, IS_NEGATIVE),
    ]
