"""Chooses the student's pieces and computes their initial vectors.

Candidates are e5's pieces and frequent whole words that e5 splits. Those with the highest weighted counts are kept. A piece's
vector concatenates two parts, each reduced by principal component analysis (Pearson 1901): the mean of e5's vectors of its parts,
and the fine-tuned teacher's pooled output for the piece alone, which carries sentiment of words missing from the training texts.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer

from ...engine.precision import mixed_precision
from ...text.batches import batches_of_one_length
from ...text.emoji import emoji_alphabet
from .e5_file import E5File
from .teacher_network import Lower, Upper, e5_tokenizer
from .teacher_training import encode
from .tokenizer import BLANK, RESERVED, normalizer, pieces_tokenizer

SPECIAL = frozenset({"<s>", "</s>", "<pad>", "<unk>", "<mask>"})
LEAST_COUNT = 3.0  # weighted count of a word that e5 splits
LONGEST_WORD = 24
_WORD = re.compile(r"[^\W\d_]{2,}")
# Standard deviation of the components; keeps the LSTM's gates unsaturated at the start.
SPREAD = 0.3


@dataclass(frozen=True)
class Counted:
    """Texts for the counts of pieces, and the weight of each text."""

    texts: list[str]
    weight: float


def choose_pieces(file: E5File, counted: list[Counted], always: dict[str, float], size: int) -> list[tuple[str, float]]:
    """Pieces with scores, `size` of them including the reserved ones, which are not returned: characters first, then the words in
    `always` (with their log frequencies), then by weighted count."""
    prepare = normalizer().normalize_str
    prepared = [([prepare(text) for text in part.texts], part.weight) for part in counted]
    words: Counter[str] = Counter()
    for texts, weight in prepared:
        for text in texts:
            for word in _WORD.findall(text):
                words[word] += weight
    candidates = {piece: score for piece, score in zip(file.pieces, file.scores.tolist(), strict=True) if piece not in SPECIAL}
    total = words.total()
    for word, count in words.items():
        if count >= LEAST_COUNT and len(word) <= LONGEST_WORD:
            candidates.setdefault(BLANK + word, float(np.log(count / total)))
    for word, logarithm in always.items():
        candidates.setdefault(BLANK + word, logarithm)
    everything = pieces_tokenizer(sorted(candidates.items()))
    weights: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    for texts, weight in prepared:
        for encoding in everything.encode_batch(texts):
            for token in encoding.tokens:
                weights[token] += weight
        for text in texts:
            for character in text:
                characters[character] += weight
    lowest = min(candidates.values())
    kept = [BLANK, *emoji_alphabet()]
    kept += [character for character, count in characters.most_common() if count >= 2 and not character.isspace()]
    kept += [BLANK + word for word in always]
    kept += [piece for piece, _ in weights.most_common()]
    wanted = [piece for piece in dict.fromkeys(kept) if piece not in RESERVED][: size - len(RESERVED)]
    # A character that e5 lacks scores below every piece, but is not unknown.
    return [(piece, round(candidates.get(piece, lowest - 1), 3)) for piece in wanted]


def as_text(piece: str) -> str:
    """A piece as text for e5."""
    names = {"<user>": "@user", "<url>": "http", "<number>": "100"}
    bare = piece.removeprefix(BLANK)
    return names.get(bare, bare)


def raw_vectors(file: E5File, tokenizer: Tokenizer) -> np.ndarray:
    """Mean of e5's word vectors of each piece's parts, float32 [vocabulary, width]."""
    theirs = e5_tokenizer(file)
    known = {piece: number for number, piece in enumerate(file.pieces)}
    result = np.zeros((tokenizer.get_vocab_size(), file.sizes.width), dtype=np.float32)
    for number in range(len(result)):
        piece = tokenizer.id_to_token(number)
        parts = [known[piece]] if piece in known else theirs.encode(as_text(piece)).ids
        parts = [part for part in parts if theirs.id_to_token(part) != BLANK] or parts
        if parts:
            result[number] = file.matrix("emb.word", file.sizes.width, np.array(parts)).mean(axis=0)
    return result


@torch.inference_mode()
def teacher_vectors(file: E5File, first: int, upper: Upper, tokenizer: Tokenizer) -> np.ndarray:
    """The teacher's pooled output for each piece alone, float32 [vocabulary, width]."""
    lower = Lower(file, first).eval()
    upper.eval()
    encoded = encode(file, [as_text(tokenizer.id_to_token(number)) for number in range(tokenizer.get_vocab_size())])
    result = np.zeros((len(encoded), file.sizes.width), dtype=np.float32)
    for batch in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), 256, None):
        with mixed_precision():
            result[batch] = upper.pooled(lower(torch.from_numpy(encoded.rows(batch)))).float().numpy()
    return result


def reduced(vectors: np.ndarray, dimensions: int) -> np.ndarray:
    """The first principal components of the rows, float32 [rows, dimensions], scaled to standard deviation SPREAD."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred[:: max(1, len(centred) // 20_000)], full_matrices=False)
    found = centred @ axes[:dimensions].T
    return (found * (SPREAD / found.std())).astype(np.float32)
