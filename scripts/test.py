#!/usr/bin/env python3
"""Runs every check and test and ends with a table of what passed, failed and was skipped.

    scripts/test.py                    everything, as CI does
    scripts/test.py --only lint        the checks that need no server
    scripts/test.py --only rust-tests  one step (several may be named)
    scripts/test.py --list             the steps

A failing step does not stop the later ones. A step that cannot run here is skipped, and the table
says why; nothing is left out in silence.
"""

import argparse
import sys
import time
import traceback

import steps
from processes import Stopped, raise_on_signals
from services import FAILURES

LINE = "=" * 78


def headline(text: str) -> None:
    print(f"\n{LINE}\n{text}\n{LINE}", flush=True)


def attempt(step: steps.Step) -> "tuple[str, str, float]":
    """Runs one step; gives its outcome, a word on it, and its seconds."""
    began = time.monotonic()
    try:
        note = step.run() or ""
        outcome = "passed"
    except steps.Skipped as skipped:
        outcome, note = "skipped", str(skipped)
    except (steps.Failed, *FAILURES) as failed:
        outcome, note = "failed", str(failed)
    except Exception:  # A defect of the step itself must not hide the others' results.
        outcome, note = "failed", traceback.format_exc()
    if note:
        print(f"{outcome}: {note}", flush=True)
    return outcome, note.strip().splitlines()[-1] if note else "", time.monotonic() - began


def report(results: list) -> int:
    headline("Summary")
    for name, outcome, note, seconds in results:
        mark = outcome.upper() if outcome != "passed" else outcome
        print(f"{name:<16} {mark:<8} {seconds:7.1f} s  {note}")
    counts = {word: sum(result[1] == word for result in results) for word in ("passed", "failed", "skipped")}
    print(f"\ntotal {sum(result[3] for result in results):.0f} s")
    print("steps: " + ", ".join(f"{count} {word}" for word, count in counts.items()), flush=True)
    return 1 if counts["failed"] else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [step.name for step in steps.STEPS] + sorted({step.group for step in steps.STEPS})
    parser.add_argument("--only", nargs="+", choices=names, metavar="STEP", help="steps or groups: " + ", ".join(names))
    parser.add_argument("--list", action="store_true", help="list the steps")
    arguments = parser.parse_args()
    if arguments.list:
        for step in steps.STEPS:
            print(f"{step.name:<16} {step.group:<8} {step.title}")
        return 0
    only = set(arguments.only or names)
    chosen = [step for step in steps.STEPS if {step.name, step.group} & only]

    raise_on_signals()
    results = []
    try:
        for number, step in enumerate(chosen, 1):
            headline(f"{number}/{len(chosen)}  {step.title}")
            results.append((step.name, *attempt(step)))
    except Stopped as stopped:
        results.append((step.name, "failed", str(stopped), 0.0))
        report(results)
        return stopped.exit_code
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
