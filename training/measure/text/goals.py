"""The measurements, one per method: each adds rows to the tables, or a note on what is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ...text.corpora import CorpusError
from ...text.hold_outs import HELD_OUT_SOURCES, VALIDATION
from ...text.labelled import (
    TARGETS,
    Corpus,
    Sentence,
    by_part,
    cut,
    read,
    validation_keys,
    with_different_labels,
)
from ..capabilities import report as capability_report
from ..capabilities import suite
from ..capabilities.cases import Result, run
from .baseline import NaiveBayes
from .metrics import Figures, figures
from .program import Answer, Program, reasons
from .table import Row, markdown

# Has a second goal, since its labels are towards a topic.
TOPICS = "semeval_topic"
LANGUAGES = {
    "arabic": "ar", "french": "fr", "german": "de", "hindi": "hi", "italian": "it", "portuguese": "pt", "spanish": "es",
}
# Published: ATAE-LSTM (Wang et al., EMNLP 2016) and, on sentences of several targets, MAMS (Jiang et al., EMNLP 2019).
TARGET_GOALS = {"restaurants": 77.2, "laptops": 68.7}
DIFFERENT_LABELS_GOAL = 77
MEGABYTE = 1_000_000
TEXT_MODEL = "text-sentiment"


@dataclass
class Measuring:
    """Runs the program on the corpora that the data folder has."""

    data: Path
    posts: Program
    film_reviews: Program
    goals: list[Row] = field(default_factory=list)
    sets: list[list[object]] = field(default_factory=list)
    found_languages: list[list[object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    models: dict[str, None] = field(default_factory=dict)

    def tweets(self) -> None:
        """Macro-averaged recall and calibration on the validation set."""
        try:
            sentences = read(self.data, VALIDATION)
        except CorpusError as problem:
            return self._missing(problem, Row("tweets, macro-averaged recall", VALIDATION, None, 73.4))
        found = self._figures(VALIDATION, sentences)
        self.goals += [
            Row("tweets, macro-averaged recall", VALIDATION, found.macro_recall, 73.4),
            Row("expected calibration error", VALIDATION, found.calibration_error, 0.03, "<=", ".3f"),
        ]

    def domains(self) -> None:
        """Each hold-out against naive Bayes trained on the same corpus."""
        for name in HELD_OUT_SOURCES:
            try:
                corpus = self._cut(name)
            except CorpusError as problem:
                self._missing(problem, Row("domain, macro-averaged recall; goal: naive Bayes on it", name, None, None))
                continue
            bayes = NaiveBayes(corpus.training)
            for part, sentences, answers in self._score_parts(name, corpus.held_out):
                found = self._add(part, sentences, answers)
                baseline = figures([one.label for one in sentences], [Answer(bayes.label(one.text), None) for one in sentences])
                self.goals.append(Row("domain, macro-averaged recall; goal: naive Bayes on it", part, found.macro_recall,
                                      round(baseline.macro_recall, 1)))
                if part == TOPICS:
                    self.goals.append(Row("towards topics of tweets, macro-averaged recall", part, found.macro_recall, 60, ">"))

    def targets(self) -> None:
        """Accuracy of labels towards a target."""
        what = "towards a target, accuracy"
        different = f"{TARGETS}: targets of different label in one text"
        try:
            held_out = self._cut(TARGETS).held_out
        except CorpusError as problem:
            return self._missing(problem, *(Row(what, f"{TARGETS}: {part}", None, goal, ">") for part, goal in TARGET_GOALS.items()),
                                 Row(what, different, None, DIFFERENT_LABELS_GOAL, ">"))
        parts = self._score_parts(TARGETS, held_out)
        for part, sentences, answers in parts:
            found = self._add(part, sentences, answers)
            goal = TARGET_GOALS.get(part.removeprefix(f"{TARGETS}: "))
            if goal is not None:
                self.goals.append(Row(what, part, found.accuracy, goal, ">"))
        _, sentences, answers = parts[0]
        said = dict(zip(sentences, answers, strict=True))
        chosen = with_different_labels(held_out)
        if chosen:
            found = self._add(different, chosen, [said[sentence] for sentence in chosen])
            self.goals.append(Row(what, different, found.accuracy, DIFFERENT_LABELS_GOAL, ">"))
        if len(parts) == 1:
            self.notes.append(f"{TARGETS} does not say which rows are of restaurants or laptops, so they are not told apart.")

    def capabilities(self) -> None:
        """The worst test of each capability."""
        self.results = run(suite.all_tests(), lambda asked: [one.scores for one in self.posts.score(asked, "capabilities")])
        for capability in dict.fromkeys(result.test.capability for result in self.results):
            own = [result for result in self.results if result.test.capability == capability]
            worst = max(own, key=lambda result: result.rate - result.test.bound)
            held = sum(result.holds for result in own)
            self.goals.append(Row(f"capability {capability}, failures in %", f"{worst.test.name} (worst of {len(own)})",
                                  float(100 * worst.rate), float(100 * worst.test.bound), "<=",
                                  note=f"{held} of {len(own)} tests hold"))

    def languages(self) -> None:
        """Macro-averaged F1 of each language, and their mean."""
        what, on = "other languages, mean of macro-averaged F1", "languages"
        try:
            parts = by_part(self._cut(on).held_out)
        except CorpusError as problem:
            return self._missing(problem, Row(what, on, None, 60))
        if not parts:
            return self._missing("languages has no rows with a language", Row(what, on, None, 60))
        f1s = []
        for name, sentences in parts.items():
            answers = self._score(f"{on}: {name}", sentences)
            found = self._add(f"{on}: {name}", sentences, answers)
            f1s.append(found.macro_f1)
            said = sum(answer.language == LANGUAGES.get(name, name) for answer in answers)
            self.found_languages.append([name, len(sentences), f"{found.macro_f1:.1f}", f"{100 * said / len(answers):.1f}",
                                         f"{100 * found.unscored / len(answers):.1f}"])
        self.goals.append(Row(what, f"{len(f1s)} languages", sum(f1s) / len(f1s), 60))

    def films(self, every: int) -> None:
        """Accuracy of the film-review model on imdb_test."""
        name = "imdb_test" if every == 1 else f"imdb_test, 1 of {every}"
        row = Row("film reviews, accuracy", name, None, 92)
        folder = self.film_reviews.models / str(self.film_reviews.model)
        if not (folder / "manifest.json").is_file():
            return self._missing(f"there is no model in {folder}", row)
        try:
            sentences = read(self.data, "imdb_test")[::every]
        except CorpusError as problem:
            return self._missing(problem, row)
        answers = self.film_reviews.score([(one.text, None) for one in sentences], "imdb_test")
        self.models.update(_models_of(answers))
        found = self._add(name, sentences, answers)
        self.goals.append(Row(row.what, name, found.accuracy, row.goal))

    def size(self) -> None:
        """Size of each sentiment model: network and tokenizer, in MB."""
        for path in sorted(self.posts.models.glob("*/manifest.json")):
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if manifest["kind"] == TEXT_MODEL:
                size = sum((path.parent / file["path"]).stat().st_size for file in manifest["files"].values())
                self.goals.append(Row("size of a model in MB", path.parent.name, size / MEGABYTE, 25, "<="))

    def speed(self) -> None:
        """Posts per second of CPU time, tokenizing and JSON included."""
        self.goals.append(Row("posts/s a core at 24 tokens", "one thread", self.posts.posts_per_second(), 4000, form=".0f"))

    def report(self, examples: int) -> str:
        """All tables as Markdown."""
        parts = [
            f"## {', '.join(f'`{model}`' for model in self.models)}\n",
            markdown(["what", "on", "figure", "goal", "reached"], [row.cells() for row in self.goals]),
            "\nFigures in percent where nothing else is said. What got no score counts as wrong.\n",
            markdown(["set", "rows", "macro recall", "macro F1", "accuracy", "calibration error", "no score"], self.sets),
        ]
        if self.found_languages:
            columns = ["language", "rows", "macro F1", "% found to be in it", "% without a score"]
            parts += ["", markdown(columns, self.found_languages)]
        parts += ["", *capability_report.table(self.results), *capability_report.examples(self.results, examples)]
        return "\n".join([*parts, "", *(f"- {note}" for note in self.notes)])

    @cached_property
    def _validation_keys(self) -> set[str]:
        return validation_keys(self.data)

    def _cut(self, name: str) -> Corpus:
        corpus = cut(read(self.data, name), self._validation_keys)
        if not corpus.held_out or not corpus.training:
            raise CorpusError(f"{name} is too small: its hold-out or the rest of it has no rows")
        return corpus

    def _missing(self, problem: object, *rows: Row) -> None:
        self.notes.append(f"Not measured: {problem}")
        self.goals += rows

    def _score(self, name: str, sentences: list[Sentence]) -> list[Answer]:
        answers = self.posts.score([(sentence.text, sentence.target) for sentence in sentences], name)
        self.models.update(_models_of(answers))
        return answers

    def _score_parts(self, name: str, sentences: list[Sentence]) -> list[tuple[str, list[Sentence], list[Answer]]]:
        """The whole set first, then its parts."""
        answers = self._score(name, sentences)
        found = [(name, sentences, answers)]
        said = dict(zip(sentences, answers, strict=True))
        for part, own in by_part(sentences).items():
            found.append((f"{name}: {part}", own, [said[sentence] for sentence in own]))
        return found

    def _figures(self, name: str, sentences: list[Sentence]) -> Figures:
        return self._add(name, sentences, self._score(name, sentences))

    def _add(self, name: str, sentences: list[Sentence], answers: list[Answer]) -> Figures:
        found = figures([sentence.label for sentence in sentences], answers)
        self.sets.append([name, found.rows, f"{found.macro_recall:.1f}", f"{found.macro_f1:.1f}", f"{found.accuracy:.1f}",
                          f"{found.calibration_error:.3f}", found.unscored])
        self.notes += [f"{name}: {count} texts without a score: {reason}" for reason, count in reasons(answers).items()]
        return found


def _models_of(answers: list[Answer]) -> dict[str, None]:
    return dict.fromkeys(answer.model for answer in answers if answer.model)
