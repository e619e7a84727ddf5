"""The training loop: windows of reviews in batches of one length, adversarial steps, checkpoints to resume from.

Adversarial steps after Miyato, Dai and Goodfellow, "Adversarial Training Methods for Semi-Supervised Text
Classification" (ICLR 2017): each batch is learned a second time with its word vectors moved, a little and all in
all, to where the loss grows most.
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

from training.sentiment.batches import Encoded, batches_of_one_length
from training.sentiment.trainer import AVERAGE_EVERY, GRADIENT_NORM, MovingAverage

from .network import FilmNetwork
from .reviews import Reviews

STEP = 16  # lengths of windows are multiples of it, so that many reviews share one


@dataclass(frozen=True)
class Plan:
    """How the network learns. Lengths in tokens."""

    epochs: int = 4
    plain_epochs: int = 2  # first ones, without adversarial steps
    learning_rate: float = 1e-3
    final_learning_rate: float = 5e-5
    batch_size: int = 32
    longest: int = 400  # of a review that is longer, an epoch reads a window of this length, anywhere in it
    smoothing: float = 0.05  # of the labels
    distance: float = 1.0  # how far an adversarial step moves all vectors of a review together, as a Euclidean norm

    def rate(self, progress: float) -> float:
        """Learning rate at a point of the training, 0 to 1: falls linearly."""
        return self.learning_rate + (self.final_learning_rate - self.learning_rate) * progress


@dataclass(frozen=True)
class Windows:
    """One epoch's window of each review."""

    starts: np.ndarray  # int64 [reviews]: first token, counted over all texts
    lengths: np.ndarray  # int64 [reviews]

    @classmethod
    def drawn(cls, encoded: Encoded, longest: int, generator: np.random.Generator) -> Windows:
        """Windows of lengths that are multiples of STEP, anywhere in their reviews."""
        whole = encoded.lengths()
        lengths = np.minimum(whole, longest)
        lengths = np.where(lengths >= STEP, lengths // STEP * STEP, lengths)
        return cls(encoded.starts[:-1] + generator.integers(0, whole - lengths + 1), lengths)

    def batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows [batch], and places [batch, tokens] of their tokens."""
        for rows in batches_of_one_length(self.lengths, np.arange(len(self.lengths)), batch_size, generator):
            yield rows, self.starts[rows][:, None] + np.arange(self.lengths[rows[0]])


class Trainer:
    """Trains, and goes on where a killed run stopped (after its last epoch)."""

    def __init__(
        self, network: FilmNetwork, reviews: Reviews, grams: np.ndarray, plan: Plan, work: Path, seed: int,
        report: Callable[[str, dict[str, torch.Tensor]], None], bfloat16: bool = False,
    ):
        """`grams` [tokens, 2] stands beside the reviews' words. `report(when, weights)` is called after every epoch
        with the averaged weights."""
        self.network, self.reviews, self.grams, self.plan, self.seed, self.report = network, reviews, grams, plan, seed, report
        self.bfloat16, self.checkpoint = bfloat16, work / "checkpoint.pt"
        self.average = MovingAverage(network)
        self.optimizers = network.optimizers(plan.learning_rate)
        self.done, self.seconds = 0, 0.0

    def resume(self) -> bool:
        """Reads the last checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.weights, self.average.updates = state["average"], state["updates"]
        self.done, self.seconds = state["done"], state["seconds"]
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        return True

    def run(self) -> dict[str, torch.Tensor]:
        """Trains the epochs that aren't done; returns the averaged weights."""
        for epoch in range(self.done, self.plan.epochs):
            started = time.monotonic()
            # Seeded by epoch, so a resumed run draws what an unbroken one would have drawn.
            generator = np.random.default_rng([self.seed, epoch])
            torch.manual_seed(self.seed * 1_000_003 + epoch)
            loss = self._run_epoch(epoch, generator)
            self.seconds += time.monotonic() - started
            self.done = epoch + 1
            self._save()
            self.report(f"epoch {self.done}/{self.plan.epochs}, loss {loss:.4f}, {self.seconds:.0f} s", self.average.weights)
        return self.average.weights

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
                self.average.update(self.network)
        return total / len(reviews)

    def _learn(self, ids: torch.Tensor, grams: torch.Tensor, labels: torch.Tensor, adversarial: bool) -> float:
        """Gathers the gradients of a batch; returns the sum of its losses, those of the plain step."""
        words = self.network.words(ids)
        words.retain_grad()
        loss = self._loss(words, grams, labels)
        # Batches of rare lengths are small; dividing by the full size keeps every row's weight equal.
        (loss / self.plan.batch_size).backward()
        if adversarial:
            uphill = words.grad / words.grad.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)
            moved = self.network.words(ids) + self.plan.distance * uphill
            (self._loss(moved, grams, labels) / self.plan.batch_size).backward()
        return float(loss.detach())

    def _loss(self, words: torch.Tensor, grams: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            odds = self.network.judged(words, grams)
        return functional.binary_cross_entropy_with_logits(odds.float(), labels, reduction="sum")

    def _save(self) -> None:
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.weights,
                "updates": self.average.updates,
                "done": self.done,
                "seconds": self.seconds,
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            },
            partial,
        )
        partial.replace(self.checkpoint)


@torch.no_grad()
def log_odds(network: FilmNetwork, encoded: Encoded, grams: np.ndarray, batch_size: int = 64, bfloat16: bool = False) -> np.ndarray:
    """Log-odds of "positive" float32 [reviews] of whole reviews, in their order."""
    network.eval()
    odds = np.zeros(len(encoded), dtype=np.float32)
    for rows in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), batch_size, None):
        places = encoded.starts[rows][:, None] + np.arange(encoded.lengths()[rows[0]])
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            found = network(torch.from_numpy(encoded.ids[places].astype(np.int64)), torch.from_numpy(grams[places]))
        odds[rows] = found.float().numpy()
    return odds
