"""Figures of answers against values worked out by hand, and the whole way with a stand-in for the program."""

from __future__ import annotations

import json
import lzma
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from training.measure.text.baseline import NaiveBayes
from training.measure.text.metrics import expected_calibration_error, figures
from training.measure.text.program import (
    TOKENS,
    Answer,
    Program,
    ProgramFailed,
    answer,
    post,
    question,
    reasons,
)
from training.measure.text.table import Row, markdown
from training.text.corpora import CorpusError
from training.text.hold_outs import is_held_out, text_key
from training.text.labelled import (
    SECTIONS,
    Sentence,
    by_part,
    cut,
    read,
    with_different_labels,
)

ROOT = Path(__file__).resolve().parents[3]
LABELS = ["negative", "neutral", "positive"]


def said(label: str | None, probability: float = 0.8) -> Answer:
    if label is None:
        return Answer(None, None, reason="no model scores nl")
    rest = (1 - probability) / 2
    return Answer(label, tuple(probability if label == one else rest for one in LABELS))


def test_figures_of_known_answers() -> None:
    truth = ["negative", "negative", "neutral", "positive", "positive"]
    found = figures(truth, [said("negative"), said("neutral"), said("neutral"), said("positive"), said(None)])
    assert found.macro_recall == pytest.approx(100 * (1 / 2 + 1 + 1 / 2) / 3)
    assert found.macro_f1 == pytest.approx(100 * (2 / 3 + 2 / 3 + 2 / 3) / 3)
    assert (found.rows, found.accuracy, found.unscored) == (5, 60, 1)


def test_labels_that_do_not_occur_are_not_averaged() -> None:
    found = figures(["negative", "positive"], [said("negative"), said("neutral")])
    assert found.macro_recall == 50 and found.macro_f1 == 50


def test_calibration_error_of_known_answers() -> None:
    # Two bins: three answers of 0.9, two of them right; one of 0.5, right. (|2 - 2.7| + |1 - 0.5|) / 4.
    answers = [said("negative", 0.9)] * 3 + [said("positive", 0.5)]
    truth = ["negative", "negative", "neutral", "positive"]
    assert expected_calibration_error(truth, answers) == pytest.approx(1.2 / 4)
    assert expected_calibration_error(["neutral"], [said(None)]) == 0


def test_figures_are_those_of_the_training_code() -> None:
    import numpy as np

    from training.text import evaluation

    draw = random.Random(1)
    truth = [draw.randrange(3) for _ in range(500)]
    answers = [said(LABELS[one if draw.random() < 0.6 else draw.randrange(3)], draw.uniform(0.4, 1)) for one in truth]
    expected = evaluation.figures(np.array(truth), np.array([one.scores for one in answers]))
    found = figures([LABELS[one] for one in truth], answers)
    assert found.macro_recall == pytest.approx(expected["macro_recall"], abs=0.01)
    assert found.accuracy == pytest.approx(expected["accuracy"], abs=0.01)
    assert found.calibration_error == pytest.approx(expected["expected_calibration_error"], abs=1e-4)


def write(data: Path, name: str, columns: str, rows: list[str]) -> None:
    (data / "text").mkdir(exist_ok=True)
    (data / "text" / f"{name}.tsv.xz").write_bytes(lzma.compress("\n".join([columns, *rows, ""]).encode()))


def test_parts_and_targets_are_read_where_the_file_says_them(tmp_path: Path) -> None:
    write(tmp_path, "languages", "label\ttext\tlanguage", ["negative\tmal\tspanish", "neutral\tja\tgerman"])
    assert list(by_part(read(tmp_path, "languages"))) == ["german", "spanish"]
    write(tmp_path, "brand_entity", "label\ttext\ttarget", ["irrelevant\tx\tAcme", "positive\tgood\tAcme"])
    assert read(tmp_path, "brand_entity") == [Sentence("good", "positive", "Acme")]
    write(tmp_path, "targets", "label\ttext\ttarget\tsource", ["positive\tgood\tit\tlaptops"])
    assert read(tmp_path, "targets") == [Sentence("good", "positive", "it", "laptops")]


