"""The tokenizer: all text preparation, from raw text to word-piece ids.

All of it is stored in `tokenizer.json`, so that training, tests and the daemon can't diverge: each
passes raw text to that file. The regular expressions use only syntax that both Oniguruma and
fancy-regex support, and match in linear time: repetitions that can backtrack are bounded or atomic.
Oniguruma aborts a match after ten million steps, which the tokenizers crate turns into a panic, so
with a quadratic pattern a post of some thousand digits could crash the daemon.

Method: WordPiece (Schuster and Nakajima, "Japanese and Korean voice search", ICASSP 2012) over the
words of tweets; frequent words stay whole, rare ones are split, down to single characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

PAD, UNKNOWN, USER, URL, NUMBER = "[PAD]", "[UNK]", "<user>", "<url>", "<number>"
RESERVED = [PAD, UNKNOWN, USER, URL, NUMBER]
PAD_ID, UNKNOWN_ID = 0, 1
CONTINUATION = "##"
# Size of the alphabet besides emoji: the most frequent characters; others become the unknown token.
OTHER_CHARACTERS = 600

# Emoticons, in either reading direction: ":)", ";-p", "=(", ":'(", "(:", "<3", "^_^".
EMOTICON = (
    r"<3"
    r"|[:;=]'?[-o^~]?(?:[)(\]\[}{|/\\*@$]+|[dpso03](?![\p{L}\p{N}]))"
    r"|[)(\]\[]{1,3}[-o^~]?[:;=](?![\p{L}\p{N}])"
    r"|\^[_.-]{0,3}\^|-_{1,3}-|>[._]?<|t[_.]t(?![\p{L}\p{N}])"
)
WORD = r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:'(?!s(?![\p{L}\p{N}]))[\p{L}\p{M}]+)*|'s(?![\p{L}\p{N}])"
EMOJI = r"[\x{1F1E6}-\x{1F1FF}]{2}|\p{Extended_Pictographic}"
PIECE = rf"<(?:user|url|number)>|{EMOTICON}|{WORD}|{EMOJI}|[!?]+|\.+|[^\s]"

_EMOTICON_PYTHON = re.compile(
    EMOTICON.replace(r"[\p{L}\p{N}]", r"[^\W_]").replace(r"\^", r"\^")
)


def is_emoticon(token: str) -> bool:
    """Whether a token of the vocabulary is an emoticon, such as `:)`."""
    return _EMOTICON_PYTHON.fullmatch(token) is not None


def _normalizer() -> normalizers.Normalizer:
    replace = normalizers.Replace
    steps = [
        # "&amp;" first, so that text escaped twice ("&amp;lt;") is decoded too.
        replace("&amp;", "&"),
        replace("&lt;", "<"),
        replace("&gt;", ">"),
        replace("&quot;", '"'),
        replace("&#39;", "'"),
        replace("&apos;", "'"),
        replace("&nbsp;", " "),
        # Before NFKC, which would turn the acute accent into a blank and a combining mark.
        replace(Regex(r"[\x{2018}\x{2019}\x{201B}\x{2032}\x{00B4}`]"), "'"),
        replace(Regex(r"[\x{201C}\x{201D}\x{201E}\x{00AB}\x{00BB}]|\"\""), '"'),
        # Removes joiners, variation selectors and skin tones, so that emoji variants share a token.
        replace(Regex(r"[\x{200B}-\x{200F}\x{FE0E}\x{FE0F}\x{FEFF}\x{1F3FB}-\x{1F3FF}]"), ""),
        normalizers.NFKC(),
        normalizers.Lowercase(),
        replace(Regex(r"(?:url_)?https?(?::\S*|(?![\p{L}\p{N}]))|www\.\S+"), f" {URL} "),
        replace(Regex(r"(?<![\p{L}\p{N}@._-])(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,4}/\S*"), f" {URL} "),
        replace(Regex(r"(?<![\p{L}\p{N}_])@[\p{L}\p{N}_]+|\[name\]"), f" {USER} "),
        replace(
            Regex(r"(?<![\p{L}\p{N}])(?>\d{3,}(?:[.,:]\d+){0,8}|\d{1,2}(?:[.,:]\d+){1,8})(?![\p{L}\p{N}])"), f" {NUMBER} "
        ),
        # "soooo" and "!!!!" keep two characters: elongation signals sentiment, its length does not.
        replace(Regex(r"([^\d\s])(?=\1\1)"), ""),
        # Rejoins what tokenized corpora split: "do n't", "it 's", "< 3".
        replace(Regex(r"(?<!\s)(?>\s+)(?=n\s{0,3}'\s{0,3}t(?![\p{L}\p{N}]))"), ""),
        replace(Regex(r"n\s{1,3}'\s{0,3}t(?![\p{L}\p{N}])"), "n't"),
        replace(Regex(r"(?<!\s)(?>\s+)(?='(?:s|m|re|ve|ll|d)(?![\p{L}\p{N}]))"), ""),
        replace(Regex(r"<\s{1,3}3(?!\d)"), "<3"),
    ]
    return normalizers.Sequence(steps)


def new_tokenizer(vocabulary: dict[str, int] | None = None) -> Tokenizer:
    """A tokenizer with this project's preparation and the given word pieces (None: untrained).

    It has no added tokens, so that a post containing "[PAD]" never gets the pad id.
    """
    tokenizer = Tokenizer(
        WordPiece(
            vocabulary or {UNKNOWN: 0},
            unk_token=UNKNOWN,
            continuing_subword_prefix=CONTINUATION,
            max_input_chars_per_word=64,
        )
    )
    tokenizer.normalizer = _normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), behavior="removed", invert=True)
    tokenizer.decoder = decoders.WordPiece(prefix=CONTINUATION)
    return tokenizer


def train_tokenizer(texts: Iterable[str], vocabulary_size: int, emoji: Iterable[str] = ()) -> Tokenizer:
    """Learns word pieces from raw texts; `emoji` are kept even if the texts lack them."""
    tokenizer = new_tokenizer()
    alphabet = sorted(set(emoji))
    trainer = WordPieceTrainer(
        vocab_size=vocabulary_size,
        min_frequency=4,
        limit_alphabet=len(alphabet) + OTHER_CHARACTERS,
        initial_alphabet=alphabet,
        special_tokens=RESERVED,
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return new_tokenizer(tokenizer.get_vocab(with_added_tokens=True))


def load_tokenizer(path: Path) -> Tokenizer:
    """Reads `tokenizer.json`."""
    return Tokenizer.from_file(str(path))


def normalised(tokenizer: Tokenizer, text: str) -> str:
    """The normalized, pre-tokenized text, joined by single blanks."""
    return " ".join(piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)))
