"""An engine of TensorRT on its GPU, to be called from a lane."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from livestyle.backends.slots import Lane, Paint
from livestyle.errors import EngineError
from livestyle.tensorrt_builder import Flavour, heard

_LEAST_BYTES = 256
"""Memory that is given to TensorRT must not be empty, even where an engine needs none."""


class Plan:
    """An engine in the GPU's memory. Raises EngineError where TensorRT refuses it."""

    def __init__(self, flavour: Flavour, plan: bytes) -> None:
        self._flavour = flavour
        with heard(flavour) as log:
            self._runtime = flavour.trt.Runtime(log)  # has to live as long as its engine
            self._engine = self._runtime.deserialize_cuda_engine(plan)
            if self._engine is None:
                raise EngineError(
                    f"{flavour.name} {flavour.version} cannot load the engine: {log.last_error}"
                )
        self._config = _given_memory(flavour.trt, self._engine) if flavour.takes_memory else None
        self._memory: list[Tensor] = []

    def on(self, lane: Lane) -> Paint:
        """The engine with buffers of its own, to be called on that lane; it keeps this plan."""
        engine, trt = self._engine, self._flavour.trt
        context = self._context(lane)
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        (output,) = (n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.OUTPUT)
        (frame_name,) = (n for n in names if n != output and self._dtype(n) == torch.uint8)
        (row_name,) = (n for n in names if n not in {output, frame_name})
        kind = self._dtype(output)

        def paint(frame: Tensor, row: Tensor) -> Tensor:
            painted = torch.empty(frame.shape, dtype=kind, device=frame.device)
            for name, tensor in ((frame_name, frame), (row_name, row), (output, painted)):
                context.set_tensor_address(name, tensor.data_ptr())
            if not context.execute_async_v3(lane.stream):
                raise EngineError(f"{self._flavour.name} does not run the engine")
            return painted.to(torch.uint8)

        return paint

    def _context(self, lane: Lane) -> Any:
        """What runs the engine, one frame at a time, in memory that is kept here."""
        engine, config = self._engine, self._config
        with heard(self._flavour) as log:
            context = engine.create_execution_context(*([] if config is None else [config]))
        if context is None:
            raise EngineError(f"{self._flavour.name} cannot prepare the engine for a frame: {log.last_error}")
        if config is not None:
            size = max(engine.device_memory_size_v2, _LEAST_BYTES)
            memory = torch.empty(size, dtype=torch.uint8, device=lane.device)
            self._memory.append(memory)
            context.set_device_memory(memory.data_ptr(), size)
            if not context.is_stream_capturable(lane.stream):
                raise EngineError(f"no CUDA graph can record the engine of {self._flavour.name}")
        return context

    def _dtype(self, name: str) -> torch.dtype:
        kind = self._flavour.trt.nptype(self._engine.get_tensor_dtype(name))
        return torch.from_numpy(np.empty(0, kind)).dtype


def _given_memory(trt: Any, engine: Any) -> Any:
    """How contexts of an engine are made that work in memory which they are given."""
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
    return config
