"""All tests of all capabilities, the same ones on every machine."""

from __future__ import annotations

from . import degree, invariance, marks, negation, questions, talk, towards, turns
from .cases import Test


def all_tests() -> list[Test]:
    """In the order of the report."""
    modules = (talk, negation, turns, degree, questions, marks, towards, invariance)
    return [test for module in modules for test in module.tests()]
