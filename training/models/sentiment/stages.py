"""The training stages of the shipped model. Each reads the results of earlier stages from their folders.

1. `tokenizer` and `vectors`: word pieces and word vectors, from training texts and unlabelled posts.
2. `first`: a first network, trained on the labelled corpora alone.
3. `teacher` and `labels`: a fine-tuned MiniLM, and its labels of the pool.
4. `student`: a network trained on these labels, initialised from the first one and averaged with it.
5. `encoders`, `teacher-NAME`, `labels-NAME`: teachers from 12-layer encoders, and their labels of the pool.
6. `targets-1` and `targets-2`: networks that take a target, fine-tuned from the student; `targets-2` on more generated
   sentences. The model is their weighted mean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ...engine.stages import Stage
from ...text.corpora import read_labelled
from ...text.hold_outs import HELD_OUT_SOURCES, VALIDATION, Split
from ...text.mixture import Mixture, Phase, build_mixture
from ...text.network import Architecture, Dropout, SentimentNetwork
from ...text.tokenizer import load_tokenizer
from ...text.training import Trainer, mean_weights
from . import encoders, unlabelled
from .pool import POOL_LABELLED, pool
from .publish import reporter
from .recipe import Recipe
from .student import Labelled, by_source, student_mixture
from .target_mixture import OTHERS, TOWARDS, target_mixture
from .teacher_network import teacher_tokenizer
from .teaching import averaged, label, train_teacher, trained_teacher

Weights = dict[str, torch.Tensor]
PRODUCED = "weights.pt"  # output of a training stage


class Pipeline:
    """The stages of one run, in the folders of `work`."""

    def __init__(self, data: Path, work: Path, recipe: Recipe):
        self.data, self.work, self.recipe = data, work, recipe

    def stages(self) -> list[Stage]:
        """All stages, in order."""
        larger = []
        for name in self.recipe.encoders:
            larger += [
                Stage(f"teacher-{name}", lambda folder, name=name: self.train_teacher(folder, self.target_split, self.encoder_file(name))),
                Stage(f"labels-{name}", lambda folder, name=name: self.label(folder, f"teacher-{name}", self.target_pool)),
            ]
        return [
            Stage("tokenizer", lambda folder: unlabelled.make_tokenizer(folder / "tokenizer.json", self.data, self.split, self.recipe)),
            Stage("vectors", lambda folder: unlabelled.make_vectors(folder / "vectors.npy", self.data, self.split, self.tokenizer, self.recipe)),
            Stage("first", self.train_first),
            Stage("teacher", lambda folder: self.train_teacher(folder, self.split, None)),
            Stage("labels", lambda folder: self.label(folder, "teacher", self.pool)),
            Stage("student", self.train_student),
            Stage("encoders", self.fetch_encoders),
            *larger,
            Stage("targets-1", lambda folder: self.train_for_targets(folder, self.recipe.templates[0])),
            Stage("targets-2", lambda folder: self.train_for_targets(folder, self.recipe.templates[1])),
        ]

    # Inputs that stages share.

    @cached_property
    def split(self) -> Split:
        """The corpora of the stages up to `student`."""
        return self._read({*self.recipe.corpora(), *HELD_OUT_SOURCES, VALIDATION}, HELD_OUT_SOURCES)

    @cached_property
    def target_split(self) -> Split:
        """The corpora of the later stages, with a hold-out of `targets` too."""
        kept_from = (*HELD_OUT_SOURCES, "targets")
        names = {*TOWARDS, *OTHERS, *POOL_LABELLED, *kept_from, VALIDATION, *(name for phase in self.recipe.teacher for name in phase.shares)}
        return self._read(names, kept_from)

    def _read(self, names: set[str], kept_from: tuple[str, ...]) -> Split:
        return Split({name: read_labelled(self.data, name) for name in sorted(names)}, kept_from)

    @cached_property
    def pool(self) -> list[tuple[str, str]]:
        """The first teacher's pool: (corpus, text)."""
        return list(pool(self.data, self.split, {"brand_tweets": self.recipe.pool_every}, POOL_LABELLED))

    @cached_property
    def target_pool(self) -> list[tuple[str, str]]:
        """The larger teachers' pool: (corpus, text)."""
        return list(pool(self.data, self.target_split, {"brand_tweets": self.recipe.pool_every}, POOL_LABELLED))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of all networks but the teachers."""
        return load_tokenizer(self.work / "tokenizer" / "tokenizer.json")

    @cached_property
    def architecture(self) -> Architecture:
        """The architecture of all networks but the teachers."""
        return Architecture(self.tokenizer.get_vocab_size(), self.recipe.dimensions, self.recipe.hidden)

    def encoder_file(self, name: str) -> Path:
        """The weights of a larger encoder, written by the stage `encoders`."""
        return self.work / "encoders" / f"{name}.safetensors"

    # The stages.

    def train_first(self, folder: Path) -> None:
        """Trains the first network, from labelled corpora and word vectors."""
        recipe = self.recipe
        mixture = build_mixture({name: self.split.training[name] for name in recipe.corpora()}, self.tokenizer, recipe.max_tokens, recipe.seed)
        network = self._network(recipe.first_dropout, len(mixture.sources))
        network.set_vectors(np.load(self.work / "vectors" / "vectors.npy"))
        self._train(folder, network, mixture, recipe.first, self.split)

    def train_teacher(self, folder: Path, split: Split, encoder: Path | None) -> None:
        """Fine-tunes a teacher from an encoder's file, or from MiniLM if it is None."""
        quick = not all(self.recipe.encoders.values())
        pretrained = encoders.load(encoder) if encoder else encoders.random(self.recipe.seed) if quick else encoders.minilm()
        train_teacher(folder, pretrained, split, self.recipe.teacher, self.recipe.seed)

    def label(self, folder: Path, teacher: str, texts: list[tuple[str, str]]) -> None:
        """Writes a teacher's probabilities of the texts of a pool."""
        found = label(folder, trained_teacher(self.work / teacher), teacher_tokenizer(), [text for _, text in texts])
        np.save(folder / "labels.npy", found)

    def train_student(self, folder: Path) -> None:
        """Trains the student, from the first network and the teacher's labels."""
        recipe, first = self.recipe, self.produced("first")
        labels = np.load(self.work / "labels" / "labels.npy")
        mixture = student_mixture(self.split, by_source(self.pool, labels), self.tokenizer, recipe.max_tokens, recipe.seed)
        network = self._network(recipe.student_dropout, int(mixture.output_of.max()) + 1)
        network.load_state_dict(network.state_dict() | first)
        self._train(folder, network, mixture, recipe.student, self.split, lambda weights: mean_weights(first, weights, recipe.student_share))

    def fetch_encoders(self, folder: Path) -> None:
        """Fetches the weights of the larger encoders."""
        for number, (name, artifact) in enumerate(self.recipe.encoders.items()):
            weights = encoders.from_maven(artifact, folder) if artifact else encoders.random(number)
            encoders.save(weights, self.encoder_file(name))

    def train_for_targets(self, folder: Path, templates: int) -> None:
        """Trains a network that takes a target, from the student and the larger teachers' labels."""
        recipe = self.recipe
        network = self._network(recipe.target_dropout, len(OTHERS) + 1)
        network.load_state_dict(network.state_dict() | self.produced("student"))
        mixture = self.target_mixture(templates)
        self._train(folder, network, mixture, recipe.targets, self.target_split)

    def target_mixture(self, templates: int) -> Mixture:
        """The training mixture of `targets-1` and `targets-2`."""
        labels = averaged([np.load(self.work / f"labels-{name}" / "labels.npy") for name in self.recipe.encoders])
        taught = Labelled([text for _, text in self.target_pool], labels)
        return target_mixture(self.target_split, taught, self.tokenizer, self.recipe.max_tokens, templates, self.recipe.seed)

    def result(self) -> Weights:
        """The weights of the shipped model."""
        before, last = (torch.load(self.work / stage / PRODUCED, weights_only=True) for stage in ("targets-1", "targets-2"))
        return mean_weights(before, last, self.recipe.last_share)

    def produced(self, stage: str) -> Weights:
        """The weights of a stage, without the per-corpus corrections."""
        weights = torch.load(self.work / stage / PRODUCED, weights_only=True)
        return {name: tensor for name, tensor in weights.items() if not name.startswith("source_output")}

    def _network(self, dropout: Dropout, outputs: int) -> SentimentNetwork:
        torch.manual_seed(self.recipe.seed)
        return SentimentNetwork(self.architecture, dropout, outputs)

    def _train(
        self, folder: Path, network: SentimentNetwork, mixture: Mixture, phases: tuple[Phase, ...], split: Split,
        finish: Callable[[Weights], Weights] = lambda weights: weights,
    ) -> None:
        measured = SentimentNetwork(network.architecture, sources=len(network.source_output) + 1)
        report = reporter(measured, self.tokenizer, split.held_out, self.recipe.max_tokens, folder)
        trainer = Trainer(network, mixture, folder, self.recipe.seed, report)
        weights = finish(trainer.run(phases))
        report("result", weights)
        torch.save(weights, folder / PRODUCED)
