"""Tokenizer and word vectors from the unlabelled posts, kept in the work folder once made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from .corpus import read_plain
from .emoji import emoji_alphabet
from .recipe import Recipe
from .splits import Split
from .tokenizer import load_tokenizer, train_tokenizer
from .vectors import train_vectors, write_pieces

# The tokenizer needs fewer lines than the vectors: word counts settle early.
TOKENIZER_EVERY = 4


def texts(data: Path, split: Split, recipe: Recipe, every: int = 1) -> Iterator[str]:
    """All training texts: the labelled ones, then each `every`-th of the unlabelled ones."""
    for rows in split.training.values():
        yield from (row.text for row in rows)
    for name, keep in recipe.plain.items():
        yield from split.without_held_out(read_plain(data, name, keep * every))


def prepare_tokenizer(work: Path, data: Path, split: Split, recipe: Recipe) -> Tokenizer:
    """Reads or trains the tokenizer."""
    path = work / "tokenizer.json"
    if not path.exists():
        print("training the tokenizer", flush=True)
        partial = path.with_suffix(".partial")
        train_tokenizer(texts(data, split, recipe, TOKENIZER_EVERY), recipe.vocabulary_size, emoji_alphabet()).save(str(partial))
        partial.replace(path)
    return load_tokenizer(path)


def prepare_vectors(work: Path, data: Path, split: Split, tokenizer: Tokenizer, recipe: Recipe, seed: int) -> np.ndarray:
    """Reads or trains the word vectors, float32 [vocabulary, dimensions]."""
    path = work / "vectors.npy"
    if not path.exists():
        print("training word vectors", flush=True)
        pieces = work / "pieces.txt"
        tokens = write_pieces(texts(data, split, recipe), tokenizer, pieces)
        print(f"{tokens} tokens", flush=True)
        vectors = train_vectors(pieces, tokenizer, recipe.dimensions, recipe.vector_epochs, seed)
        partial = work / "vectors.partial.npy"
        np.save(partial, vectors)
        partial.replace(path)
        pieces.unlink()
    return np.load(path)
