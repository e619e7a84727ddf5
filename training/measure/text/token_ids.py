"""python -m training.measure.text.token_ids --data DIR: real texts with their token ids from the training code.

Prints one JSON object per line, with `text` and `ids`, for tests/it/token_ids.rs, which compares them with the daemon's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ...text.corpora import CorpusError, read_plain
from ...text.exported import ExportedModel
from ...text.labelled import read

LABELLED = ("semeval_val", "tse", "brand_entity", "software_engineering", "goemotions", "targets", "languages", "imdb_test")
PLAIN = ("brand_tweets", "reddit_titles")


def lines(data: Path, count: int) -> Iterator[str]:
    """At most `count` texts, the first ones of each corpus."""
    each = -(-count // (len(LABELLED) + len(PLAIN)))
    texts = [[sentence.text for sentence in read(data, name)[:each]] for name in LABELLED]
    texts += [list(islice(read_plain(data, name), each)) for name in PLAIN]
    return islice((text for part in texts for text in part), count)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.measure.text.token_ids", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder; the texts are in its folder text/")
    parser.add_argument("--model", type=Path, default=Path("models/sentiment"), metavar="FOLDER", help="the model folder")
    parser.add_argument("--lines", type=int, default=10_000, metavar="N", help="number of texts")
    arguments = parser.parse_args()
    try:
        texts = list(lines(arguments.data, arguments.lines))
    except CorpusError as problem:
        print(f"token_ids: {problem}", file=sys.stderr)
        return 1
    model = ExportedModel(arguments.model)
    for text in texts:
        print(json.dumps({"text": text, "ids": model.ids(text)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
