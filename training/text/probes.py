"""Short sentences, written for this project, that each test one ability.

They are too few for a metric. The model card shows them with the model's answers to illustrate its
weaknesses. Never use them for training or model selection.
"""

from __future__ import annotations

from collections.abc import Sequence

from .exported import ExportedModel

PROBES: list[tuple[str, str, str]] = [
    ("plain", "The new dashboard is wonderful.", "positive"),
    ("plain", "The new dashboard is awful.", "negative"),
    ("plain", "The new dashboard is on the second tab.", "neutral"),
    ("negation", "The upgrade was not good.", "negative"),
    ("negation", "The upgrade was not bad at all.", "positive"),
    ("negation", "I can't say that I enjoyed the keynote.", "negative"),
    ("negation", "I thought the fix would help, but it did not.", "negative"),
    ("negation", "Nobody who has used it would ever call it reliable.", "negative"),
    ("contrast", "Support was slow, but in the end everything works great.", "positive"),
    ("contrast", "Nice talk, shame about the product.", "negative"),
    ("irony", "Oh great, another licence change. Exactly what we needed.", "negative"),
    ("irony", "Five hours of downtime, truly a world-class cloud.", "negative"),
    ("comparison", "We left them for a competitor and never looked back.", "negative"),
    ("then and now", "It used to crash daily, now it is rock solid.", "positive"),
    ("question", "Is anyone else going to the conference in Barcelona?", "neutral"),
    ("question", "Why does this thing crash every single time?", "negative"),
    ("wish", "I wish the client were half as good as they say.", "negative"),
    ("emoji", "release day 🎉🎉", "positive"),
    ("emoji", "release day 🤮", "negative"),
    ("slang", "this update slaps", "positive"),
    ("technical words", "How to kill a hung process and its dead children", "neutral"),
    ("news", "Chipmaker cuts 900 jobs after loss", "negative"),
    ("two brands", "Their phones are superb, unlike the laptops, which are junk.", "negative"),
    ("other language", "Le nouveau logiciel est une catastrophe.", "negative"),
]


def known_failures(model: ExportedModel, labels: list[str], probes: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of a model card: the probes that a model gets wrong, then those that it gets right. A probe is an optional
    language, the tested ability, the text and its expected label."""
    right, wrong = [], []
    for (*asks, text, expected), found in zip(probes, model.probabilities([probe[-2] for probe in probes]), strict=True):
        answer = labels[int(found.argmax())]
        line = f"| {' | '.join(asks)} | {text} | {expected} | {answer} ({found.max():.2f}) |"
        (right if answer == expected else wrong).append(line)
    language = "| " if len(probes[0]) == 4 else ""
    columns = f"{language}| asks for | text | should be | model (its probability) |"
    head = [columns, "|---" * (columns.count("|") - 1) + "|"]
    return [
        "",
        "## Known failures",
        f"Of {len(probes)} sentences of our own it gets these {len(wrong)} wrong:",
        "",
        *head,
        *wrong,
        "",
        f"and these {len(right)} right:",
        "",
        *head,
        *right,
        "",
    ]
