"""The model of the seven languages: reader of e5's file, tokenizer, finding of posts, vocabulary, figures, the shipped folder."""

from __future__ import annotations

import hashlib
import json
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from training.models.languages.augmentation import LEAST_WORDS, augment
from training.models.languages.corpus import Text, chooses
from training.models.languages.e5_file import E5Error, E5File
from training.models.languages.goldens import GOLDEN_TEXTS
from training.models.languages.metrics import language_figures
from training.models.languages.tokenizer import RESERVED, pieces_tokenizer
from training.models.languages.unlabelled import LanguageFinder, pool
from training.text.exported import ExportedModel
from training.text.tokenizer import PAD_ID, UNKNOWN_ID

FOLDER = Path(__file__).resolve().parents[3] / "models" / "languages"
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁été", "хо"]


def small_file(path: Path) -> Path:
    """A file of one vector and one matrix of 2 x 64, whose values are known."""
    blob = b"".join(piece.encode() for piece in PIECES)
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4").tobytes()
    scores = np.arange(len(PIECES)).astype("<f4").tobytes()
    normalisation = b"\x09\0\0\0\x01\x20\0\0\0"
    vector = np.array([0.5, -2.0, 3.25], dtype="<f4").tobytes()
    # Value number n of a block is n % 16 - 8 in its first half, 7 - n % 16 in its second, times the scale.
    halves = bytes(j | (15 - j) << 4 for j in range(16))
    matrix = b"".join(struct.pack("<e", scale) + halves for scale in (1.0, 2.0, -0.5, 0.25))
    head = b"E5S1" + struct.pack("<I7ifi", 1, 64, 1, 2, 128, 2, 16, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + offsets + scores + blob
    head += struct.pack("<iI", 1, len(normalisation)) + normalisation + struct.pack("<i", 2)
    names = [(b"a.b", 0, 3, vector), (b"emb.word", 1, 128, matrix)]
    at = len(head) + sum(2 + len(name) + 21 for name, *_ in names)
    for name, kind, values, content in names:
        head += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", kind, values, at, len(content))
        at += len(content)
    path.write_bytes(head + vector + matrix)
    return path


def test_the_reader_gives_back_what_the_file_holds(tmp_path: Path) -> None:
    file = E5File(small_file(tmp_path / "e5.bin"))
    assert (file.sizes.width, file.sizes.inner, file.sizes.positions) == (64, 128, 16)
    assert file.pieces == PIECES and file.scores.tolist() == list(range(len(PIECES)))
    assert (file.begin_id, file.end_id, file.pad_id, file.unknown_id) == (0, 2, 1, 3)
    assert file.vector("a.b").tolist() == [0.5, -2.0, 3.25]
    rising, falling = np.arange(16) - 8.0, 7.0 - np.arange(16)
    block = np.concatenate([rising, falling])
    expected = np.array([np.concatenate([block, 2 * block]), np.concatenate([-0.5 * block, 0.25 * block])])
    assert np.array_equal(file.matrix("emb.word", 64), expected)
    assert np.array_equal(file.matrix("emb.word", 64, np.array([1, 0, 1])), expected[[1, 0, 1]])


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    whole = small_file(tmp_path / "e5.bin").read_bytes()
    for content, word in [(b"E5S2" + whole[4:], "begin"), (whole[:120], "cut off"), (b"", "begin"),
                          (whole.replace(struct.pack("<fi", 1e-12, 32), struct.pack("<fi", 1e-12, 64)), "blocks")]:
        (tmp_path / "other.bin").write_bytes(content)
        with pytest.raises(E5Error, match=word):
            E5File(tmp_path / "other.bin")
    with pytest.raises(E5Error, match="no tensor"):
        E5File(tmp_path / "e5.bin").vector("c.d")


def test_pieces_with_the_better_sum_win_and_unknown_characters_are_one_token() -> None:
    tokenizer = pieces_tokenizer([("▁", -3.0), *((character, -6.0) for character in "haus"), ("▁haus", -8.0), ("haus", -9.0)])
    assert tokenizer.encode("Haus").tokens == ["▁haus"]
    assert tokenizer.encode("hau").tokens == ["▁", "h", "a", "u"]
    assert tokenizer.encode("haus☃haus").ids.count(UNKNOWN_ID) == 1
    assert tokenizer.encode("@a http://b.c/d 1234").tokens == RESERVED[2:]
    for text in ("", " \t"):
        assert tokenizer.encode(text).ids == []
    assert PAD_ID not in tokenizer.encode("[PAD] [pad]").ids


@pytest.mark.parametrize(("one", "other"), [("أَحْبَبْتُ إلى هــذا", "احببت الي هذا"), ("ｆｕｌｌ", "full"), ("SOOOO", "soo"), ("don’t", "don't")])
def test_two_spellings_are_the_same_to_the_pieces(one: str, other: str) -> None:
    tokenizer = pieces_tokenizer([("▁", -1.0)])
    assert tokenizer.normalizer.normalize_str(one) == tokenizer.normalizer.normalize_str(other)


KNOWN = [
    *(Text(text, 1, "de") for text in ["ich habe das nicht gesehen und will es auch nicht", "wir sind nicht da und das ist gut"] * 9),
    *(Text(text, 1, "es") for text in ["no lo he visto y no lo quiero ver", "estamos en casa y todo va muy bien"] * 9),
    *(Text(text, 1, "en") for text in ["I have not seen it and I do not want to", "we are at home and all is well"] * 9),
]


def test_posts_in_other_languages_are_found_once_and_never_from_a_hold_out() -> None:
    finder = LanguageFinder(KNOWN)
    lines = ["das habe ich nicht und will ich auch nicht http", "Das habe ich nicht und will ich auch nicht!", "we are not at home and all is well",
             "estamos en casa y no lo quiero ver", "xyzzy plugh", "das ist nicht gut und wir sind da"]
    assert list(pool(lines, finder, frozenset({"dasistnichtgutundwirsindda"}))) == [("de", lines[0]), ("es", lines[3])]


def test_generated_texts_are_new_long_enough_and_of_one_language() -> None:
    texts = [Text(f"{code}a {code}b {code}c {code}d {code}e {code}f {number}", 0, code) for code in ("de", "es") for number in range(9)]
    others = {code: [f"{code}{number}" for number in range(5)] for code in ("de", "es")}
    made = augment(texts, others, 3, 1)
    assert made == augment(texts, others, 3, 1) and len(made) == len(set(made)) > 18
    assert not {text.text for text in texts} & set(made)
    for text in made:
        words = text.split()
        assert len(words) >= LEAST_WORDS
        assert len({word[:2] for word in words if not word.isdigit()}) == 1


def test_figures_are_means_over_the_languages() -> None:
    texts = [Text("", label, code) for code in ("ar", "pt") for label in (0, 1, 2)]
    found = language_figures(texts, np.array([0, 1, 2, 0, 0, 0]))
    assert found == {"ar": 100.0, "pt": pytest.approx(100 / 6, abs=0.05), "mean": pytest.approx((100 + 16.7) / 2, abs=0.01)}


def test_the_choosing_texts_stay_the_same() -> None:
    assert [number for number in range(100) if chooses(f"key {number}")] == CHOOSING


CHOOSING = [13, 52, 53, 66, 75, 91]


@pytest.fixture(scope="module")
def manifest() -> dict:
    if not (FOLDER / "manifest.json").is_file():
        pytest.skip(f"no model in {FOLDER}: train one with `python -m training.models.languages --data DIR`")
    return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model(manifest: dict) -> ExportedModel:  # noqa: ARG001
    return ExportedModel(FOLDER)


def test_the_folder_is_what_its_manifest_says(manifest: dict) -> None:
    assert (manifest["format"], manifest["name"], manifest["kind"]) == (1, "languages", "text-sentiment")
    assert manifest["language"] == ["ar", "de", "es", "fr", "hi", "it", "pt"]
    for described in manifest["files"].values():
        content = (FOLDER / described["path"]).read_bytes()
        assert len(content) == described["bytes"] and hashlib.sha256(content).hexdigest() == described["sha256"]
    assert sum(described["bytes"] for described in manifest["files"].values()) < 10_000_000


def test_its_known_answers_come_out_again_alone_and_in_company(model: ExportedModel, manifest: dict) -> None:
    assert [golden["text"] for golden in manifest["goldens"]] == GOLDEN_TEXTS
    expected = np.array([golden["probabilities"] for golden in manifest["goldens"]])
    rows = [model.ids(text) for text in GOLDEN_TEXTS]
    assert np.abs(np.concatenate([model.run([row]) for row in rows]) - expected).max() < 1e-3
    assert np.abs(model.run(rows) - expected).max() < 1e-3


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("هذا رائع جدا، أحببته 😍", 2), ("أسوأ خدمة في حياتي 😡", 0),
        ("c'est génial, j'adore !", 2), ("quelle honte, c'est nul", 0),
        ("Das ist großartig, ich freue mich!", 2), ("So ein Mist, ich hasse das", 0),
        ("me encanta, es maravilloso", 2), ("qué asco, es horrible", 0),
        ("che bello, lo adoro!", 2), ("che schifo, è una vergogna", 0),
        ("amei, muito lindo!", 2), ("que merda, odeio isso", 0),
        ("bahut accha hai, love it ❤", 2), ("bahut bakwas hai, worst", 0),
    ],
)  # fmt: skip
def test_plain_cases_are_right(model: ExportedModel, text: str, label: int) -> None:
    assert model.probabilities([text])[0].argmax() == label


@pytest.mark.parametrize("unit", ["a", "ا", "أ", "ـ", "َ", "ै", "kk", "#a", "é "])
def test_repetition_takes_linear_time(model: ExportedModel, unit: str) -> None:
    text = "n" + unit * (40_000 // len(unit)) + "x"
    started = time.perf_counter()
    model.tokenizer.encode(text)
    assert time.perf_counter() - started < 2


def test_no_latin_or_arabic_letter_is_unknown(model: ExportedModel) -> None:
    texts = ["abcdefghijklmnopqrstuvwxyzäöüßàâçéèêëîïôùûœñáíóúãõìò", "ابتثجحخدذرزسشصضطظعغفقكلمنهويةءئؤ", "0123456789 .,;:!?¿¡\"'()#@&%€-+*/= 😂😍😡❤👍🎉💔🤮"]
    for text in texts:
        encoding = model.tokenizer.encode(text)
        unknown = [token for token, number in zip(encoding.tokens, encoding.ids, strict=True) if number == UNKNOWN_ID]
        assert not unknown, unknown
