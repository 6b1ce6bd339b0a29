"""The network through TensorRT in half precision: one engine for each size of frame, kept for the next time.

An engine takes minutes to build where it is not kept: the CUDA backend paints meanwhile. While one is loaded
the painting waits, so what TensorRT for RTX compiles when an engine first runs is kept beside it.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from livestyle.backends import cuda
from livestyle.backends.plan import Plan, UnreadableError
from livestyle.backends.recipes import median_milliseconds
from livestyle.backends.slots import CudaLane, Lane, Ring, Slot, as_many_as_fit, free_cached_memory
from livestyle.backends.torch_plan import plan_from_torch
from livestyle.child_build import ChildBuild, livestyle_command
from livestyle.engine import Engine, as_engine_error
from livestyle.engine_cache import EngineCache
from livestyle.errors import EngineError, NoMemoryError, in_one_line
from livestyle.frame import Image, as_image
from livestyle.gate import check, natural_frame
from livestyle.gpu import find_driver
from livestyle.styles import StyleMix
from livestyle.swapping import SwappingEngine
from livestyle.tensorrt_builder import Flavour, build_plan, find_flavour
from livestyle.weights import Weights

logger = logging.getLogger(__name__)

_FRAMES_BEFORE_A_BUILD = 100
"""So many frames of a size are painted before an engine is built for it: a picture needs none."""
_ENGINES_KEPT = 2
"""Engines that stay loaded, for sizes that take turns: each holds much of the GPU's memory."""


class PlanEngine:
    """Paints frames of one size with an engine of TensorRT, in a CUDA graph."""

    def __init__(
        self,
        weights: Weights,
        flavour: Flavour,
        plan: bytes,
        size: tuple[int, int],
        streams: int = 1,
        make_lane: Callable[[], Lane] | None = None,
        kernels: bytes | None = None,
    ) -> None:
        self._flavour = flavour
        self._styles = weights.styles
        length = weights.config.affine_length

        def make(count: int) -> tuple[list[Slot], bytes | None]:
            with as_engine_error(self.backend, *size):
                loaded = Plan(flavour, plan, kernels)
                lanes = [make_lane() if make_lane else CudaLane(polite=streams > 1) for _ in range(count)]
                slots = [Slot(lane, *size, length, torch.float16, loaded.on(lane)) for lane in lanes]
                return slots, loaded.new_kernels()

        self._slots, self.new_kernels = as_many_as_fit(min(streams, 2), make)
        """The latter is what was compiled here and can be kept for the next time, if anything."""
        self._ring = Ring(self._slots)

    @property
    def backend(self) -> str:
        """`tensorrt f16` or `tensorrt-rtx f16`."""
        return f"{self._flavour.name} f16"

    @property
    def in_flight(self) -> int:
        """2 where frames overlap, else 1."""
        return len(self._slots)

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        """Begins to paint an image of its size."""
        return self._ring.start(as_image(image), style.row(self._styles))

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image of its size; the result is the caller's to keep."""
        return self.start(image, style)()


@dataclass(slots=True)
class _Missing:
    """A size of frame without an engine, until there is one."""

    frames: int = 0
    """How many were painted meanwhile."""
    child: ChildBuild | None = None
    given_up: bool = False


class PlanUpgrades:
    """Engines of TensorRT as they come: from the cache at once, or from a child process in some minutes.

    One child at a time, for the GPU paints too. One that fails is reported, and nothing else changes.
    An engine that does not load is forgotten only where it cannot be read: it took minutes to build.
    """

    def __init__(
        self,
        cache: EngineCache,
        key: Callable[[int, int], dict[str, object]],
        load: Callable[[bytes, int, int], Engine],
        build: Callable[[int, int], ChildBuild],
    ) -> None:
        self._cache, self._key, self._load, self._build = cache, key, load, build
        self._missing: dict[tuple[int, int], _Missing] = {}
        self._child: ChildBuild | None = None
        self._loaded: OrderedDict[tuple[int, int], Engine] = OrderedDict()

    def ready(self, height: int, width: int) -> Engine | None:
        """The engine for that size, once it is there."""
        size = height, width
        if size in self._loaded:
            self._loaded.move_to_end(size)
            return self._loaded[size]
        missing = self._missing.get(size)
        if missing is None or self._is_built(missing, height, width):
            if (engine := self._open(height, width)) is not None:
                self._missing.pop(size, None)
                self._loaded[size] = engine
                return engine
            if missing is not None:  # the one that was built for it does not load
                missing.given_up = True
        self._missing.setdefault(size, _Missing()).frames += 1
        return None

    def give_up(self) -> bool:
        """Frees the memory of all engines, which are loaded again when it is time; False where none are."""
        held = bool(self._loaded)
        self._loaded.clear()
        free_cached_memory()
        return held

    def _is_built(self, missing: _Missing, height: int, width: int) -> bool:
        """Whether its child is done; begins one when it is time to."""
        if missing.given_up or missing.frames < _FRAMES_BEFORE_A_BUILD:
            return False
        what = f"the TensorRT engine for {width}x{height}"
        if missing.child is None:
            if self._child is None or self._child.poll() is not None:
                logger.info("building %s in the background; it is kept for the next time", what)
                self._child = missing.child = self._build(height, width)
            return False
        done = missing.child.poll()
        if done is False:
            missing.given_up = True
            logger.warning("cannot build %s: %s", what, missing.child.reason)
        return done is True

    def _open(self, height: int, width: int) -> Engine | None:
        while len(self._loaded) >= _ENGINES_KEPT:  # what paints the new size needs memory, whatever it is
            self._loaded.popitem(last=False)
        key = self._key(height, width)
        plan = self._cache.get(key)
        if plan is None:
            return None
        try:
            return self._load_by_itself(plan, height, width)
        except UnreadableError as error:
            logger.warning("the TensorRT engine for %dx%d does not load: %s", width, height, error)
            self._cache.drop(key)
        except Exception as error:  # of a driver or a TensorRT, which raise what they like
            fix = "" if isinstance(error, NoMemoryError) else "; livestyle build --clear forgets it"
            logger.warning("the TensorRT engine for %dx%d is not used: %s%s", width, height, error, fix)
            self._missing[height, width] = _Missing(given_up=True)
        return None

    def _load_by_itself(self, plan: bytes, height: int, width: int) -> Engine:
        """The engine, without the others where there is no memory for them all."""
        try:
            return self._load(plan, height, width)
        except NoMemoryError:
            if not self.give_up():
                raise
        return self._load(plan, height, width)


