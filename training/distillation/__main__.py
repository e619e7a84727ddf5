"""Distils the sentiment model: teachers, their labels, student: `python -m training.distillation --data DIR`.

Every step keeps its result in the work folder and is skipped when that is there. Tokenizer and word
vectors are made as for the plain model.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from training.sentiment import evaluation
from training.sentiment.batches import encode
from training.sentiment.corpus import CorpusError, read_labelled
from training.sentiment.mixture import Mixture, Stage
from training.sentiment.network import Architecture, Dropout, SentimentNetwork
from training.sentiment.publish import publish, reporter
from training.sentiment.recipe import RECIPES
from training.sentiment.splits import HELD_OUT_SOURCES, VALIDATION, Split
from training.sentiment.trainer import Trainer, mean_weights, predict
from training.sentiment.unlabelled import prepare_tokenizer, prepare_vectors

from .pool import POOL_LABELLED, pool
from .student import POOL_EVERY, PRE_TRAINING_STAGE, SOFT, SOFT_LABELS, by_source, student_mixture
from .teaching import MAX_TOKENS, averaged, label_pool, train_teacher


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.distillation", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder; the corpora are in its folder text/")
    parser.add_argument("--out", type=Path, default=Path("models/sentiment"), help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("training/.checkpoints/distillation"), help="where checkpoints are kept")
    parser.add_argument("--teachers", type=int, nargs="+", default=[1], help="one teacher is trained for each of these seeds")
    parser.add_argument("--seed", type=int, default=1, help="seed of the student")
    parser.add_argument(
        "--start",
        type=Path,
        help="checkpoint.pt of `python -m training.sentiment` with the same tokenizer: or of this command: the student starts from its weights",
    )
    parser.add_argument("--average-with", type=Path, help="checkpoint.pt to average the student's weights with; else --start")
    parser.add_argument(
        "--student-share",
        type=float,
        default=0.5,
        help="the published weights are this part student, the rest the other checkpoint (1: the student alone)",
    )
    parser.add_argument("--every", type=int, default=POOL_EVERY, help="n labels each n-th unlabelled post")
    parser.add_argument("--epochs", type=int, default=SOFT_LABELS.epochs, help="rounds over the teachers' labels")
    parser.add_argument("--learning-rate", type=float, default=SOFT_LABELS.learning_rate, help="at first; a tenth of it at the end")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--stop-after", choices=["teachers", "labels"], help="for filling the work folder in parts")
    parser.add_argument("--model-version", default="2")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    try:
        run(arguments)
    except (CorpusError, ModuleNotFoundError) as error:
        sys.exit(f"error: {error}")


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    recipe = RECIPES["full"]
    names = {*recipe.corpora(), *HELD_OUT_SOURCES, VALIDATION}
    split = Split({name: read_labelled(arguments.data, name) for name in sorted(names)})
    arguments.work.mkdir(parents=True, exist_ok=True)
    tokenizer = prepare_tokenizer(arguments.work, arguments.data, split, recipe)
    vectors = prepare_vectors(arguments.work, arguments.data, split, tokenizer, recipe, arguments.seed)

    architecture = Architecture(tokenizer.get_vocab_size(), vectors.shape[1], recipe.hidden)
    teachers = [
        Opinion(f"teacher-{seed}", *train_teacher(arguments.work / f"teacher-{seed}", split, seed, arguments.bfloat16))
        for seed in arguments.teachers
    ]
    if len(teachers) > 1:
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16):
            report_average(teachers, split)
    if arguments.stop_after == "teachers":
        return
    posts = list(pool(arguments.data, split, {"brand_tweets": arguments.every}, POOL_LABELLED))
    texts = [text for _, text in posts]
    print(f"labelling {len(texts)} texts", flush=True)
    labels = averaged(
        [
            label_pool(arguments.work / f"labels-{one.name}", one.network, one.tokenizer, texts, arguments.bfloat16)
            for one in teachers
        ]
    )
    if arguments.stop_after == "labels":
        return
    train_student(arguments, architecture, split, tokenizer, vectors, posts, labels)


@dataclass
class Opinion:
    """A network whose probabilities teach, with the tokenizer that it reads through."""

    name: str
    network: torch.nn.Module
    tokenizer: Tokenizer


def started_from(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The averaged weights of a plain training run, without its corrections for single corpora."""
    weights = torch.load(checkpoint, weights_only=True)["average"]
    return {name: tensor for name, tensor in weights.items() if not name.startswith("source_output")}


