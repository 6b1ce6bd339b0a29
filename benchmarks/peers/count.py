"""Weights, and multiply-adds for each pixel of the frame."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from livestyle.architecture import NetworkConfig, Padding


def weights(net: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(parameter.numel() for parameter in net.parameters())


def multiply_adds(net: nn.Module, size: tuple[int, int]) -> float:
    """Multiply-adds of its convolutions for each pixel of a frame of `size` (width, height).

    Nothing is computed, only shapes: the network loses its weights.
    """
    total = 0

    def count(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        # a convolution uses its kernel once for each output pixel, a transposed one for each input pixel
        pixels = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        total += layer.weight.numel() * pixels.shape[-2] * pixels.shape[-1]

    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    handles = [layer.register_forward_hook(count) for layer in convolutions]
    with torch.inference_mode():
        net.to("meta")(torch.zeros(1, 3, size[1], size[0], device="meta"))
    for handle in handles:
        handle.remove()
    return total / (size[0] * size[1])


def our_multiply_adds(config: NetworkConfig, size: tuple[int, int]) -> float:
    """The same of livestyle's network, padding included."""
    width, height = (side + sum((Padding.of(side).before, Padding.of(side).after)) for side in size)
    total = 0
    for name, shape in config.weight_shapes.items():
        if name.endswith(".weight"):
            high, wide = _outputs(name.partition(".")[0], height, width)
            total += math.prod(shape) * high * wide
    return total / (size[0] * size[1])


def _outputs(stage: str, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of what a stage gives, for a padded frame."""
    sides = []
    for side in (height, width):
        half = side // 2 - 2
        quarter = (half - 4) // 2 + 1
        stages = {
            "stem": half,
            "down": quarter,
            "blocks": quarter,
            "up": quarter - 1,
            "head": 2 * quarter - 3,
        }
        sides.append(stages[stage])
    return sides[0], sides[1]