def load(weights: Weights, streams: int, precision: str = "auto") -> SwappingEngine:
    """The engine of this backend, painting with CUDA until TensorRT's engine for the size is there.

    Raises EngineError where PyTorch cannot use the GPU, or no TensorRT is installed that knows it.
    """
    cuda.require_half("tensorrt", precision)
    flavour, cache = installed(), EngineCache()

    def load_plan(plan: bytes, height: int, width: int) -> PlanEngine:
        facts = key(weights, flavour, height, width)
        engine = PlanEngine(weights, flavour, plan, (height, width), streams, kernels=cache.kernels(facts))
        cache.keep_kernels(facts, engine.new_kernels)
        return engine

    def build(height: int, width: int) -> ChildBuild:
        size = f"{width}x{height}"
        command = ("build", "--size", size, "--model", weights.model, "--backend", "tensorrt")
        return ChildBuild(livestyle_command(*command))

    upgrades = PlanUpgrades(cache, lambda h, w: key(weights, flavour, h, w), load_plan, build)
    return SwappingEngine(cuda.load(weights, streams), upgrades)


def installed() -> Flavour:
    """The TensorRT that knows this GPU. Raises EngineError where there is none, or PyTorch lacks CUDA."""
    cuda.require_cuda()
    return find_flavour(find_driver().gpus[0].capability)


def build_engine(
    weights: Weights,
    size: tuple[int, int],
    cache: EngineCache,
    *,
    flavour: Flavour | None = None,
    make_lane: Callable[[], Lane] | None = None,
) -> dict[str, object]:
    """Builds the engine for frames of `size` (width, height) and keeps it, if it passes the gate.

    Gives what was found. Takes minutes. Raises EngineError.
    """
    width, height = size
    flavour = flavour or installed()
    image, mix = natural_frame(height, width), StyleMix.of({next(iter(weights.styles)): 1})
    right = cuda.reference(weights, image, mix.row(weights.styles))
    reasons = []
    for route, make in _ROUTES.items():
        began = time.perf_counter()
        try:
            plan = make(flavour, weights, height, width)
            engine = PlanEngine(weights, flavour, plan, (height, width), make_lane=make_lane)
            psnr = check(f"{flavour.name} through {route}", engine.stylize(image, mix), right)
        except Exception as error:  # a builder fails in many ways; the other route may not
            reasons.append(f"through {route}: {in_one_line(error)}")
            continue
        found: dict[str, object] = {
            "route": route,
            "psnr_db": psnr,
            "milliseconds": median_milliseconds(lambda engine=engine: engine.stylize(image, mix)),  # type: ignore[misc]
            "build_seconds": time.perf_counter() - began,
        }
        facts = key(weights, flavour, height, width)
        cache.put(facts, plan, found)
        cache.keep_kernels(facts, engine.new_kernels)
        return found
    raise EngineError(f"cannot build the engine for {width}x{height}: {'; '.join(reasons)}")


def key(weights: Weights, flavour: Flavour, height: int, width: int) -> dict[str, object]:
    """What an engine depends on."""
    return {
        "network": weights.network,
        "model": weights.model,
        "size": [width, height],
        "precision": "f16",
        "flavour": flavour.name,
        "flavour_version": flavour.version,
    } | cuda.device_facts()


def _from_onnx(flavour: Flavour, weights: Weights, height: int, width: int) -> bytes:
    from livestyle.onnx_graph import build  # needs onnx, which not everybody has

    return build_plan(flavour, build(weights, height, width, "f16").SerializeToString(), _capability())


def _capability() -> tuple[int, int] | None:
    return torch.cuda.get_device_capability() if torch.cuda.is_available() else None


def _from_torch(flavour: Flavour, weights: Weights, height: int, width: int) -> bytes:
    if flavour.name != "tensorrt":
        raise EngineError(f"{flavour.name} reads onnx only")
    return plan_from_torch(weights, height, width)


_ROUTES: dict[str, Callable[[Flavour, Weights, int, int], Any]] = {
    "onnx": _from_onnx,
    "torch_tensorrt": _from_torch,
}
"""How an engine is built; the second is for an installation without onnx, or a graph that it cannot read."""
