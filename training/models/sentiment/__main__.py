"""Trains the sentiment model from scratch: `python -m training.models.sentiment --data DIR --out models/sentiment`.

stages.py describes the stages. Each keeps its results in the work folder, so a killed run resumes when restarted. The
model folder is written at the end.
"""

from __future__ import annotations

import argparse
import sys

import torch

from ...engine.command import model_parser, work_folder
from ...engine.stages import OtherSettings, run_stages
from ...model_folder.onnx_file import ExportError
from ...text.corpora import CorpusError
from ...text.network import SentimentNetwork
from .encoders import EncoderError
from .publish import publish
from .recipe import RECIPES
from .stages import Pipeline
from .target_mixture import OTHERS, rows_used

NOTES = (
    "English posts. The target is the first place that names it; without one the text as a whole is judged. Irony without "
    "a marker, and knowledge of the world, are weak."
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = model_parser("sentiment", "sentiment", __doc__, "data folder; the corpora are in its folder text/")
    return parser.parse_args(arguments)


def main() -> None:
    """Runs all stages and prints the metrics."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    try:
        manifest = make(arguments)
    except (CorpusError, EncoderError, ExportError, ModuleNotFoundError, OtherSettings) as error:
        sys.exit(f"error: {error}")
    for name, figures in manifest["figures"].items():
        print(name, figures)


def make(arguments: argparse.Namespace) -> dict:
    """Runs the unfinished stages; returns the manifest."""
    name = "quick" if arguments.quick else "full"
    recipe = RECIPES[name]
    work = work_folder(arguments, "sentiment")
    pipeline = Pipeline(arguments.data, work, recipe)
    _ = pipeline.split, pipeline.target_split  # fails at once if a corpus is missing
    seconds = run_stages(pipeline.stages(), work, {"recipe": name}, fresh=arguments.fresh)
    training = {
        "command": f"python -m training.models.sentiment --data DIR{' --quick' if arguments.quick else ''}",
        "seed": recipe.seed,
        "data": rows_used(pipeline.target_mixture(recipe.templates[1]), recipe.targets),
        "seconds": round(sum(seconds.values())),
    }
    network = SentimentNetwork(pipeline.architecture, sources=len(OTHERS) + 1)
    held_out = pipeline.target_split.held_out
    return publish(
        arguments.out, network, pipeline.result(), pipeline.tokenizer, held_out, recipe.manifest_max_tokens, training,
        arguments.model_version, NOTES, recipe.accepted_loss,
    )


if __name__ == "__main__":
    main()
