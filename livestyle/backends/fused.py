"""The network with its own kernels between the convolutions, for an NVIDIA GPU: nothing is copied needlessly.

cuDNN does the convolutions, on activations that lie as (H, W, C). Everything between two of them is one pass
that reads each value once and writes it once: norm, style, ReLU, residual sum, sub-pixel shuffle, and the
reflected border that the next convolution wants. The statistics are summed in float32. The kernels are
Triton's, which comes with PyTorch for CUDA; they take about a second to compile, once.
"""

import os
from typing import Any

# multiply and add in one rounding, as it was in every Triton so far; 3.9 warns where nobody says so
os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")

import numpy as np
import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from numpy.typing import NDArray
from torch import Tensor

from livestyle.architecture import NORM_EPSILON, Padding
from livestyle.errors import EngineError
from livestyle.weights import Weights

_TILE = 2048
"""Values that one program of a kernel works on at a time."""
_CHUNKS = 1024
"""Programs that share the summing of one norm: some for each multiprocessor."""
_IN, _OUT = 16, 16
"""Channels of the folded frame, 12 of them used: tensor cores want a multiple of 8."""


@triton.jit
def _reflected(index, side):
    """An index that may lie before or behind an axis of `side`, mirrored at its ends into it."""
    return (side - 1) - tl.abs((side - 1) - tl.abs(index))


