"""The training loop: phases of epochs, weight averaging, resumable checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ..engine.averaging import moving_average
from ..engine.checkpoints import Checkpoint
from ..engine.precision import mixed_precision
from .batches import Encoded, batches_of_one_length
from .mixture import Mixture, Phase

GRADIENT_NORM = 5.0
AVERAGE_EVERY = 10  # steps between updates of the moving average
AVERAGE_KEEP = 0.98  # decay per update: averages over about 500 steps


class Classifier(Protocol):
    """The interface of networks that the loop trains: the BiLSTM and its transformer teachers."""

    def __call__(self, ids: torch.Tensor, sources: torch.Tensor | None = None, spans: torch.Tensor | None = None) -> torch.Tensor: ...

    def dense_parameters(self) -> list[torch.nn.Parameter]: ...

    def optimizers(self, learning_rate: float) -> list[torch.optim.Optimizer]: ...


def mean_weights(start: dict[str, torch.Tensor], end: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """Linear interpolation of weights; a `share` of 1 is `end`. Between initial and fine-tuned weights (Wortsman et al.,
    "Robust fine-tuning of zero-shot models", CVPR 2022) it preserves abilities that the new labels don't cover; between two
    runs (Wortsman et al., "Model soups", ICML 2022) it averages out their errors."""
    return end | {name: torch.lerp(tensor, end[name], share) for name, tensor in start.items()}


def loss_of(
    logits: torch.Tensor, soft_labels: torch.Tensor, two_classes: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Sum of the weighted cross-entropies of a batch with soft labels [batch, 3].

    `two_classes` [batch] marks rows whose corpus has no neutral class: their softmax excludes it.
    `weights` [batch, 3]: the class weights of each row's corpus.
    """
    no_neutral = two_classes[:, None] & torch.tensor([False, True, False])
    logits = logits.masked_fill(no_neutral, -1e4)
    row_weight = (weights * soft_labels).sum(dim=1)
    return -(row_weight[:, None] * soft_labels * functional.log_softmax(logits, dim=1)).sum()


class Trainer:
    """Runs the phases in order; a killed run resumes after its last finished epoch."""

    def __init__(self, network: Classifier, mixture: Mixture, work: Path, seed: int, report: Callable[[str, dict], None]):
        """`report(when, weights)` is called after every epoch with the averaged weights."""
        self.network, self.mixture, self.seed, self.report = network, mixture, seed, report
        self.average = moving_average(network, AVERAGE_KEEP)
        self.checkpoint = Checkpoint(work / "checkpoint.pt", network=network, average=self.average)
        values = self.checkpoint.load()
        self.done: tuple[int, int] = tuple(values.get("done", (0, 0)))  # phases finished, epochs finished in the next one
        self.seconds: float = values.get("seconds", 0.0)
        self.saved_optimizers: list | None = values.get("optimizers")

    def run(self, phases: Sequence[Phase]) -> dict[str, torch.Tensor]:
        """Trains all phases that aren't done; returns the averaged weights."""
        for number, phase in enumerate(phases):
            if number >= self.done[0]:
                self._run_phase(number, phase)
        return self.average.module.state_dict()

    def _run_phase(self, number: int, phase: Phase) -> None:
        first_epoch = self.done[1] if self.done[0] == number else 0
        optimizers = self.network.optimizers(phase.learning_rate)
        if first_epoch and self.saved_optimizers:
            for optimizer, state in zip(optimizers, self.saved_optimizers, strict=True):
                optimizer.load_state_dict(state)
        class_weights = torch.from_numpy(self.mixture.class_weights(phase.class_weight_power))
        lengths = self.mixture.encoded.lengths()
        for epoch in range(first_epoch, phase.epochs):
            started = time.monotonic()
            # Seeded by phase and epoch, so that a resumed run draws the same batches as an uninterrupted one.
            generator = np.random.default_rng([self.seed, number, epoch])
            torch.manual_seed(self.seed * 1_000_003 + number * 1_009 + epoch)
            chosen = self.mixture.draw(phase.shares, generator)
            batches = list(batches_of_one_length(lengths, chosen, phase.batch_size, generator))
            loss = self._run_epoch(phase, epoch, batches, optimizers, class_weights)
            self.seconds += time.monotonic() - started
            self.done = (number, epoch + 1) if epoch + 1 < phase.epochs else (number + 1, 0)
            self.checkpoint.save(done=list(self.done), seconds=self.seconds, optimizers=[optimizer.state_dict() for optimizer in optimizers])
            self.report(f"{phase.name} {epoch + 1}/{phase.epochs}, loss {loss:.4f}, {self.seconds:.0f} s", self.average.module.state_dict())

    def _run_epoch(self, phase: Phase, epoch: int, batches: list, optimizers: list, class_weights: torch.Tensor) -> float:
        mixture, network = self.mixture, self.network
        network.train()
        total, rows = 0.0, 0
        for step, batch in enumerate(tqdm(batches, desc=f"{phase.name} {epoch + 1}", mininterval=10, unit="batch")):
            progress = (epoch + step / len(batches)) / phase.epochs
            rate = phase.rate(progress)
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.zero_grad(set_to_none=True)
            with mixed_precision():
                logits = network(
                    torch.from_numpy(mixture.encoded.rows(batch)), torch.from_numpy(mixture.output_of[mixture.source[batch]]),
                    torch.from_numpy(mixture.encoded.spans[batch]),
                )
            loss = loss_of(
                logits.float(),
                torch.from_numpy(mixture.soft_labels[batch]),
                torch.from_numpy(mixture.two_classes[batch]),
                class_weights[torch.from_numpy(mixture.source[batch])],
            )
            # Batches of rare lengths are small; dividing by the nominal size gives every row the same weight.
            (loss / phase.batch_size).backward()
            torch.nn.utils.clip_grad_norm_([p for p in network.dense_parameters() if p.grad is not None], GRADIENT_NORM)
            for optimizer in optimizers:
                optimizer.step()
            if step % AVERAGE_EVERY == 0:
                self.average.update_parameters(network)
            total, rows = total + float(loss.detach()), rows + len(batch)
        return total / rows


@torch.no_grad()
def predict(network: Classifier, encoded: Encoded, batch_size: int = 256) -> np.ndarray:
    """Logits float32 [texts, 3] of the exported output layer, in the order of the texts."""
    network.eval()
    logits = np.zeros((len(encoded), 3), dtype=np.float32)
    for batch in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), batch_size, None):
        logits[batch] = network(torch.from_numpy(encoded.rows(batch)), None, torch.from_numpy(encoded.spans[batch])).float().numpy()
    return logits
