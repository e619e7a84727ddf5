"""The shipped model on the capability tests, and the tests themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from training.measure.capabilities import known_failures as missed
from training.measure.capabilities.cases import (
    IS_NEUTRAL,
    IS_POSITIVE,
    LABELS,
    NOT_NEGATIVE,
    Case,
    Moves,
    OneOf,
    SameLabel,
    Test,
    run,
)
from training.measure.capabilities.degree import drawn_out
from training.measure.capabilities.frames import fillings, sentences, write
from training.measure.capabilities.invariance import with_slip
from training.measure.capabilities.suite import all_tests

ROOT = Path(__file__).resolve().parents[3]
TESTS = all_tests()


def test_the_shipped_model_is_as_good_as_its_list_says(model_folder: Path) -> None:

    from training.measure.capabilities.onnx_model import OnnxModel

    model = OnnxModel(model_folder)
    complaints = missed.complaints(model.name, run(TESTS, model), *missed.read())
    assert not complaints, "\n".join(complaints)


def test_the_model_card_has_a_row_for_every_test(model_folder: Path) -> None:
    card = (model_folder / "README.md").read_text(encoding="utf-8")
    assert not [test.full_name for test in all_tests() if f"| {test.capability} | {test.name} | {test.kind} | {len(test.cases)} |" not in card]


def test_every_capability_has_its_tests_and_hundreds_of_cases() -> None:
    cases = Counter()
    for test in TESTS:
        cases[test.capability] += len(test.cases)
    assert list(cases) == [
        "the talk", "negation", "contrast", "former states", "intensifiers", "reducers", "elongations", "questions",
        "emoji", "hashtags of several words", "sarcasm", "comparisons", "targets", "invariance",
    ]
    assert cases.pop("the talk") == 4
    assert min(cases.values()) >= 200


def test_bounds_are_those_of_the_goals() -> None:
    for test in TESTS:
        if test.capability == "negation":
            assert test.bound == Fraction(5, 100), test.full_name
        if test.capability == "invariance":
            assert test.bound == Fraction(2, 100), test.full_name
        assert 0 <= test.bound <= Fraction(10, 100), test.full_name


def test_cases_differ_and_are_of_one_kind_and_whole_sentences() -> None:
    assert len({test.full_name for test in TESTS}) == len(TESTS)
    for test in TESTS:
        assert len(set(test.cases)) == len(test.cases), test.full_name
        assert {case.expectation.kind for case in test.cases} == {test.kind}
        for case in test.cases:
            assert not re.search(r"[{}]|  |\ba [aeio]", case.text), case.text
            assert (case.base is None) == (test.kind == OneOf.kind) and case.base != case.text
            assert case.target is None or case.target.lower() in case.text.lower()


def test_sentences_are_the_same_in_every_process() -> None:
    program = "import hashlib; from training.measure.capabilities.suite import all_tests; print(hashlib.sha256(repr(all_tests()).encode()).hexdigest())"
    runs = [
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_frames_are_filled_with_articles_and_capitals() -> None:
    assert write("a {good} {thing}? an hour. {good}!", {"good": "awful", "thing": "app"}) == "An awful app? An hour. Awful!"
    assert write("a {good} {thing}", {"good": "useful", "thing": "app"}) == "A useful app"
    assert len(sentences(10, ["{a} {b}"], a=("x", "y"), b=("u", "v"))) == 4
    assert all(filled["part"] != filled["part2"] for filled in fillings("{part} {part2}", 20))


def test_words_are_drawn_out_and_mistyped() -> None:
    assert drawn_out("good", 1) == "gooood" and drawn_out("despise", 2) == "despiiiise"
    text = "nothing but trouble"
    for kind, change in (("swapped", 0), ("left out", -1)):
        slipped = with_slip(text, kind)
        assert slipped != text and len(slipped) == len(text) + change
        assert (sorted(slipped) == sorted(text)) == (kind == "swapped")


@pytest.mark.parametrize(
    ("expectation", "found", "base", "holds"),
    [
        (IS_POSITIVE, (0.1, 0.2, 0.7), None, True),
        (IS_POSITIVE, (0.1, 0.6, 0.3), None, False),
        (IS_NEUTRAL, (0.4, 0.2, 0.4), None, True),  # a tie
        (NOT_NEGATIVE, (0.3, 0.4, 0.3), None, True),
        (NOT_NEGATIVE, (0.4, 0.3, 0.3), None, False),
        (OneOf(("negative",), at_least=0.8), (0.7, 0.2, 0.1), None, False),
        (OneOf(("negative",), at_least=0.8), (0.9, 0.1, 0.0), None, True),
        (IS_POSITIVE, None, None, False),
        (SameLabel(), (0.1, 0.2, 0.7), (0.0, 0.4, 0.6), True),
        (SameLabel(), (0.1, 0.5, 0.4), (0.1, 0.4, 0.5), False),
        (SameLabel(), None, None, False),
        (Moves(1), (0.2, 0.2, 0.6), (0.16, 0.2, 0.64), True),
        (Moves(1), (0.2, 0.2, 0.6), (0.1, 0.2, 0.7), False),
        (Moves(-1), (0.2, 0.2, 0.6), (0.1, 0.2, 0.7), True),
        (Moves(-1), (0.1, 0.2, 0.7), (0.2, 0.2, 0.6), False),
    ],
)
def test_expectations(expectation, found, base, holds: bool) -> None:
    assert expectation.holds(found, base) == holds


def answers(label: str) -> tuple[float, float, float]:
    return tuple(0.8 if label == one else 0.1 for one in LABELS)


def test_the_target_is_asked_about_and_a_pair_only_once() -> None:
    asked = []

    def model(pairs):
        asked.extend(pairs)
        return [answers("positive" if target == "a" else "negative") for _, target in pairs]

    cases = (Case("a or b", IS_POSITIVE, "a"), Case("a or b", IS_POSITIVE, "b"), Case("a, or b", SameLabel(), "b", "a or b"))
    (result,) = run([Test("targets", "two", Fraction(1, 2), cases)], model)
    assert asked == [("a or b", "a"), ("a or b", "b"), ("a, or b", "b")]
    assert [failure.case for failure in result.failures] == [cases[1]]
    assert result.rate == Fraction(1, 3) and result.holds


def results(failing: int):
    test = Test("some", "test", Fraction(10, 100), tuple(Case(str(n), IS_POSITIVE) for n in range(100)))
    return run([test], lambda pairs: [answers("negative" if int(text) < failing else "positive") for text, _ in pairs])


@pytest.mark.parametrize(
    ("failing", "listed", "words"),
    [
        (10, None, None),
        (11, None, "11 of 100 cases fail"),
        (30, 30, None),
        (31, 30, None),
        (32, 30, "on the list it is 30"),
        (12, 30, None),
        (10, 30, "must leave the list"),
    ],
)
def test_the_list_lets_nothing_get_worse_and_nothing_stay(failing: int, listed: int | None, words: str | None) -> None:
    named = {} if listed is None else {"some: test": {"failures": listed, "cases": 100}}
    found = missed.complaints("m@1", results(failing), "m@1", named)
    assert len(found) == (words is not None) and all(words in one for one in found)


def test_a_list_of_something_else_is_refused(tmp_path: Path) -> None:
    missed.write("m@1", results(30), path := tmp_path / "known_failures.json")
    model, listed = missed.read(path)
    assert missed.complaints("m@1", results(30), model, listed) == []
    assert "the model is m@2" in missed.complaints("m@2", results(30), model, listed)[0]
    assert "has 100 cases" in missed.complaints("m@1", results(30), model, {"some: test": {"failures": 30, "cases": 90}})[0]
    assert "no such test" in missed.complaints("m@1", results(0), model, {"gone": {"failures": 1, "cases": 9}})[0]


def test_the_target_becomes_a_range_of_tokens() -> None:
    from training.text.targets import NO_TARGET, place_in_text, token_span

    text = "Not now and NOVARIA, novaria"
    assert place_in_text(text, "Novaria") == (12, 19)
    assert place_in_text("a party of art", "art") == (11, 14), "a word of its own comes first"
    assert place_in_text(text, "acme") is place_in_text(text, "") is None
    offsets = [(0, 3), (4, 7), (8, 11), (12, 15), (15, 19), (19, 20), (21, 28)]
    assert token_span(offsets, (12, 19), 9) == (3, 5)
    assert token_span(offsets, None, 9) == token_span([], (12, 19), 9) == NO_TARGET
    # A user's name is known by its last character.
    assert token_span([(0, 3), (8, 9), (10, 14)], (4, 7), 9) == (0, 1)
    # What the network is not given is no target.
    assert token_span(offsets, (12, 19), 4) == (3, 4) and token_span(offsets, (12, 19), 3) == NO_TARGET


def test_the_command_prints_a_table_and_says_what_is_missing(model_folder: Path, tmp_path: Path) -> None:


    def command(*arguments: object) -> subprocess.CompletedProcess:
        words = [sys.executable, "-m", "training.measure.capabilities", *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)

    talk = command("--model", model_folder, "--only", "the talk")
    assert talk.returncode == 0 and "| the talk | its four sentences | minimum functionality | 4 |" in talk.stdout
    nowhere = command("--model", tmp_path)
    assert nowhere.returncode == 1 and "no manifest.json" in nowhere.stderr
    unknown = command("--model", model_folder, "--only", "telepathy")
    assert unknown.returncode == 1 and "no test has 'telepathy'" in unknown.stderr
