"""Measures the shipped logo models on labelled pictures and prints the metrics as Markdown.

DIR holds vmware/, flickrlogos27/, negatives/ and everyday/ (format: training/pictures/labelled.py). Runs the program, so
decoding, scaling, thresholds and non-maximum suppression are the daemon's. Standard library only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...pictures import hold_outs, labelled, metrics
from ...pictures.data_files import MissingData, pictures_in
from ...pictures.labelled import LabelledPicture
from ...pictures.metrics import EvaluatedPicture, Prediction
from .program import ProgramFailed, detect


def main() -> int:
    """Prints the metrics; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.measure.pictures", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled pictures")
    parser.add_argument("--binary", type=Path, default=Path("target/release/overheard"), help="the program")
    parser.add_argument("--models", nargs="+", choices=("detector", "dense", "windows"), default=["detector", "dense"],
                        help="windows is the slow form of dense: minutes a picture")
    parser.add_argument("--every", type=int, default=1, metavar="N",
                        help="use only every Nth picture of negatives and everyday")
    arguments = parser.parse_args()
    try:
        for model in arguments.models:
            measure(arguments.data, arguments.binary, model, max(arguments.every, 1))
    except (MissingData, ProgramFailed) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


def measure(data: Path, binary: Path, model: str, every: int) -> None:
    """Prints the tables of one model."""

    def predict(pictures: list[Path]) -> dict[Path, Prediction]:
        return detect(binary, model, pictures)

    without = {name: predict(hold_outs.pictures(data, name, held_out=True)[::every]) for name in ("negatives", "everyday")}
    predictions = predict(pictures_in(data / "vmware" / "images"))
    pictures = labelled.vmware(data, lambda path: _size(path, predictions[path]))
    print(f"\n## `{model}`: {_model_of(predictions)}\n")
    _print_vmware(metrics.evaluate(pictures, predictions), [one for part in without.values() for one in part.values()])
    _print_false_alarms(without)
    failed = {path: one.error for part in (predictions, *without.values()) for path, one in part.items() if one.error}
    if model == "detector":
        flickrlogos = labelled.flickrlogos(data)
        predictions = predict([picture.path for picture in flickrlogos])
        failed.update((path, one.error) for path, one in predictions.items() if one.error)
        _print_flickrlogos(metrics.evaluate(flickrlogos, predictions))
    for path, error in failed.items():
        print(f"\nFailed: {path.name}: {error}")


def _size(path: Path, prediction: Prediction) -> tuple[int, int]:
    if prediction.error:
        raise MissingData(f"the program failed on {path}: {prediction.error}")
    return prediction.width, prediction.height


def _model_of(predictions: dict[Path, Prediction]) -> str:
    return next((one.model for one in predictions.values() if one.model), "failed on every picture")


def _print_vmware(evaluated: list[EvaluatedPicture], without: list[Prediction]) -> None:
    min_score = metrics.score_for(without, metrics.ALLOWED_FALSE_ALARMS)
    reported, allowed = metrics.recalls(evaluated), metrics.recalls(evaluated, min_score)
    mean, _ = metrics.mean_average_precision(evaluated)
    print("VMware, recall at IoU 0.5:\n")
    print(f"| boxes | at the manifest's threshold | at {metrics.ALLOWED_FALSE_ALARMS} false alarms a picture (score {min_score:.4f}) |")
    print("|---|---|---|")
    for name, recall in reported.items():
        print(f"| {name} | {recall} | {allowed[name]} |")
    print(f"\nAP50 {mean:.1f}; of the reports, {metrics.precision(evaluated)} hit.\n")


def _print_false_alarms(without: dict[str, dict[Path, Prediction]]) -> None:
    print("Reports on pictures without VMware's logo (other brands may really be there):\n")
    print("| pictures | how many | VMware | VMware a picture | all brands |\n|---|---|---|---|---|")
    for name, predictions in without.items():
        evaluated = metrics.evaluate([LabelledPicture(path) for path in predictions], predictions)
        alarms, all_brands = metrics.false_alarms(evaluated), metrics.false_alarms(evaluated, None)
        print(f"| {name} | {len(evaluated)} | {alarms} | {alarms / len(evaluated):.4f} | {all_brands} |")


def _print_flickrlogos(evaluated: list[EvaluatedPicture]) -> None:
    mean, brands = metrics.mean_average_precision(evaluated)
    print(f"\nFlickrLogos-27, val: mAP50 {mean:.1f} over {len(brands)} brands; at the manifest's thresholds recall "
          f"{metrics.recalls(evaluated)['all']}, precision {metrics.precision(evaluated)}.\n")
    print("| brand | AP50 |\n|---|---|")
    for brand, percent in brands.items():
        print(f"| {brand} | {percent:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
