"""Runs `overheard detect` on pictures and reads its output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ...pictures.matching import Detection, Rectangle
from ...pictures.metrics import Prediction

# Pictures per process: enough to amortize loading the model, few enough to show progress.
CHUNK = 100


class ProgramFailed(Exception):
    """The program can't be run or did not print a line for every picture; the message is the program's, if it printed one."""


def detect(binary: Path, model: str, pictures: list[Path]) -> dict[Path, Prediction]:
    """Runs the program on pictures with one of its models (`detector`, `dense` or `windows`)."""
    predictions = {}
    for start in range(0, len(pictures), CHUNK):
        part = pictures[start : start + CHUNK]
        predictions.update(zip(part, _run(binary, model, part), strict=True))
        print(f"{model}: {len(predictions)} of {len(pictures)} pictures", file=sys.stderr)
    return predictions


def _run(binary: Path, model: str, pictures: list[Path]) -> Iterator[Prediction]:
    command = [str(binary), "detect", "--model", model, "--", *map(str, pictures)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except OSError as error:
        raise ProgramFailed(f"{binary} can't be run: {error.strerror}; `make build` builds it") from error
    lines = run.stdout.splitlines()
    if len(lines) != len(pictures):
        raise ProgramFailed(run.stderr.strip() or f"{binary} ended with code {run.returncode} and no message")
    return map(parse, lines)


def parse(line: str) -> Prediction:
    """Reads one line of the program's output."""
    fields = json.loads(line)
    if "error" in fields:
        return Prediction(0, 0, "", [], fields["error"])
    detections = [
        Detection(one["brand"], one["score"], Rectangle(one["x"], one["y"], one["width"], one["height"]),
                  one["reported"])
        for one in fields["sightings"]
    ]
    return Prediction(fields["width"], fields["height"], fields["model"], detections)
