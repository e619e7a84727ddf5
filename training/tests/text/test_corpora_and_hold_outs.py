"""Reading of corpora and the split into training and hold-outs. Needs the standard library only."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from training.text.corpora import (
    NEGATIVE,
    POSITIVE,
    CorpusError,
    Row,
    read_labelled,
    read_plain,
)
from training.text.hold_outs import (
    FURTHER_SOURCES,
    VALIDATION,
    Split,
    held_out_name,
    is_held_out,
    text_key,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "text").mkdir()
    return tmp_path


def write(data: Path, file: str, content: str) -> None:
    (data / "text" / file).write_bytes(lzma.compress(content.encode()))


def test_rows_are_read_with_quotes_as_they_stand(data: Path) -> None:
    write(data, "tse.tsv.xz", 'label\ttext\nnegative\t"So sad\npositive\the said ""hi""\n')
    assert read_labelled(data, "tse") == [Row('"So sad', NEGATIVE), Row('he said ""hi""', POSITIVE)]


def test_columns_are_found_by_name_and_irrelevant_rows_are_left_out(data: Path) -> None:
    write(data, "brand_entity.tsv.xz", "target\ttext\tlabel\nXbox\tgood\tpositive\nXbox\tbye\tirrelevant\n")
    assert read_labelled(data, "brand_entity") == [Row("good", POSITIVE, "Xbox")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("label\ttext\npositive\tone\ttwo\n", "tse.tsv.xz, line 2: 3 fields instead of 2"),
        ("label\ttext\nneutral\tok\nhappy\tone\n", "tse.tsv.xz, line 3: unknown label 'happy'"),
        ("positive\tno header\n", "the header has no label and text columns"),
    ],
)
def test_what_breaks_the_form_is_named_with_its_line(data: Path, content: str, message: str) -> None:
    write(data, "tse.tsv.xz", content)
    with pytest.raises(CorpusError, match=message):
        read_labelled(data, "tse")


def test_a_missing_folder_or_corpus_is_a_clear_message(data: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="Corpus semeval is missing"):
        read_labelled(data, "semeval")
    with pytest.raises(CorpusError, match="No text corpora"):
        read_labelled(tmp_path / "nowhere", "semeval")


def test_each_nth_plain_line_is_kept(data: Path) -> None:
    write(data, "brand_tweets.txt.xz", "a\nb\nc\nd\ne\n")
    assert list(read_plain(data, "brand_tweets", every=2)) == ["a", "c", "e"]


def test_the_key_ignores_case_links_users_and_punctuation() -> None:
    one = "RT @bob: Great phone!!! https://t.co/abc"
    other = "great   PHONE @alice"
    assert text_key(one) == text_key(other) == "greatphone"
    assert text_key("great phones") != text_key(one)
    assert text_key(":)") == ":)" and text_key(" :( ") == ":("


# What the hash gave when the split was cut: if this test fails, hold-outs have leaked into training.
HELD_OUT_OF_200 = [1, 13, 18, 19, 27, 51, 56, 59, 75, 77, 101, 121, 158, 168, 171]


def test_the_held_out_share_is_fixed_for_ever() -> None:
    held_out = [n for n in range(200) if is_held_out(f"key {n}")]
    assert held_out == HELD_OUT_OF_200
    assert 400 < sum(is_held_out(str(n)) for n in range(10_000)) < 600


def rows(*texts: str) -> list[Row]:
    return [Row(text, POSITIVE) for text in texts]


def test_no_training_text_stands_in_a_hold_out() -> None:
    held = next(f"word {n}" for n in range(1000) if is_held_out(text_key(f"word {n}")))
    free = next(f"word {n}" for n in range(1000) if not is_held_out(text_key(f"word {n}")))
    split = Split(
        {
            VALIDATION: rows("Validation text"),
            "tse": rows(held, free, "@bob validation TEXT!"),
            "semeval": rows(held.upper() + " http://x.y", free, "validation text", "something else"),
        }
    )
    assert [row.text for row in split.held_out[held_out_name("tse")]] == [held]
    assert [row.text for row in split.training["tse"]] == [free]
    assert [row.text for row in split.training["semeval"]] == [free, "something else"]
    assert list(split.without_held_out(["validation, text", held, "new"])) == ["new"]


# As HELD_OUT_OF_200, of the texts "key 0" to "key 199".
HELD_OUT_TEXTS = [12, 40, 80, 82, 90, 113, 116, 181]


def test_further_sources_are_cut_by_the_same_hash() -> None:
    assert FURTHER_SOURCES == ("targets", "languages")
    texts = [f"key {n}" for n in range(200)]
    corpora = {VALIDATION: rows("KEY 12!"), **dict.fromkeys(FURTHER_SOURCES, rows(*texts)), "tse": rows("key 40", "free")}
    split = Split(corpora, FURTHER_SOURCES)
    for source in FURTHER_SOURCES:
        assert [row.text for row in split.held_out[held_out_name(source)]] == [f"key {n}" for n in HELD_OUT_TEXTS[1:]]
        assert len(split.training[source]) == 200 - len(HELD_OUT_TEXTS)
    assert [row.text for row in split.training["tse"]] == ["free"]


def test_the_split_does_not_depend_on_the_order_of_rows() -> None:
    texts = [f"text number {n}" for n in range(400)]
    one = Split({VALIDATION: [], "tse": rows(*texts)})
    other = Split({VALIDATION: [], "tse": rows(*reversed(texts))})
    assert one.held_out_keys == other.held_out_keys
    assert {row.text for row in one.training["tse"]} == {row.text for row in other.training["tse"]}
