"""The shipped `tokenizer.json`: what becomes of users, links, stretched words, emoji, and spans."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from training.text import tokenizer as tokenization


@pytest.fixture(scope="module")
def shipped(model_folder: Path) -> Tokenizer:
    return tokenization.load_tokenizer(model_folder / "tokenizer.json")


def tokens(shipped: Tokenizer, text: str) -> list[str]:
    return shipped.encode(text).tokens


@pytest.mark.parametrize("text", ["@Bob", "@_a_1", "[NAME]"])
def test_user_names_become_one_token(shipped: Tokenizer, text: str) -> None:
    assert tokens(shipped, f"{text} hello") == ["<user>", "hello"]


@pytest.mark.parametrize(
    "text", ["http://t.co/abc", "HTTPS://Example.org/a?b=c&amp;d=%20#e", "www.example.org", "example.co.uk/path", "URL_http://x.y/z"]
)
def test_links_become_one_token(shipped: Tokenizer, text: str) -> None:
    assert tokens(shipped, f"see {text} now") == ["see", "<url>", "now"]


def test_a_mail_address_is_no_user_name(shipped: Tokenizer) -> None:
    assert "<user>" not in tokens(shipped, "write to me@example.org")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sooooooo good!!!!!!", "soo good!!"),
        ("AMAZING", "amazing"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("Tom &amp; Jerry &lt;3 &quot;hi&quot;", 'Tom & Jerry <3 "hi"'),
        ("twice &amp;lt;3", "twice <3"),
        ("don’t “worry”", "don't \"worry\""),
        ("I do n't think it 's ok < 3", "i don't think it's ok <3"),
        ("👍🏽", "👍"),
        ("❤️", "❤"),
        ("10,000 fans in 2024", "<number> fans in <number>"),
    ],
)
def test_two_spellings_give_the_same_ids(shipped: Tokenizer, one: str, other: str) -> None:
    assert shipped.encode(one).ids == shipped.encode(other).ids


@pytest.mark.parametrize("face", [":)", ":-(", ":'(", ";)", "<3", ":d", "(:"])
def test_faces_are_single_tokens(shipped: Tokenizer, face: str) -> None:
    assert tokens(shipped, f"well {face} ok") == ["well", face, "ok"]


@pytest.mark.parametrize("emoji", ["😂", "😡", "👍", "❤", "🚀", "🤮", "💔"])
def test_emoji_are_single_known_tokens(shipped: Tokenizer, emoji: str) -> None:
    assert tokens(shipped, f"ok{emoji}{emoji}") == ["ok", emoji, emoji]


def test_small_numbers_stay_readable(shipped: Tokenizer) -> None:
    assert tokens(shipped, "windows 7, 9/10") == ["windows", "7", ",", "9", "/", "10"]


def test_hashtags_stay_readable(shipped: Tokenizer) -> None:
    assert tokens(shipped, "#happy") == ["#", "happy"]


def test_unknown_words_fall_apart_and_are_not_lost(shipped: Tokenizer) -> None:
    pieces = tokens(shipped, "hypervisorizationally")
    assert len(pieces) > 1 and tokenization.UNKNOWN not in pieces
    assert "".join(piece.removeprefix("##") for piece in pieces) == "hypervisorizationally"


def test_spans_point_into_the_raw_text(shipped: Tokenizer) -> None:
    text = "@Bob LOOOOVES VMware 😍 https://example.org/x &amp; more"
    encoding = shipped.encode(text)
    spans = dict(zip(encoding.tokens, encoding.offsets, strict=True))

    def shown(token: str) -> str:
        start, end = spans[token]
        return text[start:end]

    assert shown("😍") == "😍" and shown("more") == "more" and shown("vmware") == "VMware"
    # What a replacement put in carries the span of the last character that it replaced.
    assert spans["<user>"][1] == text.index(" LOO")
    assert spans["<url>"][1] == text.index(" &amp;")
    assert spans["&"][1] == text.index(" more")
    starts = [start for start, _ in encoding.offsets]
    assert starts == sorted(starts)


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200d", "\n\t"])
def test_blank_texts_give_no_token(shipped: Tokenizer, text: str) -> None:
    assert shipped.encode(text).ids == []


@pytest.mark.parametrize("text", ["[PAD]", "x [PAD] [PAD] y", "[pad]"])
def test_no_text_reaches_the_pad_id(shipped: Tokenizer, text: str) -> None:
    assert tokenization.PAD_ID not in shipped.encode(text).ids


def test_the_file_holds_no_padding_and_no_truncation(shipped: Tokenizer) -> None:
    assert shipped.padding is None and shipped.truncation is None
    assert [shipped.id_to_token(i) for i in range(5)] == tokenization.RESERVED


def test_the_file_prepares_text_as_this_code_does(shipped: Tokenizer) -> None:
    fresh = tokenization.new_tokenizer(shipped.get_vocab(with_added_tokens=True))
    for text in ["@Bob I LOOOOVE this!!!! :-) http://t.co/abc &amp;lt;3 😂😂😂", "$3.39 on 12/10, 24/7 (bar): T_T"]:
        assert fresh.encode(text).ids == shipped.encode(text).ids


HOSTILE = [
    "1", "1,", "a ", " ", "n ", "n '", "a.", "@", ":(", "()", "[]", ")", "www.", "http:", "a'", "-_", "_", "^_", "<", "< ",
    "&amp;", "\u0301", "e\u0301", "😂", "👩\u200d", "好", "9:", "a-", "t_", ">.", "=", "' t", "\u200b", "…", "ﷺ", "🇬",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_repetition_takes_linear_time(shipped: Tokenizer, unit: str) -> None:
    """Quadratic time would make a post of this length run for minutes, or into the regex engine's limit."""
    text = "n" + unit * (40_000 // len(unit)) + "x"
    started = time.perf_counter()
    shipped.encode(text)
    shipped.encode(text[1:])
    assert time.perf_counter() - started < 2
