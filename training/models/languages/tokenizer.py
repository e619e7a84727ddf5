"""The tokenizer of the seven languages, stored entirely in `tokenizer.json`, which the daemon reads.

Normalization is that of the English model, then Arabic diacritics and tatweel are removed and alif forms unified (as Larkey et
al., "Light Stemming for Arabic Information Retrieval", 2007). The pieces form a unigram model (Kudo, "Subword Regularization",
ACL 2018): e5's pieces with their scores, and frequent words that e5 splits. Other text is split into characters, and unknown
characters become the unknown token.
"""

from __future__ import annotations

import json

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from ...text.tokenizer import NUMBER, PAD, UNKNOWN, UNKNOWN_ID, URL, USER, new_tokenizer

BLANK = "▁"
RESERVED = [PAD, UNKNOWN, *(BLANK + marker for marker in (USER, URL, NUMBER))]
# Log-probability 0 keeps markers from being split; pad and unknown must never match text.
_NEVER, _ALWAYS = -1000.0, 0.0
RESERVED_SCORES = [_NEVER, _NEVER, _ALWAYS, _ALWAYS, _ALWAYS]
# Diacritics and tatweel; forms of alif; alif maqsura and Persian ya to ya; Persian kaf to kaf; ta marbuta to ha.
ARABIC = [(r"[\x{0610}-\x{061A}\x{0640}\x{064B}-\x{065F}\x{0670}]+", ""), (r"[\x{0622}\x{0623}\x{0625}\x{0671}]", "\u0627"),
          (r"[\x{0649}\x{06CC}]", "\u064a"), (r"\x{06A9}", "\u0643"), (r"\x{0629}", "\u0647")]


def normalizer() -> normalizers.Normalizer:
    """The normalizer: this project's, then the rules for Arabic."""
    return normalizers.Sequence(
        [new_tokenizer().normalizer, *(normalizers.Replace(Regex(found), instead) for found, instead in ARABIC)]
    )


def pieces_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """A tokenizer with the reserved tokens, then these pieces with their scores (natural logarithms)."""
    reserved = list(zip(RESERVED, RESERVED_SCORES, strict=True))
    tokenizer = Tokenizer(Unigram([*reserved, *pieces], unk_id=UNKNOWN_ID, byte_fallback=False))
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=BLANK, prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement=BLANK, prepend_scheme="always")
    return tokenizer


def shaken_tokenizer(tokenizer: Tokenizer, spread: float, seed: int) -> Tokenizer:
    """The tokenizer with Gaussian noise of standard deviation `spread` on the pieces' scores, for alternative segmentations
    (after Kudo's subword regularization, but with one draw for all texts)."""
    content = json.loads(tokenizer.to_str())
    vocabulary = content["model"]["vocab"]
    noise = np.random.default_rng(seed).normal(0, spread, len(vocabulary))
    noise[: len(RESERVED)] = 0
    content["model"]["vocab"] = [[piece, score + extra] for (piece, score), extra in zip(vocabulary, noise.tolist(), strict=True)]
    return Tokenizer.from_str(json.dumps(content))
