"""Emoji whose feeling is plain, and the ones that the vocabulary must carry.

The corpora are older than most emoji. So the vocabulary takes all of them, their vectors start from
their Unicode names (see `vectors`), and some training texts whose feeling was shown by a face of
punctuation get an emoji of the same feeling in its place.
"""

from __future__ import annotations

import unicodedata

POSITIVE_EMOJI = list("😀😃😄😁😆😊🙂😇🥰😍🤩😘😗😚😙😋🤗😎🥳👍👏🙌💪❤💕💖💗💙💚💛🧡💜🎉🔥✨💯😻🤣😌🏆⭐♥☺")
NEGATIVE_EMOJI = list("😒😞😔😟😕🙁☹😣😖😫😩😢😡😠🤬😤😰😨😱😥😓😑🙄😬🤮🤢🤒💔👎😾😿🖕💩😪🤦😷😭")


def emoji_alphabet() -> list[str]:
    """Every pictograph of the emoji blocks that this Unicode version names, and common symbols."""
    blocks = [(0x2600, 0x27C0), (0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FB00), (0x2B05, 0x2B56)]
    found = [chr(code) for start, end in blocks for code in range(start, end) if unicodedata.name(chr(code), "")]
    return [c for c in found if unicodedata.category(c) == "So"]
