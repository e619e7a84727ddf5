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

CLIP = 10.0
SMALLEST = 1e-3


@dataclass(frozen=True)
class Recipe:
    """How long, and how fast. The backbone's rate is a share of each tensor's size a step."""

    steps: int = 5000
    seed: int = 1
    rate: float = 2e-3
    backbone_rate: float = 3e-3
    decay: float = 0.02
    warm_up: int = 150
    average: float = 0.999
    checkpoint_every: int = 250


def begin_with(network: Detector, weights: dict[str, torch.Tensor]) -> None:
    """Takes over weights of an earlier version. Labels that have joined since begin with weights of their own."""
    own = network.state_dict()
    for name, value in weights.items():
        if own[name].shape != value.shape and ".scores." in name:
            joined = own[name].clone()
            joined[: len(value)] = value
            weights = {**weights, name: joined}
    network.load_state_dict(weights)


class Trainer:
    """A run that can be broken off and resumed."""

    def __init__(self, recipe: Recipe, data: Path, work: Path, start: Path | None = None) -> None:
        self.recipe, self.data, self.work = recipe, data, work
        torch.manual_seed(recipe.seed)
        self.network = Detector(pretrained()).to(memory_format=torch.channels_last)
        for parameter in self.network.backbone.frozen():
            parameter.requires_grad = False
        if start:
            begin_with(self.network, torch.load(start, map_location="cpu", weights_only=True)["average"])
        self.average = copy.deepcopy(self.network).eval()
        self.optimizer = torch.optim.AdamW(self._groups())
        self.step = 0
        self.checkpoint = work / "checkpoint.ckpt"
        work.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]

    def _groups(self) -> list[dict]:
        """The parameters with their rates.

        A tensor of the backbone moves by a share of its own size: with the statistics folded in, the sizes of its
        tensors differ by a factor of thirty, and at one rate for all, Adam was seen to turn over a third of some within
        a thousand steps while others stood still.
        """
        recipe, groups = self.recipe, []
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                size = float(parameter.detach().square().mean().sqrt())
                rate = recipe.backbone_rate * max(size, SMALLEST) if name.startswith("backbone.") else recipe.rate
                decay = recipe.decay if parameter.ndim > 1 else 0.0
                groups.append({"params": [parameter], "lr": rate, "top": rate, "weight_decay": decay})
        return groups

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
            logits, boxes, centres, strides = self.network(pixels)
        score_loss, box_loss = loss(logits, boxes.float(), centres, strides, batch.truths, batch.ignored, batch.judged)
        self.optimizer.zero_grad()
        (score_loss + box_loss).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        keep = min(recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            theirs_by_name, done = self.network.state_dict(), set()
            for name, mine in self.average.state_dict().items():
                if mine.data_ptr() in done:  # shared weights have several names
                    continue
                done.add(mine.data_ptr())
                theirs = theirs_by_name[name]
                if mine.is_floating_point():
                    mine.lerp_(theirs, 1 - keep)
                else:
                    mine.copy_(theirs)
        return float(score_loss.detach()), float(box_loss.detach())
