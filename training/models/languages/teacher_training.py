"""Trains the teacher and labels texts with it; all results are cached in the work folder."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ...engine.averaging import moving_average
from ...engine.checkpoints import Checkpoint
from ...engine.figures import log_figures
from ...engine.precision import mixed_precision
from ...text.batches import Encoded, batches_of_one_length
from ...text.training import AVERAGE_EVERY, AVERAGE_KEEP, GRADIENT_NORM
from .corpus import Texts
from .e5_file import E5File
from .metrics import language_figures
from .recipe import Recipe
from .teacher_network import Lower, Upper, e5_tokenizer

MAX_TOKENS = 80
LABEL_SMOOTHING = 0.05
TRAINED = "weights.pt"
CHUNK = 10_000  # texts per saved file of labels


def encode(file: E5File, texts: list[str]) -> Encoded:
    """Piece ids of texts between <s> and </s>, truncated to MAX_TOKENS."""
    found = e5_tokenizer(file).encode_batch_fast(texts)
    rows = [[file.begin_id, *one.ids[: MAX_TOKENS - 2], file.end_id] for one in found]
    starts = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    ids = np.fromiter((i for row in rows for i in row), dtype=np.int32, count=starts[-1])
    return Encoded(ids, starts, np.zeros((len(rows), 2), dtype=np.int64))


def fingerprint(texts: list[str]) -> str:
    """A hash of texts for cache names, so that a changed list is recomputed."""
    return hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:16]


@torch.inference_mode()
def lower_states(work: Path, file: E5File, texts: list[str], layers: int) -> tuple[np.ndarray, Encoded]:
    """Output of the lowest `layers` layers, float16 [tokens of all texts, width], cached in `work`, and the encoded texts."""
    encoded = encode(file, texts)
    path = work / f"states-{layers}-{fingerprint(texts)}.npy"
    if not path.exists():
        lower = Lower(file, layers).eval()
        states = np.zeros((encoded.starts[-1], file.sizes.width), dtype=np.float16)
        batches = list(batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), 64, None))
        for batch in tqdm(batches, desc=f"lower {layers} layers", mininterval=10):
            with mixed_precision():
                found = lower(torch.from_numpy(encoded.rows(batch)))
            states[places(encoded, batch).ravel()] = found.float().numpy().reshape(-1, file.sizes.width)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, states)
        partial.replace(path)
    return np.load(path, mmap_mode="r"), encoded


def places(encoded: Encoded, batch: np.ndarray) -> np.ndarray:
    """Indices of the tokens of equally long texts [len(batch), tokens]."""
    length = encoded.starts[batch[0] + 1] - encoded.starts[batch[0]]
    return encoded.starts[batch][:, None] + np.arange(length)


@torch.inference_mode()
def predict(upper: Upper, states: np.ndarray, encoded: Encoded) -> np.ndarray:
    """Logits float32 [texts, 3]."""
    upper.eval()
    logits = np.zeros((len(encoded), 3), dtype=np.float32)
    for batch in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), 128, None):
        with mixed_precision():
            logits[batch] = upper(torch.from_numpy(states[places(encoded, batch)]).float()).float().numpy()
    return logits


def train_teacher(work: Path, file: E5File, texts: Texts, recipe: Recipe) -> None:
    """Fine-tunes the layers from the recipe's `first_layer` on and saves them in `work`; a killed run resumes after its last epoch."""
    seed, first, phase = recipe.seed, recipe.first_layer, recipe.teacher
    generator = np.random.default_rng(seed)
    english = [texts.english[i] for i in generator.permutation(len(texts.english))[: recipe.english_rows]]
    parts = [(0, texts.training, *lower_states(work, file, [t.text for t in texts.training], first)),
             (1, english, *lower_states(work, file, [t.text for t in english], first))]
    judged = lower_states(work, file, [t.text for t in texts.choosing], first)
    torch.manual_seed(seed)
    upper, judge = (Upper(file, first, len(parts)) for _ in range(2))
    average = moving_average(upper, AVERAGE_KEEP)
    optimizer = torch.optim.AdamW(upper.parameters(), lr=phase.learning_rate, weight_decay=0.01)
    checkpoint = Checkpoint(work / "checkpoint.pt", upper=upper, average=average, optimizer=optimizer)
    values = checkpoint.load()
    begun, seconds = values.get("epochs", 0), values.get("seconds", 0.0)
    for epoch in range(begun, phase.epochs):
        started = time.monotonic()
        generator = np.random.default_rng([seed, epoch])
        torch.manual_seed(seed * 1_009 + epoch)
        batches = []
        for (source, rows, _, encoded), share in zip(parts, phase.shares.values(), strict=True):
            # With a share below 1, each epoch takes the next slice of the rows.
            drawn = round(share * len(rows))
            chosen = np.arange(epoch * drawn, (epoch + 1) * drawn) % len(rows)
            batches += [(source, batch) for batch in batches_of_one_length(encoded.lengths(), chosen, phase.batch_size, generator)]
        order = generator.permutation(len(batches))
        upper.train()
        total = 0.0
        for step, index in enumerate(tqdm(order, desc=f"teacher from layer {first}, seed {seed}, epoch {epoch + 1}", mininterval=30)):
            source, batch = batches[index]
            _, rows, states, encoded = parts[source]
            for group in optimizer.param_groups:
                group["lr"] = phase.rate((epoch + step / len(order)) / phase.epochs)
            optimizer.zero_grad(set_to_none=True)
            with mixed_precision():
                logits = upper(torch.from_numpy(states[places(encoded, batch)]).float(), source)
            labels = torch.tensor([rows[i].label for i in batch])
            loss = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="sum", label_smoothing=LABEL_SMOOTHING)
            (loss / phase.batch_size).backward()
            torch.nn.utils.clip_grad_norm_(upper.parameters(), GRADIENT_NORM)
            optimizer.step()
            total += float(loss.detach())
            if step % AVERAGE_EVERY == 0:
                average.update_parameters(upper)
        seconds += time.monotonic() - started
        judge.load_state_dict(average.module.state_dict())
        figures = language_figures(texts.choosing, predict(judge, *judged).argmax(axis=1))
        line = f"teacher from layer {first}, seed {seed}, epoch {epoch + 1}, loss {total / sum(len(b) for _, b in batches):.4f}, {seconds:.0f} s: {figures}"
        log_figures(work, line)
        checkpoint.save(epochs=epoch + 1, seconds=seconds)
    torch.save(average.module.state_dict(), work / TRAINED)


