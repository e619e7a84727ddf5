"""Exponential moving average of the weights during training."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """The exponential moving average of a network's weights and buffers; call `update_parameters` after optimizer steps.

    Early updates use a smaller decay than `decay`, so that the average leaves the initial weights quickly. The averaged
    network is `.module`.
    """

    def average(averaged: torch.Tensor, current: torch.Tensor, updates: torch.Tensor) -> torch.Tensor:
        if not averaged.is_floating_point():
            return current
        return torch.lerp(averaged, current, 1 - min(decay, (1 + float(updates)) / (10 + float(updates))))

    return AveragedModel(network, avg_fn=average, use_buffers=True)
