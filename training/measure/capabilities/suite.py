"""All tests of all capabilities, identical on every machine."""

from __future__ import annotations

from . import (
    contrast,
    degree,
    invariance,
    negation,
    punctuation,
    questions,
    talk,
    targets,
)
from .cases import Test


def all_tests() -> list[Test]:
    """All tests, in the order of the report."""
    modules = (talk, negation, contrast, degree, questions, punctuation, targets, invariance)
    return [test for module in modules for test in module.tests()]
