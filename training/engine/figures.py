"""The log of a training's metrics, in the same folder as its checkpoint."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm


def log_figures(folder: Path, line: str) -> None:
    """Prints a line above the progress bar and appends it to `figures.log`."""
    tqdm.write(line)
    with (folder / "figures.log").open("a", encoding="utf-8") as log:
        log.write(line + "\n")
