"""Word vectors: skip-gram with negative sampling over the word pieces of unlabelled posts.

Method: Mikolov et al., "Distributed Representations of Words and Phrases and their
Compositionality" (NIPS 2013), in gensim's implementation. Symbols that occur too rarely, mostly emoji,
start from the mean vector of the words of their Unicode name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

BATCH_OF_TEXTS = 10_000


def write_pieces(texts: Iterable[str], tokenizer: Tokenizer, path: Path) -> int:
    """Writes one text per line as blank-separated word-piece ids for gensim; skips texts of one or two tokens. Returns the token count."""
    tokens = 0
    with path.open("w", encoding="ascii") as out:

        def flush(batch: list[str]) -> int:
            written = 0
            for encoding in tokenizer.encode_batch_fast(batch):
                if len(encoding.ids) > 2:
                    out.write(" ".join(map(str, encoding.ids)) + "\n")
                    written += len(encoding.ids)
            return written

        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if len(batch) == BATCH_OF_TEXTS:
                tokens += flush(batch)
                batch = []
        tokens += flush(batch)
    return tokens


def train_vectors(pieces: Path, tokenizer: Tokenizer, dimensions: int, epochs: int, seed: int, workers: int = 2) -> np.ndarray:
    """Vectors [vocabulary, dimensions] float32 of all word pieces; row 0, the pad, is zero."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        corpus_file=str(pieces),
        vector_size=dimensions,
        window=5,
        min_count=5,
        sg=1,
        negative=5,
        sample=1e-4,
        epochs=epochs,
        seed=seed,
        workers=workers,
    )
    size = tokenizer.get_vocab_size()
    vectors = np.zeros((size, dimensions), dtype=np.float32)
    known = np.zeros(size, dtype=bool)
    for token, row in model.wv.key_to_index.items():
        vectors[int(token)] = model.wv.vectors[row]
        known[int(token)] = True
    # A standard deviation of 0.3 keeps the LSTM's gates unsaturated at the start.
    vectors[known] *= 0.3 / vectors[known].std()
    generator = np.random.default_rng(seed)
    unseen = np.flatnonzero(~known)
    vectors[unseen] = generator.normal(0.0, 0.05, (len(unseen), dimensions)).astype(np.float32)
    for index in unseen:
        name = _name_in_words(tokenizer.id_to_token(int(index)))
        pieces_of_name = [i for i in tokenizer.encode(name).ids if known[i]] if name else []
        if pieces_of_name:
            vectors[index] = vectors[pieces_of_name].mean(axis=0)
    vectors[0] = 0.0
    return vectors


def _name_in_words(token: str) -> str:
    """The Unicode name of a single symbol ("face with tears of joy"); empty for anything else."""
    if len(token) == 1 and unicodedata.category(token) == "So":
        return unicodedata.name(token, "").lower()
    return ""
