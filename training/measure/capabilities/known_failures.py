"""The list of tests whose bound the shipped model misses, with the number of failing cases.

A test that is not on the list must hold its bound. A listed test may fail at most one case more than listed, and must
leave the list once its bound holds. This catches both regressions and an outdated list.
"""

from __future__ import annotations

import json
from pathlib import Path

from .cases import Result

LIST = Path(__file__).with_name("known_failures.json")
UPDATE = "python -m training.measure.capabilities --model FOLDER --update-list"


def read(path: Path = LIST) -> tuple[str, dict[str, dict[str, int]]]:
    """The name of the listed model, and failures and cases by the full name of the test."""
    listed = json.loads(path.read_text(encoding="utf-8"))
    return listed["model"], listed["missed"]


def write(model: str, results: list[Result], path: Path = LIST) -> None:
    """Rewrites the list."""
    missed = {
        result.test.full_name: {"failures": len(result.failures), "cases": len(result.test.cases)}
        for result in results if not result.holds
    }
    path.write_text(json.dumps({"model": model, "missed": missed}, indent=2) + "\n", encoding="utf-8")


def complaints(model: str, results: list[Result], listed_model: str, listed: dict[str, dict[str, int]]) -> list[str]:
    """Regressions of the model and outdated entries of the list; empty if there are none."""
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
