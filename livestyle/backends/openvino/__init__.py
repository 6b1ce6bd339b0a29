"""The network on a CPU through OpenVINO, built straight from the weights, without PyTorch.

Frames go in and come out as uint8 (H, W, 3); OpenVINO fuses the conversions with the layers beside them.
The convolutions run in 8-bit integers where the CPU multiplies those fast and whole (VNNI), the rest in
bfloat16 where that is in hardware, else in float32. With AMX all of it runs in bfloat16 if that is as fast.
"""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np

from livestyle.backends.openvino.graph import build, build_plain, serialize
from livestyle.backends.openvino.library import ov
from livestyle.backends.openvino.precision import best_precision
from livestyle.backends.openvino.probe import has_bfloat16, normalizes, saturates
from livestyle.backends.openvino.quantization import Int8
from livestyle.engine import as_engine_error
from livestyle.errors import EngineError, UnavailableError
from livestyle.frame import Image, as_image
from livestyle.styles import StyleMix
from livestyle.weights import Weights

_SIZES_KEPT = 4

__all__ = ["OpenVinoEngine", "build_plain", "core", "load", "serialize"]


@cache
def core() -> "ov.Core":
    """OpenVINO's core, one for the whole process.

    Each one gives the thread a stack for signal handlers, and takes it away when it goes: of two that overlap
    the later one leaves a stack that is freed already, and the next Ctrl-C or child that ends is a crash.
    """
    return ov.Core()


class OpenVinoEngine:
    """Runs the network through OpenVINO, compiled anew for each size of frame (about 0.1 s)."""

    def __init__(self, weights: Weights, streams: int = 1, precision: str = "auto") -> None:
        self._weights = weights
        self._streams = streams
        self._core = core()
        floating = "bf16" if has_bfloat16(self._core) else "f32"
        if precision == "auto":
            precision = best_precision(self._core, weights, lambda name: OpenVinoEngine(weights, 1, name))
        self._precision = precision
        int8 = self._precision == "int8"
        self._int8 = Int8(weights, saturates=saturates(self._core)) if int8 else None
        self._hint = floating if int8 else self._precision
        if self._hint == "bf16" and floating != "bf16":
            raise EngineError("this processor has no bfloat16: choose the precision auto, f32 or int8")
        self._requests = lru_cache(_SIZES_KEPT)(self._compile)
        self._row = lru_cache(_SIZES_KEPT)(lambda style: _as_affine(style.row(weights.styles)))

    @property
    def backend(self) -> str:
        """`openvino bf16`, `openvino f32` or `openvino int8`."""
        return f"openvino {self._precision}"

    @property
    def in_flight(self) -> int:
        """One for each stream, and one more, so that none has to wait for the caller; 1 for one stream."""
        return self._streams + 1 if self._streams > 1 else 1

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        """Begins to paint an image, on OpenVINO's own threads."""
        image = as_image(image)
        height, width, _ = image.shape
        row = self._row(style)
        with as_engine_error(self.backend, height, width):
            requests = self._requests(height, width)
            request = requests.take()
            request.set_input_tensor(0, ov.Tensor(image, shared_memory=True))
            request.set_input_tensor(1, row)
            request.start_async()

        # OpenVINO reads the image where it lies and does not hold it: what is given does, until it is fetched
        return partial(self._fetch, requests, request, image)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image; the result is the caller's to keep."""
        return self.start(image, style)()

    def _fetch(self, requests: "_Requests", request: "ov.InferRequest", image: Image) -> Image:
        with as_engine_error(self.backend, *image.shape[:2]):
            painted = _painting(request, image)
        requests.give_back(request)
        return painted

    def _compile(self, height: int, width: int) -> "_Requests":
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": self._hint}
        if self._streams == 1:
            settings["PERFORMANCE_HINT"] = "LATENCY"
        else:
            settings |= {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": self._streams}
        model = build(self._weights, height, width, self._int8)
        return _Requests(self._core.compile_model(model, "CPU", settings))


def _painting(request: "ov.InferRequest", image: Image) -> Image:
    """Waits for the painting and weaves its even and its odd rows, cropped, into one image."""
    request.wait()
    height, width, _ = image.shape
    painted = np.empty((height, 3 * width), np.uint8)
    for parity in (0, 1):
        rows = painted[parity::2]
        data = request.get_output_tensor(parity).data
        rows[:] = data.reshape(data.shape[1], -1)[: len(rows), : 3 * width]
    return painted.reshape(height, width, 3)


def _as_affine(row: np.ndarray[Any, np.dtype[np.float32]]) -> "ov.Tensor":
    return ov.Tensor(row.reshape(1, -1, 1, 1))


class _Requests:
    """Inference requests of one compiled network, made when they are needed and used again."""

    def __init__(self, compiled: "ov.CompiledModel") -> None:
        self._compiled = compiled
        self._free: list[ov.InferRequest] = []

    def take(self) -> "ov.InferRequest":
        return self._free.pop() if self._free else self._compiled.create_infer_request()

    def give_back(self, request: "ov.InferRequest") -> None:
        self._free.append(request)


def load(weights: Weights, streams: int, precision: str = "auto") -> OpenVinoEngine:
    """The engine of this backend. Raises UnavailableError on processors without AVX."""
    if not normalizes(core()):
        raise UnavailableError("backend 'openvino' needs a processor with AVX")
    return OpenVinoEngine(weights, streams, precision)
