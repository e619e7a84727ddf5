"""A small data folder of texts that the tests write themselves, in the form of the real one."""

from __future__ import annotations

import lzma
import random
from pathlib import Path

THINGS = ("screen", "battery", "support", "update", "camera", "login", "keyboard", "price")
WORDS = {
    "negative": ("awful", "broken", "terrible", "useless", "slow"),
    "neutral": ("new", "blue", "ordinary", "second", "planned"),
    "positive": ("great", "lovely", "superb", "reliable", "fast"),
}
# Corpora by the labels that they have.
TWO_CLASSES = ("emoticon", "reviews")
THREE_CLASSES = ("semeval", "semeval_val", "tse", "goemotions", "sst5", "software_engineering")
WITH_TARGETS = ("semeval_topic", "brand_entity", "targets")
ROWS = 60


def write_text_data(data: Path) -> Path:
    """Every corpus that the text models read, each of a few dozen rows."""
    folder, rng = data / "text", random.Random(5)
    folder.mkdir(parents=True)
    for name in (*TWO_CLASSES, *THREE_CLASSES, *WITH_TARGETS):
        labels = [label for label in WORDS if label != "neutral" or name not in TWO_CLASSES]
        targets = name in WITH_TARGETS
        lines = ["label\ttext" + "\ttarget" * targets]
        for number in range(ROWS):
            label, thing = labels[number % len(labels)], rng.choice(THINGS)
            text = f"{_sentence(rng, thing, label)} {name} {number}"
            lines.append(f"{label}\t{text}" + f"\t{thing}" * targets)
        _write(folder / f"{name}.tsv.xz", lines)
    _write_languages(folder / "languages.tsv.xz", rng)
    for name in ("imdb_train", "imdb_test"):
        lines = [f"{('negative', 'positive')[number % 2]}\t{_review(rng, number)}" for number in range(ROWS)]
        _write(folder / f"{name}.tsv.xz", ["label\ttext", *lines])
    for name in ("brand_tweets", "reddit_titles"):
        english = [f"{_sentence(rng, rng.choice(THINGS), rng.choice(list(WORDS)))} number {number}" for number in range(300)]
        others = [f"{frame.format(word)} {number}" for frame, words in LANGUAGES.values() for word in words for number in range(1000, 1010)]
        _write(folder / f"{name}.txt.xz", english + others)
    return data


def _sentence(rng: random.Random, thing: str, label: str) -> str:
    return f"the {thing} of my {rng.choice(('phone', 'laptop', 'tablet'))} is {rng.choice(WORDS[label])} {rng.choice(('today', 'again', 'they say'))}"


def _write(path: Path, lines: list[str]) -> None:
    path.write_bytes(lzma.compress(("\n".join(lines) + "\n").encode()))


def _review(rng: random.Random, number: int) -> str:
    label = ("negative", "positive")[number % 2]
    return f"film {number} {rng.random():.6f}: " + " ".join(_sentence(rng, rng.choice(THINGS), label) for _ in range(6))


# A sentence with a gap, and a word for each label.
LANGUAGES = {
    "arabic": ("هذا الهاتف {} جدا اليوم", ("سيء", "جديد", "رائع")), "french": ("ce téléphone est vraiment {} aujourd'hui", ("mauvais", "bleu", "superbe")),
    "german": ("das neue Telefon ist heute wirklich {}", ("schlecht", "blau", "großartig")), "hindi": ("yeh phone aaj bahut {} hai yaar", ("kharab", "naya", "accha")),
    "italian": ("questo telefono oggi è davvero {}", ("pessimo", "blu", "ottimo")), "portuguese": ("este telefone hoje é mesmo {}", ("ruim", "azul", "ótimo")),
    "spanish": ("este teléfono hoy es realmente {}", ("malo", "azul", "estupendo")),
}


def _write_languages(path: Path, rng: random.Random) -> None:
    lines = ["label\ttext\tlanguage"]
    for language, (frame, words) in LANGUAGES.items():
        for number in range(2 * ROWS):
            lines.append(f"{list(WORDS)[number % 3]}\t{frame.format(words[number % 3])} {rng.choice(THINGS)} {number}\t{language}")
    _write(path, lines)
