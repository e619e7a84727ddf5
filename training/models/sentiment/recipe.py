"""All hyperparameters: mixtures, phases, and sizes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...text.mixture import ANCHOR, Phase
from ...text.network import Dropout

PRE_TRAINING = {"emoticon": 1.0}
MIX = {
    "semeval": 1.0, "semeval_topic": 0.7, "tse": 0.7, "brand_entity": 0.7, "goemotions": 0.3, "sst5": 0.5, "reviews": 0.5,
    "software_engineering": 0.7,
}
TEACHER_MIX = {
    "semeval": 1.0, "semeval_topic": 0.5, "tse": 0.6, "brand_entity": 0.6, "goemotions": 0.2, "software_engineering": 0.4,
    "sst5": 0.4, "reviews": 0.3,
}
STUDENT_MIX = {
    "soft_brand_tweets": 1.0, "soft_semeval": 1.0, "soft_semeval_topic": 1.0, "soft_tse": 1.0, "soft_brand_entity": 1.0,
    "goemotions": 0.3, "software_engineering": 0.5, "sst5": 0.3, "reviews": 0.3,
    "emoticon": 0.1,  # retains emoji that are missing from the pool
}
TARGET_MIX = {
    "teachers": 1.0, "semeval_topic": 1.0, "targets": 3.0, "brand_entity": 0.5, "tse": 0.5, "goemotions": 0.3,
    "software_engineering": 0.7, "sst5": 0.3, "reviews": 0.3, "templates": 1.0,
}
LANGCHAIN = "dev.langchain4j:langchain4j-embeddings"


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a run. Training truncates texts to `max_tokens`: posts are shorter, and long texts cost most."""

    first: tuple[Phase, ...] = (
        Phase("pre-training", 1, 1e-3, 1e-3, PRE_TRAINING),
        Phase("mix", 3, 1e-3, 2e-4, MIX),
        Phase("anchor", 1, 2e-4, 5e-5, {"semeval": 1.0, "semeval_topic": 0.3}),
    )
    teacher: tuple[Phase, ...] = (Phase("teacher", 1, 1e-4, 5e-5, TEACHER_MIX, batch_size=32, warm_up=0.1),)
    student: tuple[Phase, ...] = (Phase("soft labels", 3, 1e-3, 1e-4, STUDENT_MIX),)
    targets: tuple[Phase, ...] = (Phase("targets", 3, 8e-4, 2e-5, TARGET_MIX, warm_up=0.05),)
    # Weight averaging: the student's share against the first network, and targets-2's share against targets-1.
    student_share: float = 0.5
    last_share: float = 0.7
    # Generated sentences in targets-1 and targets-2.
    templates: tuple[int, int] = (32_000, 40_000)
    # Larger encoders: Maven artifact with the ONNX file; "" for a small random one (quick).
    encoders: dict[str, str] = field(default_factory=lambda: {
        "bge": f"{LANGCHAIN}-bge-small-en-v15:0.36.2", "e5": f"{LANGCHAIN}-e5-small-v2:0.36.2",
    })
    vocabulary_size: int = 40_000
    dimensions: int = 200
    hidden: int = 200
    vector_epochs: int = 2
    # Plain corpora for tokenizer and word vectors; n keeps every n-th line.
    plain: dict[str, int] = field(default_factory=lambda: {"brand_tweets": 1, "reddit_titles": 8})
    pool_every: int = 10  # teachers label every n-th unlabelled post
    max_tokens: int = 96
    manifest_max_tokens: int = 256
    first_dropout: Dropout = Dropout()
    student_dropout: Dropout = Dropout(embedding=0.2, between_layers=0.2, features=0.3)
    target_dropout: Dropout = Dropout(embedding=0.2, between_layers=0.25, features=0.4)
    # Accepted loss of macro-averaged recall on the validation set by quantization, in percentage points.
    accepted_loss: float = 0.3
    seed: int = 1

    def corpora(self) -> list[str]:
        """Names of the labelled corpora of the first network, the anchor first."""
        names = {name for phase in self.first for name in phase.shares}
        return [ANCHOR, *sorted(names - {ANCHOR})]


def _short(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    return tuple(replace(phase, epochs=1, batch_size=16) for phase in phases)


FULL = Recipe()
# Runs every stage in seconds, on small data; the model is useless.
QUICK = replace(
    FULL, first=_short(FULL.first), teacher=_short(FULL.teacher), student=_short(FULL.student), targets=_short(FULL.targets), templates=(40, 60),
    encoders={"first-random": "", "second-random": ""}, vocabulary_size=400, dimensions=16, hidden=8, vector_epochs=1,
    plain={"brand_tweets": 1, "reddit_titles": 1}, pool_every=1, accepted_loss=100.0,
)
RECIPES = {"full": FULL, "quick": QUICK}