def trained_teacher(work: Path, file: E5File, recipe: Recipe) -> Upper:
    """Loads the layers that `train_teacher` saved in `work`."""
    weights = torch.load(work / TRAINED, weights_only=True)
    upper = Upper(file, recipe.first_layer, len(weights["source_output"]))
    upper.load_state_dict(weights)
    return upper.eval()


@torch.inference_mode()
def label(work: Path, file: E5File, upper: Upper, first: int, texts: list[str]) -> np.ndarray:
    """Logits float32 [texts, 3] of a teacher; each chunk is cached in `work` under the hash of its texts."""
    lower = Lower(file, first).eval()
    upper.eval()
    parts = []
    for at in tqdm(range(0, len(texts), CHUNK), desc="labels", unit="chunk", mininterval=10):
        chunk = texts[at : at + CHUNK]
        path = work / f"labels-{fingerprint(chunk)}.npy"
        if not path.exists():
            encoded = encode(file, chunk)
            logits = np.zeros((len(chunk), 3), dtype=np.float32)
            for batch in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), 128, None):
                with mixed_precision():
                    logits[batch] = upper(lower(torch.from_numpy(encoded.rows(batch)))).float().numpy()
            partial = path.with_suffix(".partial.npy")
            np.save(partial, logits)
            partial.replace(path)
        parts.append(np.load(path))
    return np.concatenate(parts)
