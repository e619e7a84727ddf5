"""Trains the film-review model from scratch: `python -m training.models.film_reviews --data DIR --out models/film-reviews`.

Stages: tokenizer, word vectors, bigram and trigram weights, our network, and the talk's for comparison. Each keeps its results
in the work folder, so a killed run resumes when restarted. The model folder is written at the end. `--test` also evaluates on
`imdb_test`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ...engine.command import model_parser, work_folder
from ...engine.figures import log_figures
from ...engine.stages import OtherSettings, Stage, run_stages
from ...model_folder.onnx_file import ExportError
from ...text.corpora import CorpusError, Row, read_labelled
from ...text.tokenizer import load_tokenizer, train_tokenizer
from .network import Architecture, FilmNetwork, TalkNetwork
from .ngrams import Grams, cross_fitted, read_grams, save_grams
from .publish import VALIDATION, publish
from .recipe import RECIPES, Recipe
from .reviews import TEST, TRAINING, Reviews, encoded_reviews, read_reviews
from .talk_network import TALK, talk_odds, train_talk
from .training import Trainer, log_odds
from .word_vectors import first_vectors

NOTES = (
    "Film reviews in English, negative or positive: neutral has always probability 0. Made to be set beside the talk's "
    "network, not to watch posts with: it knows no neutral text."
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = model_parser("film_reviews", "film-reviews", __doc__, "data folder; the corpora are in its folder text/")
    parser.add_argument("--sentiment", type=Path, default=Path("models/sentiment"), help="model folder with the initial word vectors")
    parser.add_argument("--test", action="store_true", help="also evaluate on imdb_test: once, after all decisions")
    return parser.parse_args(arguments)


def main() -> None:
    """Runs all stages and prints the metrics."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    try:
        manifest = make(arguments)
    except (CorpusError, ExportError, OtherSettings) as error:
        sys.exit(f"error: {error}")
    for name, figures in manifest["figures"].items():
        print(name, figures)


class Pipeline:
    """The stages of one run, in the folders of `work`."""

    def __init__(self, data: Path, work: Path, sentiment: Path, recipe: Recipe):
        self.data, self.work, self.sentiment, self.recipe = data, work, sentiment, recipe
        self.training_rows, self.validation_rows = read_reviews(data)

    def stages(self) -> list[Stage]:
        """All stages, in order."""
        return [
            Stage("tokenizer", self.make_tokenizer),
            Stage("vectors", self.make_vectors),
            Stage("ngrams", self.fit_ngrams),
            Stage("network", self.train_network),
            Stage("talk", self.train_talk),
        ]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of both networks."""
        return load_tokenizer(self.work / "tokenizer" / "tokenizer.json")

    @cached_property
    def training(self) -> Reviews:
        """The training reviews."""
        return encoded_reviews(self.training_rows, self.tokenizer)

    @cached_property
    def validation(self) -> Reviews:
        """The validation reviews."""
        return encoded_reviews(self.validation_rows, self.tokenizer)

    @cached_property
    def grams(self) -> Grams:
        """The bigram and trigram weights."""
        return read_grams(self.work / "ngrams" / "grams.npz")

    @property
    def vectors(self) -> np.ndarray:
        """Initial word vectors, float32 [vocabulary, dimensions]."""
        return np.load(self.work / "vectors" / "vectors.npy")

    def network(self) -> FilmNetwork:
        """Our network, untrained."""
        torch.manual_seed(self.recipe.seed)
        return FilmNetwork(Architecture(self.tokenizer.get_vocab_size(), self.recipe.dimensions, self.recipe.hidden, self.recipe.attention))

    def talk_odds(self, name: str, rows: list[Row]) -> np.ndarray:  # noqa: ARG002
        """Log-odds [reviews] of the talk's network."""
        network = TalkNetwork(self.vectors)
        network.load_state_dict(torch.load(self.work / "talk" / "weights.pt", weights_only=True))
        return talk_odds(network, encoded_reviews(rows, self.tokenizer).encoded)

    # The stages.

    def make_tokenizer(self, folder: Path) -> None:
        """Trains the tokenizer on the training reviews."""
        train_tokenizer((row.text for row in self.training_rows), self.recipe.vocabulary).save(str(folder / "tokenizer.json"))

    def make_vectors(self, folder: Path) -> None:
        """Computes initial word vectors from the sentiment model's and from the reviews."""
        np.save(folder / "vectors.npy", first_vectors(self.tokenizer, self.training.encoded, self.sentiment, self.recipe.dimensions, self.recipe.seed))

    def fit_ngrams(self, folder: Path) -> None:
        """Fits the linear model of bigram and trigram weights."""
        grams = cross_fitted(self.training, self.tokenizer.get_vocab_size(), self.recipe.penalty)
        save_grams(grams, folder / "grams.npz")
        log_figures(folder, f"without the LSTM, in other folds: {share_right(grams.odds_of_training, self.training.positive):.2f} %")

    def train_network(self, folder: Path) -> None:
        """Trains the shipped network."""
        network, measured = self.network(), self.network()
        network.set_vectors(self.vectors)
        beside_validation = self.grams.read(self.validation.encoded, self.tokenizer.get_vocab_size())

        def report(when: str, weights: dict[str, torch.Tensor]) -> None:
            measured.load_state_dict(weights)
            odds = log_odds(measured, self.validation.encoded, beside_validation, bfloat16=True)
            log_figures(folder, f"{when}: validation {share_right(odds, self.validation.positive):.2f} %")

        trainer = Trainer(network, self.training, self.grams.of_training, self.recipe.plan, folder, self.recipe.seed, report)
        torch.save(trainer.run(), folder / "weights.pt")

    def train_talk(self, folder: Path) -> None:
        """Trains the talk's network."""
        torch.manual_seed(self.recipe.seed)
        network = TalkNetwork(self.vectors)
        epochs = self.recipe.talk_epochs
        train_talk(network, self.training, self.validation, folder, self.recipe.seed, epochs, lambda line: log_figures(folder, line))
        torch.save(network.state_dict(), folder / "weights.pt")


def make(arguments: argparse.Namespace) -> dict:
    """Runs the unfinished stages; returns the manifest."""
    name = "quick" if arguments.quick else "full"
    recipe = RECIPES[name]
    work = work_folder(arguments, "film-reviews")
    pipeline = Pipeline(arguments.data, work, arguments.sentiment, recipe)
    seconds = run_stages(pipeline.stages(), work, {"recipe": name}, fresh=arguments.fresh)
    sets = {VALIDATION: pipeline.validation_rows}
    if arguments.test:
        sets[TEST] = read_labelled(arguments.data, TEST)
    training = {
        "command": f"python -m training.models.film_reviews --data DIR{' --quick' if arguments.quick else ''}",
        "seed": recipe.seed,
        "data": [{"file": f"{TRAINING}.tsv.xz", "rows": len(pipeline.training)}],
        "seconds": round(seconds["network"]),
        "plan": asdict(recipe.plan) | {"talk": TALK | {"epochs": recipe.talk_epochs}},
    }
    weights = torch.load(work / "network" / "weights.pt", weights_only=True)
    return publish(
        arguments.out, pipeline.network(), weights, pipeline.grams.tables, pipeline.tokenizer, sets, pipeline.talk_odds, training,
        arguments.model_version, NOTES,
    )


def share_right(odds: np.ndarray, positive: np.ndarray) -> float:
    """Accuracy of log-odds in percent."""
    return float(100 * np.mean((odds > 0) == (positive > 0)))


if __name__ == "__main__":
    main()
