"""The list of tests whose bound the shipped model misses, with how many of their cases fail.

The bounds stay as they are. A test that is not on the list must hold its bound; one that is on it must not fail more
often than the list says, but for one case, and leaves the list when its bound holds. So a model that is worse is
noticed, and so is a list that is not true any more.
"""

from __future__ import annotations

import json
from pathlib import Path

from .cases import Result

LIST = Path(__file__).with_name("missed.json")
UPDATE = "python -m training.capabilities --model FOLDER --update-list"


def read(path: Path = LIST) -> tuple[str, dict[str, dict[str, int]]]:
    """The model that the list is of, and the failures and cases of each test by its full name."""
    listed = json.loads(path.read_text(encoding="utf-8"))
    return listed["model"], listed["missed"]


def write(model: str, results: list[Result], path: Path = LIST) -> None:
    """Writes the list anew."""
    missed = {
        result.test.full_name: {"failures": len(result.failures), "cases": len(result.test.cases)}
        for result in results if not result.holds
    }
    path.write_text(json.dumps({"model": model, "missed": missed}, indent=2) + "\n", encoding="utf-8")


def complaints(model: str, results: list[Result], listed_model: str, listed: dict[str, dict[str, int]]) -> list[str]:
    """What is wrong with a model or with the list; nothing if both are as they should be."""
    found = []
    if model != listed_model:
        found.append(f"the list is of {listed_model}, the model is {model}: {UPDATE}")
    names = {result.test.full_name for result in results}
    found += [f"{name} is on the list, but there is no such test: {UPDATE}" for name in listed if name not in names]
    for result in results:
        name, failures, cases = result.test.full_name, len(result.failures), len(result.test.cases)
        seen = listed.get(name)
        counted = f"{failures} of {cases} cases fail ({float(result.rate):.1%}, bound {float(result.test.bound):.0%})"
        if seen is None:
            if not result.holds:
                found.append(f"{name}: {counted}")
        elif result.holds:
            found.append(f"{name} holds its bound now and must leave the list: {UPDATE}")
        elif seen["cases"] != cases:
            found.append(f"{name} has {cases} cases, on the list it has {seen['cases']}: {UPDATE}")
        elif failures > seen["failures"] + 1:
            found.append(f"{name}: {counted}, on the list it is {seen['failures']}")
    return found
