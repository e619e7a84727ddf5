"""Teaches the sentiment model to be asked about a target: python -m training.towards --data DIR --start CHECKPOINT"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from training.distillation.encoder import teacher_tokenizer
from training.distillation.pool import POOL_LABELLED, pool
from training.distillation.pretrained import TeacherError
from training.distillation.student import Labelled
from training.distillation.teaching import averaged, label_pool, trained_teacher
from training.sentiment.corpus import CorpusError, read_labelled
from training.sentiment.network import Architecture, Dropout, SentimentNetwork
from training.sentiment.publish import publish, reporter
from training.sentiment.recipe import RECIPES
from training.sentiment.splits import HELD_OUT_SOURCES, VALIDATION, Split
from training.sentiment.tokenizer import load_tokenizer
from training.sentiment.trainer import Trainer, mean_weights

from .mixture import DRILLS, OTHERS, STAGE, TAUGHT, TOWARDS, mixture
from .start import StartError, start_weights, widened

NOTES = (
    "English posts. The target is the first place that names it; without one the text as a whole is judged. Irony without "
    "a marker, and knowledge of the world, are weak."
)

# For the card: where made and unlabelled texts are from, and whose labels are not those of their corpus.
FILES = {DRILLS: "made up (training/drills)", TAUGHT: f"brand_tweets.txt.xz and texts of {', '.join(POOL_LABELLED)}"}
LABELS_BY = {DRILLS: "given with them", TAUGHT: "the teachers'"}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.towards", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data folder; the corpora are in its folder text/")
    parser.add_argument("--start", type=Path, required=True, help="checkpoint.pt of training.distillation, or model.onnx of version 2")
    parser.add_argument("--teachers", type=Path, nargs="+", required=True, help="folders that `python -m training.distillation.teacher` left")
    parser.add_argument("--tokenizer", type=Path, required=True, help="tokenizer.json that the start was trained with")
    parser.add_argument("--out", type=Path, default=Path("models/sentiment"), help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("training/.checkpoints/towards"), help="where checkpoints are kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=STAGE.epochs)
    parser.add_argument("--learning-rate", type=float, default=STAGE.learning_rate)
    parser.add_argument("--average-with", type=Path, help="checkpoint.pt of another run of this command from the same start, to average with; else the start")
    parser.add_argument("--share", type=float, default=1.0, help="the published weights are so much this run's, the rest the other's")
    parser.add_argument("--drills", type=int, default=40_000, help="made-up sentences an epoch")
    parser.add_argument("--every", type=int, default=10, help="the teachers label each n-th unlabelled post")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--model-version", default="5")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    try:
        run(arguments)
    except (CorpusError, StartError, TeacherError, ModuleNotFoundError) as error:
        sys.exit(f"error: {error}")


def run(arguments: argparse.Namespace) -> None:
    """Trains and publishes."""
    for path in filter(None, (arguments.start, arguments.tokenizer, arguments.average_with)):
        if not path.is_file():
            raise StartError(f"{path} is no file; training/README.md says where what training begins with is from")
    torch.set_num_threads(arguments.threads)
    recipe = RECIPES["full"]
    kept_from = (*HELD_OUT_SOURCES, "targets")
    names = {*TOWARDS, *OTHERS, *POOL_LABELLED, *kept_from, VALIDATION}
    split = Split({name: read_labelled(arguments.data, name) for name in sorted(names)}, kept_from)
    tokenizer = load_tokenizer(arguments.tokenizer)
    begun = start_weights(arguments.start)
    architecture = Architecture(tokenizer.get_vocab_size(), begun["embedding.weight"].shape[1], recipe.hidden)
    torch.manual_seed(arguments.seed)
    network = SentimentNetwork(architecture, Dropout(embedding=0.2, between_layers=0.25, features=0.4), len(OTHERS) + 1)
    network.load_state_dict(widened(begun, network.state_dict()))
    started = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    judge = SentimentNetwork(architecture, sources=len(OTHERS) + 1)
    judge.load_state_dict(network.state_dict())

    texts = [text for _, text in pool(arguments.data, split, {"brand_tweets": arguments.every}, POOL_LABELLED)]
    opinions = [label_pool(folder / "labels", trained_teacher(folder), teacher_tokenizer(), texts, arguments.bfloat16) for folder in arguments.teachers]
    mixed = mixture(split, Labelled(texts, averaged(opinions)), tokenizer, recipe.max_tokens, arguments.drills, arguments.seed)
    arguments.work.mkdir(parents=True, exist_ok=True)

    report = reporter(judge, tokenizer, split.held_out, recipe.max_tokens, arguments.work)
    trainer = Trainer(network, mixed, arguments.work, arguments.seed, report, arguments.bfloat16)
    if not trainer.resume():
        report("before", network.state_dict())
    weights = trainer.run([replace(STAGE, epochs=arguments.epochs, learning_rate=arguments.learning_rate)])
    other = torch.load(arguments.average_with, weights_only=True)["average"] if arguments.average_with else started
    weights = mean_weights(other, weights, arguments.share)
    used = [
        {"file": FILES.get(name, f"{name}.tsv.xz"), "rows": int((mixed.source == index).sum()), "share": STAGE.shares[name], "labels": LABELS_BY.get(name, "the corpus's")}
        for index, name in enumerate(mixed.sources)
    ]
    manifest = publish(
        arguments.out, judge, weights, tokenizer, split.held_out, recipe.manifest_max_tokens,
        {
            "command": f"python -m training.towards --data DIR --start {arguments.start.name} --teachers {' '.join(folder.name for folder in arguments.teachers)} "
            f"--tokenizer tokenizer.json --seed {arguments.seed} "
            f"--epochs {arguments.epochs} --learning-rate {arguments.learning_rate:g}"
            + (f" --average-with {arguments.average_with.parent.name}/checkpoint.pt" if arguments.average_with else "")
            + f" --share {arguments.share:g} --drills {arguments.drills} --every {arguments.every}",
            "seed": arguments.seed, "data": used, "seconds": round(trainer.seconds),
        },
        arguments.model_version, NOTES,
    )
    for name, figures in manifest["figures"].items():
        print(name, figures)


if __name__ == "__main__":
    main()
