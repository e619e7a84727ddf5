"""The training loop: windows of reviews in batches of one length, adversarial training, resumable checkpoints.

Adversarial training after Miyato, Dai and Goodfellow, "Adversarial Training Methods for Semi-Supervised Text
Classification" (ICLR 2017): each batch is trained on a second time with the word vectors of a review
shifted along the loss gradient, by a fixed norm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ...engine.averaging import moving_average
from ...engine.checkpoints import Checkpoint
from ...engine.precision import mixed_precision
from ...text.batches import Encoded, batches_of_one_length
from ...text.training import AVERAGE_EVERY, AVERAGE_KEEP, GRADIENT_NORM
from .network import FilmNetwork
from .reviews import Reviews

STEP = 16  # window lengths are multiples of it, so that many reviews share a length


@dataclass(frozen=True)
class Plan:
    """Hyperparameters of the training. Lengths in tokens."""

    epochs: int = 4
    plain_epochs: int = 2  # first epochs, without adversarial training
    learning_rate: float = 1e-3
    final_learning_rate: float = 5e-5
    batch_size: int = 32
    longest: int = 400  # longest window; of longer reviews an epoch uses a random window
    smoothing: float = 0.05  # label smoothing
    distance: float = 1.0  # Euclidean norm of the adversarial shift of all vectors of a review

    def rate(self, progress: float) -> float:
        """Learning rate at `progress` of the training, 0 to 1: linear decay."""
        return self.learning_rate + (self.final_learning_rate - self.learning_rate) * progress


@dataclass(frozen=True)
class Windows:
    """One epoch's window of each review."""

    starts: np.ndarray  # int64 [reviews]: index of the first token in the ids of all texts
    lengths: np.ndarray  # int64 [reviews]

    @classmethod
    def drawn(cls, encoded: Encoded, longest: int, generator: np.random.Generator) -> Windows:
        """Random windows with lengths that are multiples of STEP; reviews shorter than STEP are used whole."""
        whole = encoded.lengths()
        lengths = np.minimum(whole, longest)
        lengths = np.where(lengths >= STEP, lengths // STEP * STEP, lengths)
        return cls(encoded.starts[:-1] + generator.integers(0, whole - lengths + 1), lengths)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches: rows [batch], and indices [batch, tokens] of their tokens."""
        for rows in batches_of_one_length(self.lengths, np.arange(len(self.lengths)), batch_size, generator):
            yield rows, self.starts[rows][:, None] + np.arange(self.lengths[rows[0]])


class Trainer:
    """Trains the network; a killed run resumes after its last finished epoch."""

    def __init__(
        self, network: FilmNetwork, reviews: Reviews, grams: np.ndarray, plan: Plan, work: Path, seed: int,
        report: Callable[[str, dict[str, torch.Tensor]], None],
    ):
        """`grams` [tokens, 2]: n-gram weights of the reviews' tokens. `report(when, weights)` is called after every epoch
        with the averaged weights."""
        self.network, self.reviews, self.grams, self.plan, self.seed, self.report = network, reviews, grams, plan, seed, report
        self.average = moving_average(network, AVERAGE_KEEP)
        self.optimizers = network.optimizers(plan.learning_rate)
        optimizers = {f"optimizer_{number}": optimizer for number, optimizer in enumerate(self.optimizers)}
        self.checkpoint = Checkpoint(work / "checkpoint.pt", network=network, average=self.average, **optimizers)
        values = self.checkpoint.load()
        self.done, self.seconds = values.get("done", 0), values.get("seconds", 0.0)

    def run(self) -> dict[str, torch.Tensor]:
        """Trains the epochs that aren't done; returns the averaged weights."""
        for epoch in range(self.done, self.plan.epochs):
            started = time.monotonic()
            # Seeded by epoch, so that a resumed run draws the same windows as an uninterrupted one.
            generator = np.random.default_rng([self.seed, epoch])
            torch.manual_seed(self.seed * 1_000_003 + epoch)
            loss = self._run_epoch(epoch, generator)
            self.seconds += time.monotonic() - started
            self.done = epoch + 1
            self.checkpoint.save(done=self.done, seconds=self.seconds)
            self.report(f"epoch {self.done}/{self.plan.epochs}, loss {loss:.4f}, {self.seconds:.0f} s", self.average.module.state_dict())
        return self.average.module.state_dict()

    def _run_epoch(self, epoch: int, generator: np.random.Generator) -> float:
        plan, reviews = self.plan, self.reviews
        self.network.train()
        windows = Windows.drawn(reviews.encoded, plan.longest, generator)
        batches = list(windows.batches(plan.batch_size, generator))
        total = 0.0
        for step, (rows, places) in enumerate(tqdm(batches, desc=f"epoch {epoch + 1}", mininterval=10, unit="batch")):
            rate = plan.rate((epoch + step / len(batches)) / plan.epochs)
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.zero_grad(set_to_none=True)
            labels = torch.from_numpy(reviews.positive[rows])
            total += self._learn(
                torch.from_numpy(reviews.encoded.ids[places].astype(np.int64)), torch.from_numpy(self.grams[places]),
                labels * (1 - plan.smoothing) + plan.smoothing / 2, epoch >= plan.plain_epochs,
            )
            torch.nn.utils.clip_grad_norm_(self.network.dense_parameters(), GRADIENT_NORM)
            for optimizer in self.optimizers:
                optimizer.step()
            if step % AVERAGE_EVERY == 0:
                self.average.update_parameters(self.network)
        return total / len(reviews)

    def _learn(self, ids: torch.Tensor, grams: torch.Tensor, labels: torch.Tensor, adversarial: bool) -> float:
        """Accumulates the gradients of a batch; returns the sum of its losses, without the adversarial ones."""
        words = self.network.words(ids)
        words.retain_grad()
        loss = self._loss(words, grams, labels)
        # Batches of rare lengths are small; dividing by the nominal size gives every row the same weight.
        (loss / self.plan.batch_size).backward()
        if adversarial:
            uphill = words.grad / words.grad.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)
            moved = self.network.words(ids) + self.plan.distance * uphill
            (self._loss(moved, grams, labels) / self.plan.batch_size).backward()
        return float(loss.detach())

    def _loss(self, words: torch.Tensor, grams: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with mixed_precision():
            odds = self.network.judged(words, grams)
        return functional.binary_cross_entropy_with_logits(odds.float(), labels, reduction="sum")


@torch.no_grad()
def log_odds(network: FilmNetwork, encoded: Encoded, grams: np.ndarray, batch_size: int = 64, bfloat16: bool = False) -> np.ndarray:
    """Log-odds of "positive" float32 [reviews], of whole reviews, in order."""
    network.eval()
    odds = np.zeros(len(encoded), dtype=np.float32)
    for rows in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), batch_size, None):
        places = encoded.starts[rows][:, None] + np.arange(encoded.lengths()[rows[0]])
        with mixed_precision(bfloat16):
            found = network(torch.from_numpy(encoded.ids[places].astype(np.int64)), torch.from_numpy(grams[places]))
        odds[rows] = found.float().numpy()
    return odds
