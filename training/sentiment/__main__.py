"""Trains the sentiment model and writes the model folder: `python -m training.sentiment --data DIR`.

Steps, each kept in the work folder and skipped when its result is there: tokenizer, word vectors,
stages of training (a checkpoint after every epoch), export with figures and goldens.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

import torch

from .corpus import CorpusError, read_labelled
from .mixture import build_mixture
from .network import Architecture, Dropout, SentimentNetwork
from .publish import publish, reporter
from .recipe import RECIPES, Recipe
from .splits import HELD_OUT_SOURCES, VALIDATION, Split
from .trainer import Trainer
from .unlabelled import prepare_tokenizer, prepare_vectors


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.sentiment", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder; the corpora are in its folder text/")
    parser.add_argument("--out", type=Path, default=Path("models/sentiment"), help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("training/.checkpoints/sentiment"), help="where checkpoints are kept")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="full", help="what trains for how long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads for training")
    parser.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="train with 16-bit products (fast where the CPU has AVX-512 BF16)",
    )
    parser.add_argument("--model-version", default="1", help="version that the manifest states")
    parser.add_argument("--fresh", action="store_true", help="forget the work folder's checkpoints first")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    try:
        run(arguments, RECIPES[arguments.recipe])
    except CorpusError as error:
        sys.exit(f"error: {error}")


def run(arguments: argparse.Namespace, recipe: Recipe) -> None:
    started = time.monotonic()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    if arguments.fresh and arguments.work.exists():
        shutil.rmtree(arguments.work)
    arguments.work.mkdir(parents=True, exist_ok=True)

    names = {*recipe.corpora(), *HELD_OUT_SOURCES, VALIDATION}
    split = Split({name: read_labelled(arguments.data, name) for name in sorted(names)})
    tokenizer = prepare_tokenizer(arguments.work, arguments.data, split, recipe)
    vectors = prepare_vectors(arguments.work, arguments.data, split, tokenizer, recipe, arguments.seed)
    mixture = build_mixture(
        {name: split.training[name] for name in recipe.corpora()}, tokenizer, recipe.max_tokens, arguments.seed
    )
    network = SentimentNetwork(
        Architecture(tokenizer.get_vocab_size(), vectors.shape[1], recipe.hidden), Dropout(), sources=len(mixture.sources)
    )
    network.set_vectors(vectors)
    judge = SentimentNetwork(network.architecture, sources=len(mixture.sources))

    report = reporter(judge, tokenizer, split.held_out, recipe.max_tokens, arguments.work)
    trainer = Trainer(network, mixture, arguments.work, arguments.seed, report, arguments.bfloat16)
    if trainer.resume():
        print(f"goes on after stage {trainer.done[0]}, epoch {trainer.done[1]}")
    weights = trainer.run(list(recipe.stages))

    manifest = publish(
        arguments.out,
        judge,
        weights,
        tokenizer,
        split.held_out,
        recipe.manifest_max_tokens,
        {
            "command": f"python -m training.sentiment --data DIR --recipe {arguments.recipe} --seed {arguments.seed}",
            "seed": arguments.seed,
            "data": [{"file": f"{name}.tsv.xz", "rows": len(split.training[name])} for name in recipe.corpora()]
            + [{"file": f"{name}.txt.xz", "rows": f"every {every}"} for name, every in recipe.plain.items()],
            "seconds": round(time.monotonic() - started if not trainer.seconds else trainer.seconds),
        },
        arguments.model_version,
        recipe.notes,
    )
    for name, figures in manifest["figures"].items():
        print(name, figures)


if __name__ == "__main__":
    main()
