"""Where a target stands in a text: from its name to characters, from characters to tokens.

The daemon knows the place already, since it has matched the brand; it maps the place to tokens by the same rule.
"""

from __future__ import annotations

import re

NO_TARGET = (0, 0)


def place_in_text(text: str, target: str) -> tuple[int, int] | None:
    """The characters of a target's first occurrence, half-open: as whole words if there is such a place; case is
    ignored. None where the text doesn't name it."""
    if not target.strip():
        return None
    # Corpora that were cut into words write "I ' m" in the text and in the target alike, but not always with one blank.
    pattern = r"\s+".join(re.escape(part) for part in target.split())
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) or re.search(pattern, text, re.IGNORECASE)
    return found.span() if found else None


def token_span(offsets: list[tuple[int, int]], place: tuple[int, int] | None, max_tokens: int) -> tuple[int, int]:
    """The tokens of a place, half-open, (0, 0) for none.

    They are those that share a character with it. Where none does, it is the last token that begins before the end of
    the place: a replaced user name or link may have kept one character of many. What lies behind the last token that
    the network is given is no target.
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
