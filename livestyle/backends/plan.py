"""An engine of TensorRT on its GPU, to be called from a lane."""

import logging
from typing import Any

import numpy as np
import torch
from torch import Tensor

from livestyle.backends.slots import Lane, Paint
from livestyle.errors import EngineError, in_one_line
from livestyle.tensorrt_builder import Flavour, heard, refusal

logger = logging.getLogger(__name__)

_LEAST_BYTES = 256
"""Memory that is given to TensorRT must not be empty, even where an engine needs none."""


class UnreadableError(EngineError):
    """TensorRT does not read an engine, which is of no use any more."""


class Plan:
    """An engine in the GPU's memory. Raises UnreadableError, or NoMemoryError.

    TensorRT for RTX compiles an engine's kernels where it runs, for seconds; `kernels` are what `new_kernels`
    gave at an earlier time.
    """

    def __init__(self, flavour: Flavour, plan: bytes, kernels: bytes | None = None) -> None:
        self._flavour = flavour
        with heard(flavour) as log:
            self._runtime = flavour.trt.Runtime(log)  # has to live as long as its engine
            self._engine = self._runtime.deserialize_cuda_engine(plan)
            if self._engine is None:
                what = f"{flavour.name} {flavour.version} cannot load the engine"
                raise refusal(log, what, UnreadableError)
        self._config: Any = _given_memory(flavour.trt, self._engine) if flavour.takes_memory else None
        self._memory: list[Tensor] = []
        self._kernels = kernels
        self._compiled = self._compiled_before()

    def new_kernels(self) -> bytes | None:
        """What was compiled for this engine, once it has run; None where that is nothing new."""
        try:
            compiled = b"" if self._compiled is None else bytes(self._compiled.serialize())
        except Exception as error:  # what cannot be kept is compiled again
            logger.debug("%s keeps no kernels: %s", self._flavour.name, in_one_line(error))
            return None
        return compiled if compiled and compiled != self._kernels else None

    def on(self, lane: Lane) -> Paint:
        """The engine with buffers of its own, to be called on that lane; it keeps this plan."""
        engine, trt = self._engine, self._flavour.trt
        context = self._context(lane)
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        (output,) = (n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.OUTPUT)
        (frame_name,) = (n for n in names if n != output and self._dtype(n) == torch.uint8)
        (row_name,) = (n for n in names if n not in {output, frame_name})
        kind = self._dtype(output)
        asked = self._config is None

        def paint(frame: Tensor, row: Tensor) -> Tensor:
            nonlocal asked
            painted = torch.empty(frame.shape, dtype=kind, device=frame.device)
            for name, tensor in ((frame_name, frame), (row_name, row), (output, painted)):
                context.set_tensor_address(name, tensor.data_ptr())
            if not context.execute_async_v3(lane.stream):
                raise EngineError(f"{self._flavour.name} does not run the engine")
            if not asked:  # here, where addresses are set and kernels are compiled
                asked = True
                if not context.is_stream_capturable(lane.stream):
                    raise EngineError(f"no CUDA graph can record the engine of {self._flavour.name}")
            return painted.to(torch.uint8)

        return paint

    def _compiled_before(self) -> Any:
        """TensorRT's cache of kernels, with those that are known; None where it has no such thing."""
        if self._config is None:
            return None
        try:
            compiled = self._config.create_runtime_cache()
            if self._kernels and not compiled.deserialize(self._kernels):
                logger.debug("%s compiles its kernels anew: the driver may be another", self._flavour.name)
            return compiled if self._config.set_runtime_cache(compiled) else None
        except Exception as error:  # without them the engine runs as well, later
            logger.debug("%s keeps no kernels: %s", self._flavour.name, in_one_line(error))
            return None

    def _context(self, lane: Lane) -> Any:
        """What runs the engine, one frame at a time, in memory that is kept here."""
        engine, config = self._engine, self._config
        with heard(self._flavour) as log:
            context = engine.create_execution_context(*([] if config is None else [config]))
        if context is None:
            raise refusal(log, f"{self._flavour.name} cannot prepare the engine for a frame")
        if config is not None:
            size = max(engine.device_memory_size_v2, _LEAST_BYTES)
            memory = torch.empty(size, dtype=torch.uint8, device=lane.device)
            self._memory.append(memory)
            context.set_device_memory(memory.data_ptr(), size)
        return context

    def _dtype(self, name: str) -> torch.dtype:
        kind = self._flavour.trt.nptype(self._engine.get_tensor_dtype(name))
        return torch.from_numpy(np.empty(0, kind)).dtype


def _given_memory(trt: Any, engine: Any) -> Any:
    """How contexts of an engine are made that work in memory which they are given."""
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
    return config
