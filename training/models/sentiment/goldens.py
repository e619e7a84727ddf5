"""Texts whose probabilities the manifest records, so that any runtime of the model can be checked.

All were written for this purpose.
"""

GOLDEN_TEXTS = [
    "I love the new release, it just works!",
    "The installer crashed three times in a row and support never answered.",
    "The meeting about the migration starts at 10 in room 4.",
    "It looked good on paper, but it was not.",
    "Not bad at all, actually.",
    "@someone have you seen this? https://example.org/a/b?c=d #virtualization",
    "soooooo happy with my new laptop!!!!!! 😍😍😍",
    "😡 third outage this week &amp; nobody cares :(",
    "Das neue Update ist leider unbrauchbar.",
    "新しいバージョンは素晴らしいです",
    "",
    "   \t ",
    "We moved forty servers last weekend. " * 60,
]