def report_average(teachers: list[Opinion], split: Split) -> None:
    """Prints the hold-outs' macro-averaged recall of each teacher and of all together."""
    for name, rows in split.held_out.items():
        opinions = [
            evaluation.softmax(predict(one.network, encode(one.tokenizer, [row.text for row in rows], MAX_TOKENS)))
            for one in teachers
        ]
        truth = np.array([row.label for row in rows])
        recalls = [
            round(evaluation.macro_recall(evaluation.confusion(truth, opinion.argmax(axis=1))), 2)
            for opinion in [*opinions, averaged(opinions)]
        ]
        print(f"{name}: {dict(zip([*(one.name for one in teachers), 'together'], recalls, strict=True))}", flush=True)


def train_student(
    arguments: argparse.Namespace,
    architecture: Architecture,
    split: Split,
    tokenizer: Tokenizer,
    vectors: np.ndarray,
    posts: list[tuple[str, str]],
    labels: np.ndarray,
) -> None:
    """Trains the student on the teachers' labels and publishes it."""
    recipe = RECIPES["full"]
    mixture = student_mixture(split, by_source(posts, labels), tokenizer, recipe.max_tokens, arguments.seed)
    torch.manual_seed(arguments.seed)
    outputs = int(mixture.output_of.max()) + 1
    network = SentimentNetwork(architecture, Dropout(embedding=0.2, between_layers=0.2, features=0.3), outputs)
    network.set_vectors(vectors)
    rate = arguments.learning_rate
    stages = [replace(SOFT_LABELS, epochs=arguments.epochs, learning_rate=rate, final_learning_rate=rate / 10)]
    if arguments.start:
        network.load_state_dict(network.state_dict() | started_from(arguments.start))
    else:
        stages.insert(0, PRE_TRAINING_STAGE)
    judge = SentimentNetwork(architecture, sources=outputs)
    work = arguments.work / f"student-{arguments.seed}"
    work.mkdir(exist_ok=True)

    report = reporter(judge, tokenizer, split.held_out, recipe.max_tokens, work)
    trainer = Trainer(network, mixture, work, arguments.seed, report, arguments.bfloat16)
    trainer.resume()
    weights = trainer.run(stages)
    if other := arguments.average_with or arguments.start:
        weights = mean_weights(started_from(other), weights, arguments.student_share)
        report(f"averaged with {other.parent.name}, student's share {arguments.student_share}", weights)
    manifest = publish(
        arguments.out,
        judge,
        weights,
        tokenizer,
        split.held_out,
        recipe.manifest_max_tokens,
        {
            "command": f"python -m training.distillation --data DIR --teachers {' '.join(map(str, arguments.teachers))} "
            f"--seed {arguments.seed} --every {arguments.every} --epochs {arguments.epochs} --learning-rate {rate:g}"
            + (f" --start {arguments.start.parent.name}/checkpoint.pt" if arguments.start else "")
            + (f" --average-with {arguments.average_with.parent.name}/checkpoint.pt" if arguments.average_with else "")
            + f" --student-share {arguments.student_share:g}",
            "seed": arguments.seed,
            "data": rows_used(mixture, stages),
            "seconds": round(trainer.seconds),
        },
        arguments.model_version,
        recipe.notes,
    )
    for name, figures in manifest["figures"].items():
        print(name, figures)


def rows_used(mixture: Mixture, stages: list[Stage]) -> list[dict]:
    """What the manifest says of the data: file, rows, the part that a round draws, whose labels."""
    shares: dict[str, float] = {}
    for stage in stages:
        shares |= stage.shares
    used = []
    for index, source in enumerate(mixture.sources):
        if source in shares:
            name = source.removeprefix(SOFT)
            used.append(
                {
                    "file": f"{name}.txt.xz" if name == "brand_tweets" else f"{name}.tsv.xz",
                    "rows": int((mixture.source == index).sum()),
                    "share": shares[source],
                    "labels": "the teacher's" if source.startswith(SOFT) else "the corpus's",
                }
            )
    return used


if __name__ == "__main__":
    main()
