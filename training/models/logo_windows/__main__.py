"""Makes the talk's network from nothing: `python -m training.models.logo_windows --data DIR --out models/logo-windows`.

Stages: training on crops that are drawn meanwhile, export, and evaluation. Each keeps its results in the work folder, so that
a killed run resumes when it is started again. Then the model folder is written.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch

from ...engine.command import model_parser, work_folder
from ...engine.figures import log_figures
from ...engine.stages import OtherSettings, Stage, run_stages
from ...model_folder.onnx_file import ExportError
from ...pictures.imglab import ImglabError
from ...pictures.scenes.artwork import Artwork
from . import publish
from .crop_chunks import CropChunks
from .evaluation import evaluation_sets, metrics
from .hard_negative_mining import mine
from .network import WindowNetwork
from .recipe import RECIPES
from .scoring import window_scores
from .training import Trainer

DATA = ["artwork/*.svg", "everyday/ and negatives/, the training part", "flickrlogos27/, the training part"]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = model_parser("logo_windows", "logo-windows", __doc__, "folder with vmware/, negatives/, everyday/, artwork/ and, if there, flickrlogos27/")
    parser.set_defaults(threads=1)  # beside one process that draws crops
    return parser.parse_args(arguments)


def main() -> None:
    """Runs all stages and prints the figures."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    try:
        manifest = make(arguments)
    except (ImglabError, FileNotFoundError, ExportError, OtherSettings) as error:
        sys.exit(f"error: {error}")
    print(json.dumps(manifest["figures"], indent=1))


def make(arguments: argparse.Namespace) -> dict:
    """Runs the stages that are not finished; gives the manifest."""
    name = "quick" if arguments.quick else "full"
    recipe, data, out = RECIPES[name], arguments.data, arguments.out
    work = work_folder(arguments, "logo-windows")
    trained, exported = work / "training" / "result.pt", work / "export"

    def train(folder: Path) -> None:
        sets = evaluation_sets(data)
        watched = [*sets["exact"], *sets["near"]]
        pixels, logo = np.stack([crop.pixels for crop in watched]), np.array([crop.logo for crop in watched])

        def report(line: str, network: WindowNetwork) -> None:
            log_figures(folder, f"{line}: {metrics(logo, window_scores(network, pixels) >= publish.TALK_THRESHOLD)}")

        crops = CropChunks(data, folder / "chunks", recipe.seed, recipe.chunk)
        try:
            trainer = Trainer(crops, recipe, folder, lambda network, number: mine(network, data, recipe.seed, number, recipe.mining_passes), report)
            network = trainer.run()
        finally:
            crops.close()
        torch.save({"weights": network.state_dict(), "seconds": trainer.seconds, "mined": len(trainer.mined)}, trained)

    def export(folder: Path) -> None:
        network = _network(torch.load(trained, weights_only=True)["weights"])
        size = publish.quantize_and_export(network, folder / "model.onnx", evaluation_sets(data)["exact"])
        torch.save(network.state_dict(), folder / "rounded.pt")
        (folder / "size.json").write_text(json.dumps(size))

    def evaluate(folder: Path) -> None:
        network = _network(torch.load(exported / "rounded.pt", weights_only=True))
        threshold, figures = publish.measure(network, exported / "model.onnx", data, evaluation_sets(data), recipe.searched_pictures, folder)
        (folder / "measured.json").write_text(json.dumps({"threshold": threshold, "figures": figures}))

    def write_folder() -> dict:
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(exported / "model.onnx", out / "model.onnx")
        result = torch.load(trained, weights_only=True)
        measured = json.loads((work / "evaluation" / "measured.json").read_text())
        training = {
            "command": f"python -m training.models.logo_windows --data DIR{' --quick' if arguments.quick else ''}",
            "seed": recipe.seed,
            "steps": recipe.steps,
            "batch": recipe.batch,
            "rate": recipe.rate,
            "crops": recipe.steps * recipe.batch,
            "mined": result["mined"],
            "data": DATA,
            "seconds": round(result["seconds"]),
        }
        size = json.loads((exported / "size.json").read_text())
        return publish.publish(out, Artwork(data / "artwork"), size, measured["threshold"], measured["figures"], training, arguments.model_version)

    stages = [Stage("training", train), Stage("export", export), Stage("evaluation", evaluate)]
    run_stages(stages, work, {"recipe": name}, fresh=arguments.fresh)
    return write_folder()


def _network(weights: dict[str, torch.Tensor]) -> WindowNetwork:
    network = WindowNetwork().to(memory_format=torch.channels_last)
    network.load_state_dict(weights)
    return network.eval()


if __name__ == "__main__":
    main()
