"""What `overheard detect` says of pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .matching import Detection, Rectangle

# Pictures given to one process: enough that opening the model does not count, few enough to see it go on.
AT_ONCE = 100


class ProgramFailed(Exception):
    """The program did not answer for every picture; the message has its own words."""


@dataclass(frozen=True)
class Answer:
    """What was seen in a picture; `error` where it could not be looked at."""

    width: int
    height: int
    model: str
    detections: list[Detection]
    error: str = ""


def detect(binary: Path, model: str, pictures: list[Path]) -> dict[Path, Answer]:
    """Has the program look at pictures with one of its models (`detector`, `dense` or `windows`)."""
    answers = {}
    for start in range(0, len(pictures), AT_ONCE):
        part = pictures[start : start + AT_ONCE]
        answers.update(zip(part, _run(binary, model, part), strict=True))
        print(f"{model}: {len(answers)} of {len(pictures)} pictures", file=sys.stderr)
    return answers


def _run(binary: Path, model: str, pictures: list[Path]) -> Iterator[Answer]:
    command = [str(binary), "detect", "--model", model, "--", *map(str, pictures)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except OSError as error:
        raise ProgramFailed(f"{binary} can't be run: {error.strerror}; `make build` makes it") from error
    lines = run.stdout.splitlines()
    if len(lines) != len(pictures):
        raise ProgramFailed(run.stderr.strip() or f"{binary} ended with {run.returncode} and no word")
    return map(answer, lines)


def answer(line: str) -> Answer:
    """Reads one line of the program's output."""
    said = json.loads(line)
    if "error" in said:
        return Answer(0, 0, "", [], said["error"])
    detections = [
        Detection(one["brand"], one["score"], Rectangle(one["x"], one["y"], one["width"], one["height"]),
                  one["reported"])
        for one in said["sightings"]
    ]
    return Answer(said["width"], said["height"], said["model"], detections)
