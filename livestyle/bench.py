"""How fast this machine paints: each backend at each size, measured the way a video is painted."""

import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livestyle import defaults
from livestyle.engine import BACKENDS, Engine, load_engine
from livestyle.errors import EngineError
from livestyle.findings import installed
from livestyle.frame import Image
from livestyle.styles import StyleMix
from livestyle.weights import Weights

SIZES = ((640, 480), (1280, 720))
"""(width, height) of the frames that are measured where nobody says."""

_WARM_UP_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Timing:
    """How one backend did at one size."""

    backend: str
    size: tuple[int, int]
    """(width, height)"""
    frames: int
    milliseconds: float
    """Median time of one frame, uint8 to uint8."""

    @property
    def fps(self) -> float:
        """Frames per second at the median."""
        return 1000 / self.milliseconds


@dataclass(frozen=True, slots=True)
class Skipped:
    """A backend that does not run here."""

    backend: str
    reason: str


def measure(
    weights: Weights,
    backends: Sequence[str] = BACKENDS,
    *,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seconds: float = 3.0,
    precision: str = defaults.PRECISION,
) -> Iterator[Timing | Skipped]:
    """Times each backend at each of the sizes (width, height) for about `seconds`, one after the other."""
    for backend in backends:
        try:
            engine = load_engine(weights, backend, precision=precision)
        except EngineError as error:
            yield Skipped(backend, str(error))
            continue
        style = next(iter(weights.styles))
        for size in sizes:
            try:
                yield _timed(engine, backend, style, size, seconds)
            except EngineError as error:  # a GPU may fail at the first frame, and memory be too little
                yield Skipped(backend, str(error))


def _timed(
    engine: Engine, backend: str, style: str, size: tuple[int, int], seconds: float
) -> Timing | Skipped:
    engine.stylize(frame(size), StyleMix.parse(style))
    if engine.backend.startswith(backend):
        return time_engine(engine, style, size, seconds)
    width, height = size  # TensorRT's engine for that size is still to be built
    return Skipped(backend, f"no engine for {width}x{height} yet: livestyle build --size {width}x{height}")


def machine() -> dict[str, str]:
    """What the numbers depend on: processor, cores, system and versions."""
    packages = {
        name: installed(name) or "not installed" for name in ("livestyle", "torch", "openvino", "numpy")
    }
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    } | packages


def time_engine(engine: Engine, style: str, size: tuple[int, int], seconds: float) -> Timing:
    """Times an engine with frames of `size` (width, height) for about `seconds`, after some to warm up."""
    image, mix = frame(size), StyleMix.parse(style)
    for _ in range(_WARM_UP_FRAMES):
        engine.stylize(image, mix)
    times: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() < started + seconds or len(times) < 3:
        before = time.perf_counter()
        engine.stylize(image, mix)
        times.append(1000 * (time.perf_counter() - before))
    return Timing(engine.backend, size, len(times), statistics.median(times))


def frame(size: tuple[int, int]) -> Image:
    """A frame of (width, height) to measure with: gradients and noise, made in no more memory than it has."""
    width, height = size
    image = np.random.default_rng(0).integers(0, 76, (height, width, 3), np.uint8)
    across = np.linspace(0, 89, width).astype(np.uint8)
    down = np.linspace(0, 89, height).astype(np.uint8)[:, np.newaxis]
    for channel, gradient in enumerate((2 * across, 2 * down, across + down)):
        image[..., channel] += gradient
    return image


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
