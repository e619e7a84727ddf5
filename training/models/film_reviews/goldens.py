"""Texts whose probabilities the manifest records, and probes for the model card. All were written for this purpose."""

from __future__ import annotations

GOLDEN_TEXTS = [
    "VMware Horizon rocks!",
    "I don't like it at all. It does not work the way I think it should",
    "It crashes. It's buggy. Don't waste your time on this",
    "This software is market leading and will change the world",
    "A warm, funny and wonderfully acted film that I could watch again tomorrow.",
    "The plot makes no sense, the acting is wooden, and two hours feel like five.",
    "I went in expecting to hate it. I was wrong: it is one of the best of the year.<br /><br />Go and see it.",
    "Not bad at all, actually.",
    "Nothing happens, and then the credits roll.",
    "Der Film ist leider unbrauchbar.",
    "素晴らしい映画でした",
    "",
    "   \t ",
    "The camera pans over the harbour and nobody says a word. " * 60,
]

# Tested ability, review, expected label. Too few for a metric; never use them for training or model selection.
PROBES: list[tuple[str, str, str]] = [
    ("plain", "A wonderful film with a superb cast. I loved every minute.", "positive"),
    ("plain", "A dreadful film with a terrible script. I hated every minute.", "negative"),
    ("negation", "The film is not good.", "negative"),
    ("negation", "The film is not bad at all, and I was never bored.", "positive"),
    ("negation", "I can't say that I enjoyed it.", "negative"),
    ("negation", "Nobody who has seen it would call it boring.", "positive"),
    ("contrast", "The effects are stunning, the music is great, and still I could not wait for it to end.", "negative"),
    ("contrast", "The first half hour drags and the dialogue is clumsy, but what follows is a masterpiece.", "positive"),
    ("expectation", "With this director and this cast it should have been brilliant.", "negative"),
    ("expectation", "I expected another stupid sequel and got the best film of the summer.", "positive"),
    ("comparison", "Even the awful remake was better than this.", "negative"),
    ("comparison", "It makes last year's winner look like a school play.", "positive"),
    ("irony", "If you have trouble sleeping, this is the film for you.", "negative"),
    ("irony", "What a treat: two hours of people staring at a wall.", "negative"),
    ("rating", "3 out of 10, and that is generous.", "negative"),
    ("rating", "8/10, would see it again.", "positive"),
    ("subject", "A harrowing story of war, death and cruelty, told with great tenderness.", "positive"),
    ("subject", "A happy family, a sunny beach, a lovely puppy, and not one honest scene.", "negative"),
    ("somebody else", "Critics adored it. I walked out.", "negative"),
    ("somebody else", "My friends found it awful, but I think they missed the point of a great film.", "positive"),
    ("not a film", "VMware Horizon rocks!", "positive"),
    ("not a film", "The installer crashed three times in a row and support never answered.", "negative"),
    ("not a film", "I don't like it at all. It does not work the way I think it should", "negative"),
    ("neutral, which it does not know", "The film starts at eight in hall 4.", "neutral"),
]
