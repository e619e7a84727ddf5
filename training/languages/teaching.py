"""Trains the teacher and lets it label texts; every result stays in the work folder."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from training.sentiment.batches import Encoded, batches_of_one_length
from training.sentiment.mixture import Stage
from training.sentiment.trainer import AVERAGE_EVERY, GRADIENT_NORM, MovingAverage

from .corpus import Texts
from .e5_file import E5File
from .encoder import Lower, Upper, e5_tokenizer
from .figures import language_figures

MAX_TOKENS = 80
ENGLISH_ROWS = 15_000
LABEL_SMOOTHING = 0.05
STAGE = Stage("teacher", 3, 1e-4, 5e-6, {"languages": 1.0, "semeval": 1 / 3}, batch_size=32, warm_up=0.1)
CHUNK = 10_000  # texts whose states or labels are saved together


def encode(file: E5File, texts: list[str]) -> Encoded:
    """Piece ids of texts between <s> and </s>, cut after MAX_TOKENS."""
    found = e5_tokenizer(file).encode_batch_fast(texts)
    rows = [[file.begin_id, *one.ids[: MAX_TOKENS - 2], file.end_id] for one in found]
    starts = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    ids = np.fromiter((i for row in rows for i in row), dtype=np.int32, count=starts[-1])
    return Encoded(ids, starts, np.zeros((len(rows), 2), dtype=np.int64))


def fingerprint(texts: list[str]) -> str:
    """Names texts in the work folder: a changed list is made anew."""
    return hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:16]


@torch.inference_mode()
def lower_states(work: Path, file: E5File, texts: list[str], layers: int) -> tuple[np.ndarray, Encoded]:
    """What the lowest `layers` layers make of texts, float16 [tokens of all texts, width], and the texts' places in it."""
    encoded = encode(file, texts)
    path = work / f"states-{layers}-{fingerprint(texts)}.npy"
    if not path.exists():
        lower = Lower(file, layers).eval()
        states = np.zeros((encoded.starts[-1], file.sizes.width), dtype=np.float16)
        batches = list(batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), 64, None))
        for batch in tqdm(batches, desc=f"lower {layers} layers", mininterval=10):
            with torch.autocast("cpu", torch.bfloat16):
                found = lower(torch.from_numpy(encoded.rows(batch)))
            states[places(encoded, batch).ravel()] = found.float().numpy().reshape(-1, file.sizes.width)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, states)
        partial.replace(path)
    return np.load(path, mmap_mode="r"), encoded


def places(encoded: Encoded, batch: np.ndarray) -> np.ndarray:
    """Where the tokens of equally long texts are [len(batch), tokens]."""
    length = encoded.starts[batch[0] + 1] - encoded.starts[batch[0]]
    return encoded.starts[batch][:, None] + np.arange(length)


@torch.inference_mode()
def predict(upper: Upper, states: np.ndarray, encoded: Encoded) -> np.ndarray:
    """Logits float32 [texts, 3]."""
    upper.eval()
    logits = np.zeros((len(encoded), 3), dtype=np.float32)
    for batch in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), 128, None):
        with torch.autocast("cpu", torch.bfloat16):
            logits[batch] = upper(torch.from_numpy(states[places(encoded, batch)]).float()).float().numpy()
    return logits


