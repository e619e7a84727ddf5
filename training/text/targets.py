"""Locates a target in a text: from its name to characters, from characters to tokens.

The daemon takes the characters from its brand matching and maps them to tokens by the same rule.
"""

from __future__ import annotations

import re

NO_TARGET = (0, 0)


def place_in_text(text: str, target: str) -> tuple[int, int] | None:
    """The character span of a target's first occurrence, half-open, case-insensitive; whole words are preferred.
    None if the text does not contain it."""
    if not target.strip():
        return None
    # Tokenized corpora write "I ' m" in text and target, but not always with the same number of blanks.
    pattern = r"\s+".join(re.escape(part) for part in target.split())
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) or re.search(pattern, text, re.IGNORECASE)
    return found.span() if found else None


def token_span(offsets: list[tuple[int, int]], place: tuple[int, int] | None, max_tokens: int) -> tuple[int, int]:
    """The token span of a character span, half-open, (0, 0) for none.

    It covers the tokens that share a character with `place`. If none does, it is the last token that begins before the
    end of `place`: a replaced user name or link may keep the offset of one character only. A target beyond `max_tokens`
    counts as none.
    """
    if place is None:
        return NO_TARGET
    start, end = place
    sharing = [index for index, (first, last) in enumerate(offsets) if first < end and last > start]
    if not sharing:
        sharing = [index for index, (first, _) in enumerate(offsets) if first < end][-1:]
    if not sharing or sharing[0] >= max_tokens:
        return NO_TARGET
    return sharing[0], min(sharing[-1] + 1, max_tokens)
