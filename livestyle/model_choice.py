"""Which size of network to take where nobody says: the larger one where this device is fast enough for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from livestyle.engine import load_engine, require_gpu
from livestyle.errors import EngineError, UnavailableError
from livestyle.remembered import recall, remember
from livestyle.weights import load_weights, read_manifest

if TYPE_CHECKING:
    from livestyle.weights import Weights

logger = logging.getLogger(__name__)

SMALL, LARGE = "small", "large"
TARGET_FPS = 60.0
"""What `large` has to reach at 1280x720, host to host, to be the choice: twice what cameras give."""
_SIZE = (1280, 720)


def choose_model(backend: str, precision: str) -> str:
    """`small` or `large`, for an engine of that backend in that precision.

    Without an NVIDIA GPU it is `small` at once, and in a precision by name, which no GPU computes in. With
    one, `large` is measured, some seconds, and what came out is remembered for this device and these weights.
    """
    if backend not in {"auto", "tensorrt", "cuda"} or precision != "auto" or not _has_gpu():
        return SMALL
    if LARGE not in read_manifest():
        logger.debug("model small: large has no trained weights yet")
        return SMALL
    fps = _large_fps(load_weights(LARGE))
    model = LARGE if fps >= TARGET_FPS else SMALL
    logger.debug("model %s: large paints %.0f fps at %dx%d, %.0f are wanted", model, fps, *_SIZE, TARGET_FPS)
    return model


def _large_fps(weights: Weights) -> float:
    """Frames per second of `large`, once measured; 0 where it fails, which may be otherwise the next time."""
    from livestyle.backends.cuda import device_facts, require_cuda

    try:
        require_cuda()
        facts = {"what": "fps of large", "network": weights.network, "size": list(_SIZE)} | device_facts()
        known = recall(facts)
        if not isinstance(known, float):
            known = _measure(weights)
            remember(facts, known)
    except EngineError as error:
        logger.debug("model large does not run: %s", error)
        return 0.0
    return known


def _measure(weights: Weights) -> float:
    """Frames per second of `large` by the cuda backend; tensorrt is no slower. Raises EngineError."""
    from livestyle.bench import time_engine

    engine = load_engine(weights, "cuda")
    return time_engine(engine, next(iter(weights.styles)), _SIZE, seconds=0.5).fps


def _has_gpu() -> bool:
    try:
        require_gpu("cuda")
    except UnavailableError:
        return False
    return True
