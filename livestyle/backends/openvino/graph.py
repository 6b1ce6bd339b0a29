"""The network as OpenVINO's graph, in the form that its kernels run fastest.

The layers are those of `livestyle.network`, some written as others that they equal: nothing is shuffled
between sub-pixels, because OpenVINO's DepthToSpace takes as long as a convolution (benchmarks/NOTES.md).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from livestyle.architecture import NORM_EPSILON, Padding
from livestyle.backends.openvino.library import op, ov
from livestyle.backends.openvino.quantization import Int8
from livestyle.weights import Weights

_Node: TypeAlias = Any
"""A node of OpenVINO's graph, whose classes are untyped."""
_Kernel: TypeAlias = NDArray[np.float32]


def build(weights: Weights, height: int, width: int, int8: Int8 | None = None) -> "ov.Model":
    """Frame (H, W, 3) uint8 and affine (1, K, 1, 1) in; out the even and the odd rows of the painting.

    Rows come out as uint8 (1, rows, width / 4, 12), at least those of the frame: crop and weave them.
    """
    frame = op.parameter([height, width, 3], np.uint8, name="frame")
    affine = op.parameter([1, weights.config.affine_length, 1, 1], np.float32, name="affine")
    rows = _Builder(weights, affine, int8).paint(_enter(frame, height, width), width)
    return ov.Model(rows, [frame, affine], "livestyle")


def build_plain(weights: Weights, height: int, width: int) -> "ov.Model":
    """The same for other programs, more simply called: frame and affine (K,) in, the whole painting out."""
    frame = op.parameter([height, width, 3], np.uint8, name="frame")
    affine = op.parameter([weights.config.affine_length], np.float32, name="affine")
    shaped = op.reshape(affine, _ints(1, -1, 1, 1), False)
    rows = _Builder(weights, shaped, None).paint(_enter(frame, height, width), width)
    woven = op.concat([op.reshape(half, _ints(0, 1, -1, 3), True) for half in _as_rows(rows)], 1)
    painted = op.reshape(woven, _ints(-1, int(woven.output(0).shape[2]), 3), False)
    cropped = op.slice(painted, _ints(0, 0), _ints(height, width), _ints(1, 1), _ints(0, 1))
    return ov.Model([cropped], [frame, affine], "livestyle")


