"""python -m training.text_evaluation --data DIR: the figures of the shipped sentiment models, as Markdown.

DIR/text holds the labelled texts (labelled.py says their form). The program itself is run, so preparation of text,
targets and languages are the daemon's. What is missing is named and the rest is measured. Standard library only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.sentiment.corpus import CorpusError, text_folder

from .measuring import Measuring
from .program import Program, ProgramFailed

FILM_REVIEWS = "film-reviews"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.text_evaluation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data folder; the labelled texts are in its folder text/")
    parser.add_argument("--binary", type=Path, default=Path("target/release/overheard"), help="the program")
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="FOLDER", help="the folder of the model folders")
    parser.add_argument("--model", metavar="NAME", help="score posts with this one of them, whatever their language")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="score each Nth film review only")
    parser.add_argument("--examples", type=int, default=0, metavar="N", help="failures to show of each capability test")
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
