"""Trains the model of the seven languages from scratch: `python -m training.models.languages --data DIR --out models/languages`.

Stages: the teacher, unlabelled posts for it to label, tokenizer, word vectors, and the student. Each keeps its results in the work
folder, so a killed run resumes when restarted. The model folder is written at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ...engine.command import model_parser, work_folder
from ...engine.figures import log_figures
from ...engine.stages import OtherSettings, Stage, run_stages
from ...model_folder.onnx_file import ExportError
from ...text.batches import encode
from ...text.corpora import CorpusError, read_plain
from ...text.mixture import Mixture
from ...text.network import Architecture, SentimentNetwork
from ...text.tokenizer import PAD_ID
from ...text.training import Trainer, predict
from .augmentation import augment
from .corpus import Text, Texts, read_texts
from .e5_file import E5Error, E5File, package_file
from .lexicon import charged_words, frequent_words
from .metrics import language_figures
from .publish import publish
from .recipe import RECIPES, Recipe
from .student import (
    DROPOUT,
    ENGLISH,
    GENERATED,
    GOLD,
    LABELS,
    MAX_TOKENS,
    POOL,
    TEMPLATES,
    Source,
    mixture,
    opinion,
    with_own,
)
from .teacher_network import Upper
from .teacher_training import label, train_teacher, trained_teacher
from .templates.sentences import sentences
from .tokenizer import pieces_tokenizer
from .unlabelled import LanguageFinder, pool
from .vocabulary import Counted, choose_pieces, raw_vectors, reduced, teacher_vectors

ENGLISH_WEIGHT = 0.05  # weight of an English text in the counts of pieces


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = model_parser("languages", "languages", __doc__, "data folder; the corpora are in its folder text/")
    return parser.parse_args(arguments)


def main() -> None:
    """Runs all stages and prints the metrics."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    try:
        manifest = make(arguments)
    except (CorpusError, E5Error, ExportError, OtherSettings) as error:
        sys.exit(f"error: {error}")
    for name, found in manifest["figures"].items():
        print(name, found)


