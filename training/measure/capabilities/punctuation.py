"""Sentiment outside plain words: emoji, hashtags of several words, and markers of sarcasm."""

from __future__ import annotations

from fractions import Fraction

from .cases import IS_NEGATIVE, IS_POSITIVE, Case, Expectation, Moves, Test
from .frames import fillings, sentences, write

BOUND = Fraction(10, 100)
DIRECTION_BOUND = Fraction(5, 100)

GLAD = ("😀", "😍", "🎉", "❤️", "👍", "🥰", "😊", "🤩", "🙌", "😍😍", "🎉🎉🎉", "💯")
ANGRY = ("😡", "🤮", "👎", "😠", "😒", "💔", "😞", "🤬", "😡😡", "👎👎👎", "😩", "🙄")

PLAIN = [
    "Got the {brand} {thing} on {day}",
    "Using the new {thing} at work today",
    "The {thing} from {brand} arrived",
    "{brand} released a {thing} in {place}",
    "Day two with the {thing}",
]

PRAISE = (
    "best {thing} ever", "love this {thing}", "so happy", "great job", "highly recommended", "works like a charm",
    "love it", "well done", "very impressed", "best day ever",
)
COMPLAINT = (
    "worst {thing} ever", "never again", "hate this {thing}", "not worth it", "waste of money", "total disaster",
    "so disappointed", "shame on you", "not impressed", "worst service ever",
)

MISHAP = (
    "another outage", "the third crash today", "one more price increase", "a {thing} that will not start",
    "an hour in the waiting queue", "the {thing} is down again", "my order got lost again", "a broken {thing} out of the box",
)
SARCASM = [
    "Oh great, {mishap}.",
    "Oh wonderful, {mishap}. Just what I needed.",
    "{mishap}. Thanks for nothing, {brand}.",
    "{mishap}? Well done, {brand}, slow clap 👏",
    "{mishap}. I am sooo impressed, {brand} 🙄",
    "Yeah right, \"the best {thing} ever\". {mishap}.",
    "{mishap}. Great job, {brand} /s",
    "Love it: {mishap} #sarcasm",
    "Wow, {mishap}. What would I do without {brand} #not",
]


def hashtag(words: str, camel: bool) -> str:
    """The words run together: "so happy" -> "#SoHappy" or "#sohappy"."""
    return "#" + "".join(word[0].upper() + word[1:] if camel else word for word in words.split())


def tests() -> list[Test]:
    """All tests of these capabilities."""
    mishaps = tuple(text[0].lower() + text[1:] for text in sentences(30, MISHAP))
    return [
        _emoji("a glad one beside plain words", GLAD, IS_POSITIVE),
        _emoji("an angry one beside plain words", ANGRY, IS_NEGATIVE),
        _emoji("a glad one never lowers", GLAD, Moves(1)),
        _emoji("an angry one never raises", ANGRY, Moves(-1)),
        _hashtags("glad, in capitals", PRAISE, True, IS_POSITIVE),
        _hashtags("glad, in small letters", PRAISE, False, IS_POSITIVE),
        _hashtags("angry, in capitals", COMPLAINT, True, IS_NEGATIVE),
        _hashtags("angry, in small letters", COMPLAINT, False, IS_NEGATIVE),
        Test("sarcasm", "with a sign of it", BOUND,
             tuple(Case(text, IS_NEGATIVE) for text in sentences(270, SARCASM, mishap=mishaps))),
    ]


def _emoji(name: str, emoji: tuple[str, ...], expectation: Expectation) -> Test:
    compared = expectation.kind == Moves.kind
    cases = tuple(
        Case(write(f"{plain} {{emoji}}", filled), expectation, base=write(plain, filled) if compared else None)
        for plain in PLAIN for filled in fillings(f"{plain} {{emoji}}", 40, emoji=emoji)
    )
    return Test("emoji", name, DIRECTION_BOUND if compared else BOUND, cases)


def _hashtags(name: str, phrases: tuple[str, ...], camel: bool, expectation: Expectation) -> Test:
    cases = []
    for plain in PLAIN:
        for filled in fillings(f"{plain} {{phrase}}", 24, phrase=phrases):
            tag = hashtag(filled["phrase"].format(thing=filled["thing"]), camel)
            cases.append(Case(f"{write(plain, filled)} {tag}", expectation))
    return Test("hashtags of several words", name, BOUND, tuple(cases))
