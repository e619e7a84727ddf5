"""Tokenizer and word vectors from labelled training texts and unlabelled posts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from ...text.corpora import read_plain
from ...text.emoji import emoji_alphabet
from ...text.hold_outs import Split
from ...text.tokenizer import train_tokenizer
from .recipe import Recipe
from .word_vectors import train_vectors, write_pieces

# The tokenizer uses every 4th line: word counts converge earlier than vectors.
TOKENIZER_EVERY = 4


def texts(data: Path, split: Split, recipe: Recipe, every: int = 1) -> Iterator[str]:
    """All training texts: the labelled ones, then every `every`-th of the recipe's unlabelled ones."""
    for rows in split.training.values():
        yield from (row.text for row in rows)
    for name, keep in recipe.plain.items():
        yield from split.without_held_out(read_plain(data, name, keep * every))


def make_tokenizer(path: Path, data: Path, split: Split, recipe: Recipe) -> None:
    """Trains the tokenizer and writes it."""
    train_tokenizer(texts(data, split, recipe, TOKENIZER_EVERY), recipe.vocabulary_size, emoji_alphabet()).save(str(path))


def make_vectors(path: Path, data: Path, split: Split, tokenizer: Tokenizer, recipe: Recipe) -> None:
    """Trains the word vectors, float32 [vocabulary, dimensions], and writes them."""
    pieces = path.with_name("pieces.txt")
    write_pieces(texts(data, split, recipe), tokenizer, pieces)
    np.save(path, train_vectors(pieces, tokenizer, recipe.dimensions, recipe.vector_epochs, recipe.seed))
    pieces.unlink()
