"""Emoji with a clear sentiment, and all emoji that the vocabulary must contain.

The corpora are older than most emoji. Therefore the vocabulary contains all emoji, their vectors start
from their Unicode names (models/sentiment/word_vectors.py), and some texts that were labelled by their
emoticon get an emoji of the same sentiment (mixture.py).
"""

from __future__ import annotations

import unicodedata

POSITIVE_EMOJI = list("😀😃😄😁😆😊🙂😇🥰😍🤩😘😗😚😙😋🤗😎🥳👍👏🙌💪❤💕💖💗💙💚💛🧡💜🎉🔥✨💯😻🤣😌🏆⭐♥☺")
NEGATIVE_EMOJI = list("😒😞😔😟😕🙁☹😣😖😫😩😢😡😠🤬😤😰😨😱😥😓😑🙄😬🤮🤢🤒💔👎😾😿🖕💩😪🤦😷😭")


def emoji_alphabet() -> list[str]:
    """All pictographs of the emoji blocks that Python's Unicode version names, and common symbols."""
    blocks = [(0x2600, 0x27C0), (0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FB00), (0x2B05, 0x2B56)]
    found = [chr(code) for start, end in blocks for code in range(start, end) if unicodedata.name(chr(code), "")]
    return [c for c in found if unicodedata.category(c) == "So"]
