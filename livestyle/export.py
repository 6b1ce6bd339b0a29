"""The network as a file for other programs: one graph, for one size of frame, that holds every style.

Its inputs are `frame` (H, W, 3), RGB uint8, and `affine` (K,), the style; its output is like `frame`. The
styles' rows go into a JSON file beside it: the weighted mean of rows is the blend of their styles.
"""

import json
from collections.abc import Callable
from pathlib import Path

from livestyle.architecture import MIN_SIDE
from livestyle.errors import SinkError
from livestyle.sinks.partial import PartialFile
from livestyle.weights import Weights

FORMATS = {"onnx": ".onnx", "torchscript": ".pt", "openvino": ".xml"}
"""What can be written, with the suffix of its file."""


def export(weights: Weights, path: Path, form: str, size: tuple[int, int], precision: str = "f32") -> Path:
    """Writes the network for frames of `size` (width, height); gives the file with the styles' rows.

    `precision`, f32 or f16, is that of an ONNX graph; the other two are f32 only. Raises SinkError where a
    file cannot be written, EngineError where the format's package is missing.
    """
    width, height = size
    if min(size) < MIN_SIDE:
        raise SinkError(f"cannot export for {width}x{height}: the smallest is {MIN_SIDE}x{MIN_SIDE}")
    if path.suffix != FORMATS[form]:
        raise SinkError(f"cannot write {path} as {form}: name it {path.with_suffix(FORMATS[form]).name}")
    if precision != "f32" and form != "onnx":
        raise SinkError(f"cannot write {path} in {precision}: only .onnx can be; leave --precision out")
    styles = path.with_suffix(".styles.json")
    for target, content in _WRITERS[form](weights, path, height, width, precision).items():
        _put(target, content)
    rows = {name: [round(float(x), 6) for x in style.row] for name, style in weights.styles.items()}
    _put(styles, json.dumps(rows).encode())
    return styles


def _onnx(weights: Weights, path: Path, height: int, width: int, precision: str) -> dict[Path, bytes]:
    from livestyle.onnx_graph import build

    return {path: build(weights, height, width, precision).SerializeToString()}


def _torchscript(weights: Weights, path: Path, height: int, width: int, _: str) -> dict[Path, bytes]:
    from livestyle.backends.torchscript import script

    return {path: script(weights, height, width)}


def _openvino(weights: Weights, path: Path, height: int, width: int, _: str) -> dict[Path, bytes]:
    from livestyle.backends.openvino import serialize

    graph, constants = serialize(weights, height, width)
    return {path.with_suffix(".bin"): constants, path: graph}


def _put(path: Path, content: bytes) -> None:
    with PartialFile(path) as partial:
        partial.write(content)


_WRITERS: dict[str, Callable[[Weights, Path, int, int, str], dict[Path, bytes]]] = {
    "onnx": _onnx,
    "torchscript": _torchscript,
    "openvino": _openvino,
}
