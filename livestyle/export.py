"""The network as a file for other programs: one graph, for one size of frame, that holds every style.

Its inputs are `frame` (H, W, 3), RGB uint8, and `affine` (K,), the style; its output is like `frame`. The
styles' rows go into a JSON file beside it: the weighted mean of rows is the blend of their styles.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from livestyle.architecture import MIN_SIDE
from livestyle.errors import SinkError
from livestyle.sinks.partial import PartialFile
from livestyle.weights import Weights

FORMATS = {"onnx": ".onnx", "torchscript": ".pt", "openvino": ".xml"}
"""What can be written, with the suffix of its file."""


def export(
    weights: Weights,
    path: Path,
    form: str,
    size: tuple[int, int],
    precision: str = "f32",
    *,
    overwrite: bool = False,
) -> Path:
    """Writes the network for frames of `size` (width, height); gives the file with the styles' rows.

    `precision`, f32 or f16, is that of an ONNX graph; the other two are f32 only. Raises SinkError where a
    file cannot be written, or is there already and must stay, EngineError where the format's package is
    missing.
    """
    width, height = size
    if min(size) < MIN_SIDE:
        raise SinkError(f"cannot export for {width}x{height}: the smallest is {MIN_SIDE}x{MIN_SIDE}")
    if os.path.isdir(path):  # noqa: PTH112 - False, not an error, where nobody may look
        raise SinkError(f"cannot write {path}: it is a folder; name a file in it")
    if path.suffix.lower() != FORMATS[form]:
        raise SinkError(f"cannot write {path} as {form}: name it {path.with_suffix(FORMATS[form]).name}")
    if precision != "f32" and form != "onnx":
        raise SinkError(f"cannot write {path} in {precision}: only .onnx can be; leave --precision out")
    styles = path.with_name(f"{path.name}.styles.json")  # of this file alone: other networks have other rows
    rows = {name: [round(float(x), 6) for x in style.row] for name, style in weights.styles.items()}
    named = [path, path.with_suffix(".bin"), styles] if form == "openvino" else [path, styles]
    for target in named:  # what is in the way is told before anything slow begins
        PartialFile(target, overwrite=overwrite).discard()
    files = _WRITERS[form](weights, path, height, width, precision) | {styles: json.dumps(rows).encode()}
    for target in named:
        _put(target, files[target], overwrite=overwrite)
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


def _put(path: Path, content: bytes, *, overwrite: bool) -> None:
    with PartialFile(path, overwrite=overwrite) as partial:
        partial.write(content)


_WRITERS: dict[str, Callable[[Weights, Path, int, int, str], dict[Path, bytes]]] = {
    "onnx": _onnx,
    "torchscript": _torchscript,
    "openvino": _openvino,
}
