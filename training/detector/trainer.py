"""The training loop: AdamW, warm-up and cosine, a moving average of the weights, checkpoints."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from .backbone import pretrained
from .batches import Batch, Batches
from .loss import loss
from .network import Detector

FROZEN_BLOCKS = 3
CLIP = 10.0


@dataclass(frozen=True)
class Recipe:
    """How long, and how fast."""

    steps: int = 4000
    seed: int = 1
    rate: float = 2e-3
    backbone_rate: float = 4e-4
    decay: float = 0.02
    warm_up: int = 150
    average: float = 0.998
    checkpoint_every: int = 250


class Trainer:
    """A run that can be broken off and resumed."""

    def __init__(self, recipe: Recipe, data: Path, work: Path, start: Path | None = None) -> None:
        self.recipe, self.data, self.work = recipe, data, work
        torch.manual_seed(recipe.seed)
        self.network = Detector(pretrained()).to(memory_format=torch.channels_last)
        for parameter in self.network.backbone.early(FROZEN_BLOCKS):
            parameter.requires_grad = False
        if start:
            self.network.load_state_dict(torch.load(start, map_location="cpu", weights_only=True)["average"])
        self.average = copy.deepcopy(self.network).eval()
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                rate = recipe.backbone_rate if name.startswith("backbone.") else recipe.rate
                groups.setdefault((rate, recipe.decay if parameter.ndim > 1 else 0.0), []).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [{"params": group, "lr": rate, "top": rate, "weight_decay": decay} for (rate, decay), group in groups.items()]
        )
        self.step = 0
        self.checkpoint = work / "checkpoint.ckpt"
        work.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]

    def save(self) -> None:
        """Writes the checkpoint beside the old one, then in its place."""
        state = {"network": self.network.state_dict(), "average": self.average.state_dict(),
                 "optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(state, self.checkpoint.with_suffix(".new"))
        self.checkpoint.with_suffix(".new").replace(self.checkpoint)

    def run(self) -> None:
        """Trains to the end of the recipe."""
        batches = Batches(self.data, self.recipe.seed, self.step, self.recipe.steps)
        loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=6)
        self.network.train()
        started, first = time.monotonic(), self.step
        sums = [0.0, 0.0]
        for batch in loader:
            parts = self._step(batch)
            sums = [a + b for a, b in zip(sums, parts, strict=True)]
            self.step += 1
            if self.step % 50 == 0:
                each = (time.monotonic() - started) / (self.step - first)
                left = each * (self.recipe.steps - self.step) / 60
                line = f"step {self.step}/{self.recipe.steps}: scores {sums[0] / 50:.3f}, boxes {sums[1] / 50:.3f}, {each:.2f} s a step, {left:.0f} minutes left"
                print(line, flush=True)
                with (self.work / "figures.log").open("a") as log:
                    log.write(line + "\n")
                sums = [0.0, 0.0]
            if self.step % self.recipe.checkpoint_every == 0 or self.step == self.recipe.steps:
                self.save()

    def _step(self, batch: Batch) -> tuple[float, float]:
        recipe = self.recipe
        warm = min(1.0, (self.step + 1) / recipe.warm_up)
        share = warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.step / recipe.steps)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["top"] * share
        pixels = batch.pixels.float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, boxes, centres, _ = self.network(pixels)
        score_loss, box_loss = loss(logits, boxes.float(), centres, batch.truths, batch.ignored, batch.judged)
        self.optimizer.zero_grad()
        (score_loss + box_loss).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        keep = min(recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mine, theirs in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
                if mine.is_floating_point():
                    mine.lerp_(theirs, 1 - keep)
                else:
                    mine.copy_(theirs)
        return float(score_loss.detach()), float(box_loss.detach())
