"""The tokenizer of the seven languages, all of it in `tokenizer.json`, as the daemon reads it.

Preparation is that of the English model, and then what suits the scripts: Arabic without vowel signs and stretching and with
one form of alif (as Larkey et al., "Light Stemming for Arabic Information Retrieval", 2007). The pieces are of a unigram model
(Kudo, "Subword Regularization", ACL 2018): e5's own with their scores, and frequent words that e5 has in parts. What no piece
covers falls apart into characters, and a character that none knows is the unknown token.
"""

from __future__ import annotations

import json

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from training.sentiment.tokenizer import NUMBER, PAD, UNKNOWN, UNKNOWN_ID, URL, USER, new_tokenizer

BLANK = "▁"
RESERVED = [PAD, UNKNOWN, *(BLANK + marker for marker in (USER, URL, NUMBER))]
# A marker is never cheaper in parts. The first two are no pieces of any text.
_NEVER, _ALWAYS = -1000.0, 0.0
RESERVED_SCORES = [_NEVER, _NEVER, _ALWAYS, _ALWAYS, _ALWAYS]
# Vowel signs and the stretching line; forms of alif; final ya as it is mostly typed.
ARABIC = [(r"[\x{0610}-\x{061A}\x{0640}\x{064B}-\x{065F}\x{0670}]+", ""), (r"[\x{0622}\x{0623}\x{0625}\x{0671}]", "\u0627"),
          (r"\x{0649}", "\u064a")]


def normalizer() -> normalizers.Normalizer:
    """From raw text to what the pieces see."""
    return normalizers.Sequence(
        [new_tokenizer().normalizer, *(normalizers.Replace(Regex(found), instead) for found, instead in ARABIC)]
    )


def pieces_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """A tokenizer with the reserved tokens and then these pieces, each with its score, a natural logarithm."""
    reserved = list(zip(RESERVED, RESERVED_SCORES, strict=True))
    tokenizer = Tokenizer(Unigram([*reserved, *pieces], unk_id=UNKNOWN_ID, byte_fallback=False))
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=BLANK, prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement=BLANK, prepend_scheme="always")
    return tokenizer


def shaken_tokenizer(tokenizer: Tokenizer, spread: float, seed: int) -> Tokenizer:
    """The same with noise on the scores of the pieces, normal with this standard deviation: texts fall into pieces in other
    ways that are likely, too (the idea of Kudo's subword regularization, with one draw for all texts)."""
    content = json.loads(tokenizer.to_str())
    vocabulary = content["model"]["vocab"]
    noise = np.random.default_rng(seed).normal(0, spread, len(vocabulary))
    noise[: len(RESERVED)] = 0
    content["model"]["vocab"] = [[piece, score + extra] for (piece, score), extra in zip(vocabulary, noise.tolist(), strict=True)]
    return Tokenizer.from_str(json.dumps(content))