@triton.jit
def _enter(frame, folded, height, width, high, wide, top, left, TILE: tl.constexpr, CHANNELS: tl.constexpr):
    """(H, W, 3) uint8 to (H' / 2, W' / 2, CHANNELS) in 0 to 1: bordered, folded as pixel_unshuffle does."""
    index = tl.program_id(0) * TILE + tl.arange(0, TILE)
    channel, pixel = index % CHANNELS, index // CHANNELS
    colour, part = channel // 4, channel % 4
    row = _reflected(2 * (pixel // wide) + part // 2 - top, height)
    column = _reflected(2 * (pixel % wide) + part % 2 - left, width)
    inside = index < high * wide * CHANNELS
    value = tl.load(frame + (row * width + column) * 3 + colour, mask=inside & (channel < 12), other=0)
    tl.store(folded + index, value.to(tl.float32) / 255, mask=inside)


@triton.jit
def _sum(x, sums, pixels, steps, ROWS: tl.constexpr, C: tl.constexpr):
    """Sums and sums of squares of a share of (pixels, C), per channel, as differences from the first pixel.

    So a plane whose mean is large and whose spread is small loses nothing.
    """
    channel = tl.arange(0, C)[None, :]
    first = tl.load(x + channel).to(tl.float32)
    total, squares = tl.zeros((ROWS, C), tl.float32), tl.zeros((ROWS, C), tl.float32)
    step = 0
    while step < steps:  # a number that is no constant: one kernel for every size of frame
        row = (tl.program_id(0) * steps + step) * ROWS + tl.arange(0, ROWS)[:, None]
        value = tl.load(x + row * C + channel, mask=row < pixels, other=0).to(tl.float32)
        value = tl.where(row < pixels, value - first, 0)
        total += value
        squares += value * value
        step += 1
    place = sums + tl.program_id(0) * 2 * C + tl.arange(0, C)
    tl.store(place, tl.sum(total, 0))
    tl.store(place + C, tl.sum(squares, 0))


@triton.jit
def _finish(
    x,
    sums,
    affine,
    gains,
    pixels,
    chunks,
    EPSILON: tl.constexpr,
    ROWS: tl.constexpr,
    C: tl.constexpr,
    PART: tl.constexpr,
):
    """What a norm multiplies and adds, (2, C), from the sums of all shares and the style's row."""
    channel = tl.program_id(0) * PART + tl.arange(0, PART)
    total, squares = tl.zeros((ROWS, PART), tl.float32), tl.zeros((ROWS, PART), tl.float32)
    start = 0
    while start < chunks:
        chunk = start + tl.arange(0, ROWS)[:, None]
        place = sums + chunk * 2 * C + channel[None, :]
        total += tl.load(place, mask=chunk < chunks, other=0)
        squares += tl.load(place + C, mask=chunk < chunks, other=0)
        start += ROWS
    mean = tl.sum(total, 0) / pixels
    variance = tl.maximum(tl.sum(squares, 0) / pixels - mean * mean, 0)
    scale = tl.load(affine + channel).to(tl.float32)
    shift = tl.load(affine + C + channel).to(tl.float32)
    gain = scale / tl.sqrt(variance + EPSILON)
    tl.store(gains + channel, gain)
    tl.store(gains + C + channel, shift - (mean + tl.load(x + channel).to(tl.float32)) * gain)


@triton.jit
def _apply(
    x,
    gains,
    before,
    out,
    height,
    width,
    BORDER: tl.constexpr,
    SHUFFLED: tl.constexpr,
    RESIDUAL: tl.constexpr,
    ROWS: tl.constexpr,
    C: tl.constexpr,
):
    """The norm of (height, width, C) with its ReLU, or added to `before`, with a mirrored border around it.

    SHUFFLED: x is (height / 2, width / 2, 2, 2, C), each 2x2 being four pixels. `before` has a border of 1.
    """
    wide = width + 2 * BORDER
    pixel = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    channel = tl.arange(0, C)[None, :]
    inside = pixel < (height + 2 * BORDER) * wide
    row, column = _reflected(pixel // wide - BORDER, height), _reflected(pixel % wide - BORDER, width)
    source = row * width + column
    if SHUFFLED:
        source = ((row // 2) * (width // 2) + column // 2) * 4 + (row % 2) * 2 + column % 2
    value = tl.load(x + source * C + channel, mask=inside, other=0).to(tl.float32)
    value = value * tl.load(gains + channel) + tl.load(gains + C + channel)
    if RESIDUAL:
        place = ((row + 1) * (width + 2) + column + 1) * C + channel
        value += tl.load(before + place, mask=inside, other=0).to(tl.float32)
    else:
        value = tl.maximum(value, 0)
    tl.store(out + pixel * C + channel, value, mask=inside)


@triton.jit
def _leave(x, bias, painted, height, width, wide, TILE: tl.constexpr, CHANNELS: tl.constexpr):
    """(H' / 2, W' / 2, CHANNELS), four pixels of three colours each, to (H, W, 3) uint8, cropped."""
    index = tl.program_id(0) * TILE + tl.arange(0, TILE)
    colour, pixel = index % 3, index // 3
    row, column = pixel // width, pixel % width
    channel = ((row % 2) * 2 + column % 2) * 3 + colour
    inside = index < height * width * 3
    value = tl.load(x + ((row // 2) * wide + column // 2) * CHANNELS + channel, mask=inside, other=0)
    value = tl.sigmoid(value.to(tl.float32) + tl.load(bias + channel, mask=inside, other=0)) * 255
    tl.store(painted + index, (value + 0.5).to(tl.int32).to(tl.uint8), mask=inside)


class FusedNet:
    """Paints frames (H, W, 3) uint8 on one device, in the style of a row (K,)."""

    def __init__(self, weights: Weights, device: torch.device, dtype: torch.dtype) -> None:
        config = weights.config
        if any(channels & (channels - 1) for channels in config.norms):
            raise EngineError("the fused kernels want powers of two for channels")
        self._config, self._device, self._dtype = config, device, dtype
        tensors = dict(weights.tensors)
        tensors["stem.weight"] = _filled(tensors["stem.weight"], 1, _IN)
        tensors["up.weight"] = _pixels_first(tensors["up.weight"])
        tensors["head.weight"] = _filled(_pixels_first(tensors["head.weight"]), 0, _OUT)
        self._kernels = {
            name.removesuffix(".weight"): torch.from_numpy(value)
            .to(device, dtype)
            .contiguous(memory_format=torch.channels_last)
            for name, value in tensors.items()
            if name.endswith(".weight")
        }
        self._bias = torch.from_numpy(_pixels_first(tensors["head.bias"])).to(device)

    def __call__(self, frame: Tensor, row: Tensor) -> Tensor:
        """The painting, like the frame."""
        norm = _Norms(self, row)
        x = norm(self._conv(self._fold(frame), "stem"))
        x = norm(self._conv(x, "down", stride=2), border=1)
        for block in range(self._config.blocks):
            y = norm(self._conv(x, f"blocks.{block}.first"), border=1)
            y = self._conv(y, f"blocks.{block}.second")
            x = norm(y, border=int(block + 1 < self._config.blocks), before=x)
        x = norm(self._conv(x, "up"), shuffled=True)
        return self._unfold(self._conv(x, "head"), frame)

    def empty(self, channels: int, height: int, width: int) -> Tensor:
        """Room for an activation that lies as (height, width, channels)."""
        shape = (1, channels, height, width)
        return torch.empty(shape, dtype=self._dtype, device=self._device, memory_format=torch.channels_last)

    def _conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        return F.conv2d(x, self._kernels[name], stride=stride).contiguous(memory_format=torch.channels_last)

    def _fold(self, frame: Tensor) -> Tensor:
        height, width, _ = frame.shape
        rows, columns = Padding.of(height), Padding.of(width)
        high = (height + rows.before + rows.after) // 2
        wide = (width + columns.before + columns.after) // 2
        folded = self.empty(_IN, high, wide)
        sizes = height, width, high, wide, rows.before, columns.before
        _enter[(triton.cdiv(folded.numel(), _TILE),)](frame, folded, *sizes, TILE=_TILE, CHANNELS=_IN)
        return folded

    def _unfold(self, x: Tensor, frame: Tensor) -> Tensor:
        height, width, _ = frame.shape
        painted = torch.empty_like(frame)
        tile = _TILE // 4  # bytes, of which a thread should write only as many as one instruction can
        grid = (triton.cdiv(painted.numel(), tile),)
        _leave[grid](x, self._bias, painted, height, width, x.shape[-1], TILE=tile, CHANNELS=_OUT)
        return painted


class _Norms:
    """The norms of one frame, each with its scale and shift off the row, in the order of the network."""

    def __init__(self, net: FusedNet, row: Tensor) -> None:
        self._net, self._row, self._taken = net, row, 0

    def __call__(
        self, x: Tensor, border: int = 0, before: Tensor | None = None, shuffled: bool = False
    ) -> Tensor:
        """The norm of x and what comes after it; see `_apply`."""
        _, channels, height, width = x.shape
        if shuffled:
            channels, height, width = channels // 4, 2 * height, 2 * width
        gains = self._gains(x, channels, height * width)
        out = self._net.empty(channels, height + 2 * border, width + 2 * border)
        rows = max(1, _TILE // channels)
        grid = (triton.cdiv(out.numel() // channels, rows),)
        flags: dict[str, Any] = {"BORDER": border, "SHUFFLED": shuffled, "RESIDUAL": before is not None}
        _apply[grid](
            x, gains, x if before is None else before, out, height, width, **flags, ROWS=rows, C=channels
        )
        return out

    def _gains(self, x: Tensor, channels: int, pixels: int) -> Tensor:
        rows = max(1, _TILE // channels)
        steps = triton.cdiv(pixels, rows * _CHUNKS)
        chunks = triton.cdiv(pixels, rows * steps)
        sums = torch.empty((chunks, 2, channels), device=x.device)
        _sum[(chunks,)](x, sums, pixels, steps, ROWS=rows, C=channels)
        gains = torch.empty((2, channels), device=x.device)
        part = min(channels, 8)
        affine = self._row[self._taken :]
        self._taken += 2 * channels
        sizes = {"EPSILON": NORM_EPSILON, "ROWS": 64, "C": channels, "PART": part}
        _finish[(channels // part,)](x, sums, affine, gains, pixels, chunks, **sizes)
        return gains


def _pixels_first(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Output channels in the order (pixel, channel) in place of pixel_shuffle's (channel, pixel)."""
    return np.ascontiguousarray(values.reshape(-1, 4, *values.shape[1:]).swapaxes(0, 1).reshape(values.shape))


def _filled(values: NDArray[np.float32], axis: int, length: int) -> NDArray[np.float32]:
    """Zeros behind an axis, up to a length."""
    more = [(0, 0)] * values.ndim
    more[axis] = (0, length - values.shape[axis])
    return np.pad(values, more)
