"""Engines: one way of running the network each, behind one small contract."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from livestyle import defaults
from livestyle.errors import EngineError

if TYPE_CHECKING:
    from livestyle.frame import Image
    from livestyle.styles import StyleMix
    from livestyle.weights import Weights

logger = logging.getLogger(__name__)

BACKENDS = ("openvino", "torchscript")
"""Every backend, the fastest first: the order in which `auto` tries them."""

PRECISIONS = ("auto", "f32", "bf16", "int8")
"""What the network may compute in.

`auto` is the fastest of which nobody sees that it is not f32; int8 is faster and paints a little otherwise.
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
        size takes longer: the network is compiled for it.
        """
        ...

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image, and waits for it."""
        ...


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
        return _open(backend, weights, streams, precision)
    for name in BACKENDS:
        try:
            engine = _open(name, weights, streams, precision)
        except EngineError as error:
            logger.warning("skipped backend %s: %s", name, error)
            continue
        logger.info("backend %s: the fastest that runs here", engine.backend)
        return engine
    raise EngineError(f"no backend runs here (tried {', '.join(BACKENDS)}): reinstall livestyle")


def _open(backend: str, weights: Weights, streams: int, precision: str) -> Engine:
    if backend not in BACKENDS:
        raise EngineError(f"unknown backend {backend!r}: choose auto, {', '.join(BACKENDS)}")
    module = importlib.import_module(f"livestyle.backends.{backend}")
    engine: Engine = module.load(weights, streams, precision)
    return engine
