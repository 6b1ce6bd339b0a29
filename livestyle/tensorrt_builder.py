"""Engines of TensorRT and of TensorRT for RTX, built from the ONNX graph; for neither a GPU is needed."""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import StringIO
from typing import Any

from livestyle.errors import EngineError, NoMemoryError, UnavailableError, in_one_line, is_about_memory

logger = logging.getLogger(__name__)

_MODULES = {
    "tensorrt": ("tensorrt", "tensorrt_bindings"),
    "tensorrt-rtx": ("tensorrt_rtx", "tensorrt_rtx_bindings"),
}
"""The names under which each flavour's wheels install it, the usual one first."""
_RTX_CAPABILITIES = ((7, 5), (8, 6), (8, 9), (12, 0))
"""GPUs that TensorRT for RTX knows; 12.x all count as 12.0."""


@dataclass(frozen=True, slots=True)
class Flavour:
    """One of the two TensorRTs, as it is installed."""

    name: str
    """`tensorrt` or `tensorrt-rtx`."""
    trt: Any
    """Its module."""

    @property
    def version(self) -> str:
        """Its own version."""
        return str(self.trt.__version__)

    @property
    def takes_memory(self) -> bool:
        """Whether a CUDA graph can record its engines only where they run in memory that they are given."""
        return hasattr(getattr(self.trt, "BuilderFlag", None), "REQUIRE_USER_ALLOCATION")


def find_flavour(capability: tuple[int, int]) -> Flavour:
    """The TensorRT that is installed and knows a GPU of that compute capability.

    Raises UnavailableError, which names what is missing for each of the two.
    """
    reasons = []
    for name in _MODULES:
        try:
            if name == "tensorrt-rtx" and not rtx_knows(capability):
                major, minor = capability
                raise UnavailableError(f"tensorrt-rtx knows no GPU of compute capability {major}.{minor}")
            return open_flavour(name)
        except UnavailableError as error:
            reasons.append(str(error))
    raise UnavailableError(f"backend 'tensorrt' needs TensorRT: {'; '.join(reasons)}")


@cache
def open_flavour(name: str) -> Flavour:
    """That flavour, loaded once. Raises UnavailableError where it is not installed or does not load."""
    module = next((module for module in _MODULES[name] if find_spec(module)), None)
    if module is None:
        raise UnavailableError(f"{name} is not installed: pip install 'livestyle[{name}]'")
    try:
        with redirect_stdout(StringIO()):  # its loader prints
            return Flavour(name, importlib.import_module(module))
    except Exception as error:  # not ImportError alone: missing libraries come as OSError, AssertionError ...
        raise UnavailableError(f"{module} does not load: {in_one_line(error)}; reinstall it") from error


def build_plan(flavour: Flavour, onnx_graph: bytes, capability: tuple[int, int] | None = None) -> bytes:
    """The serialized engine of an ONNX graph, for the GPU that is there.

    One of TensorRT for RTX is for GPUs of that compute capability, without one for all that are newer than
    Turing's (7.5). Takes seconds to minutes. Raises EngineError with what TensorRT said.
    """
    trt = flavour.trt
    with heard(flavour) as log:
        builder = trt.Builder(log)
        network = builder.create_network(_flags(trt))
        parser = trt.OnnxParser(network, log)
        if not parser.parse(onnx_graph):
            faults = "; ".join(str(parser.get_error(i).desc()) for i in range(parser.num_errors))
            raise EngineError(f"{flavour.name} {flavour.version} cannot read the network: {faults}")
        plan = builder.build_serialized_network(network, _config(flavour, builder, capability))
        if plan is None:
            raise refusal(log, f"{flavour.name} {flavour.version} cannot build the network")
        return bytes(plan)


@contextmanager
def heard(flavour: Flavour) -> Iterator[Any]:
    """TensorRT's logger, writing to ours, for `refusal`."""
    log = _log(flavour)
    log.errors.clear()
    yield log


def refusal(log: Any, what: str, kind: type[EngineError] = EngineError) -> EngineError:
    """The error that tells what TensorRT does not do, and what it said of it last.

    It is a NoMemoryError where TensorRT said so at all: what failed for that reason it tells after it.
    """
    for said in log.errors:
        if is_about_memory(said):
            return NoMemoryError(f"{what}: {said}")
    return kind(f"{what}: {log.errors[-1] if log.errors else 'it does not say why'}")


@cache
def _log(flavour: Flavour) -> Any:
    """The one logger of a flavour: TensorRT keeps the first it is given, for good."""
    trt: Any = flavour.trt
    errors = {trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR}

    class Log(trt.ILogger):  # type: ignore[misc]  # a class of the module that is there
        def __init__(self) -> None:
            super().__init__()
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in errors:
                self.errors.append(message.strip().splitlines()[0])
            if severity in errors or severity == trt.ILogger.Severity.WARNING:
                logger.debug("%s: %s", flavour.name, message)

    return Log()


def _config(flavour: Flavour, builder: Any, capability: tuple[int, int] | None) -> Any:
    trt, config = flavour.trt, builder.create_builder_config()
    if flavour.takes_memory:
        config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)
    known = getattr(trt, "ComputeCapability", None)
    target = getattr(known, "SM{}{}".format(*capability), None) if capability else None
    if target is not None:
        config.num_compute_capabilities = 1
        config.set_compute_capability(target, 0)
    return config


def _flags(trt: Any) -> int:
    """Types as the graph has them: the half precision is ours to place. TensorRT 11 knows nothing else."""
    flags = trt.NetworkDefinitionCreationFlag
    return 1 << int(flags.STRONGLY_TYPED) if hasattr(flags, "STRONGLY_TYPED") else 0


def rtx_knows(capability: tuple[int, int]) -> bool:
    """Whether TensorRT for RTX, which is the smaller of the two, is for a GPU of that compute capability."""
    major, minor = capability
    return (major, 0 if major == 12 else minor) in _RTX_CAPABILITIES
