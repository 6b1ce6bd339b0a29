"""The network as an ONNX graph, built straight from the weights: what TensorRT parses and `export` writes.

Frames go in and come out as uint8 (H, W, 3), for one size; `affine`, the style, is the second input. The
statistics of the norms are taken in float32 whatever the rest is in: squares overflow in half precision.
"""

from itertools import count
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from livestyle.architecture import NORM_EPSILON, Padding
from livestyle.errors import EngineError
from livestyle.weights import Weights

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    raise EngineError("building an onnx graph needs onnx: pip install 'livestyle[export]'") from error

OPSET = 18
"""The first in which Pad takes axes; TensorRT 10 and onnxruntime 1.15 know it."""
_IR_VERSION = 10
_FLOATS = {"f32": (TensorProto.FLOAT, np.float32), "f16": (TensorProto.FLOAT16, np.float16)}
_Name: TypeAlias = str
"""The name of a tensor of the graph."""


def build(weights: Weights, height: int, width: int, precision: str = "f32") -> onnx.ModelProto:
    """The graph for frames of one size; `precision`, f32 or f16, is that of everything but the statistics.

    Inputs `frame` (H, W, 3) uint8 and `affine` (K,), float of that precision; output `painted` like `frame`.
    """
    graph = _Graph(precision)
    painted = _paint(graph, weights, _enter(graph, height, width))
    _leave(graph, painted, height, width)
    model = helper.make_model(
        graph.close(weights.config.affine_length, height, width),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="livestyle",
        ir_version=_IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Collects nodes and constants; every method adds what it is named after and gives its output's name."""

    def __init__(self, precision: str) -> None:
        self.float_type, self._float = _FLOATS[precision]
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._numbers = count()

    def add(self, op: str, *inputs: _Name, output: _Name | None = None, **attributes: Any) -> _Name:
        """A node with one output."""
        name = output or f"{op}_{next(self._numbers)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def split(self, x: _Name, lengths: list[int]) -> list[_Name]:
        names = [f"part_{next(self._numbers)}" for _ in lengths]
        self._nodes.append(helper.make_node("Split", [x, self.ints(*lengths)], names, axis=0))
        return names

    def ints(self, *values: int) -> _Name:
        return self._constant(np.array(values, np.int64))

    def floats(self, values: NDArray[np.float32]) -> _Name:
        """A constant in the graph's precision."""
        return self._constant(values.astype(self._float))

    def single(self, values: NDArray[np.float32]) -> _Name:
        """A constant in float32, for the statistics."""
        return self._constant(values)

    def cast(self, x: _Name, kind: int, output: _Name | None = None) -> _Name:
        return self.add("Cast", x, output=output, to=kind)

    def reflect(self, x: _Name, rows: Padding, columns: Padding) -> _Name:
        """Pads the last two axes of a tensor (1, C, H, W)."""
        pads = self.ints(rows.before, columns.before, rows.after, columns.after)
        return self.add("Pad", x, pads, "", self.ints(2, 3), mode="reflect")

    def close(self, affine_length: int, height: int, width: int) -> onnx.GraphProto:
        frame = helper.make_tensor_value_info("frame", TensorProto.UINT8, [height, width, 3])
        affine = helper.make_tensor_value_info("affine", self.float_type, [affine_length])
        painted = helper.make_tensor_value_info("painted", TensorProto.UINT8, [height, width, 3])
        return helper.make_graph(self._nodes, "livestyle", [frame, affine], [painted], self._constants)

    def _constant(self, values: NDArray[np.generic]) -> _Name:
        name = f"constant_{next(self._numbers)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


class _Norms:
    """Conditional norms; each takes its scale and shift off `affine`, in the order of the network."""

    def __init__(self, graph: _Graph, channels: tuple[int, ...]) -> None:
        self._graph = graph
        self._channels = iter(channels)
        self._parts = iter(graph.split("affine", [c for channel in channels for c in (channel, channel)]))

    def __call__(self, x: _Name) -> _Name:
        graph, channels = self._graph, next(self._channels)
        plain = graph.single(np.ones(channels, np.float32)), graph.single(np.zeros(channels, np.float32))
        normal = graph.add(
            "InstanceNormalization", graph.cast(x, TensorProto.FLOAT), *plain, epsilon=NORM_EPSILON
        )
        shape = graph.ints(1, channels, 1, 1)
        scale, shift = (graph.add("Reshape", next(self._parts), shape) for _ in range(2))
        return graph.add("Add", graph.add("Mul", graph.cast(normal, graph.float_type), scale), shift)


def _paint(graph: _Graph, weights: Weights, x: _Name) -> _Name:
    """The layers of `livestyle.network.TransformNet.forward`, for x (1, 3, H, W) in 0 to 1."""
    norm = _Norms(graph, weights.config.norms)
    one = Padding(1, 1)

    def conv(x: _Name, name: str, stride: int = 1) -> _Name:
        kernel = graph.floats(weights.tensors[f"{name}.weight"])
        bias = weights.tensors.get(f"{name}.bias")
        more = () if bias is None else (graph.floats(bias),)
        return graph.add("Conv", x, kernel, *more, strides=[stride, stride])

    stem = graph.floats(_depth_first_stem(weights))
    x = graph.add("Relu", norm(graph.add("Conv", graph.add("SpaceToDepth", x, blocksize=2), stem)))
    x = graph.add("Relu", norm(conv(x, "down", stride=2)))
    for block in range(weights.config.blocks):
        y = graph.add("Relu", norm(conv(graph.reflect(x, one, one), f"blocks.{block}.first")))
        x = graph.add("Add", x, norm(conv(graph.reflect(y, one, one), f"blocks.{block}.second")))
    x = graph.add("DepthToSpace", conv(x, "up"), blocksize=2, mode="CRD")
    x = graph.add("DepthToSpace", conv(graph.add("Relu", norm(x)), "head"), blocksize=2, mode="CRD")
    return graph.add("Sigmoid", x)


def _depth_first_stem(weights: Weights) -> NDArray[np.float32]:
    """The stem for inputs in the order of SpaceToDepth, (row, column, colour), not (colour, row, column)."""
    stem = weights.tensors["stem.weight"]
    out, _, height, width = stem.shape
    return stem.reshape(out, 3, 4, height, width).swapaxes(1, 2).reshape(stem.shape)


def _enter(graph: _Graph, height: int, width: int) -> _Name:
    """`frame` as (1, 3, H', W') in 0 to 1, padded; the cast comes first: TensorRT takes uint8 only there."""
    x = graph.add("Transpose", graph.cast("frame", graph.float_type), perm=[2, 0, 1])
    x = graph.add("Unsqueeze", x, graph.ints(0))
    x = graph.add("Mul", x, graph.floats(np.array(1 / 255, np.float32)))
    return graph.reflect(x, Padding.of(height), Padding.of(width))


def _leave(graph: _Graph, painted: _Name, height: int, width: int) -> None:
    """(1, 3, H', W') in 0 to 1 to `painted`; the cast comes last: TensorRT gives uint8 only there."""
    starts, ends, axes = graph.ints(0, 0), graph.ints(height, width), graph.ints(2, 3)
    x = graph.add("Slice", painted, starts, ends, axes)
    x = graph.add("Round", graph.add("Mul", x, graph.floats(np.array(255, np.float32))))
    x = graph.add("Transpose", graph.add("Squeeze", x, graph.ints(0)), perm=[1, 2, 0])
    graph.cast(x, TensorProto.UINT8, output="painted")
