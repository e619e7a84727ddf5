"""Recipes: what trains on what, for how long."""

from __future__ import annotations

from dataclasses import dataclass, field

from .mixture import ANCHOR, Stage

PRE_TRAINING = {"emoticon": 1.0}
MIX = {
    "semeval": 1.0,
    "semeval_topic": 0.7,
    "tse": 0.7,
    "brand_entity": 0.7,
    "goemotions": 0.3,
    "sst5": 0.5,
    "reviews": 0.5,
    "software_engineering": 0.7,
}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome besides data and seed."""

    stages: tuple[Stage, ...]
    vocabulary_size: int = 40_000
    dimensions: int = 200
    hidden: int = 200
    vector_epochs: int = 2
    # Plain corpora for tokenizer and vectors; n keeps each n-th line.
    plain: dict[str, int] = field(default_factory=lambda: {"brand_tweets": 1, "reddit_titles": 8})
    max_tokens: int = 96  # training texts are cut here: posts are shorter, and long ones cost most
    manifest_max_tokens: int = 256
    notes: str = (
        "English posts; other languages and irony are weak. Output is the sentiment of the whole text, not towards a brand."
    )

    def corpora(self) -> list[str]:
        """Names of the labelled corpora that any stage uses, the anchor first."""
        names = {name for stage in self.stages for name in stage.shares}
        return [ANCHOR, *sorted(names - {ANCHOR})]


RECIPES = {
    "quick": Recipe((Stage("anchor", 3, 2e-3, 2e-4, {"semeval": 1.0}),)),
    "full": Recipe(
        (
            Stage("pre-training", 1, 1e-3, 1e-3, PRE_TRAINING),
            Stage("mix", 3, 1e-3, 2e-4, MIX),
            Stage("anchor", 1, 2e-4, 5e-5, {"semeval": 1.0, "semeval_topic": 0.3}),
        )
    ),
}