class Pipeline:
    """The stages of one run, in the folders of `work`."""

    def __init__(self, data: Path, work: Path, recipe: Recipe):
        self.data, self.work, self.recipe = data, work, recipe
        self.file, self.texts = E5File(package_file()), read_texts(data)

    def stages(self) -> list[Stage]:
        """All stages, in order."""
        return [
            Stage("teacher", self.train_teacher),
            Stage("unlabelled", self.find_unlabelled),
            Stage("tokenizer", self.make_tokenizer),
            Stage("vectors", self.make_vectors),
            Stage("student", self.train_student),
        ]

    @cached_property
    def teacher(self) -> Upper:
        """The teacher's fine-tuned layers."""
        return trained_teacher(self.work / "teacher", self.file, self.recipe)

    @cached_property
    def words(self) -> dict[str, dict[str, float]]:
        """Frequent words of each language with their log frequencies."""
        return frequent_words(self.texts.training, self.recipe.frequent_words)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The student's tokenizer."""
        return Tokenizer.from_file(str(self.work / "tokenizer" / "tokenizer.json"))

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """The teacher's probabilities, float32 [texts, 3], cached on disk."""
        return opinion([label(self.work / "teacher", self.file, self.teacher, self.recipe.first_layer, texts)])

    def unlabelled(self) -> dict[str, list[str]]:
        """Texts with only the teacher's labels, by source."""
        english = self.texts.english
        chosen = np.random.default_rng(self.recipe.seed).permutation(len(english))[: self.recipe.english_rows]
        words = {code: list(some) for code, some in self.words.items()}
        return {
            GENERATED: augment(self.texts.training, words, self.recipe.generated_rounds, self.recipe.seed),
            POOL: json.loads((self.work / "unlabelled" / "posts.json").read_text(encoding="utf-8")),
            ENGLISH: [english[index].text for index in chosen],
        }

    def mixture(self) -> Mixture:
        """The student's training mixture."""
        training = [text.text for text in self.texts.training]
        own = with_own([text.label for text in self.texts.training], self.probabilities(training))
        others = [Source(name, some, self.probabilities(some)) for name, some in self.unlabelled().items()]
        made = sentences(self.recipe.template_sentences, self.recipe.seed)
        templates = Source(TEMPLATES, [text for text, _ in made], np.array([label for _, label in made], dtype=np.float32))
        return mixture([Source(GOLD, training, own), *others, templates], self.tokenizer, self.recipe.seed)

    def network(self) -> SentimentNetwork:
        """The student with its initial word vectors, untrained."""
        vectors = np.load(self.work / "vectors" / "vectors.npy")
        torch.manual_seed(self.recipe.seed)
        network = SentimentNetwork(Architecture(*vectors.shape, self.recipe.hidden), DROPOUT)
        network.set_vectors(vectors)
        return network

    # The stages.

    def train_teacher(self, folder: Path) -> None:
        """Fine-tunes the upper layers of the encoder."""
        train_teacher(folder, self.file, self.texts, self.recipe)
        report(folder, "teacher", self.texts, lambda some: self.probabilities([text.text for text in some]))

    def find_unlabelled(self, folder: Path) -> None:
        """Finds the posts in one of the languages; takes minutes."""
        finder = LanguageFinder([*self.texts.training, *self.texts.english])
        found = [
            text for name, every in self.recipe.plain.items() for _, text in pool(read_plain(self.data, name, every), finder, self.texts.kept_away)
        ]
        (folder / "posts.json").write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")

    def make_tokenizer(self, folder: Path) -> None:
        """Chooses the word pieces."""
        counted = [
            Counted([text.text for text in self.texts.training], 1.0),
            Counted(self.unlabelled()[POOL], 0.5),
            Counted([text.text for text in self.texts.english], ENGLISH_WEIGHT),
        ]
        always = charged_words(self.words, self.probabilities, self.recipe.charged_words)
        pieces_tokenizer(choose_pieces(self.file, counted, always, self.recipe.vocabulary)).save(str(folder / "tokenizer.json"), pretty=False)

    def make_vectors(self, folder: Path) -> None:
        """Writes the student's initial word vectors, float32 [vocabulary, dimensions]; the pad's is zero."""
        halves = [
            reduced(raw_vectors(self.file, self.tokenizer), self.recipe.raw_dimensions),
            reduced(teacher_vectors(self.file, self.recipe.first_layer, self.teacher, self.tokenizer), self.recipe.teacher_dimensions),
        ]
        vectors = np.concatenate(halves, axis=1)
        vectors[PAD_ID] = 0
        np.save(folder / "vectors.npy", vectors)

    def train_student(self, folder: Path) -> None:
        """Trains the shipped network."""
        network, mixed = self.network(), self.mixture()
        measured = SentimentNetwork(network.architecture)

        def after_epoch(when: str, weights: dict[str, torch.Tensor]) -> None:
            measured.load_state_dict(weights)
            report(folder, when, self.texts, lambda some: predict(measured, encode(self.tokenizer, [text.text for text in some], MAX_TOKENS)))

        torch.save(Trainer(network, mixed, folder, self.recipe.seed, after_epoch).run(self.recipe.student), folder / "weights.pt")


def make(arguments: argparse.Namespace) -> dict:
    """Runs the unfinished stages; returns the manifest."""
    name = "quick" if arguments.quick else "full"
    recipe = RECIPES[name]
    work = work_folder(arguments, "languages")
    pipeline = Pipeline(arguments.data, work, recipe)
    seconds = run_stages(pipeline.stages(), work, {"recipe": name}, fresh=arguments.fresh)
    mixed, shares = pipeline.mixture(), recipe.student[0].shares
    training = {
        "command": f"python -m training.models.languages --data DIR{' --quick' if arguments.quick else ''}",
        "seed": recipe.seed,
        "data": [
            {"source": source, "rows": int((mixed.source == index).sum()), "share": shares[source], "labels": LABELS[source]}
            for index, source in enumerate(mixed.sources)
        ],
        "seconds": round(seconds["student"]),
    }
    weights = torch.load(work / "student" / "weights.pt", weights_only=True)
    network = SentimentNetwork(pipeline.network().architecture)
    return publish(arguments.out, network, weights, pipeline.tokenizer, pipeline.texts, training, arguments.model_version, recipe.accepted_loss)


def report(folder: Path, when: str, texts: Texts, predicted: Callable[[list[Text]], np.ndarray]) -> None:
    """Logs macro-averaged F1 on the texts for model selection."""
    log_figures(folder, f"{when}: {language_figures(texts.choosing, predicted(texts.choosing).argmax(axis=1))}")


if __name__ == "__main__":
    main()
