"""Changes that must keep the label: names, places, brands, user names, links, and typos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from .cases import Case, SameLabel, Test
from .frames import draw, fillings, write
from .lexicon import BAD, BRAND, GOOD, NAME, PLACE

BOUND = Fraction(2, 100)

POSTS = [
    # positive
    "{name} showed me the new {thing} yesterday and I am really happy with it",
    "Huge thanks to {name} from the {brand} team in {place}, my {thing} works perfectly again!",
    "Just bought the {brand} {thing} in {place} and it is fantastic, best purchase this year",
    "Love what {brand} did with the {thing}, so fast and so easy to use",
    "{name} was so friendly and helpful when I picked up my {thing} in {place}",
    "The {thing} from {brand} is great value for money, I would recommend it to everybody",
    # negative
    "{name} at the {brand} store in {place} was rude and my {thing} is still broken",
    "Three weeks without a working {thing}. {brand}, your support is a disgrace",
    "Worst {thing} I ever had, it crashes all the time and nobody at {brand} cares",
    "My {brand} {thing} died after two days in {place}, what a waste of money",
    "{name} and I both hate the new {thing}, it is slow, ugly and expensive",
    "I am sick of {brand}: another broken {thing}, another useless reply from {name}",
    # neutral
    "{name} will talk about the {thing} at the {brand} meeting in {place} on {day}",
    "The {brand} {thing} will be on sale in {place} from {day}",
    "{brand} opens an office in {place}, {name} will lead it",
    "On {day} {name} and I compare the {thing} with last year's model in {place}",
    "The manual of the {brand} {thing} has a chapter on printing and a list of addresses in {place}",
    "The next meeting of {brand} users is in {place} on {day}, {name} has the agenda",
]
# A single word carries the sentiment, and the typo is in that word.
SHORT = ["The {thing} is {felt}", "This {thing} is so {felt}", "What do you say to a {thing} as {felt} as this one", "My new {thing}: {felt}"]
FELT = tuple(word for word in GOOD + BAD if len(word) > 4)
LINKS = ("https://example.org/x1Yz", "http://news.example.com/2019/05/item?id=311", "www.example.net/a-b", "https://t.co/q8RkZ2wXy0")
USERS = ("@maria_77", "@TheRealTom", "@kp4u", "@xX_ivan_Xx", "@city_news")


def _filled(count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Frames with fillings, at most `count` of each."""
    for frame in POSTS:
        for filled in fillings(frame, count):
            yield frame, filled


def swapped(word: str, at: int) -> str:
    """Swaps the letters at `at` and `at` + 1."""
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def slips(text: str) -> Iterator[tuple[int, int, str]]:
    """Possible typos as (start of the word, place in it, word), in words of five letters or more. The first and last
    letter stay, since typos mostly spare them."""
    for match in re.finditer(r"(?<![\w@#/.])[A-Za-z]{5,}(?![\w/])", text):
        word = match.group()
        for at in range(1, len(word) - 2):
            if word[at] != word[at + 1]:
                yield match.start(), at, word


def with_slip(text: str, kind: str) -> str:
    """The text with one typo: two letters swapped, or one left out. A hash of the text chooses where."""
    return _slipped(text, kind, list(slips(text)))


def with_slip_in(felt: str, text: str) -> str:
    """The text with two letters of its word `felt` swapped."""
    return _slipped(text, "swapped", [slip for slip in slips(text) if slip[2] == felt])


def _slipped(text: str, kind: str, possible: list[tuple[int, int, str]]) -> str:
    start, at, word = possible[draw(f"{kind} {text}", len(possible))]
    wrong = swapped(word, at) if kind == "swapped" else word[:at] + word[at + 1 :]
    return text[:start] + wrong + text[start + len(word) :]


def tests() -> list[Test]:
    """All tests of this capability."""
    return [
        _other_word("names of people", "name", NAME, 26),
        _other_word("places", "place", PLACE, 24),
        _other_word("brands", "brand", BRAND, 20),
        _test("links", [(f"{text} {link}" if number % 2 else f"{link} {text}", text)
                        for number, text in enumerate(_texts(5)) for link in LINKS]),
        _test("user names", [(f"{user} {text}" if number % 2 else f"{text} {user}", text)
                             for number, text in enumerate(_texts(4)) for user in USERS]),
        _test("typos, letters swapped", [(with_slip(text, "swapped"), text) for text in _texts(18)]),
        _test("typos, a letter left out", [(with_slip(text, "left out"), text) for text in _texts(18)]),
        _test("typos in the word of feeling", [(with_slip_in(felt, text), text) for text, felt in _short(60)]),
    ]


def _texts(count: int) -> list[str]:
    return [write(frame, filled) for frame, filled in _filled(count)]


def _short(count: int) -> Iterator[tuple[str, str]]:
    """Short texts, each with its sentiment word."""
    for frame in SHORT:
        for filled in fillings(frame, count, felt=FELT):
            yield write(frame, filled), filled["felt"]


def _test(name: str, pairs: list[tuple[str, str]]) -> Test:
    return Test("invariance", name, BOUND, tuple(Case(text, SameLabel(), base=base) for text, base in pairs))


def _other_word(name: str, field: str, words: tuple[str, ...], count: int) -> Test:
    pairs = [
        (write(frame, {**filled, field: words[(words.index(filled[field]) + 1) % len(words)]}), write(frame, filled))
        for frame, filled in _filled(count) if field in filled
    ]
    return _test(name, pairs)
