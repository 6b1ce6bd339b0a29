"""The network on a CPU through TorchScript: traced and frozen for each size of frame.

It runs on any CPU: the last that is tried.
"""

import io
import os
import warnings
from collections.abc import Callable
from functools import lru_cache

# Threads of OpenMP that spin while they wait take the cores that decoding and encoding need: with another
# program running, frames would take twenty times as long. It is read once, when PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livestyle.architecture import NORM_EPSILON
from livestyle.backends.instruction_sets import bfloat16_allowed
from livestyle.engine import as_engine_error
from livestyle.errors import EngineError, in_one_line
from livestyle.frame import Image, as_image
from livestyle.network import ConditionalNorm, FrameNet, ScaleShift, TransformNet
from livestyle.styles import StyleMix
from livestyle.weights import Weights

_SIZES_KEPT = 2
_DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
_PRECISIONS = {dtype: name for name, dtype in _DTYPES.items()}


class TorchScriptEngine:
    """Runs the network through PyTorch; the first frames of a size take seconds, while it is optimised."""

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._net = one_picture_at_a_time(frame_net(weights)).to(dtype)
        self._net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types
        self._traced = lru_cache(_SIZES_KEPT)(self._trace)
        self._row = lru_cache(_SIZES_KEPT)(
            lambda style: torch.from_numpy(style.row(weights.styles)).to(dtype)
        )

    @property
    def backend(self) -> str:
        """`torchscript bf16` or `torchscript f32`."""
        return f"torchscript {_PRECISIONS[self._dtype]}"

    @property
    def in_flight(self) -> int:
        """1: PyTorch paints one image with all cores."""
        return 1

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        """Paints an image at once; PyTorch does not work in the background."""
        painted = self.stylize(image, style)
        return lambda: painted

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image; the result is the caller's to keep."""
        image = as_image(image)
        row = self._row(style)
        with torch.inference_mode(), as_engine_error(self.backend, *image.shape[:2]):
            painted: Tensor = self._traced(*image.shape[:2])(torch.from_numpy(image), row)
            return np.ascontiguousarray(painted.numpy())

    def _trace(self, height: int, width: int) -> torch.jit.ScriptModule:
        with torch.inference_mode(), warnings.catch_warnings():
            # TorchScript, no longer developed, is what runs everywhere
            warnings.simplefilter("ignore")
            frozen = torch.jit.freeze(_traced(self._net, height, width, self._dtype))
            return torch.jit.optimize_for_inference(frozen)


def load(weights: Weights, streams: int, precision: str = "auto") -> TorchScriptEngine:  # noqa: ARG001
    """The engine of this backend; it has one stream, whatever `streams` says."""
    if precision == "auto":
        precision = "bf16" if _has_bfloat16() else "f32"
    if precision not in _DTYPES:
        raise EngineError(
            f"backend 'torchscript' does not compute in {precision}: choose the precision auto, f32 or bf16"
        )
    return TorchScriptEngine(weights, _DTYPES[precision])


class OnePictureNorm(nn.Module):
    """`ConditionalNorm` for a single picture, as batch norm.

    PyTorch's kernels for it keep channels last and sum in float32 whatever the type, so that no copy in
    float32 is needed: on a CPU, in bfloat16, the whole network takes a third of the time.
    """

    def forward(self, x: Tensor, style: ScaleShift) -> Tensor:
        """Normalises x (1, C, H, W) over each plane, then scales and shifts it."""
        scale, shift = (part.flatten() for part in style)
        return F.batch_norm(x, None, None, scale, shift, training=True, momentum=0.0, eps=NORM_EPSILON)


def one_picture_at_a_time(net: FrameNet) -> FrameNet:
    """The same network with that norm, in place."""
    for module in list(net.modules()):
        if isinstance(getattr(module, "norm", None), ConditionalNorm):
            module.norm = OnePictureNorm()
    return net


def _has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16 itself; PyTorch imitates it slowly elsewhere."""
    there = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(there) and bfloat16_allowed()


def script(weights: Weights, height: int, width: int) -> bytes:
    """The network for one size of frame, in float32, as a file that `torch.jit.load` reads.

    Raises EngineError where it does not fit into memory.
    """
    file = io.BytesIO()
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(_traced(frame_net(weights), height, width, torch.float32), file)
    except RuntimeError as error:
        raise EngineError(
            f"cannot export for {width}x{height}: {in_one_line(error)}; choose a smaller --size"
        ) from error
    return file.getvalue()


def frame_net(weights: Weights) -> FrameNet:
    """The network between uint8 frames, in float32, eager: what every backend is measured against."""
    net = TransformNet(weights.config)
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.tensors.items()})
    return FrameNet(net).eval().requires_grad_(False)


def _traced(net: FrameNet, height: int, width: int, dtype: torch.dtype) -> torch.jit.ScriptModule:
    """The network as one frame of that size goes through it: traced for it, on purpose."""
    frame = torch.zeros((height, width, 3), dtype=torch.uint8)
    affine = torch.ones(net.net.config.affine_length, dtype=dtype)
    traced: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]
        net, (frame, affine), check_trace=False
    )
    return traced
