"""Failure rates as a Markdown table, and examples of failing cases."""

from __future__ import annotations

from collections.abc import Iterator

from .cases import Failure, Result, Scores, label_of


def table(results: list[Result]) -> Iterator[str]:
    """One row for each test."""
    yield "| capability | test | kind | cases | failures | bound | holds |"
    yield "|---|---|---|---|---|---|---|"
    for result in results:
        test = result.test
        yield (
            f"| {test.capability} | {test.name} | {test.kind} | {len(test.cases)} | {float(result.rate):.1%} "
            f"| {float(test.bound):.0%} | {'yes' if result.holds else 'no'} |"
        )
    yield f"\n{sum(result.holds for result in results)} of {len(results)} tests hold their bound."


def examples(results: list[Result], count: int) -> Iterator[str]:
    """Up to `count` failures of each test, spread over its cases."""
    for result in results:
        if not result.failures or not count:
            continue
        yield f"\n**{result.test.full_name}** ({len(result.failures)} of {len(result.test.cases)} fail)\n"
        step = -(-len(result.failures) // count)
        for failure in result.failures[::step]:
            yield f"- {_in_words(failure)}"


def _in_words(failure: Failure) -> str:
    case = failure.case
    words = f"`{case.text}`"
    if case.target:
        words += f" towards `{case.target}`"
    words += f": {_scores(failure.found)}; expected {case.expectation}"
    return words + (f"; base text `{case.base}`: {_scores(failure.base)}" if case.base else "")


def _scores(scores: Scores) -> str:
    if scores is None:
        return "no score"
    return f"{label_of(scores)} ({', '.join(f'{score:.2f}' for score in scores)})"
