"""False alarms a picture: held-out pictures without the logo, searched at all scales."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ...pictures.hold_outs import pictures
from .pyramid import detect

MIN_SCORE = 0.3
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
# A threshold is accepted when so few false alarms a picture are left; a picture has thousands of windows.
ACCEPTED = 0.05


def search(data: Path, score_map: Callable[[np.ndarray], np.ndarray], max_pictures: int, results: Path) -> list[dict]:
    """The scores of all false alarms of each picture: `{"picture", "folder", "scores"}`. At most `max_pictures`, evenly
    from both folders. They are kept in the file `results`, which belongs to one network alone, so that a killed run
    resumes."""
    done = {}
    if results.exists():
        for line in results.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done[row["folder"], row["picture"]] = row
    chosen = []
    for folder in ("negatives", "everyday"):
        paths = pictures(data, folder, held_out=True)
        every = max(1, -(-len(paths) // max(1, max_pictures // 2)))
        chosen += [(folder, path) for path in paths[::every]]
    rows = []
    with results.open("a", encoding="utf-8") as kept:
        for folder, path in tqdm(chosen, desc="searching", unit="picture", mininterval=10):
            row = done.get((folder, path.name))
            if row is None:
                found = detect(Image.open(path).convert("RGB"), score_map, MIN_SCORE)
                row = {"folder": folder, "picture": path.name, "scores": [round(one.score, 4) for one in found]}
                kept.write(json.dumps(row) + "\n")
                kept.flush()
            rows.append(row)
    return rows


def per_picture(rows: list[dict], threshold: float) -> dict[str, float]:
    """Mean number of false alarms a picture at a threshold, in all and in each folder."""
    folders = {"all": rows} | {name: [row for row in rows if row["folder"] == name] for name in ("negatives", "everyday")}
    return {
        name: round(sum(score >= threshold for row in of_folder for score in row["scores"]) / max(1, len(of_folder)), 4)
        for name, of_folder in folders.items()
    }


def choose_threshold(rows: list[dict]) -> float:
    """The lowest threshold with at most ACCEPTED false alarms a picture; if there is none, the lowest of those with fewest."""
    alarms = {threshold: per_picture(rows, threshold)["all"] for threshold in THRESHOLDS}
    limit = max(ACCEPTED, min(alarms.values()))
    return next(threshold for threshold, count in alarms.items() if count <= limit)
