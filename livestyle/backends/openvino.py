"""The network on a CPU through OpenVINO, built straight from the weights, without PyTorch.

Frames go in and come out as uint8 (H, W, 3); OpenVINO fuses the conversions with the layers beside them.
On a CPU with bfloat16 in hardware everything but the statistics of the norms runs in it.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livestyle.architecture import NORM_EPSILON, Padding
from livestyle.errors import EngineError
from livestyle.frame import Image, as_image
from livestyle.styles import StyleMix
from livestyle.weights import Weights

try:
    import openvino as ov
    from openvino import opset13 as op
except ImportError as error:
    raise EngineError("backend 'openvino' needs openvino: pip install openvino") from error

_SIZES_KEPT = 4
_Node = Any
"""A node of OpenVINO's graph, whose classes are untyped."""


class OpenVinoEngine:
    """Runs the network through OpenVINO, compiled anew for each size of frame (about 0.1 s)."""

    def __init__(self, weights: Weights, streams: int = 1) -> None:
        self._weights = weights
        self._streams = streams
        self._core = ov.Core()
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if "BF16" in capabilities else "f32"
        self._requests = lru_cache(_SIZES_KEPT)(self._compile)
        self._row = lru_cache(_SIZES_KEPT)(lambda style: ov.Tensor(style.row(weights.styles)))

    @property
    def backend(self) -> str:
        """`openvino bf16` or `openvino f32`."""
        return f"openvino {self._precision}"

    @property
    def in_flight(self) -> int:
        """One for each stream, and one more, so that none has to wait for the caller; 1 for one stream."""
        return self._streams + 1 if self._streams > 1 else 1

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        """Begins to paint an image, on OpenVINO's own threads."""
        image = as_image(image)
        height, width, _ = image.shape
        requests = self._requests(height, width)
        request = requests.take()
        request.set_input_tensor(0, ov.Tensor(image, shared_memory=True))
        request.set_input_tensor(1, self._row(style))
        request.start_async()

        # OpenVINO reads the image where it lies and does not hold it: what is given does, until it is fetched
        return partial(_fetch, requests, request, image)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image; the result is the caller's to keep."""
        return self.start(image, style)()

    def _compile(self, height: int, width: int) -> "_Requests":
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": self._precision}
        if self._streams == 1:
            settings["PERFORMANCE_HINT"] = "LATENCY"
        else:
            settings |= {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": self._streams}
        return _Requests(self._core.compile_model(build(self._weights, height, width), "CPU", settings))


def _fetch(requests: "_Requests", request: "ov.InferRequest", _image: Image) -> Image:
    request.wait()
    painted = np.array(request.get_output_tensor().data)
    requests.give_back(request)
    return painted


class _Requests:
    """Inference requests of one compiled network, made when they are needed and used again."""

    def __init__(self, compiled: "ov.CompiledModel") -> None:
        self._compiled = compiled
        self._free: list[ov.InferRequest] = []

    def take(self) -> "ov.InferRequest":
        return self._free.pop() if self._free else self._compiled.create_infer_request()

    def give_back(self, request: "ov.InferRequest") -> None:
        self._free.append(request)


def load(weights: Weights, streams: int) -> OpenVinoEngine:
    """The engine of this backend."""
    return OpenVinoEngine(weights, streams)


def build(weights: Weights, height: int, width: int) -> "ov.Model":
    """The network as OpenVINO's graph: frame (H, W, 3) uint8 and affine (K,) in, frame out."""
    frame = op.parameter([height, width, 3], np.uint8, name="frame")
    affine = op.parameter([weights.config.affine_length], np.float32, name="affine")
    painted = _Builder(weights, affine).paint(_enter(frame, height, width))
    return ov.Model([_leave(painted, height, width)], [frame, affine], "livestyle")


def serialize(weights: Weights, height: int, width: int) -> tuple[bytes, bytes]:
    """The graph as OpenVINO's two files, .xml and .bin, with named inputs and output."""
    model = build(weights, height, width)
    for port, name in zip((*model.inputs, model.output(0)), ("frame", "affine", "painted"), strict=True):
        port.get_tensor().set_names({name})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        ov.save_model(model, path, compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()


class _Builder:
    """Adds layers; takes the scales and shifts of the norms off `affine` one after the other."""

    def __init__(self, weights: Weights, affine: _Node) -> None:
        self._weights = weights
        lengths = [c for channels in weights.config.norms for c in (channels, channels)]
        parts = op.variadic_split(affine, _ints(0), _ints(*lengths))
        self._affine = iter(parts.outputs())

    def paint(self, x: _Node) -> _Node:
        """The layers of `livestyle.network.TransformNet.forward`, for x (1, 3, H, W) in 0 to 255."""
        x = op.relu(self._norm(_convolve(x, _unfolded_stem(self._weights), stride=2)))
        x = op.relu(self._norm(self._conv(x, "down", stride=2)))
        for block in range(self._weights.config.blocks):
            y = op.relu(self._norm(self._conv(_reflect(x), f"blocks.{block}.first")))
            x = op.add(x, self._norm(self._conv(_reflect(y), f"blocks.{block}.second")))
        x = op.relu(self._norm(op.depth_to_space(self._conv(x, "up"), "depth_first", 2)))
        bias = self._weights.tensors["head.bias"].reshape(1, -1, 1, 1)
        return op.sigmoid(op.add(self._conv(x, "head"), op.constant(bias)))

    def _conv(self, x: _Node, name: str, stride: int = 1) -> _Node:
        return _convolve(x, self._weights.tensors[f"{name}.weight"], stride)

    def _norm(self, x: _Node) -> _Node:
        normal = op.mvn(x, _ints(2, 3), True, NORM_EPSILON, "inside_sqrt")
        scale, shift = (op.reshape(next(self._affine), _ints(1, -1, 1, 1), False) for _ in range(2))
        return op.add(op.multiply(normal, scale), shift)


def _unfolded_stem(weights: Weights) -> NDArray[np.float32]:
    """The stem as the 6x6 convolution of stride 2 on 0 to 255 that it equals, which OpenVINO runs faster."""
    folded = weights.tensors["stem.weight"]
    kernel = folded.reshape(-1, 3, 2, 2, 3, 3).transpose(0, 1, 4, 2, 5, 3).reshape(-1, 3, 6, 6)
    return np.ascontiguousarray(kernel / np.float32(255))


def _enter(frame: _Node, height: int, width: int) -> _Node:
    """(H, W, 3) uint8 to (1, 3, H', W') in 0 to 255, padded as the network wants it."""
    rows, columns = Padding.of(height), Padding.of(width)
    before, after = _ints(rows.before, columns.before, 0), _ints(rows.after, columns.after, 0)
    padded = op.unsqueeze(op.pad(frame, before, after, "reflect"), _ints(0))
    return op.transpose(op.convert(padded, "f32"), _ints(0, 3, 1, 2))


def _leave(painted: _Node, height: int, width: int) -> _Node:
    """(1, 12, H / 2, W / 2) in 0 to 1 to (H, W, 3) uint8, rounded and cropped."""
    pixels = op.depth_to_space(op.multiply(painted, op.constant(np.float32(255))), "depth_first", 2)
    x = op.transpose(op.convert(op.round(pixels, "HALF_TO_EVEN"), "u8"), _ints(0, 2, 3, 1))
    return op.slice(op.squeeze(x, _ints(0)), _ints(0, 0), _ints(height, width), _ints(1, 1), _ints(0, 1))


def _convolve(x: _Node, kernel: NDArray[np.float32], stride: int) -> _Node:
    return op.convolution(x, op.constant(kernel), [stride, stride], [0, 0], [0, 0], [1, 1])


def _reflect(x: _Node) -> _Node:
    return op.pad(x, _ints(0, 0, 1, 1), _ints(0, 0, 1, 1), "reflect")


def _ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)
