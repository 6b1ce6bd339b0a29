"""The backends, with their precisions, as parameters of a test; those that need a GPU are marked so."""

import pytest

from livestyle.engine import BACKENDS, Engine, load_engine
from livestyle.errors import UnavailableError
from livestyle.weights import Weights

_ON_GPU = {"tensorrt", "cuda"}
ALL = [pytest.param(name, marks=pytest.mark.needs_cuda) if name in _ON_GPU else name for name in BACKENDS]
CHOICES = [
    pytest.param(choice, id="-".join(choice), marks=[pytest.mark.needs_cuda] * (choice[0] in _ON_GPU))
    for choice in [*((name, "auto") for name in BACKENDS), ("openvino", "f32"), ("openvino", "int8")]
]
"""Pairs; on a processor without bfloat16 openvino's first and second are the same."""


def engine_of(weights: Weights, backend: str, precision: str = "auto", streams: int = 1) -> Engine:
    """The engine; skips the test where TensorRT, which is optional, is not installed."""
    try:
        return load_engine(weights, backend, streams=streams, precision=precision)
    except UnavailableError as error:
        pytest.skip(str(error))
