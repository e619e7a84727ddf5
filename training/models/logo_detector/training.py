"""One phase of the training: AdamW with warm-up and cosine, a moving average of the weights, checkpoints."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from ...engine.averaging import moving_average
from ...engine.checkpoints import Checkpoint
from ...engine.figures import log_figures
from ...engine.precision import mixed_precision
from .backbone import pretrained
from .batches import Batch, Batches
from .loss import loss
from .network import Detector
from .recipe import Phase, Recipe

MAX_GRADIENT_NORM = 10.0
# Tensors of the backbone that are smaller move as if they had this size (root mean square).
MIN_SIZE = 1e-3
LOG_EVERY = 50


def load_weights(network: Detector, weights: dict[str, torch.Tensor]) -> None:
    """Takes over the weights of an earlier version. Labels that were added since keep their initial weights."""
    own = network.state_dict()
    for name, value in weights.items():
        if own[name].shape != value.shape and ".scores." in name:
            extended = own[name].clone()
            extended[: len(value)] = value
            weights = {**weights, name: extended}
    network.load_state_dict(weights)


class Trainer:
    """A phase that can be killed and resumed. `start`: averaged weights to begin with, else those of ImageNet."""

    def __init__(self, recipe: Recipe, phase: Phase, data: Path, work: Path, start: dict[str, torch.Tensor] | None = None) -> None:
        self.recipe, self.phase, self.data, self.work = recipe, phase, data, work
        torch.manual_seed(phase.seed)
        self.network = Detector(pretrained()).to(memory_format=torch.channels_last)
        for parameter in self.network.backbone.frozen():
            parameter.requires_grad = False
        if start:
            load_weights(self.network, start)
        self.averaged = moving_average(self.network, recipe.average_decay)
        self.optimizer = torch.optim.AdamW(self._groups())
        self.checkpoint = Checkpoint(
            work / "checkpoint.ckpt", network=self.network, averaged=self.averaged, optimizer=self.optimizer
        )
        self.step = self.checkpoint.load().get("step", 0)

    def _groups(self) -> list[dict]:
        """The parameters with their learning rates.

        A tensor of the backbone moves by a share of its own size. With the statistics folded in, the sizes of its tensors
        differ by a factor of thirty; at one rate for all, Adam replaced a third of some tensors within a thousand steps
        while others hardly moved.
        """
        groups = []
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                size = float(parameter.detach().square().mean().sqrt())
                in_backbone = name.startswith("backbone.")
                rate = self.phase.backbone_rate * max(size, MIN_SIZE) if in_backbone else self.phase.rate
                decay = self.recipe.weight_decay if parameter.ndim > 1 else 0.0
                groups.append({"params": [parameter], "lr": rate, "highest": rate, "weight_decay": decay})
        return groups

    def run(self) -> Detector:
        """Trains to the end of the phase; gives the network with averaged weights."""
        recipe, steps = self.recipe, self.phase.steps
        batches = Batches(self.data, recipe.batch_shapes, self.phase.seed, self.step, steps)
        # Spawned: a forked process would share the state of the parent's threads.
        loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=6, multiprocessing_context="spawn")
        self.network.train()
        sums = [0.0, 0.0]
        for batch in tqdm(loader, desc=self.phase.name, initial=self.step, total=steps, unit="step", mininterval=10):
            losses = self._train(batch)
            sums = [total + one for total, one in zip(sums, losses, strict=True)]
            self.step += 1
            if self.step % LOG_EVERY == 0:
                log_figures(self.work, f"step {self.step}/{steps}: scores {sums[0] / LOG_EVERY:.3f}, boxes {sums[1] / LOG_EVERY:.3f}")
                sums = [0.0, 0.0]
            if self.step % recipe.checkpoint_every == 0 or self.step == steps:
                self.checkpoint.save(step=self.step)
        return self.averaged.module.eval()

    def _train(self, batch: Batch) -> tuple[float, float]:
        warm_up = min(1.0, (self.step + 1) / self.recipe.warm_up)
        share = warm_up * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.step / self.phase.steps)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest"] * share
        pixels = batch.pixels.float().contiguous(memory_format=torch.channels_last)
        with mixed_precision():
            logits, boxes, centres, strides = self.network(pixels)
        score_loss, box_loss = loss(logits, boxes.float(), centres, strides, batch.truths, batch.ignored, batch.checked)
        self.optimizer.zero_grad()
        (score_loss + box_loss).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self.optimizer.step()
        self.averaged.update_parameters(self.network)
        return float(score_loss.detach()), float(box_loss.detach())
