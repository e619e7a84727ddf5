"""A teacher of target sentiment, which reads "target [SEP] text": `python -m training.distillation.target_teacher`.

It starts from a teacher of whole texts and learns from corpora whose labels are about a target, as in
Sun et al., "Utilizing BERT for Aspect-Based Sentiment Analysis via Constructing Auxiliary Sentence"
(NAACL 2019). The target stands first, so a long text never pushes it out. Nothing is published: the
checkpoint is for labelling pairs of post and brand later.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from training.sentiment import evaluation
from training.sentiment.batches import concatenate, encode
from training.sentiment.corpus import CorpusError, Row, read_labelled
from training.sentiment.mixture import Mixture, Stage, smoothed
from training.sentiment.splits import HELD_OUT_SOURCES, VALIDATION, Split, held_out_name, is_held_out, text_key
from training.sentiment.trainer import Trainer, predict

from .encoder import teacher_tokenizer
from .teaching import MAX_TOKENS, teacher_corpora, trained_teacher

SOURCES = ["semeval_topic", "targets", "brand_entity"]
STAGE = Stage("target teacher", 1, 5e-5, 5e-6, dict.fromkeys(SOURCES, 1.0), batch_size=32, warm_up=0.05)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.distillation.target_teacher", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder; the corpora are in its folder text/")
    parser.add_argument("--start", type=Path, required=True, help="folder of a teacher of whole texts")
    parser.add_argument("--work", type=Path, default=Path("training/.checkpoints/target-teacher"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args(arguments)


def target_split(data: Path) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """Training rows and hold-outs by corpus. All targets of a text are on the same side, and a
    held-out row of `targets` has a text which the teacher of whole texts hasn't seen either."""
    names = {*teacher_corpora(), *HELD_OUT_SOURCES, *SOURCES, VALIDATION}
    split = Split({name: read_labelled(data, name) for name in sorted(names)})
    seen = {text_key(row.text) for name in teacher_corpora() for row in split.training[name]}
    training = {name: list(split.training[name]) for name in SOURCES}
    held_out = {name: split.held_out[held_out_name(name)] for name in SOURCES if name in HELD_OUT_SOURCES}
    held_out["targets"] = [row for row in training["targets"] if is_held_out(key := text_key(row.text)) and key not in seen]
    training["targets"] = [row for row in training["targets"] if not is_held_out(text_key(row.text))]
    return training, held_out


def pairs(rows: list[Row]) -> list[tuple[str, str]]:
    """What the tokenizer reads: (target, text)."""
    return [(row.target or "", row.text) for row in rows]


def target_mixture(training: dict[str, list[Row]], tokenizer: Tokenizer) -> Mixture:
    """All pairs of all corpora, every corpus on the one output layer."""
    rows = [training[name] for name in SOURCES]
    count = sum(map(len, rows))
    return Mixture(
        concatenate([encode(tokenizer, pairs(part), MAX_TOKENS) for part in rows]),
        np.concatenate([smoothed(np.array([row.label for row in part]), two_classes=False) for part in rows]),
        np.zeros(count, dtype=bool),
        np.concatenate([np.full(len(part), index, dtype=np.int64) for index, part in enumerate(rows)]),
        SOURCES,
        np.zeros(len(SOURCES), dtype=np.int64),
    )


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    try:
        training, held_out = target_split(arguments.data)
    except CorpusError as error:
        sys.exit(f"error: {error}")
    arguments.work.mkdir(parents=True, exist_ok=True)
    tokenizer = teacher_tokenizer()
    teacher, judge = (trained_teacher(arguments.start) for _ in range(2))

    def report(when: str, weights: dict[str, torch.Tensor]) -> None:
        judge.load_state_dict(weights)
        figures = {}
        for name, rows in held_out.items():
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16):
                logits = predict(judge, encode(tokenizer, pairs(rows), MAX_TOKENS))
            counts = evaluation.confusion(np.array([row.label for row in rows]), logits.argmax(axis=1))
            figures[name] = (len(rows), round(evaluation.macro_recall(counts), 2), round(evaluation.accuracy(counts), 2))
        line = f"{when}: rows, macro recall, accuracy: {figures}"
        print(line, flush=True)
        with (arguments.work / "figures.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    trainer = Trainer(teacher, target_mixture(training, tokenizer), arguments.work, arguments.seed, report, arguments.bfloat16)
    trainer.resume()
    trainer.run([STAGE])


if __name__ == "__main__":
    main()
