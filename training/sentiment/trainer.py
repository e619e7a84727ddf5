"""The training loop: stages of epochs, a moving average of the weights, checkpoints to resume from."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from .batches import Encoded, batches_of_one_length
from .mixture import Mixture, Stage

GRADIENT_NORM = 5.0
AVERAGE_EVERY = 10  # steps between updates of the moving average
AVERAGE_KEEP = 0.98  # what an update keeps of it: a memory of about 500 steps


class Classifier(Protocol):
    """What the loop asks of a network: the BiLSTM or the transformer that teaches it."""

    def __call__(self, ids: torch.Tensor, sources: torch.Tensor | None = None, spans: torch.Tensor | None = None) -> torch.Tensor: ...

    def dense_parameters(self) -> list[torch.nn.Parameter]: ...

    def optimizers(self, learning_rate: float) -> list[torch.optim.Optimizer]: ...


class MovingAverage:
    """Exponential moving average of all parameters (Polyak and Juditsky, 1992)."""

    def __init__(self, network: torch.nn.Module):
        self.weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.updates = 0

    def update(self, network: torch.nn.Module) -> None:
        """Follows faster at first, so that the start is soon forgotten."""
        self.updates += 1
        keep = min(AVERAGE_KEEP, (1 + self.updates) / (10 + self.updates))
        for name, tensor in network.state_dict().items():
            self.weights[name].lerp_(tensor.detach(), 1 - keep)


def mean_weights(start: dict[str, torch.Tensor], end: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """Weights on the straight line from one network to another; `share` of 1 is the end. From where training began (Wortsman
    et al., "Robust fine-tuning of zero-shot models", CVPR 2022) it keeps what the start could do where the new labels say
    little; between two runs (Wortsman et al., "Model soups", ICML 2022) errors of each even out."""
    return end | {name: torch.lerp(tensor, end[name], share) for name, tensor in start.items()}


def loss_of(
    logits: torch.Tensor, soft_labels: torch.Tensor, two_classes: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Sum of the weighted cross-entropies of a batch with soft labels [batch, 3].

    `two_classes` [batch] marks rows whose corpus has no neutral: that class leaves their softmax.
    `weights` [batch, 3]: the class weights of each row's corpus.
    """
    no_neutral = two_classes[:, None] & torch.tensor([False, True, False])
    logits = logits.masked_fill(no_neutral, -1e4)
    row_weight = (weights * soft_labels).sum(dim=1)
    return -(row_weight[:, None] * soft_labels * functional.log_softmax(logits, dim=1)).sum()


class Trainer:
    """Runs stages one after the other and can go on where a killed run stopped (after its last epoch)."""

    def __init__(self, network: Classifier, mixture: Mixture, work: Path, seed: int, report: Callable[[str, dict], None], bfloat16: bool = False):
        """`report(when, weights)` is called after every epoch with the averaged weights."""
        self.network, self.mixture, self.seed, self.report = network, mixture, seed, report
        self.bfloat16 = bfloat16
        self.checkpoint = work / "checkpoint.pt"
        self.average = MovingAverage(network)
        self.done = (0, 0)  # stages finished, epochs finished in the next one
        self.seconds = 0.0
        self.saved_optimizers: list | None = None

    def resume(self) -> bool:
        """Reads the last checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.weights, self.average.updates = state["average"], state["updates"]
        self.done, self.seconds = tuple(state["done"]), state["seconds"]
        self.saved_optimizers = state["optimizers"]
        return True

    def run(self, stages: list[Stage]) -> dict[str, torch.Tensor]:
        """Trains all stages that aren't done; returns the averaged weights."""
        for number, stage in enumerate(stages):
            if number >= self.done[0]:
                self._run_stage(number, stage)
        return self.average.weights

    def _run_stage(self, number: int, stage: Stage) -> None:
        first_epoch = self.done[1] if self.done[0] == number else 0
        optimizers = self.network.optimizers(stage.learning_rate)
        if first_epoch and self.saved_optimizers:
            for optimizer, state in zip(optimizers, self.saved_optimizers, strict=True):
                optimizer.load_state_dict(state)
        class_weights = torch.from_numpy(self.mixture.class_weights(stage.class_weight_power))
        lengths = self.mixture.encoded.lengths()
        for epoch in range(first_epoch, stage.epochs):
            started = time.monotonic()
            # Seeded by stage and epoch, so a resumed run draws what an unbroken one would have drawn.
            generator = np.random.default_rng([self.seed, number, epoch])
            torch.manual_seed(self.seed * 1_000_003 + number * 1_009 + epoch)
            chosen = self.mixture.draw(stage.shares, generator)
            batches = list(batches_of_one_length(lengths, chosen, stage.batch_size, generator))
            loss = self._run_epoch(stage, epoch, batches, optimizers, class_weights)
            self.seconds += time.monotonic() - started
            self.done = (number, epoch + 1) if epoch + 1 < stage.epochs else (number + 1, 0)
            self._save(optimizers)
            self.report(f"{stage.name} {epoch + 1}/{stage.epochs}, loss {loss:.4f}, {self.seconds:.0f} s", self.average.weights)

    def _run_epoch(self, stage: Stage, epoch: int, batches: list, optimizers: list, class_weights: torch.Tensor) -> float:
        mixture, network = self.mixture, self.network
        network.train()
        total, rows = 0.0, 0
        for step, batch in enumerate(tqdm(batches, desc=f"{stage.name} {epoch + 1}", mininterval=10, unit="batch")):
            progress = (epoch + step / len(batches)) / stage.epochs
            rate = stage.rate(progress)
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
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
            # Batches of rare lengths are small; dividing by the full size keeps every row's weight equal.
            (loss / stage.batch_size).backward()
            torch.nn.utils.clip_grad_norm_([p for p in network.dense_parameters() if p.grad is not None], GRADIENT_NORM)
            for optimizer in optimizers:
                optimizer.step()
            if step % AVERAGE_EVERY == 0:
                self.average.update(network)
            total, rows = total + float(loss.detach()), rows + len(batch)
        return total / rows

    def _save(self, optimizers: list) -> None:
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.weights,
                "updates": self.average.updates,
                "done": list(self.done),
                "seconds": self.seconds,
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            },
            partial,
        )
        partial.replace(self.checkpoint)


@torch.no_grad()
def predict(network: Classifier, encoded: Encoded, batch_size: int = 256) -> np.ndarray:
    """Logits float32 [texts, 3] of the exported output layer, in the order of the texts."""
    network.eval()
    logits = np.zeros((len(encoded), 3), dtype=np.float32)
    for batch in batches_of_one_length(encoded.lengths(), np.arange(len(encoded)), batch_size, None):
        logits[batch] = network(torch.from_numpy(encoded.rows(batch)), None, torch.from_numpy(encoded.spans[batch])).float().numpy()
    return logits
