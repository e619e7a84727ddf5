"""Trains one teacher of whole texts, and labels with it: `python -m training.distillation.teacher --data DIR --encoder FILE --work FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from training.sentiment.corpus import CorpusError, read_labelled
from training.sentiment.splits import HELD_OUT_SOURCES, VALIDATION, Split

from .pool import POOL_LABELLED, pool
from .pretrained import TeacherError
from .teaching import label_pool, teacher_corpora, train_teacher


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.distillation.teacher", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder; the corpora are in its folder text/")
    parser.add_argument("--encoder", type=Path, help="ONNX file of the encoder to begin with (see pretrained.py); else MiniLM")
    parser.add_argument("--work", type=Path, default=Path("training/.checkpoints/teacher"), help="folder to leave the teacher in")
    parser.add_argument("--label-every", type=int, help="n then labels each n-th unlabelled post and the training texts (see pool.py)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    try:
        names = {*teacher_corpora(), *HELD_OUT_SOURCES, "targets", VALIDATION}
        split = Split({name: read_labelled(arguments.data, name) for name in sorted(names)}, (*HELD_OUT_SOURCES, "targets"))
        teacher, tokenizer = train_teacher(arguments.work, split, arguments.seed, arguments.bfloat16, arguments.encoder)
        if arguments.label_every:
            texts = [text for _, text in pool(arguments.data, split, {"brand_tweets": arguments.label_every}, POOL_LABELLED)]
            label_pool(arguments.work / "labels", teacher, tokenizer, texts, arguments.bfloat16)
    except (CorpusError, TeacherError, ModuleNotFoundError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
