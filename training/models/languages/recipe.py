"""All hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...text.mixture import Phase
from .student import ENGLISH, GENERATED, GOLD, POOL, TEMPLATES


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a run."""

    teacher: Phase = Phase("teacher", 3, 1e-4, 5e-6, {"languages": 1.0, "semeval": 1 / 3}, batch_size=32, warm_up=0.1)
    # The first layer of the teacher that is fine-tuned, counted from 0.
    first_layer: int = 6
    english_rows: int = 15_000
    student: tuple[Phase, ...] = (
        Phase("teacher's labels", 6, 1e-3, 1e-4, {GOLD: 1.0, GENERATED: 0.4, POOL: 0.5, ENGLISH: 0.15, TEMPLATES: 0.3}, warm_up=0.03),
        Phase("own labels", 2, 2e-4, 2e-5, {GOLD: 1.0, GENERATED: 0.2, POOL: 0.2, TEMPLATES: 0.3}),
    )
    vocabulary: int = 26_000
    raw_dimensions: int = 128
    teacher_dimensions: int = 64
    hidden: int = 192
    # Augmented texts per training text.
    generated_rounds: int = 5
    # Sentences from templates for each language.
    template_sentences: int = 3_000
    # Plain corpora; n reads every n-th line.
    plain: dict[str, int] = field(default_factory=lambda: {"brand_tweets": 1, "reddit_titles": 1})
    # Words considered per language, and how many of them become pieces.
    frequent_words: int = 12_000
    charged_words: int = 1_000
    # Accepted loss of mean macro-averaged F1 on the texts for model selection by quantization, in percentage points.
    accepted_loss: float = 0.5
    seed: int = 1


FULL = Recipe()
# Runs every stage in seconds, on small data; the model is useless.
QUICK = replace(
    FULL, teacher=replace(FULL.teacher, epochs=1), first_layer=11, english_rows=30, student=tuple(replace(phase, epochs=1) for phase in FULL.student),
    vocabulary=1_200, raw_dimensions=8, teacher_dimensions=8, hidden=8, generated_rounds=1, template_sentences=20, frequent_words=20, charged_words=5, accepted_loss=100.0,
)
RECIPES = {"full": FULL, "quick": QUICK}
