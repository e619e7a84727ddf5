"""python -m training.vision_evaluation --data DIR: the figures of the shipped logo models, as Markdown.

DIR holds vmware/, flickrlogos27/, negatives/ and everyday/ (labelled.py says their form). The program itself is run,
so decoding, scaling, thresholds and suppression are the daemon's. Standard library only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import figures, labelled
from .labelled import LabelledPicture, MissingData
from .program import Answer, ProgramFailed, detect


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.vision_evaluation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled pictures")
    parser.add_argument("--binary", type=Path, default=Path("target/release/overheard"), help="the program")
    parser.add_argument("--models", nargs="+", choices=("detector", "dense", "windows"), default=["detector", "dense"],
                        help="windows is dense without its speed: minutes a picture")
    parser.add_argument("--every", type=int, default=1, metavar="N",
                        help="look at each Nth picture of negatives and everyday only")
    arguments = parser.parse_args()
    try:
        for model in arguments.models:
            evaluate(arguments.data, arguments.binary, model, max(arguments.every, 1))
    except (MissingData, ProgramFailed) as problem:
        print(f"vision_evaluation: {problem}", file=sys.stderr)
        return 1
    return 0


def evaluate(data: Path, binary: Path, model: str, every: int) -> None:
    """Prints the tables of one model."""

    def seen(pictures: list[Path]) -> dict[Path, Answer]:
        return detect(binary, model, pictures)

    empty = {name: seen(labelled.kept_aside(data, name)[::every]) for name in ("negatives", "everyday")}
    answers = seen(labelled.pictures_in(data / "vmware" / "images"))
    pictures = labelled.vmware(data / "vmware", lambda path: _size(path, answers[path]))
    print(f"\n## `{model}`: {_model_of(answers)}\n")
    _print_vmware(figures.look(pictures, answers), [one for part in empty.values() for one in part.values()])
    _print_alarms(empty)
    unread = {path: one.error for part in (answers, *empty.values()) for path, one in part.items() if one.error}
    if model == "detector":
        flickr = labelled.flickrlogos(data / "flickrlogos27")
        answers = seen([picture.path for picture in flickr])
        unread.update((path, one.error) for path, one in answers.items() if one.error)
        _print_flickrlogos(figures.look(flickr, answers))
    for path, error in unread.items():
        print(f"\nNot looked at: {path.name}: {error}")


def _size(path: Path, answer: Answer) -> tuple[int, int]:
    if answer.error:
        raise MissingData(f"{path} can't be looked at: {answer.error}")
    return answer.width, answer.height


def _model_of(answers: dict[Path, Answer]) -> str:
    return next((one.model for one in answers.values() if one.model), "no picture could be looked at")


def _print_vmware(looked: list[figures.Looked], empty: list[Answer]) -> None:
    least = figures.score_for(empty, figures.ALARMS)
    reported, allowed = figures.recalls(looked), figures.recalls(looked, least)
    mean, _ = figures.mean_average_precision(looked)
    print("VMware, recall at IoU 0.5:\n")
    print(f"| boxes | at the manifest's threshold | at {figures.ALARMS} false alarms a picture (score {least:.4f}) |")
    print("|---|---|---|")
    for name, recall in reported.items():
        print(f"| {name} | {recall} | {allowed[name]} |")
    print(f"\nAP50 {mean:.1f}; of the reports, {figures.precision(looked)} hit.\n")


def _print_alarms(empty: dict[str, dict[Path, Answer]]) -> None:
    print("Reports on pictures without VMware's logo (other brands may really be there):\n")
    print("| pictures | how many | VMware | VMware a picture | all brands |\n|---|---|---|---|---|")
    for name, answers in empty.items():
        looked = figures.look([LabelledPicture(path) for path in answers], answers)
        alarms, all_brands = figures.false_alarms(looked), figures.false_alarms(looked, None)
        print(f"| {name} | {len(looked)} | {alarms} | {alarms / len(looked):.4f} | {all_brands} |")


def _print_flickrlogos(looked: list[figures.Looked]) -> None:
    mean, brands = figures.mean_average_precision(looked)
    print(f"\nFlickrLogos-27, val: mAP50 {mean:.1f} over {len(brands)} brands; at the manifest's thresholds recall "
          f"{figures.recalls(looked)['all']}, precision {figures.precision(looked)}.\n")
    print("| brand | AP50 |\n|---|---|")
    for brand, percent in brands.items():
        print(f"| {brand} | {percent:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
