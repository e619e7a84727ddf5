"""Trains the model of the seven languages and writes its folder: `python -m training.languages --data DIR`.

Steps: teachers, texts for them to judge, pieces and vectors, student, export with figures and goldens. Each keeps its result
in the work folder and is skipped when that is there; teachers and student go on after their last finished epoch.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from training.sentiment.batches import encode
from training.sentiment.corpus import CorpusError, read_plain
from training.sentiment.network import Architecture, SentimentNetwork
from training.sentiment.tokenizer import PAD_ID
from training.sentiment.trainer import Trainer, predict

from .augmentation import made_up
from .corpus import Text, Texts, read_texts
from .e5_file import E5Error, E5File, package_file
from .encoder import Upper
from .figures import language_figures
from .lexicon import charged_words, frequent_words
from .pool import LanguageFinder, pool
from .publish import publish
from .student import DROPOUT, ENGLISH, GOLD, LABELS, MADE_UP, MAX_TOKENS, POOL, STAGES, Source, mixture, opinions, with_own
from .teaching import ENGLISH_ROWS, opinion, train_teacher
from .tokenizer import pieces_tokenizer
from .vocabulary import Counted, choose_pieces, judged_vectors, raw_vectors, reduced

VOCABULARY, RAW_DIMENSIONS, JUDGED_DIMENSIONS, HIDDEN = 26_000, 128, 64, 192
MADE_UP_ROUNDS = 5  # made-up texts for each training text
PLAIN = {"brand_tweets": 1, "reddit_titles": 1}  # n reads each n-th line
ENGLISH_WEIGHT = 0.05  # of an English text, where pieces are counted


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.languages", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder; the corpora are in its folder text/")
    parser.add_argument("--out", type=Path, default=Path("models/languages"), help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("training/.checkpoints/languages"), help="where checkpoints are kept")
    parser.add_argument("--teachers", type=int, nargs="+", default=[6], help="for each number a teacher whose layers from it on learn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model-version", default="1")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments()
    try:
        run(arguments)
    except (CorpusError, E5Error) as error:
        sys.exit(f"error: {error}")


def run(arguments: argparse.Namespace) -> None:
    """Trains and publishes."""
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    work, seed = arguments.work, arguments.seed
    work.mkdir(parents=True, exist_ok=True)
    file = E5File(package_file())
    texts = read_texts(arguments.data)
    teachers = {first: train_teacher(work, file, texts, seed, first) for first in arguments.teachers}

    def judge_by_teachers(some: list[str]) -> np.ndarray:
        return opinions([opinion(work, file, upper, first, f"{first}-{seed}", some) for first, upper in teachers.items()])

    report(work, "teachers", texts, lambda some: judge_by_teachers([text.text for text in some]))
    words = frequent_words(texts.training)
    asked = texts_to_ask_about(arguments.data, work, texts, {code: list(some) for code, some in words.items()}, seed)
    tokenizer = prepare_tokenizer(work, file, texts, asked[POOL], charged_words(words, judge_by_teachers))
    training = [text.text for text in texts.training]
    mixed = mixture(
        [
            Source(GOLD, training, with_own([text.label for text in texts.training], judge_by_teachers(training))),
            *(Source(name, some, judge_by_teachers(some)) for name, some in asked.items()),
        ],
        tokenizer,
        seed,
    )
    vectors = prepare_vectors(work, file, tokenizer, *next(iter(teachers.items())))
    torch.manual_seed(seed)
    network = SentimentNetwork(Architecture(*vectors.shape, HIDDEN), DROPOUT)
    network.set_vectors(vectors)
    judge = SentimentNetwork(network.architecture)

    def after_epoch(when: str, weights: dict[str, torch.Tensor]) -> None:
        judge.load_state_dict(weights)
        report(work, when, texts, lambda some: predict(judge, encode(tokenizer, [text.text for text in some], MAX_TOKENS)))

    trainer = Trainer(network, mixed, work, seed, after_epoch, bfloat16=True)
    trainer.resume()
    weights = trainer.run(list(STAGES))
    used = [
        {"source": name, "rows": int((mixed.source == index).sum()), "share": STAGES[0].shares[name], "labels": LABELS[name]}
        for index, name in enumerate(mixed.sources)
    ]
    description = {
        "command": f"python -m training.languages --data DIR --teachers {' '.join(map(str, arguments.teachers))} --seed {seed}",
        "seed": seed, "data": used, "seconds": round(trainer.seconds),
    }
    for name, found in publish(arguments.out, judge, weights, tokenizer, texts, description, arguments.model_version)["figures"].items():
        print(name, found)


def report(work: Path, when: str, texts: Texts, judge: Callable[[list[Text]], np.ndarray]) -> None:
    """Prints macro-averaged F1 on the choosing texts, and keeps it in figures.log."""
    line = f"{when}: {language_figures(texts.choosing, judge(texts.choosing).argmax(axis=1))}"
    print(line, flush=True)
    with (work / "figures.log").open("a", encoding="utf-8") as log:
        log.write(line + "\n")


def texts_to_ask_about(data: Path, work: Path, texts: Texts, words: dict[str, list[str]], seed: int) -> dict[str, list[str]]:
    """Texts without labels of their own, by source; finding the unlabelled posts takes minutes, so they are kept."""
    path = work / "pool.json"
    if not path.exists():
        finder = LanguageFinder([*texts.training, *texts.english])
        found = [text for name, every in PLAIN.items() for _, text in pool(read_plain(data, name, every), finder, texts.kept_away)]
        path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    chosen = np.random.default_rng(seed).permutation(len(texts.english))[:ENGLISH_ROWS]
    return {
        MADE_UP: made_up(texts.training, words, MADE_UP_ROUNDS, seed),
        POOL: json.loads(path.read_text(encoding="utf-8")),
        ENGLISH: [texts.english[index].text for index in chosen],
    }


def prepare_tokenizer(work: Path, file: E5File, texts: Texts, unlabelled: list[str], always: dict[str, float]) -> Tokenizer:
    """Reads or makes the tokenizer."""
    path = work / "tokenizer.json"
    if not path.exists():
        counted = [
            Counted([text.text for text in texts.training], 1.0),
            Counted(unlabelled, 0.5),
            Counted([text.text for text in texts.english], ENGLISH_WEIGHT),
        ]
        pieces_tokenizer(choose_pieces(file, counted, always, VOCABULARY)).save(str(path), pretty=False)
    return Tokenizer.from_file(str(path))


def prepare_vectors(work: Path, file: E5File, tokenizer: Tokenizer, first: int, upper: Upper) -> np.ndarray:
    """Reads or makes the vectors that the student starts from, float32 [vocabulary, dimensions]; the pad's is zero."""
    path = work / "vectors.npy"
    if not path.exists():
        halves = [
            reduced(raw_vectors(file, tokenizer), RAW_DIMENSIONS),
            reduced(judged_vectors(file, first, upper, tokenizer), JUDGED_DIMENSIONS),
        ]
        vectors = np.concatenate(halves, axis=1)
        vectors[PAD_ID] = 0
        np.save(path, vectors)
    return np.load(path)


if __name__ == "__main__":
    main()
