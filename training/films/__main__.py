"""Trains the film reviews' network and writes its folder: `python -m training.films --data DIR --out models/film-reviews`.

Steps, each kept in the work folder and skipped when its result is there: tokenizer, vectors, weights of pairs and
triples, the talk's network for comparison, ours (a checkpoint after every epoch), export with figures and goldens.
`--test` takes the one look at `imdb_test`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from training.sentiment.corpus import CorpusError, Row, read_labelled
from training.sentiment.tokenizer import load_tokenizer, train_tokenizer

from .grams import Grams, Table, cross_fitted
from .network import Architecture, FilmNetwork, TalkNetwork
from .publish import VALIDATION, publish
from .reviews import TEST, TRAINING, encoded_reviews, read_reviews
from .talk import TALK, talk_odds, train_talk
from .trainer import Plan, Trainer, log_odds
from .vectors import first_vectors

VOCABULARY = 16_000
PENALTY = 1.0  # of the linear model's weights
NOTES = (
    "Film reviews in English, negative or positive: neutral has always probability 0. Made to be set beside the talk's "
    "network, not to watch posts with: it knows no neutral text."
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.films", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder; the corpora are in its folder text/")
    parser.add_argument("--out", type=Path, default=Path("models/film-reviews"), help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("training/.checkpoints/films"), help="where checkpoints are kept")
    parser.add_argument("--sentiment", type=Path, default=Path("models/sentiment"), help="model folder whose word vectors it begins with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=Plan.epochs)
    parser.add_argument("--talk-epochs", type=int, default=2, help="of the talk's network; 0 leaves it out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--model-version", default="1")
    parser.add_argument("--test", action="store_true", help="also measure imdb_test: once, when everything is decided")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    try:
        run(arguments)
    except CorpusError as error:
        sys.exit(f"error: {error}")


def run(arguments: argparse.Namespace) -> None:
    """Trains and publishes."""
    started = time.monotonic()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    training_rows, validation_rows = read_reviews(arguments.data)
    tokenizer_path = work / "tokenizer.json"
    if not tokenizer_path.exists():
        train_tokenizer((row.text for row in training_rows), VOCABULARY).save(str(tokenizer_path))
    tokenizer = load_tokenizer(tokenizer_path)
    vocabulary = tokenizer.get_vocab_size()
    training, validation = (encoded_reviews(rows, tokenizer) for rows in (training_rows, validation_rows))
    told(started, f"{len(training)} reviews train, {len(validation)} validate")

    vectors = kept(
        work / "vectors.npz",
        lambda: {"vectors": first_vectors(tokenizer, training.encoded, arguments.sentiment, Architecture.dimensions, arguments.seed)},
    )["vectors"]
    told(started, "vectors")
    grams = read_grams(kept(work / "grams.npz", lambda: written_grams(cross_fitted(training, vocabulary, PENALTY))))
    beside_validation = grams.read(validation.encoded, vocabulary)
    told(started, f"pairs and triples; right without the LSTM, in other folds: {share_right(grams.odds_of_training, training.positive):.2f} %")

    torch.manual_seed(arguments.seed)
    network = FilmNetwork(Architecture(vocabulary, vectors.shape[1]))
    network.set_vectors(vectors)
    judge = FilmNetwork(network.architecture)

    def report(when: str, weights: dict[str, torch.Tensor]) -> None:
        judge.load_state_dict(weights)
        odds = log_odds(judge, validation.encoded, beside_validation, bfloat16=arguments.bfloat16)
        log_figures(work, f"{when}: validation {share_right(odds, validation.positive):.2f} %")

    plan = Plan(epochs=arguments.epochs)
    trainer = Trainer(network, training, grams.of_training, plan, work, arguments.seed, report, arguments.bfloat16)
    if trainer.resume():
        print(f"goes on after epoch {trainer.done}", flush=True)
    weights = trainer.run()

    sets = {VALIDATION: validation_rows}
    if arguments.test:
        sets[TEST] = read_labelled(arguments.data, TEST)
    if arguments.talk_epochs:
        torch.manual_seed(arguments.seed)
        talks = TalkNetwork(vectors)
        train_talk(talks, training, validation, work, arguments.seed, arguments.talk_epochs, lambda line: log_figures(work, line))

    def odds_of_talk(name: str, rows: list[Row]) -> np.ndarray:
        path = work / f"talk-{arguments.talk_epochs}-{name}.npz"
        return kept(path, lambda: {"odds": talk_odds(talks, encoded_reviews(rows, tokenizer).encoded)})["odds"]

    manifest = publish(
        arguments.out, judge, weights, grams.tables, tokenizer, sets, odds_of_talk if arguments.talk_epochs else None,
        {
            "command": f"python -m training.films --data DIR --seed {arguments.seed} --epochs {arguments.epochs} --talk-epochs {arguments.talk_epochs}",
            "seed": arguments.seed,
            "data": [{"file": f"{TRAINING}.tsv.xz", "rows": len(training)}],
            "seconds": round(trainer.seconds),
            "plan": {field.name: getattr(plan, field.name) for field in fields(plan)} | {"talk": TALK | {"epochs": arguments.talk_epochs}},
        },
        arguments.model_version, NOTES,
    )
    for name, figures in manifest["figures"].items():
        print(name, figures)


def told(started: float, what: str) -> None:
    """Prints what is done, and when."""
    print(f"{time.monotonic() - started:.0f} s: {what}", flush=True)


def log_figures(work: Path, line: str) -> None:
    """Prints a line and keeps it in figures.log."""
    print(line, flush=True)
    with (work / "figures.log").open("a", encoding="utf-8") as log:
        log.write(line + "\n")


def share_right(odds: np.ndarray, positive: np.ndarray) -> float:
    """Accuracy of log-odds in percent."""
    return float(100 * np.mean((odds > 0) == (positive > 0)))


def kept(path: Path, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays from a file; where it lacks, made and written first."""
    if not path.exists():
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **make())
        partial.replace(path)
    with np.load(path) as arrays:
        return dict(arrays)


def written_grams(grams: Grams) -> dict[str, np.ndarray]:
    """Arrays of `grams`, for a file."""
    arrays = {"of_training": grams.of_training, "odds_of_training": grams.odds_of_training}
    for number, one in enumerate(grams.tables):
        arrays |= {f"weights_{number}": one.weights, f"marks_{number}": one.marks, f"scale_{number}": np.array(one.scale)}
    return arrays


def read_grams(arrays: dict[str, np.ndarray]) -> Grams:
    """What `written_grams` wrote."""
    tables = [Table(arrays[f"weights_{number}"], arrays[f"marks_{number}"], float(arrays[f"scale_{number}"])) for number in (0, 1)]
    return Grams((tables[0], tables[1]), arrays["of_training"], arrays["odds_of_training"])


if __name__ == "__main__":
    main()