def train_teacher(work: Path, file: E5File, texts: Texts, seed: int, first: int) -> Upper:
    """The layers from `first` on after fine-tuning; goes on after the last finished epoch."""
    generator = np.random.default_rng(seed)
    english = [texts.english[i] for i in generator.permutation(len(texts.english))[:ENGLISH_ROWS]]
    parts = [(0, texts.training, *lower_states(work, file, [t.text for t in texts.training], first)),
             (1, english, *lower_states(work, file, [t.text for t in english], first))]
    judged = lower_states(work, file, [t.text for t in texts.choosing], first)
    torch.manual_seed(seed)
    upper, judge = (Upper(file, first, len(parts)) for _ in range(2))
    average = MovingAverage(upper)
    optimizer = torch.optim.AdamW(upper.parameters(), lr=STAGE.learning_rate, weight_decay=0.01)
    checkpoint, begun, seconds = work / f"teacher-{first}-{seed}.pt", 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        upper.load_state_dict(state["upper"])
        average.weights, average.updates = state["average"], state["updates"]
        begun, seconds = state["epochs"], state["seconds"]
        if begun < STAGE.epochs:
            optimizer.load_state_dict(state["optimizer"])
    for epoch in range(begun, STAGE.epochs):
        started = time.monotonic()
        generator = np.random.default_rng([seed, epoch])
        torch.manual_seed(seed * 1_009 + epoch)
        batches = []
        for (source, rows, _, encoded), share in zip(parts, STAGE.shares.values(), strict=True):
            # Every epoch takes the next part of the rows that are not all drawn.
            drawn = round(share * len(rows))
            chosen = np.arange(epoch * drawn, (epoch + 1) * drawn) % len(rows)
            batches += [(source, batch) for batch in batches_of_one_length(encoded.lengths(), chosen, STAGE.batch_size, generator)]
        order = generator.permutation(len(batches))
        upper.train()
        total = 0.0
        for step, index in enumerate(tqdm(order, desc=f"teacher from layer {first}, seed {seed}, epoch {epoch + 1}", mininterval=30)):
            source, batch = batches[index]
            _, rows, states, encoded = parts[source]
            for group in optimizer.param_groups:
                group["lr"] = STAGE.rate((epoch + step / len(order)) / STAGE.epochs)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16):
                logits = upper(torch.from_numpy(states[places(encoded, batch)]).float(), source)
            labels = torch.tensor([rows[i].label for i in batch])
            loss = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="sum", label_smoothing=LABEL_SMOOTHING)
            (loss / STAGE.batch_size).backward()
            torch.nn.utils.clip_grad_norm_(upper.parameters(), GRADIENT_NORM)
            optimizer.step()
            total += float(loss.detach())
            if step % AVERAGE_EVERY == 0:
                average.update(upper)
        seconds += time.monotonic() - started
        judge.load_state_dict(average.weights)
        figures = language_figures(texts.choosing, predict(judge, *judged).argmax(axis=1))
        line = f"teacher from layer {first}, seed {seed}, epoch {epoch + 1}, loss {total / sum(len(b) for _, b in batches):.4f}, {seconds:.0f} s: {figures}"
        print(line, flush=True)
        with (work / "figures.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        torch.save({"upper": upper.state_dict(), "average": average.weights, "updates": average.updates, "epochs": epoch + 1,
                    "seconds": seconds, "optimizer": optimizer.state_dict()}, checkpoint.with_suffix(".partial"))
        checkpoint.with_suffix(".partial").replace(checkpoint)
    judge.load_state_dict(average.weights)
    return judge


@torch.inference_mode()
def opinion(work: Path, file: E5File, upper: Upper, first: int, name: str, texts: list[str]) -> np.ndarray:
    """Logits float32 [texts, 3] of a teacher; each chunk is kept under its teacher's name and the hash of its texts."""
    lower = Lower(file, first).eval()
    upper.eval()
    parts = []
    for at in tqdm(range(0, len(texts), CHUNK), desc=f"opinions of {name}", unit="chunk", mininterval=10):
        chunk = texts[at : at + CHUNK]
        path = work / f"opinion-{name}-{fingerprint(chunk)}.npy"
        if not path.exists():
            encoded = encode(file, chunk)
            logits = np.zeros((len(chunk), 3), dtype=np.float32)
            for batch in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), 128, None):
                with torch.autocast("cpu", torch.bfloat16):
                    logits[batch] = upper(lower(torch.from_numpy(encoded.rows(batch)))).float().numpy()
            partial = path.with_suffix(".partial.npy")
            np.save(partial, logits)
            partial.replace(path)
        parts.append(np.load(path))
    return np.concatenate(parts)
