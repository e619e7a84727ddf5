"""Rows of measured values against goals, and Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A value against its goal. `figure` is None if it was not measured; `goal` is None if it had to be measured and was not."""

    what: str
    on: str
    figure: float | None
    goal: float | None
    sign: str = ">="
    form: str = ".1f"
    note: str = ""

    @property
    def reached(self) -> bool | None:
        if self.figure is None or self.goal is None:
            return None
        # Compares the rounded value, so that the table does not contradict itself.
        figure, goal = float(format(self.figure, self.form)), self.goal
        return {">=": figure >= goal, ">": figure > goal, "<=": figure <= goal}[self.sign]

    def cells(self) -> list[str]:
        figure = "-" if self.figure is None else format(self.figure, self.form)
        reached = {True: "yes", False: "no", None: "not measured"}[self.reached]
        goal = "-" if self.goal is None else f"{self.sign} {self.goal:{self.form}}"
        return [self.what, self.on, figure, goal, reached + (f": {self.note}" if self.note else "")]


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; `|` in a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
