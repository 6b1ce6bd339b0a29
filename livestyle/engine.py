"""Engines: one way of running the network each, behind one small contract."""

from __future__ import annotations

import importlib
import logging
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


class Engine(Protocol):
    """Paints images.

    Arrays go in and come out; tensors, streams and precision stay inside. Not thread-safe.
    """

    @property
    def backend(self) -> str:
        """The backend that really runs, with its precision: `openvino bf16`."""
        ...

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image of any size from 32x32 on; the result has the same size.

        The first image of a new size takes longer: the network is compiled for it.
        """
        ...


def load_engine(weights: Weights, backend: str = defaults.BACKEND) -> Engine:
    """The network made ready to run.

    A backend that is asked for by name runs or raises EngineError; `auto` takes the first of `BACKENDS` that
    this machine has, and logs why it skipped the others.
    """
    if backend != "auto":
        return _open(backend, weights)
    for name in BACKENDS:
        try:
            engine = _open(name, weights)
        except EngineError as error:
            logger.warning("skipped backend %s: %s", name, error)
            continue
        logger.info("backend %s: the fastest that runs here", engine.backend)
        return engine
    raise EngineError(f"no backend runs here (tried {', '.join(BACKENDS)}): reinstall livestyle")


def _open(backend: str, weights: Weights) -> Engine:
    if backend not in BACKENDS:
        raise EngineError(f"unknown backend {backend!r}: choose auto, {', '.join(BACKENDS)}")
    engine: Engine = importlib.import_module(f"livestyle.backends.{backend}").load(weights)
    return engine