def test_targets_that_name_no_source_are_told_apart_by_their_place_in_the_whole_file(tmp_path: Path) -> None:
    rows = [f"neutral\ttext {number}\tit" for number in range(SECTIONS[-1][0])]
    write(tmp_path, "targets", "label\ttext\ttarget", rows)
    assert {part: len(own) for part, own in by_part(read(tmp_path, "targets")).items()} == {
        "laptops": 2267, "restaurants": 3375, "restaurants, several targets a sentence": 12518, "tweets": 6232,
    }
    write(tmp_path, "targets", "label\ttext\ttarget", rows[1:])
    assert by_part(read(tmp_path, "targets")) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lzma.compress(b"label\ttext\nhappy\tone\n"), "line 2: unknown label 'happy'"),
        (lzma.compress(b"label\ttext\npositive\n"), "line 2: 1 fields instead of 2"),
        (lzma.compress(b"label\ttext\n"), "has no rows"),
        (lzma.compress(b"text\none\n"), "no label and text columns"),
        (b"label\ttext\npositive\tone\n", "can't be read"),
        (lzma.compress(b"label\ttext\n" + b"neutral\tone\n" * 99)[:-20], "can't be read"),
    ],
)
def test_a_file_that_is_not_in_the_form_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "tse.tsv.xz").write_bytes(content)
    with pytest.raises(CorpusError, match=f"tse.tsv.xz.*{message}"):
        read(tmp_path, "tse")


def test_a_corpus_is_cut_as_training_cuts_it() -> None:
    sentences = [Sentence(f"key {number}", "neutral") for number in range(200)]
    corpus = cut(sentences, {text_key("KEY 12")})
    assert [one.text for one in corpus.held_out] == [f"key {number}" for number in (40, 80, 82, 90, 113, 116, 181)]
    assert len(corpus.training) == 192 and not any(is_held_out(text_key(one.text)) for one in corpus.training)


def test_only_texts_with_two_labels_are_hard_for_who_judges_the_whole() -> None:
    one, other = Sentence("a b", "positive", "a"), Sentence("a b", "negative", "b")
    assert with_different_labels([one, Sentence("c", "neutral", "c"), other]) == [one, other]


def test_naive_bayes_knows_what_it_was_shown() -> None:
    bayes = NaiveBayes([Sentence("so good", "positive"), Sentence("not good", "negative"), Sentence("so so", "neutral")])
    assert [bayes.label(text) for text in ("not good at all", "so good", "so so so")] == ["negative", "positive", "neutral"]


def test_goals_are_reached_by_what_is_shown() -> None:
    assert Row("a", "b", 73.36, 73.4).reached and not Row("a", "b", 73.34, 73.4).reached
    assert not Row("a", "b", 77.2, 77.2, ">").reached and Row("a", "b", 0.0304, 0.03, "<=", ".3f").reached
    assert Row("a", "b", None, 1).cells() == ["a", "b", "-", ">= 1.0", "not measured"]
    assert markdown(["x"], [["a|b"]]) == "| x |\n| --- |\n| a\\|b |"


def test_lines_of_the_program_are_read() -> None:
    assert json.loads(question(3, ("it\u2028is", "it"))) == {"id": 3, "text": "it\u2028is", "target": "it"}
    line = {"id": 1, "language": "en", "label": "neutral", "negative": 0.1, "neutral": 0.8, "positive": 0.1, "model": "m@1"}
    assert answer(1, json.dumps(line)) == Answer("neutral", (0.1, 0.8, 0.1), "en", "", "m@1")
    refused = answer(2, '{"id":2,"language":"nl","label":null,"reason":"no model scores nl"}')
    assert refused == Answer(None, None, "nl", "no model scores nl")
    assert reasons([refused, refused, answer(0, '{"id":0,"error":"too odd"}')]) == {"no model scores nl": 2, "too odd": 1}
    with pytest.raises(ProgramFailed, match="text 1 has the id 2"):
        answer(1, '{"id":2}')
    with pytest.raises(ProgramFailed, match="make build"):
        Program(Path("nowhere/overheard"), Path("models")).score([("a", None)], "none")


def test_posts_that_speed_is_measured_with_have_24_tokens(model_folder: Path) -> None:

    from training.text.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(model_folder / "tokenizer.json")
    assert {len(tokenizer.encode(post(number)).ids) for number in range(200)} == {TOKENS}
    assert len({post(number) for number in range(85)}) == 85


