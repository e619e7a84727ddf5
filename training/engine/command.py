"""The command line that all models share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

RUNS = Path("training/runs")


def model_parser(package: str, folder: str, description: str, data: str) -> argparse.ArgumentParser:
    """The parser of `python -m training.models.PACKAGE`, which writes models/FOLDER; `data` is the help text of --data."""
    parser = argparse.ArgumentParser(
        prog=f"python -m training.models.{package}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help=data)
    parser.add_argument("--out", type=Path, default=Path("models") / folder, help="model folder to write (default: %(default)s)")
    parser.add_argument("--work", type=Path, help=f"folder of checkpoints and results (default: {RUNS / folder}, or -quick)")
    parser.add_argument("--quick", action="store_true", help="run every stage in seconds; the model is useless")
    parser.add_argument("--fresh", action="store_true", help="delete the work folder first")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="CPU threads (default: %(default)s)")
    parser.add_argument("--model-version", default="1", help="version in the manifest")
    return parser


def work_folder(arguments: argparse.Namespace, folder: str) -> Path:
    """The folder of the run's checkpoints and results."""
    return arguments.work or RUNS / (f"{folder}-quick" if arguments.quick else folder)
