"""Adam with the talk's L1 and L2, on gradients renormalised per layer.

It deviates from the talk twice, because a gradient of norm 1 over 23.6 million weights is 0.0002 for each on average: L1 and
L2 act on the weights themselves (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019), since in the
gradient they would outweigh it; and the learning rates are smaller (see training/EXPERIMENTS.md).
"""

from __future__ import annotations

import math

import torch

from .architecture import FIRST_DENSE
from .network import WindowNetwork

L1, L2 = 1e-4, 5e-4
L1_EVERY = 10  # steps, since each is a pass over all weights
# The talk's first dense layer has a tenth of the rate of the others.
FIRST_DENSE_SHARE = 0.1


class RenormalisedAdam:
    """One optimizer for all layers, with a rate that warms up and falls as a cosine."""

    def __init__(self, network: WindowNetwork, rate: float, steps: int, warm_up: int = 60) -> None:
        self.layers, self.rate, self.steps, self.warm_up = network.layers(), rate, steps, warm_up
        groups = []
        for name, layer in self.layers.items():
            share = FIRST_DENSE_SHARE if name == FIRST_DENSE else 1.0
            groups.append({"params": [layer.weight], "weight_decay": L2, "share": share})
            groups.append({"params": [layer.bias], "weight_decay": 0.0, "share": share})
        self.adam = torch.optim.AdamW(groups, lr=rate, fused=True)

    def rate_at(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        progress = min(1.0, (step - self.warm_up) / max(1, self.steps - self.warm_up))
        return self.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))

    @torch.no_grad()
    def step(self, number: int) -> None:
        """Moves the weights by the gradients that are there, and forgets these."""
        rate = self.rate_at(number)
        for layer in self.layers.values():
            norm = torch.sqrt(layer.weight.grad.square().sum() + layer.bias.grad.square().sum())
            for parameter in (layer.weight, layer.bias):
                parameter.grad.div_(norm + 1e-12)
        for group in self.adam.param_groups:
            group["lr"] = rate * group["share"]
            if group["weight_decay"] and number % L1_EVERY == 0:
                for weight in group["params"]:
                    weight.sub_(weight.sign(), alpha=group["lr"] * L1 * L1_EVERY)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
