"""A TensorRT that runs on a processor: its plans are ONNX graphs, which onnxruntime paints with.

It reads and writes through bare addresses, as the real one does, so that everything around it is real.
"""

import ctypes
from enum import Enum
from functools import cache
from hashlib import sha256
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime

from livestyle.tensorrt_builder import Flavour

TensorIOMode = Enum("TensorIOMode", "INPUT OUTPUT")
MAGIC = b"fake plan\n"
CAPTURABLE = b"for given memory\n"
"""Follows `MAGIC` where a CUDA graph can record the engine."""
BuilderFlag = Enum("BuilderFlag", "REQUIRE_USER_ALLOCATION")
ComputeCapability = Enum("ComputeCapability", "NONE CURRENT SM75 SM86 SM89 SM120")
ExecutionContextAllocationStrategy = Enum("ExecutionContextAllocationStrategy", "STATIC USER_MANAGED")


class ILogger:
    Severity = Enum("Severity", "INTERNAL_ERROR ERROR WARNING INFO VERBOSE")

    def log(self, severity: Any, message: str) -> None:
        raise NotImplementedError


class BuilderConfig:
    last: "BuilderConfig"
    """The one that was made last."""

    def __init__(self) -> None:
        self.flags: set[BuilderFlag] = set()
        self.num_compute_capabilities = 0
        self.capabilities: dict[int, ComputeCapability] = {}
        BuilderConfig.last = self

    def set_flag(self, flag: BuilderFlag) -> None:
        self.flags.add(flag)

    def set_compute_capability(self, capability: ComputeCapability, index: int) -> bool:
        assert index < self.num_compute_capabilities
        self.capabilities[index] = capability
        return True


class Builder:
    def __init__(self, log: ILogger) -> None:
        self.log = log

    def create_network(self, _: int) -> dict[str, bytes]:
        return {}

    def create_builder_config(self) -> BuilderConfig:
        return BuilderConfig()

    def build_serialized_network(self, network: dict[str, bytes], config: BuilderConfig) -> bytes | None:
        if b"impossible" in network["graph"]:
            self.log.log(ILogger.Severity.ERROR, "no tactic for Conv_3\nmore about it")
            return None
        return MAGIC + (CAPTURABLE if config.flags else b"") + network["graph"]


class OnnxParser:
    num_errors = 1

    def __init__(self, network: dict[str, bytes], _: ILogger) -> None:
        self.network = network

    def parse(self, graph: bytes) -> bool:
        self.network["graph"] = graph
        return not graph.startswith(b"not a graph")

    def get_error(self, _: int) -> Any:
        return SimpleNamespace(desc=lambda: "Failed to parse")


COMPILED: list[bytes] = []
"""Engines whose kernels had to be compiled, in order."""


class RuntimeCache:
    content = b"kernels:"

    def deserialize(self, content: bytes) -> bool:
        if not content.startswith(RuntimeCache.content):
            return False
        self.content = content
        return True

    def serialize(self) -> bytes:
        return self.content


class RuntimeConfig:
    strategy = ExecutionContextAllocationStrategy.STATIC

    def __init__(self) -> None:
        self.cache = RuntimeCache()

    def create_runtime_cache(self) -> RuntimeCache:
        return RuntimeCache()

    def set_runtime_cache(self, cache: RuntimeCache) -> bool:
        self.cache = cache
        return True

    def set_execution_context_allocation_strategy(self, strategy: ExecutionContextAllocationStrategy) -> None:
        self.strategy = strategy


class Context:
    def __init__(self, engine: "Engine") -> None:
        self.session, self.capturable = engine.session, engine.capturable
        self.addresses: dict[str, int] = {}
        self.memory = 0

    def set_device_memory(self, address: int, size: int) -> None:
        assert address, "setDeviceMemoryV2: Cannot set memory to nullptr."
        ctypes.memset(address, 0, size)
        self.memory = address

    def is_stream_capturable(self, stream: int) -> bool:
        return self.capturable and stream == 0

    def set_tensor_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def _memory(self, value: Any) -> np.ndarray:
        kind = nptype(value.type)
        size = int(np.prod(value.shape)) * kind().itemsize
        buffer = (ctypes.c_byte * size).from_address(self.addresses[value.name])
        return np.frombuffer(buffer, kind).reshape(value.shape)

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == 0
        assert self.memory or not self.capturable
        given = {value.name: self._memory(value) for value in self.session.get_inputs()}
        (output,) = self.session.get_outputs()
        self._memory(output)[:] = self.session.run(None, given)[0]
        return True


class Engine:
    device_memory_size_v2 = 1024

    def __init__(self, plan: bytes, log: ILogger) -> None:
        self.log, self.name = log, sha256(plan).digest()
        self.capturable = plan.startswith(CAPTURABLE)
        plan = plan.removeprefix(CAPTURABLE)
        self.session = onnxruntime.InferenceSession(plan, providers=["CPUExecutionProvider"])
        self._values = {v.name: v for v in (*self.session.get_outputs(), *self.session.get_inputs())}
        self.num_io_tensors = len(self._values)

    def get_tensor_name(self, index: int) -> str:
        return list(self._values)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        outputs = {value.name for value in self.session.get_outputs()}
        return TensorIOMode.OUTPUT if name in outputs else TensorIOMode.INPUT

    def get_tensor_dtype(self, name: str) -> str:
        return self._values[name].type

    def create_runtime_config(self) -> RuntimeConfig:
        return RuntimeConfig()

    def create_execution_context(self, config: RuntimeConfig | None = None) -> Context | None:
        if self.capturable and (config or RuntimeConfig).strategy.name != "USER_MANAGED":
            self.log.log(ILogger.Severity.ERROR, "Execution context creation requires kUSER_MANAGED")
            return None
        if config and self.name not in config.cache.content:
            config.cache.content += self.name
            COMPILED.append(self.name)
        return Context(self)


class Runtime:
    def __init__(self, log: ILogger) -> None:
        self.log = log

    def deserialize_cuda_engine(self, plan: bytes) -> Engine | None:
        if not plan.startswith(MAGIC):
            self.log.log(ILogger.Severity.ERROR, "the plan is of another version")
            return None
        return Engine(plan.removeprefix(MAGIC), self.log)


def nptype(kind: str) -> type[np.generic]:
    return {"tensor(uint8)": np.uint8, "tensor(float16)": np.float16, "tensor(float)": np.float32}[kind]


@cache
def flavour(name: str = "tensorrt-rtx") -> Flavour:
    """This fake as livestyle sees an installed TensorRT."""
    module = ModuleType("fake_tensorrt")
    vars(module).update(
        __version__="1.2.3",
        ILogger=ILogger,
        Builder=Builder,
        OnnxParser=OnnxParser,
        Runtime=Runtime,
        TensorIOMode=TensorIOMode,
        nptype=nptype,
        NetworkDefinitionCreationFlag=SimpleNamespace(STRONGLY_TYPED=1),
    )
    if name == "tensorrt-rtx":
        vars(module).update(
            BuilderFlag=BuilderFlag,
            ComputeCapability=ComputeCapability,
            ExecutionContextAllocationStrategy=ExecutionContextAllocationStrategy,
        )
    return Flavour(name, module)


def wrong_graph(graph: bytes) -> bytes:
    """The same graph with the colours the wrong way round: a silent fault for the gate to find."""
    model = onnx.load_from_string(graph)
    for constant in model.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if values.ndim == 4 and values.shape[1] == 12:
            constant.CopyFrom(onnx.numpy_helper.from_array(values[:, ::-1].copy(), constant.name))
    return model.SerializeToString()
