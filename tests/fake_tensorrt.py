"""A TensorRT that runs on a processor: its plans are ONNX graphs, which onnxruntime paints with.

It reads and writes through bare addresses, as the real one does, so that everything around it is real.
"""

import ctypes
from enum import Enum
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime

from livestyle.tensorrt_builder import Flavour

TensorIOMode = Enum("TensorIOMode", "INPUT OUTPUT")
MAGIC = b"fake plan\n"


class ILogger:
    Severity = Enum("Severity", "INTERNAL_ERROR ERROR WARNING INFO VERBOSE")

    def log(self, severity: Any, message: str) -> None:
        raise NotImplementedError


class Builder:
    def __init__(self, log: ILogger) -> None:
        self.log = log

    def create_network(self, _: int) -> dict[str, bytes]:
        return {}

    def create_builder_config(self) -> None:
        return None

    def build_serialized_network(self, network: dict[str, bytes], _: None) -> bytes | None:
        if b"impossible" in network["graph"]:
            self.log.log(ILogger.Severity.ERROR, "no tactic for Conv_3\nmore about it")
            return None
        return MAGIC + network["graph"]


class OnnxParser:
    num_errors = 1

    def __init__(self, network: dict[str, bytes], _: ILogger) -> None:
        self.network = network

    def parse(self, graph: bytes) -> bool:
        self.network["graph"] = graph
        return not graph.startswith(b"not a graph")

    def get_error(self, _: int) -> Any:
        return SimpleNamespace(desc=lambda: "Failed to parse")


class Context:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session
        self.addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def _memory(self, value: Any) -> np.ndarray:
        kind = nptype(value.type)
        size = int(np.prod(value.shape)) * kind().itemsize
        buffer = (ctypes.c_byte * size).from_address(self.addresses[value.name])
        return np.frombuffer(buffer, kind).reshape(value.shape)

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == 0
        given = {value.name: self._memory(value) for value in self.session.get_inputs()}
        (output,) = self.session.get_outputs()
        self._memory(output)[:] = self.session.run(None, given)[0]
        return True


class Engine:
    def __init__(self, plan: bytes) -> None:
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

    def create_execution_context(self) -> Context:
        return Context(self.session)


class Runtime:
    def __init__(self, log: ILogger) -> None:
        self.log = log

    def deserialize_cuda_engine(self, plan: bytes) -> Engine | None:
        if not plan.startswith(MAGIC):
            self.log.log(ILogger.Severity.ERROR, "the plan is of another version")
            return None
        return Engine(plan.removeprefix(MAGIC))


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
    return Flavour(name, module)


def wrong_graph(graph: bytes) -> bytes:
    """The same graph with the colours the wrong way round: a silent fault for the gate to find."""
    model = onnx.load_from_string(graph)
    for constant in model.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if values.ndim == 4 and values.shape[1] == 12:
            constant.CopyFrom(onnx.numpy_helper.from_array(values[:, ::-1].copy(), constant.name))
    return model.SerializeToString()
