"""False alarms a picture: whole pictures that are kept aside, searched at all scales."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..scenes.splits import pictures
from .pyramid import alarms

LEAST = 0.3
STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
# A threshold is good enough when so few alarms a picture are left; the talk's way has thousands of windows a picture.
MOST_ALARMS = 0.05


def searched(data: Path, score_map: Callable[[np.ndarray], np.ndarray], most: int, kept_file: Path) -> list[dict]:
    """Scores of every false alarm, a picture each: `{"picture", "folder", "scores"}`. At most `most` pictures, evenly from
    both folders. What was searched is kept in a file, which must be one of this network alone, so a run that was stopped
    goes on."""
    done = {}
    if kept_file.exists():
        for line in kept_file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done[row["folder"], row["picture"]] = row
    chosen = []
    for folder in ("negatives", "everyday"):
        paths = pictures(data, folder, aside=True)
        every = max(1, -(-len(paths) // max(1, most // 2)))
        chosen += [(folder, path) for path in paths[::every]]
    rows = []
    with kept_file.open("a", encoding="utf-8") as kept:
        for folder, path in tqdm(chosen, desc="searching", unit="picture", mininterval=10):
            row = done.get((folder, path.name))
            if row is None:
                found = alarms(Image.open(path).convert("RGB"), score_map, LEAST)
                row = {"folder": folder, "picture": path.name, "scores": [round(alarm.score, 4) for alarm in found]}
                kept.write(json.dumps(row) + "\n")
                kept.flush()
            rows.append(row)
    return rows


def alarms_a_picture(rows: list[dict], threshold: float) -> dict[str, float]:
    """Mean number of alarms a picture at a threshold, of all and of each folder."""
    folders = {"all": rows} | {name: [row for row in rows if row["folder"] == name] for name in ("negatives", "everyday")}
    return {
        name: round(sum(score >= threshold for row in of_folder for score in row["scores"]) / max(1, len(of_folder)), 4)
        for name, of_folder in folders.items()
    }


def chosen_threshold(rows: list[dict]) -> float:
    """The lowest step with at most MOST_ALARMS a picture; if there is none, the lowest of those with fewest."""
    alarms_at = {step: alarms_a_picture(rows, step)["all"] for step in STEPS}
    fewest = max(MOST_ALARMS, min(alarms_at.values()))
    return next(step for step, count in alarms_at.items() if count <= fewest)
