"""Engines: one way of running the network each, behind one small contract."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from livestyle import defaults
from livestyle.errors import EngineError, NoMemoryError, UnavailableError, in_one_line, is_about_memory
from livestyle.gpu import find_driver

if TYPE_CHECKING:
    from livestyle.frame import Image
    from livestyle.styles import StyleMix
    from livestyle.weights import Weights

logger = logging.getLogger(__name__)

BACKENDS = ("tensorrt", "cuda", "openvino", "torchscript")
"""Every backend, the fastest first: the order in which `auto` tries them."""

_ON_GPU = {"tensorrt", "cuda"}

PRECISIONS = ("auto", "f32", "bf16", "int8")
"""What the network may compute in.

`auto` is the fastest that paints nearly what f32 does; benchmarks/NOTES.md tells where a difference is seen.
"""


class Engine(Protocol):
    """Paints images.

    Arrays go in and come out; tensors, streams and precision stay inside. Not thread-safe.
    """

    @property
    def backend(self) -> str:
        """The backend that really runs, with its precision: `openvino bf16`."""
        ...

    @property
    def in_flight(self) -> int:
        """How many paintings should be begun before the first is fetched, for the most frames per second."""
        ...

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        """Begins to paint an image of any size from 32x32 on; what it gives waits for the painting.

        The painting has the size of the image, which must stay as it is until then. The first one of a new
        size takes longer: the network is compiled for it. Both raise EngineError, mostly for want of memory.
        """
        ...

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image, and waits for it."""
        ...


@contextmanager
def as_engine_error(painter: str, height: int, width: int) -> Iterator[None]:
    """What a library raises inside becomes an EngineError: `painter` cannot paint a frame of that size.

    It is a NoMemoryError where the library says so.
    """
    what = f"{painter} cannot paint {width}x{height}"
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        logger.debug("%s: %s: %s", what, type(error).__name__, error)
        if isinstance(error, MemoryError) or is_about_memory(f"{type(error).__name__}: {error}"):
            raise NoMemoryError(
                f"{what}: there is not enough memory for it; --model small or --stroke-size 2 takes less"
            ) from error
        raise EngineError(f"{what}: {in_one_line(error)}") from error


@dataclass(frozen=True, slots=True)
class Choice:
    """What `auto` took."""

    engine: Engine
    skipped: dict[str, str]
    """Each better backend, with the reason why it does not run here."""


def load_engine(
    weights: Weights,
    backend: str = defaults.BACKEND,
    *,
    streams: int = 1,
    precision: str = defaults.PRECISION,
) -> Engine:
    """The network made ready to run.

    One stream paints one frame after the other, each as soon as can be; more of them paint several at a time,
    which gives more frames per second, each later. A backend that cannot do it has one.

    A backend or a precision that is asked for by name runs or raises EngineError; `auto` takes the first of
    `BACKENDS` that this machine has, and logs why it skipped the others.
    """
    if precision not in PRECISIONS:
        raise EngineError(f"unknown precision {precision!r}: choose {', '.join(PRECISIONS)}")
    if backend != "auto":
        try:
            return _open(backend, weights, streams, precision)
        except UnavailableError as error:
            raise UnavailableError(f"{error}; --backend auto takes what is here") from error
    return choose_engine(weights, streams=streams, precision=precision).engine


def choose_engine(weights: Weights, *, streams: int = 1, precision: str = defaults.PRECISION) -> Choice:
    """What `auto` takes, with the reason for each step down, which is logged too.

    A GPU or an optional package that is not there is only worth a debug message.
    """
    skipped: dict[str, str] = {}
    for name in BACKENDS:
        try:
            engine = _open(name, weights, streams, precision)
        except EngineError as error:
            level = logging.DEBUG if isinstance(error, UnavailableError) else logging.WARNING
            logger.log(level, "skipped backend %s: %s", name, error)
            skipped[name] = str(error)
            continue
        logger.info("backend %s: the fastest that runs here", engine.backend)
        return Choice(engine, skipped)
    raise EngineError(f"no backend runs here (tried {', '.join(BACKENDS)}): reinstall livestyle")


def _open(backend: str, weights: Weights, streams: int, precision: str) -> Engine:
    if backend not in BACKENDS:
        raise EngineError(f"unknown backend {backend!r}: choose auto, {', '.join(BACKENDS)}")
    if backend in _ON_GPU:
        require_gpu(backend)  # before PyTorch is loaded, which OpenVINO does without
    module = importlib.import_module(f"livestyle.backends.{backend}")
    engine: Engine = module.load(weights, streams, precision)
    return engine


def require_gpu(backend: str) -> None:
    """Raises UnavailableError where there is no NVIDIA GPU, without loading PyTorch to find out."""
    try:
        find_driver()
    except UnavailableError as error:
        raise UnavailableError(f"backend {backend!r} needs an NVIDIA GPU, and {error}") from error
