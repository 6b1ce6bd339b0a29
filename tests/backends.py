"""The backends as parameters of a test; those that need a GPU are marked so."""

import pytest

from livestyle.engine import BACKENDS, Engine, load_engine
from livestyle.errors import UnavailableError
from livestyle.weights import Weights

ALL = [
    pytest.param(name, marks=pytest.mark.needs_cuda) if name in {"tensorrt", "cuda"} else name
    for name in BACKENDS
]


def engine_of(weights: Weights, backend: str, streams: int = 1) -> Engine:
    """The engine; skips the test where TensorRT, which is optional, is not installed."""
    try:
        return load_engine(weights, backend, streams=streams)
    except UnavailableError as error:
        pytest.skip(str(error))
