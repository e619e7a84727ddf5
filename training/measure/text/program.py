"""Runs `overheard score` on texts and reads its output."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Texts per process: enough to amortize loading the model, few enough to show progress.
AT_ONCE = 4000
# Words that are single tokens in any English vocabulary.
WORDS = ("the", "new", "phone", "is", "good", "and", "i", "like", "it", "but", "my", "old", "one", "was", "not", "so", "bad")
TOKENS = 24


class ProgramFailed(Exception):
    """The program can't be run or did not answer for every text; the message is the program's, if it printed one."""


@dataclass(frozen=True)
class Answer:
    """The program's answer for a text. `label` and `scores` (of negative, neutral, positive) are None if it has no score;
    `reason` says why."""

    label: str | None
    scores: tuple[float, float, float] | None
    language: str | None = None
    reason: str = ""
    model: str = ""


@dataclass(frozen=True)
class Program:
    """The program with the models in the folder `models`. `model` names the one that scores all texts; with None
    the program chooses by its configuration."""

    binary: Path
    models: Path
    model: str | None = None

    def score(self, texts: list[tuple[str, str | None]], what: str) -> list[Answer]:
        """Answers for texts, each with its target or None, in their order. `what` is the label of progress messages."""
        answers: list[Answer] = []
        for start in range(0, len(texts), AT_ONCE):
            answers += self._run(texts[start : start + AT_ONCE])
            print(f"{what}: {len(answers)} of {len(texts)} texts", file=sys.stderr)
        return answers

    def posts_per_second(self, posts: int = 8000) -> float:
        """Posts of 24 tokens per second of CPU time, reading and writing JSON included. The difference of two runs leaves
        out start-up; CPU time depends little on other load."""
        few = posts // 16
        return posts / max(self._seconds(few + posts) - self._seconds(few), 1e-9)

    def _seconds(self, posts: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._run([(post(number), None) for number in range(posts)])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _run(self, texts: list[tuple[str, str | None]]) -> list[Answer]:
        questions = "".join(map(question, range(len(texts)), texts))
        environment = {**os.environ, "OVERHEARD__INFERENCE__MODELS": str(self.models.resolve()),
                       "OVERHEARD__INFERENCE__THREADS": "1"}
        try:
            run = subprocess.run([str(self.binary), "score", *(["--model", self.model] if self.model else [])], input=questions, env=environment,
                                 capture_output=True, encoding="utf-8", check=False)
        except OSError as error:
            raise ProgramFailed(f"{self.binary} can't be run: {error.strerror}; `make build` makes it") from error
        # Not splitlines(): a text may hold other characters that it takes for line breaks.
        lines = run.stdout.split("\n")[:-1]
        if len(lines) != len(texts):
            raise ProgramFailed(run.stderr.strip() or f"{self.binary} ended with {run.returncode} and no word")
        return [answer(number, line) for number, line in enumerate(lines)]


def question(number: int, asked: tuple[str, str | None]) -> str:
    """One line of the program's input."""
    text, target = asked
    line = {"id": number, "text": text} if target is None else {"id": number, "text": text, "target": target}
    return json.dumps(line, ensure_ascii=False) + "\n"


def answer(number: int, line: str) -> Answer:
    """Reads one line of the program's output."""
    said = json.loads(line)
    if said["id"] != number:
        raise ProgramFailed(f"the answer to text {number} has the id {said['id']}")
    if "error" in said:
        return Answer(None, None, reason=said["error"])
    if said["label"] is None:
        return Answer(None, None, said.get("language"), said.get("reason") or "no reason", said.get("model") or "")
    scores = (said["negative"], said["neutral"], said["positive"])
    return Answer(said["label"], scores, said.get("language"), "", said["model"])


def post(number: int) -> str:
    """A post of TOKENS tokens; consecutive numbers give different posts."""
    return " ".join(WORDS[(number + word * (1 + number % 5)) % len(WORDS)] for word in range(TOKENS))


def reasons(answers: Iterable[Answer]) -> dict[str, int]:
    """Reasons for missing scores with their counts, most frequent first."""
    counts: dict[str, int] = {}
    for one in answers:
        if one.label is None:
            counts[one.reason] = counts.get(one.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
