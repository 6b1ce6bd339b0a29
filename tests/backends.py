"""The backends, with their precisions, as parameters of a test; those that need a GPU are marked so."""

import pytest

from livestyle.engine import BACKENDS, PRECISIONS, Engine, load_engine
from livestyle.errors import EngineError, UnavailableError
from livestyle.weights import Weights

_ON_GPU = {"tensorrt", "cuda"}
ALL = [pytest.param(name, marks=pytest.mark.needs_cuda) if name in _ON_GPU else name for name in BACKENDS]
CHOICES = [
    pytest.param(choice, id="-".join(choice), marks=[pytest.mark.needs_cuda] * (choice[0] in _ON_GPU))
    for choice in [*((name, "auto") for name in BACKENDS), *(("openvino", bits) for bits in PRECISIONS[1:])]
]
"""Pairs; one of openvino's is the same as what it takes by itself."""


def engine_of(weights: Weights, backend: str, precision: str = "auto", streams: int = 1) -> Engine:
    """The engine; skips the test where TensorRT is not installed, or bfloat16 not in the processor."""
    try:
        return load_engine(weights, backend, streams=streams, precision=precision)
    except UnavailableError as error:
        pytest.skip(str(error))
    except EngineError as error:
        if "no bfloat16" not in str(error):
            raise
        pytest.skip(str(error))
