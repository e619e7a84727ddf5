"""The training loop: crops in a fixed order, a moving average of the weights, mining of false alarms, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ..logos.crops import KINDS, LOGO
from .chunks import CHUNK, Chunks
from .network import WindowNetwork, normalised
from .optimizer import RenormalisedAdam

AVERAGE_EVERY, AVERAGE_KEEP = 5, 0.98


@dataclass(frozen=True)
class Plan:
    """How long and on what to train. Each mining is done once, when that share of the steps is over."""

    steps: int = 1000
    batch: int = 64
    rate: float = 1e-3
    seed: int = 1
    mined_a_batch: int = 10
    mine_at: tuple[float, ...] = (0.45, 0.7)
    save_every: int = 100
    bfloat16: bool = True


class Trainer:
    """Runs a plan; a killed run goes on after its last checkpoint.

    `mine(network, number)` gives windows uint8 [n, 50, 102, 3] that the network wrongly takes for logos;
    `report(line, network)` is called at every checkpoint, with the averaged weights in the network.
    """

    def __init__(
        self,
        chunks: Chunks,
        plan: Plan,
        work: Path,
        mine: Callable[[WindowNetwork, int], np.ndarray],
        report: Callable[[str, WindowNetwork], None],
    ) -> None:
        self.chunks, self.plan, self.work, self.mine, self.report = chunks, plan, work, mine, report
        torch.manual_seed(plan.seed)
        self.network = WindowNetwork().to(memory_format=torch.channels_last)
        self.averaged = WindowNetwork().to(memory_format=torch.channels_last)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimizer = RenormalisedAdam(self.network, plan.rate, plan.steps)
        self.step, self.seconds, self.updates = 0, 0.0, 0
        self.mined = np.zeros((0, 50, 102, 3), np.uint8)
        self.minings = 0
        self.checkpoint = work / "checkpoint.ckpt"
        if self.checkpoint.exists():
            self._load()

    def run(self) -> WindowNetwork:
        """Trains what isn't trained yet; gives the network with averaged weights."""
        plan, a_chunk = self.plan, CHUNK // self.plan.batch
        losses: list[float] = []
        number, pixels, labels = -1, torch.empty(0), torch.empty(0)
        progress = tqdm(range(self.step, plan.steps), initial=self.step, total=plan.steps, unit="step", mininterval=10)
        for step in progress:
            self._mine_if_due(step)
            started = time.monotonic()
            if step // a_chunk != number:
                number = step // a_chunk
                self.chunks.ask(range(number, min(number + 4, (plan.steps - 1) // a_chunk + 1)))
                pixels, labels = self._chunk(number)
            at = step % a_chunk * plan.batch
            batch, truth = pixels[at : at + plan.batch], labels[at : at + plan.batch]
            loss = self._train(step, *self._with_mined(step, batch, truth))
            losses.append(loss)
            self.step = step + 1
            if self.step % AVERAGE_EVERY == 0:
                self._average()
            self.seconds += time.monotonic() - started
            if self.step % plan.save_every == 0 or self.step == plan.steps:
                self._save()
                line = f"step {self.step}/{plan.steps}: loss {np.mean(losses):.4f}, {self.seconds:.0f} s"
                losses.clear()
                self.averaged.eval()
                self.report(line, self.averaged)
            elif self.step % 20 == 0:
                progress.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
        self.averaged.eval()
        return self.averaged

    def _chunk(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        pixels, kinds = self.chunks.read(number)
        order = np.random.default_rng([self.plan.seed, number]).permutation(len(pixels))
        return torch.from_numpy(pixels[order]), torch.from_numpy((kinds[order] == KINDS.index(LOGO)).astype(np.int64))

    def _with_mined(self, step: int, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Puts mined windows in the place of some others of the batch that are no logos."""
        count = min(self.plan.mined_a_batch, len(self.mined))
        if not count:
            return pixels, labels
        generator = np.random.default_rng([self.plan.seed, 7, step])
        chosen = torch.from_numpy(self.mined[generator.integers(0, len(self.mined), count)])
        pixels = pixels.clone()
        pixels[torch.nonzero(labels == 0)[:count, 0]] = chosen
        return pixels, labels

    def _train(self, step: int, pixels: torch.Tensor, labels: torch.Tensor) -> float:
        self.network.train()
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + step)
        torch.manual_seed(self.plan.seed * 1_000_003 + step)  # dropout
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.bfloat16):
            logits = self.network(recoloured(normalised(pixels), generator))
        loss = functional.cross_entropy(logits.float().flatten(1), labels)
        loss.backward()
        self.optimizer.step(step)
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        self.updates += 1
        keep = min(AVERAGE_KEEP, (1 + self.updates) / (10 + self.updates))
        for average, current in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            average.lerp_(current, 1 - keep)

    def _mine_if_due(self, step: int) -> None:
        due = sum(step >= share * self.plan.steps for share in self.plan.mine_at)
        if due <= self.minings:
            return
        started = time.monotonic()
        self.averaged.eval()
        found = self.mine(self.averaged, self.minings)
        self.mined = np.concatenate([self.mined, found])
        self.minings = due
        self.seconds += time.monotonic() - started
        self._save()

    def _save(self) -> None:
        partial = self.checkpoint.with_suffix(".partial")
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "adam": self.optimizer.adam.state_dict(),
            "mined": torch.from_numpy(self.mined),
            "numbers": [self.step, self.seconds, self.updates, self.minings],
        }
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def _load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.adam.load_state_dict(state["adam"])
        self.mined = state["mined"].numpy()
        self.step, self.seconds, self.updates, self.minings = state["numbers"]


def recoloured(values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Brightness, contrast and colour as cameras and designers vary them; one window in ten with its colours swapped."""
    count = len(values)
    gain = torch.empty(count, 1, 1, 1).uniform_(0.75, 1.2, generator=generator)
    tint = torch.empty(count, 3, 1, 1).uniform_(0.93, 1.07, generator=generator)
    shift = torch.empty(count, 1, 1, 1).uniform_(-0.2, 0.2, generator=generator)
    values = (values * gain * tint + shift).clamp(-2, 2)
    swapped = torch.rand(count, generator=generator) < 0.1
    values[swapped] = values[swapped].flip(1)
    return values


@torch.no_grad()
def scores(network: WindowNetwork, pixels: np.ndarray, batch: int = 64, bfloat16: bool = True) -> np.ndarray:
    """Probability of a logo for windows uint8 [n, 50, 102, 3]."""
    network.eval()
    found = []
    for at in range(0, len(pixels), batch):
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = network(normalised(torch.from_numpy(pixels[at : at + batch])))
        found.append(logits.float().flatten(1).softmax(1)[:, 1].numpy())
    return np.concatenate(found)


@torch.no_grad()
def dense_scores(network: WindowNetwork, pixels: np.ndarray, bfloat16: bool = True) -> np.ndarray:
    """Probability of a logo, [rows, columns], for a picture uint8 [height, width, 3]."""
    network.eval()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = network(normalised(torch.from_numpy(pixels)[None]))
    return logits.float().softmax(1)[0, 1].numpy()
