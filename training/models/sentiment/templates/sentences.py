"""Generates sentences from the frames."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from . import words
from .frames import ABOUT_ONE, NEGATIVE, NEUTRAL, POSITIVE, Probabilities
from .pairs import ALIKE, BESIDE, BETTER, DEEDS, DIFFERENT

_BEFORE_VOWEL = re.compile(r"\b(a) (?=[aeio]|u[^s])")


@dataclass(frozen=True)
class Sentence:
    """A sentence with its probabilities of negative, neutral and positive, towards the target if there is one."""

    text: str
    probabilities: Probabilities
    target: str | None = None


def generate(count: int, seed: int) -> list[Sentence]:
    """`count` sentences, determined by the seed."""
    # The shipped model was trained on the sentences of this seed.
    rng = random.Random(f"drills {seed}")
    kinds = [_about_one, _better, _different, _deeds, _beside, _alike, _marked, _hashtag, _elongated, _mistyped]
    weights = [sum(kind.weight for kind in ABOUT_ONE), 6, 5, 2, 7, 1, 4, 3, 6, 8]
    made: list[Sentence] = []
    while len(made) < count:
        made.extend(_varied(one, rng) for one in rng.choices(kinds, weights)[0](rng))
    return made[:count]


def _filling(rng: random.Random) -> dict[str, str]:
    """A word for every field of `frames`."""
    filled = {field.lower(): rng.choice(list_) for field, list_ in vars(words).items() if field.isupper()}
    filled["name"], filled["name2"] = rng.sample(words.NAME, 2)
    filled["part"], filled["part2"] = rng.sample(words.PART, 2)
    filled["target"] = rng.choice(("{name}", "{name}", "the {part}", "the {name} {part}", "{name}'s {part}", "their {part}", "this {part}", "my {part}")).format(**filled)
    return filled


def _written(frame: str, filled: dict[str, str]) -> str:
    return _BEFORE_VOWEL.sub(r"\1n ", " ".join(frame.format(**filled).split()))


def _asked(target: str) -> str:
    """The target without its determiner."""
    first, _, rest = target.partition(" ")
    return rest if first in ("the", "their", "this", "my") else target


def _about_one(rng: random.Random) -> list[Sentence]:
    kind = rng.choices(ABOUT_ONE, [kind.weight for kind in ABOUT_ONE])[0]
    frame, filled = rng.choice(kind.frames), _filling(rng)
    asked = _asked(filled["target"]) if "{target}" in frame and rng.random() < 0.5 else None
    return [Sentence(_written(frame, filled), kind.probabilities, asked)]


_BRANDS = ("{name}", "{name2}")
_PAIRS = (_BRANDS, _BRANDS, ("the {part}", "the {part2}"), ("{name}'s {part}", "{name2}'s {part2}"))


def _about_two(
    rng: random.Random, frames: list[str], towards_a: Probabilities, towards_b: Probabilities, pairs: tuple[tuple[str, str], ...] = _PAIRS, **filled: str
) -> list[Sentence]:
    """One sentence on `a` and `b`, once with each as the target."""
    all_filled = _filling(rng)
    a, b = (one.format(**all_filled) for one in rng.choice(pairs))
    text = _written(rng.choice(frames), all_filled | {"a": a, "b": b} | filled)
    return [Sentence(text, towards_a, _asked(a)), Sentence(text, towards_b, _asked(b))]


def _better(rng: random.Random) -> list[Sentence]:
    return _about_two(rng, BETTER, POSITIVE, NEGATIVE)


def _different(rng: random.Random) -> list[Sentence]:
    good, bad = rng.choice(words.GOOD), rng.choice(words.BAD)
    if rng.random() < 0.5:
        return _about_two(rng, DIFFERENT, POSITIVE, NEGATIVE, x=good, y=bad)
    return _about_two(rng, DIFFERENT, NEGATIVE, POSITIVE, x=bad, y=good)


def _deeds(rng: random.Random) -> list[Sentence]:
    good, bad = rng.choice(words.GOOD_DEED), rng.choice(words.BAD_DEED)
    if rng.random() < 0.5:
        return _about_two(rng, DEEDS, POSITIVE, NEGATIVE, (_BRANDS,), x=good, y=bad)
    return _about_two(rng, DEEDS, NEGATIVE, POSITIVE, (_BRANDS,), x=bad, y=good)


def _beside(rng: random.Random) -> list[Sentence]:
    if rng.random() < 0.5:
        return _about_two(rng, BESIDE, POSITIVE, NEUTRAL, x=rng.choice(words.GOOD))
    return _about_two(rng, BESIDE, NEGATIVE, NEUTRAL, x=rng.choice(words.BAD))


def _alike(rng: random.Random) -> list[Sentence]:
    if rng.random() < 0.5:
        return _about_two(rng, ALIKE, POSITIVE, POSITIVE, x=rng.choice(words.GOOD))
    return _about_two(rng, ALIKE, NEGATIVE, NEGATIVE, x=rng.choice(words.BAD))


def _marked(rng: random.Random) -> list[Sentence]:
    """A neutral phrase with emoji."""
    plain = _written(rng.choice(("{target}", "{target} {when}", "{target} is {fact}", "{name} has a {kind_of} {part}")), _filling(rng))
    if rng.random() < 0.5:
        return [Sentence(f"{plain} {rng.choice(words.GLAD_EMOJI) * rng.choice((1, 1, 2, 3))}", POSITIVE)]
    return [Sentence(f"{plain} {rng.choice(words.ANGRY_EMOJI) * rng.choice((1, 1, 2, 3))}", NEGATIVE)]


def _hashtag(rng: random.Random) -> list[Sentence]:
    """A neutral phrase with a sentiment phrase as a hashtag."""
    filled = _filling(rng)
    plain = _written(rng.choice(("{target}", "{target} {when}", "{target} is {fact}", "{name} has a {kind_of} {part}")), filled)
    glad = rng.random() < 0.5
    phrase = rng.choice(words.CHEER + words.HAPPY if glad else words.JEER + words.SAD)
    if rng.random() < 0.3:
        phrase = f"{rng.choice(words.LIKE[:4] if glad else words.HATE)} {filled['name']}"
    letters = "".join(letter for letter in phrase if letter.isalpha() or letter == " ").split()
    tag = "".join(word.capitalize() for word in letters) if rng.random() < 0.5 else "".join(letters).lower()
    return [Sentence(f"{plain} #{tag}", POSITIVE if glad else NEGATIVE)]


def _elongated(rng: random.Random) -> list[Sentence]:
    """An elongated sentiment word, or an elongated "so" before one."""
    filled, glad = _filling(rng), rng.random() < 0.5
    long = _drawn_out(rng.choice(words.LONG_GOOD if glad else words.LONG_BAD), rng)
    frames = ["{long} {part}", "{target}: {long}", "{name}, {long}", "{target} {when}... {long}!"]
    if rng.random() < 0.5:
        long = f"{_drawn_out('so', rng)} {filled['good' if glad else 'bad']}"
        frames = ["{long}, {target}", "{target} was {long} {when}", "how is {name} {long}", "{name} makes {long} stuff"]
    if rng.random() < 0.3:
        long = _drawn_out(rng.choice(words.LONG_LIKE if glad else words.LONG_HATE), rng)
        frames = ["I {long} {target} {when}", "we {long} {target}!", "how I {long} {name}", "{long} what {name} does"]
    return [Sentence(_written(rng.choice(frames), filled | {"long": long}), POSITIVE if glad else NEGATIVE)]


def _drawn_out(word: str, rng: random.Random) -> str:
    """The word with one of its vowels (its last letter if it has none) repeated."""
    places = [at for at, letter in enumerate(word) if letter in "aeiou"] or [len(word) - 1]
    at = rng.choice(places)
    return word[:at] + word[at] * rng.randint(3, 7) + word[at + 1 :]


def _mistyped(rng: random.Random) -> list[Sentence]:
    """A sentiment word with a typo: two letters swapped, one left out or doubled."""
    filled, glad = _filling(rng), rng.random() < 0.5
    word = rng.choice([word for word in (words.GOOD if glad else words.BAD) if len(word) > 4])
    at = rng.randrange(1, len(word) - 2)
    wrong = word[:at] + rng.choice((word[at + 1] + word[at], word[at + 1] + word[at], word[at + 1], word[at] * 2 + word[at + 1])) + word[at + 2 :]
    frame = rng.choice(("{target} was {x} {when}", "{strong} {x}, {name}", "that {part} felt {x}", "{x} {part}, {name}", "such a {x} {part}",
                        "{name} {when}: {x}", "the {part2} of {name} has {strong} {x} parts", "found {target} {x} in the end"))
    return [Sentence(_written(frame, filled | {"x": wrong}), POSITIVE if glad else NEGATIVE)]


def _varied(sentence: Sentence, rng: random.Random) -> Sentence:
    """Variations that keep the sentiment: openings, capitals, user names, links, punctuation."""
    text = sentence.text
    if rng.random() < 0.2:
        text = f"{rng.choice(words.OPENING)} {text}"
    if rng.random() < 0.4:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.12:
        text = f"@{rng.choice(('jo', 'sam_k', 'vmug', 'it_marta', 'dev0ps'))} {text}"
    if rng.random() < 0.15:
        link = f"https://t.co/{rng.randrange(16**6):x}"
        text = rng.choice((f"{text} {link}", f"{text} {link}", f"{link} {text}"))
    elif rng.random() < 0.4 and text[-1].isalnum() and "#" not in text:
        text += rng.choice((".", ".", "!", "..."))
    if rng.random() < 0.1:
        text = text.lower()
    return Sentence(text, sentence.probabilities, sentence.target)
