"""python -m training.measure.text --data DIR: metrics of the shipped sentiment models, as Markdown.

DIR/text holds the labelled texts (format: training/text/labelled.py). Runs the program, so text preparation, targets and
language detection are the daemon's. Missing corpora are named and the rest is measured. Standard library only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...text.corpora import CorpusError, text_folder
from .goals import Measuring
from .program import Program, ProgramFailed

FILM_REVIEWS = "film-reviews"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.measure.text", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data folder; the labelled texts are in its folder text/")
    parser.add_argument("--binary", type=Path, default=Path("target/release/overheard"), help="the program")
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="FOLDER", help="folder of all model folders")
    parser.add_argument("--model", metavar="NAME", help="score all posts with this model, whatever their language")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="score only every Nth film review")
    parser.add_argument("--examples", type=int, default=0, metavar="N", help="failures to show for each capability test")
    arguments = parser.parse_args()
    posts = Program(arguments.binary, arguments.models, arguments.model)
    films = Program(arguments.binary, arguments.models, FILM_REVIEWS)
    try:
        text_folder(arguments.data)
        measuring = Measuring(arguments.data, posts, films)
        for measure in (measuring.tweets, measuring.domains, measuring.targets, measuring.capabilities, measuring.languages,
                        lambda: measuring.films(max(arguments.every, 1)), measuring.size, measuring.speed):
            measure()
    except (CorpusError, ProgramFailed) as problem:
        print(f"text_evaluation: {problem}", file=sys.stderr)
        return 1
    print(measuring.report(arguments.examples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