PROGRAM = """#!{python}
import json, os, sys
assert sys.argv[1] == "score" and os.environ["OVERHEARD__INFERENCE__MODELS"].startswith("/")
film = sys.argv[2:] == ["--model", "film-reviews"]
for line in sys.stdin:
    asked = json.loads(line)
    about = asked.get("target") or asked["text"]
    found = next((label for label in ("negative", "positive") if label in about), "neutral")
    said = {{"id": asked["id"], "language": "de" if "das" in about else "en", "label": found, "model": "films@1" if film else "m@1"}}
    if "nl" in about:
        said.update(label=None, reason="no model scores nl")
    else:
        said.update({{one: 0.8 if one == found else 0.1 for one in ("negative", "neutral", "positive")}})
    print(json.dumps(said))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "overheard"
    path.write_text(PROGRAM.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def evaluate(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "training.measure.text", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def kept_away(words: str, count: int) -> list[str]:
    """Texts of a hold-out."""
    texts = (f"{words} {number}" for number in range(10_000))
    return [text for text in texts if is_held_out(text_key(text))][:count]


def test_the_tables_are_made_from_what_the_program_says(tmp_path: Path, program: Path) -> None:
    models = tmp_path / "models"
    for name, kind in (("sentiment", "text-sentiment"), ("film-reviews", "text-sentiment"), ("logos", "other")):
        (models / name).mkdir(parents=True)
        (models / name / "model.onnx").write_bytes(bytes(2_000_000))
        manifest = {"kind": kind, "files": {"model": {"path": "model.onnx"}}}
        (models / name / "manifest.json").write_text(json.dumps(manifest))
    write(tmp_path, "semeval_val", "label\ttext", ["negative\tnegative", "neutral\ta", "positive\tb", "positive\tpositive"])
    rows = [f"{label}\t{text}\t{label} one" for text in kept_away("two", 60) for label in ("negative", "positive")]
    write(tmp_path, "targets", "label\ttext\ttarget", [*rows, "neutral\tfree 1\tit"])
    rows = [f"neutral\t{text}\tgerman" for text in kept_away("das", 3)] + [f"neutral\t{text}\tdutch" for text in kept_away("nl", 3)]
    write(tmp_path, "languages", "label\ttext\tlanguage", [*rows, "neutral\tfree 1\tgerman"])
    texts = kept_away("tweet", 100)
    write(tmp_path, "tse", "label\ttext", [*(f"neutral\t{text}" for text in texts), "positive\tfree 1", "neutral\tfree 2"])
    write(tmp_path, "brand_entity", "label\ttext\ttarget", ["neutral\tfree 1\tAcme"])
    write(tmp_path, "imdb_test", "label\ttext", ["negative\tnegative", "positive\tnegative", "positive\tc", "positive\tpositive"])
    run = evaluate("--data", tmp_path, "--binary", program, "--models", models, "--every", 3)
    assert run.returncode == 0, run.stderr
    for words in (
        "## `m@1`, `films@1`",
        "| tweets, macro-averaged recall | semeval_val | 83.3 | >= 73.4 | yes |",
        "| semeval_val | 4 | 83.3 | 77.8 | 75.0 | 0.050 | 0 |",
        "| domain, macro-averaged recall; goal: naive Bayes on it | tse | 100.0 |",
        "| towards a target, accuracy | targets: targets of different label in one text | 100.0 | > 77.0 | yes |",
        "| other languages, mean of macro-averaged F1 | 2 languages | 50.0 | >= 60.0 | no |",
        "| german | 3 | 100.0 | 100.0 | 0.0 |",
        "| dutch | 3 | 0.0 | 0.0 | 100.0 |",
        "languages: dutch: 3 texts without a score: no model scores nl",
        "| film reviews, accuracy | imdb_test, 1 of 3 | 100.0 | >= 92.0 | yes |",
        "| size of a model in MB | film-reviews | 2.0 | <= 25.0 | yes |",
        "| domain, macro-averaged recall; goal: naive Bayes on it | goemotions | - | - | not measured |",
        "Not measured: Corpus goemotions is missing",
        "Not measured: brand_entity is too small",
        "| posts/s a core at 24 tokens | one thread |",
        "targets does not say which rows are of restaurants or laptops",
        "| negation | of something good | minimum functionality | 200 | 100.0% | 5% | no |",
    ):
        assert words in run.stdout, f"{words}\n{run.stdout}"
    assert "| size of a model in MB | logos" not in run.stdout


def test_missing_folders_and_programs_are_named(tmp_path: Path, program: Path) -> None:
    nowhere = evaluate("--data", tmp_path / "nowhere", "--binary", program)
    assert nowhere.returncode == 1 and "No text corpora in" in nowhere.stderr and "Traceback" not in nowhere.stderr
    (tmp_path / "text").mkdir()
    unbuilt = evaluate("--data", tmp_path, "--binary", tmp_path / "unbuilt")
    assert unbuilt.returncode == 1 and "`make build` makes it" in unbuilt.stderr and "Traceback" not in unbuilt.stderr
    program.write_text("#!/bin/sh\necho overheard: no such model >&2\nexit 1\n")
    broken = evaluate("--data", tmp_path, "--binary", program)
    assert broken.returncode == 1 and "text_evaluation: overheard: no such model" in broken.stderr
