"""Preparing this GPU for one network and one size of frame, ahead of the first video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livestyle.errors import UnavailableError
from livestyle.gpu import find_driver

if TYPE_CHECKING:
    from livestyle.engine_cache import EngineCache
    from livestyle.weights import Weights


def prepare(weights: Weights, size: tuple[int, int], backend: str, cache: EngineCache) -> str:
    """Builds what `backend` (auto, tensorrt or cuda) needs for frames of `size`; says in a line what it did.

    Takes seconds to minutes. Raises EngineError.
    """
    try:
        find_driver()  # before PyTorch is loaded
    except UnavailableError as error:
        raise UnavailableError(f"only for an NVIDIA GPU there is something to build, and {error}") from error
    if backend == "cuda":
        return _measure(weights, size)
    try:
        return _engine(weights, size, cache)
    except UnavailableError as error:
        if backend == "tensorrt":
            raise
        return f"{_measure(weights, size)}; no TensorRT: {error}"


def _engine(weights: Weights, size: tuple[int, int], cache: EngineCache) -> str:
    from livestyle.backends.tensorrt import build_engine, installed, key

    flavour, (width, height) = installed(), size
    what = f"{flavour.name} {flavour.version} engine of {weights.model} for {width}x{height}"
    with cache.one_builder():
        if cache.get(key(weights, flavour, height, width)) is not None:
            return f"{what}: it is there already; --clear forgets it"
        found = build_engine(weights, size, cache)
    return f"{what}: {found['psnr_db']:.1f} dB, {found['milliseconds']:.2f} ms a frame"


def _measure(weights: Weights, size: tuple[int, int]) -> str:
    from livestyle.backends.cuda import CudaEngine, require_cuda

    require_cuda()
    width, height = size
    best = CudaEngine(weights).measure(height, width)
    return (
        f"cuda for {weights.model} at {width}x{height}: {best.recipe.name}, {best.psnr_db:.1f} dB, "
        f"{best.milliseconds:.2f} ms a frame"
    )
