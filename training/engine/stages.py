"""Stages of a training command: each has its own folder, and a finished stage is not run again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm


class OtherSettings(Exception):
    """The work folder belongs to a run with other settings."""


@dataclass(frozen=True)
class Stage:
    """A named step. `run` gets the stage's folder and resumes from what a killed run left there."""

    name: str
    run: Callable[[Path], None]


def run_stages(stages: Sequence[Stage], work: Path, settings: dict, *, fresh: bool = False) -> dict[str, float]:
    """Runs the stages in order, with a progress bar, in folders of `work`; returns the seconds that each took.

    A stage that finished in an earlier run is skipped. `settings` (JSON values) are what the results depend on; raises
    OtherSettings if they differ from those of the earlier run. `fresh` deletes `work` first.
    """
    if fresh and work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    _check_settings(work / "settings.json", settings)
    seconds = {}
    progress = tqdm(stages, unit="stage")
    for stage in progress:
        progress.set_description(stage.name)
        folder = work / stage.name
        finished = folder / "finished.json"
        if not finished.exists():
            folder.mkdir(parents=True, exist_ok=True)
            started = time.monotonic()
            stage.run(folder)
            finished.write_text(json.dumps({"seconds": round(time.monotonic() - started, 1)}) + "\n")
        seconds[stage.name] = json.loads(finished.read_text())["seconds"]
    return seconds


def _check_settings(path: Path, settings: dict) -> None:
    text = json.dumps(settings, indent=2) + "\n"
    if path.exists() and path.read_text() != text:
        raise OtherSettings(f"{path.parent} holds a run with other settings ({path}); give another --work, or --fresh to start anew")
    path.write_text(text)
