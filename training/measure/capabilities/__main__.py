"""python -m training.measure.capabilities --model models/sentiment: failure rates of a model folder, as Markdown."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import known_failures, report
from .cases import run
from .suite import all_tests


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.measure.capabilities", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/sentiment"), metavar="FOLDER", help="the model folder")
    parser.add_argument("--only", metavar="WORDS", default="", help="only tests whose name contains WORDS")
    parser.add_argument("--examples", type=int, default=3, metavar="N", help="failures to show for each test")
    parser.add_argument("--update-list", action="store_true", help=f"write {known_failures.LIST.name}, which the tests compare the model with")
    arguments = parser.parse_args()
    if not (arguments.model / "manifest.json").is_file():
        print(f"capabilities: {arguments.model} is no model folder: it has no manifest.json", file=sys.stderr)
        return 1
    if arguments.update_list and arguments.only:
        print("capabilities: --update-list needs all tests, leave --only out", file=sys.stderr)
        return 1
    tests = [test for test in all_tests() if arguments.only in test.full_name]
    if not tests:
        print(f"capabilities: no test has {arguments.only!r} in its name", file=sys.stderr)
        return 1
    try:
        from .onnx_model import OnnxModel
    except ModuleNotFoundError as problem:
        print(f"capabilities: {problem.name} is missing: pip install './training[test]'", file=sys.stderr)
        return 1
    model = OnnxModel(arguments.model)
    results = run(tests, model)
    without = "" if model.takes_target else ", which takes no target and judges the whole text"
    print(f"## Capabilities of `{model.name}`{without}\n")
    print("\n".join(report.table(results)))
    print("\n".join(report.examples(results, arguments.examples)))
    if arguments.update_list:
        known_failures.write(model.name, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
