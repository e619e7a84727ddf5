"""The training loop: crops in a fixed order, hard negatives, a moving average of the weights, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ...engine.averaging import moving_average
from ...engine.checkpoints import Checkpoint
from ...engine.precision import mixed_precision
from ...pictures.crops.sampler import CATEGORIES, LOGO
from ...pictures.crops.window import HEIGHT, WIDTH
from .network import WindowNetwork, normalised
from .optimizer import RenormalisedAdam
from .recipe import Recipe

AVERAGE_EVERY, AVERAGE_DECAY = 5, 0.98


class Crops(Protocol):
    """Training crops in chunks (`crop_chunks.CropChunks`)."""

    def request(self, numbers: range) -> None:
        """Draws chunks in the background."""

    def read(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels and categories of a chunk."""


class Trainer:
    """Runs a recipe; a killed run resumes from its last checkpoint.

    `mine(network, number)` gives windows uint8 [n, 50, 102, 3] that the network takes for logos by mistake;
    `report(line, network)` is called at every checkpoint with the averaged network.
    """

    def __init__(
        self,
        crops: Crops,
        recipe: Recipe,
        work: Path,
        mine: Callable[[WindowNetwork, int], np.ndarray],
        report: Callable[[str, WindowNetwork], None],
    ) -> None:
        self.crops, self.recipe, self.mine, self.report = crops, recipe, mine, report
        torch.manual_seed(recipe.seed)
        self.network = WindowNetwork().to(memory_format=torch.channels_last)
        self.averaged = moving_average(self.network, AVERAGE_DECAY)
        self.optimizer = RenormalisedAdam(self.network, recipe.rate, recipe.steps)
        self.checkpoint = Checkpoint(
            work / "checkpoint.ckpt", network=self.network, averaged=self.averaged, adam=self.optimizer.adam
        )
        values = self.checkpoint.load()
        self.step, self.seconds, self.minings = values.get("step", 0), values.get("seconds", 0.0), values.get("minings", 0)
        self.mined = values["mined"].numpy() if values else np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)

    def run(self) -> WindowNetwork:
        """Trains the steps that are left; gives the network with averaged weights."""
        recipe, steps_a_chunk = self.recipe, self.recipe.chunk // self.recipe.batch
        losses: list[float] = []
        number, pixels, labels = -1, torch.empty(0), torch.empty(0)
        progress = tqdm(range(self.step, recipe.steps), initial=self.step, total=recipe.steps, unit="step", mininterval=10)
        for step in progress:
            self._mine_if_due(step)
            started = time.monotonic()
            if step // steps_a_chunk != number:
                number = step // steps_a_chunk
                self.crops.request(range(number, min(number + 4, (recipe.steps - 1) // steps_a_chunk + 1)))
                pixels, labels = self._chunk(number)
            start = step % steps_a_chunk * recipe.batch
            batch, truth = pixels[start : start + recipe.batch], labels[start : start + recipe.batch]
            losses.append(self._train(step, *self._with_mined(step, batch, truth)))
            self.step = step + 1
            if self.step % AVERAGE_EVERY == 0:
                self.averaged.update_parameters(self.network)
            self.seconds += time.monotonic() - started
            if self.step % recipe.save_every == 0 or self.step == recipe.steps:
                self._save()
                self.report(f"step {self.step}/{recipe.steps}: loss {np.mean(losses):.4f}, {self.seconds:.0f} s", self.average())
                losses.clear()
            elif self.step % 20 == 0:
                progress.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
        return self.average()

    def average(self) -> WindowNetwork:
        """The network with averaged weights."""
        return self.averaged.module.eval()

    def _chunk(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        pixels, categories = self.crops.read(number)
        order = np.random.default_rng([self.recipe.seed, number]).permutation(len(pixels))
        return torch.from_numpy(pixels[order]), torch.from_numpy((categories[order] == CATEGORIES.index(LOGO)).astype(np.int64))

    def _with_mined(self, step: int, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Replaces some negatives of the batch by mined windows."""
        count = min(self.recipe.mined_a_batch, len(self.mined))
        if not count:
            return pixels, labels
        generator = np.random.default_rng([self.recipe.seed, 7, step])
        chosen = torch.from_numpy(self.mined[generator.integers(0, len(self.mined), count)])
        pixels = pixels.clone()
        replaced = torch.nonzero(labels == 0)[:count, 0]
        pixels[replaced] = chosen[: len(replaced)]
        return pixels, labels

    def _train(self, step: int, pixels: torch.Tensor, labels: torch.Tensor) -> float:
        self.network.train()
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        torch.manual_seed(self.recipe.seed * 1_000_003 + step)  # dropout
        with mixed_precision():
            logits = self.network(recoloured(normalised(pixels), generator))
        loss = functional.cross_entropy(logits.float().flatten(1), labels)
        loss.backward()
        self.optimizer.step(step)
        return float(loss.detach())

    def _mine_if_due(self, step: int) -> None:
        due = sum(step >= share * self.recipe.steps for share in self.recipe.mine_at)
        if due <= self.minings:
            return
        started = time.monotonic()
        self.mined = np.concatenate([self.mined, self.mine(self.average(), self.minings)])
        self.minings = due
        self.seconds += time.monotonic() - started
        self._save()

    def _save(self) -> None:
        self.checkpoint.save(step=self.step, seconds=self.seconds, minings=self.minings, mined=torch.from_numpy(self.mined))


def recoloured(values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Brightness, contrast and colour as cameras and designers vary them; one window in ten has red and blue swapped."""
    count = len(values)
    gain = torch.empty(count, 1, 1, 1).uniform_(0.75, 1.2, generator=generator)
    tint = torch.empty(count, 3, 1, 1).uniform_(0.93, 1.07, generator=generator)
    shift = torch.empty(count, 1, 1, 1).uniform_(-0.2, 0.2, generator=generator)
    values = (values * gain * tint + shift).clamp(-2, 2)
    swapped = torch.rand(count, generator=generator) < 0.1
    values[swapped] = values[swapped].flip(1)
    return values