def serialize(weights: Weights, height: int, width: int) -> tuple[bytes, bytes]:
    """The plain graph as OpenVINO's two files, .xml and .bin, with named inputs and output."""
    model = build_plain(weights, height, width)
    for port, name in zip((*model.inputs, model.output(0)), ("frame", "affine", "painted"), strict=True):
        port.get_tensor().set_names({name})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        ov.save_model(model, path, compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()


class _Builder:
    """Adds layers; takes the scales and shifts of the norms off `affine` one after the other."""

    def __init__(self, weights: Weights, affine: _Node, int8: Int8 | None) -> None:
        self._weights = weights
        self._int8 = int8
        lengths = [c for channels in weights.config.norms for c in (channels, channels)]
        self._affine = iter(op.variadic_split(affine, _ints(1), _ints(*lengths)).outputs())

    def paint(self, x: _Node, width: int) -> list[_Node]:
        """The layers of `livestyle.network.TransformNet.forward`, for x (1, 3, H, W) in 0 to 255."""
        x = op.relu(self._norm(self._down(x, "stem", unfolded_stem(self._weights.tensors["stem.weight"]))))
        x = op.relu(self._norm(self._down(x, "down", self._weights.tensors["down.weight"])))
        for block in range(self._weights.config.blocks):
            y = op.relu(self._norm(self._body(x, f"blocks.{block}.first")))
            x = op.add(x, self._norm(self._body(y, f"blocks.{block}.second")))
        x = op.relu(self._norm(self._up(x)))
        return [self._head(x, parity, width) for parity in (0, 1)]

    def _body(self, x: _Node, name: str) -> _Node:
        x, kernel = self._quantized(x, name, self._weights.tensors[f"{name}.weight"])
        around = _ints(0, 0, 1, 1)
        return _convolve(op.pad(x, around, around, "reflect"), kernel)

    def _down(self, x: _Node, name: str, kernel: _Kernel) -> _Node:
        x, constant = self._quantized(x, name, kernel)
        return _convolve(x, constant, 2, 2)

    def _up(self, x: _Node) -> _Node:
        folded = self._weights.tensors["up.weight"]
        x, kernel = self._quantized(x, "up", folded, upsampling, outputs=1, sub_pixels=4)
        return op.convolution_backprop_data(x, kernel, [2, 2], None, [2, 2], [2, 2], [1, 1])

    def _head(self, x: _Node, parity: int, width: int) -> _Node:
        """Every second row of the painting, (1, rows, columns, 12): four pixels in each column."""
        columns = x.output(0).shape[3] // 2 - 1
        folded = self._weights.tensors["head.weight"]
        x, kernel = self._quantized(x, "head", folded, partial(head_rows, parity=parity), sub_pixels=4)
        missing = int(4 * columns < width)
        y = _convolve(x, kernel, 1, 2, right=missing)
        bias = self._weights.tensors["head.bias"].reshape(3, 2, 2)[:, parity].T
        y = op.sigmoid(op.add(y, op.constant(np.tile(bias.reshape(-1), 2).reshape(1, -1, 1, 1))))
        return op.transpose(self._to_uint8(op.multiply(y, _float(255))), _ints(0, 2, 3, 1))

    def _norm(self, x: _Node) -> _Node:
        normal = op.mvn(x, _ints(2, 3), True, NORM_EPSILON, "inside_sqrt")
        scale, shift = next(self._affine), next(self._affine)
        return op.add(op.multiply(normal, scale), shift)

    def _quantized(
        self,
        x: _Node,
        name: str,
        folded: _Kernel,
        arrange: Callable[[_Kernel], _Kernel] = lambda kernel: kernel,
        outputs: int = 0,
        sub_pixels: int = 1,
    ) -> tuple[_Node, _Node]:
        """What goes into a convolution and its kernel: both in 8 bits where that is asked for.

        `arrange` makes the kernel from the folded one; its axis `outputs` is that of the outputs.
        """
        if self._int8 is None or name not in self._int8.layers:
            return x, op.constant(arrange(folded))
        lowest, step = self._int8.range_of(name)
        levels = op.multiply(op.subtract(x, op.constant(lowest)), op.constant(1 / step))
        # a constant added to the input of a convolution is taken away by the norm after it: the levels need
        # no zero point. The head, which no norm follows, has a range that begins at 0
        codes, scale = self._int8.kernel(folded * step, sub_pixels)
        others = tuple(axis for axis in range(4) if axis != outputs)
        scales = arrange(np.broadcast_to(scale, codes.shape)).max(axis=others, keepdims=True)
        kernel = op.convert(op.constant(arrange(codes).astype(np.int8)), "f32")
        return _round_to_uint8(levels), op.multiply(kernel, op.constant(scales))

    def _to_uint8(self, x: _Node) -> _Node:
        rounded = op.round(x, "HALF_TO_EVEN") if self._int8 is None else _round_to_uint8(x)
        return op.convert(rounded, "u8")


def unfolded_stem(folded: _Kernel) -> _Kernel:
    """The stem as the 6x6 convolution of stride 2 on 0 to 255 that it equals."""
    kernel = folded.reshape(-1, 3, 2, 2, 3, 3).transpose(0, 1, 4, 2, 5, 3).reshape(-1, 3, 6, 6)
    return np.ascontiguousarray(kernel / np.float32(255))


def upsampling(folded: _Kernel) -> _Kernel:
    """The 2x2 convolution to sub-pixels as the transposed one of stride 2 that it equals: (in, out, 4, 4).

    Tap (a, b) of sub-pixel (p, q) reaches from row i + a to row 2i + p: row 2 - 2a + p of a kernel whose
    output is cropped by 2.
    """
    taps = folded.reshape(-1, 2, 2, folded.shape[1], 2, 2)[..., ::-1, ::-1]
    kernel = taps.transpose(3, 0, 4, 1, 5, 2)  # (in, out, reversed a, p, reversed b, q)
    return np.ascontiguousarray(kernel.reshape(folded.shape[1], -1, 4, 4))


def head_rows(folded: _Kernel, parity: int) -> _Kernel:
    """The head for every second row, at every second column: (12, in, 2, 3) of stride (1, 2).

    The outputs are (column, sub-pixel, RGB): four pixels side by side, as a row of an image holds them.
    """
    taps = folded.reshape(3, 2, 2, -1, 2, 2)[:, parity].transpose(1, 0, 2, 3, 4)
    kernel = np.zeros((2, *taps.shape[:4], 3), np.float32)
    for column in (0, 1):
        kernel[column, ..., column : column + 2] = taps
    return kernel.reshape(12, -1, 2, 3)


def _enter(frame: _Node, height: int, width: int) -> _Node:
    """(H, W, 3) uint8 to (1, 3, H', W') in 0 to 255, padded as the network wants it."""
    rows, columns = Padding.of(height), Padding.of(width)
    before, after = _ints(rows.before, columns.before, 0), _ints(rows.after, columns.after, 0)
    padded = op.unsqueeze(op.pad(frame, before, after, "reflect"), _ints(0))
    return op.transpose(op.convert(padded, "f32"), _ints(0, 3, 1, 2))


def _as_rows(halves: list[_Node]) -> list[_Node]:
    return [op.squeeze(half, _ints(0)) for half in halves]


def _convolve(x: _Node, kernel: _Node, down: int = 1, across: int = 1, right: int = 0) -> _Node:
    return op.convolution(x, kernel, [down, across], [0, 0], [0, right], [1, 1])


def _round_to_uint8(x: _Node) -> _Node:
    """Rounded to the integers from 0 to 255; OpenVINO takes this for 8 bits."""
    return op.fake_quantize(x, _float(0), _float(255), _float(0), _float(255), 256)


def _float(value: float) -> _Node:
    return op.constant(np.float32(value))


def _ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)
