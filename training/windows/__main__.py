"""Trains the talk's network on crops and writes the model folder: `python -m training.windows --data DIR`.

Crops, checkpoints and figures are kept in the work folder; a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch

from ..logos.imglab import ImglabError
from .chunks import Chunks
from .judging import confusion, figures, judged_sets
from .mining import mined
from .network import WindowNetwork
from .publish import ExportError, publish
from .trainer import Plan, Trainer, scores

DATA = ["artwork/*.svg", "everyday/ and negatives/, what is not kept aside", "flickrlogos27/, the training part"]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.windows", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with vmware/, negatives/, everyday/ and artwork/")
    parser.add_argument("--out", type=Path, default=Path("models/logo-windows"), help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("training/runs/windows"), help="where checkpoints are kept")
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--rate", type=float, default=Plan.rate, help="highest learning rate; the first dense layer has a tenth")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--mining-passes", type=int, default=80, help="pictures that are searched for false alarms, each time")
    parser.add_argument("--searched", type=int, default=400, help="kept-aside pictures that are searched whole for false alarms")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads for training, beside one process that draws crops")
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True, help="16-bit products (fast with AMX)")
    parser.add_argument("--model-version", default="1", help="version that the manifest states")
    parser.add_argument("--history", default="", help="what the command doesn't say of this run, for the manifest")
    parser.add_argument("--fresh", action="store_true", help="forget the work folder first")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    try:
        run(arguments)
    except (ImglabError, FileNotFoundError, ExportError) as error:
        sys.exit(f"error: {error}")


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    if arguments.fresh and arguments.work.exists():
        shutil.rmtree(arguments.work)
    arguments.work.mkdir(parents=True, exist_ok=True)
    sets = judged_sets(arguments.data)
    # While training, one set is enough to see where it goes.
    watched = [*sets["exact"], *sets["near"]]
    watched_pixels, logo = np.stack([crop.pixels for crop in watched]), np.array([crop.logo for crop in watched])

    def report(line: str, network: WindowNetwork) -> None:
        counts = confusion(logo, scores(network, watched_pixels) >= 0.5)
        line = f"{line}: {figures(counts)}"
        print(line, flush=True)
        with (arguments.work / "figures.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    plan = Plan(steps=arguments.steps, rate=arguments.rate, seed=arguments.seed, bfloat16=arguments.bfloat16)
    chunks = Chunks(arguments.data, arguments.work / "chunks", arguments.seed)
    trainer = Trainer(
        chunks,
        plan,
        arguments.work,
        lambda network, number: mined(network, arguments.data, arguments.seed, number, arguments.mining_passes),
        report,
    )
    if trainer.step:
        print(f"goes on after step {trainer.step}")
    network = trainer.run()
    chunks.close()
    command = f"python -m training.windows --data DIR --steps {plan.steps} --rate {plan.rate:g} --seed {plan.seed} "
    command += f"--mining-passes {arguments.mining_passes}"
    training = {
        "command": command,
        "history": arguments.history,
        "seed": plan.seed,
        "steps": plan.steps,
        "batch": plan.batch,
        "rate": plan.rate,
        "crops": plan.steps * plan.batch,
        "mined": len(trainer.mined),
        "data": DATA,
        "seconds": round(trainer.seconds),
    }
    manifest = publish(
        arguments.out, network, arguments.data, arguments.work, sets, training, arguments.searched, arguments.model_version
    )
    print(json.dumps(manifest["figures"], indent=1))


if __name__ == "__main__":
    main()
