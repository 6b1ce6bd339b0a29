"""Where the time goes on a CPU: each layer's operations, bytes and time against what the processor can do.

The roofs are measured, not read off a data sheet: matrix work by a large convolution of the same library,
memory by copying. A layer's bytes are its inputs and outputs, once each; between layers of a small frame they
stay in cache.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op

from benchmarks.random_weights import trained_or_random
from livestyle.backends.openvino import core as engine_core
from livestyle.backends.openvino.graph import build
from livestyle.backends.openvino.probe import has_bfloat16, saturates
from livestyle.backends.openvino.quantization import Int8
from livestyle.bench import frame, machine
from livestyle.weights import Weights

mpl.use("Agg")  # no display is needed to write a file
from matplotlib import pyplot

SIZE = (640, 480)
_REPEATS = 30
_FAST = 10
"""The percentile that is taken: other programs only ever make a layer slower."""
_COLORS = {"convolution": "#d1495b", "norm": "#3d5a80", "element by element": "#ffb703", "moving": "#8ecae6"}
_KINDS = {
    "Convolution": "convolution",
    "Deconvolution": "convolution",
    "MVN": "norm",
    "Subgraph": "element by element",
    "Eltwise": "element by element",
}


def roofline(size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Roofs and layers of both sizes of the network, in each precision that this processor computes in."""
    core = engine_core()
    floating = "bf16" if has_bfloat16(core) else "f32"
    networks = {model: trained_or_random(model) for model in ("small", "large")}
    runs = []
    for name, weights in networks.items():
        for precision in (floating, "int8"):
            int8 = Int8(weights, saturates=saturates(core)) if precision == "int8" else None
            model = build(weights, size[1], size[0], int8)
            layers = _layers(core, model, floating, weights, size)
            runs.append({"network": name, "precision": precision, "layers": layers})
    return {
        "machine": machine(),
        "size": list(size),
        "roofs": {
            "gmac_per_second": {kind: _peak(core, kind) for kind in ("f32", floating, "int8")},
            "gb_per_second": {"memory": _copying(256), "cache": _copying(4)},
        },
        "runs": runs,
    }


def lines(results: dict[str, Any]) -> list[str]:
    """The table, in Markdown."""
    roofs = results["roofs"]
    peaks = ", ".join(f"{kind} {value:.0f} GMAC/s" for kind, value in roofs["gmac_per_second"].items())
    moved = ", ".join(f"{kind} {value:.0f} GB/s" for kind, value in roofs["gb_per_second"].items())
    rows = [f"Measured roofs: {peaks}; copying in {moved}.", ""]
    rows.append("| network | precision | layers | ms | share | GMAC/s | GB/s | of its roof |")
    rows.append("|---|---|---|---:|---:|---:|---:|---:|")
    for run in results["runs"]:
        whole = sum(layer["milliseconds"] for layer in run["layers"])
        for kind in _COLORS:
            those = [layer for layer in run["layers"] if layer["kind"] == kind]
            taken = sum(layer["milliseconds"] for layer in those)
            best = sum(_least_milliseconds(layer, run["precision"], roofs) for layer in those)
            macs, size = (sum(layer[key] for layer in those) for key in ("mmac", "megabytes"))
            cells = [run["network"], run["precision"], kind, f"{taken:.2f}", f"{taken / whole:.0%}"]
            cells += [f"{macs / taken:.0f}" if macs else "", f"{size / taken:.0f}", f"{best / taken:.0%}"]
            rows.append("| " + " | ".join(cells) + " |")
    return rows


def _least_milliseconds(layer: dict[str, Any], precision: str, roofs: dict[str, Any]) -> float:
    """What a layer would take at the roofs, its data in cache."""
    peaks = roofs["gmac_per_second"]
    floating = "bf16" if "bf16" in peaks else "f32"
    peak = peaks["int8" if precision == "int8" and layer["int8"] else floating]
    return float(max(layer["mmac"] / peak, layer["megabytes"] / roofs["gb_per_second"]["cache"]))


def _layers(
    core: Any, model: Any, floating: str, weights: Weights, size: tuple[int, int]
) -> list[dict[str, Any]]:
    settings = {"INFERENCE_PRECISION_HINT": floating, "PERFORMANCE_HINT": "LATENCY", "PERF_COUNT": True}
    compiled = core.compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    row = next(iter(weights.styles.values())).row
    inputs = [frame(size), row.reshape(1, -1, 1, 1)]
    seconds: dict[str, list[float]] = {}
    for turn in range(_REPEATS + 3):
        request.infer(inputs)
        for layer in request.get_profiling_info() if turn >= 3 else ():
            seconds.setdefault(layer.node_name, []).append(layer.real_time.total_seconds())
    nodes = {node.get_friendly_name(): node for node in compiled.get_runtime_model().get_ordered_ops()}
    found = [
        _layer(nodes[name], float(np.percentile(taken, _FAST)))
        for name, taken in seconds.items()
        if name in nodes
    ]
    return [layer for layer in found if layer["milliseconds"] >= 0.001]


def _layer(node: Any, seconds: float) -> dict[str, Any]:
    kind = node.get_rt_info()["layerType"].astype(str)
    shapes = [list(port.get_shape()) for port in node.inputs()]
    out = list(node.output(0).get_shape())
    macs = 0
    if kind in ("Convolution", "Deconvolution"):
        pixels = out[2:] if kind == "Convolution" else shapes[0][2:]
        macs = math.prod(shapes[1]) * math.prod(pixels)
    ports = [*node.inputs(), *node.outputs()]
    size = sum(math.prod(port.get_shape()) * port.get_element_type().size for port in ports)
    return {
        "type": kind,
        "kind": _KINDS.get(kind, "moving"),
        "int8": node.input(0).get_element_type().size == 1 if shapes else False,
        "milliseconds": 1000 * seconds,
        "mmac": macs / 1e6,
        "megabytes": size / 1e6,
    }


def _peak(core: Any, precision: str) -> float:
    """GMAC/s of convolutions that fill the vectors and stay in cache: the best of some shapes."""
    return max(_convolving(core, precision, channels, side) for channels, side in ((128, 112), (256, 56)))


def _convolving(core: Any, precision: str, channels: int, side: int) -> float:
    x = op.parameter([1, channels, side, side], np.float32)
    rng = np.random.default_rng(0)
    kernel: Any = op.constant(rng.normal(size=(channels, channels, 3, 3)).astype(np.float32))
    y: Any = op.relu(x)
    if precision == "int8":
        y = op.fake_quantize(y, *(op.constant(np.float32(end)) for end in (0, 255, 0, 255)), 256)
        codes = op.constant(rng.integers(-63, 64, (channels, channels, 3, 3), np.int8))
        kernel = op.multiply(op.convert(codes, "f32"), op.constant(np.ones((channels, 1, 1, 1), np.float32)))
    y = op.convolution(y, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    hint = "f32" if precision == "int8" else precision
    settings = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY", "PERF_COUNT": True}
    request = core.compile_model(ov.Model([y], [x], "peak"), "CPU", settings).create_infer_request()
    data = np.abs(rng.normal(size=(1, channels, side, side))).astype(np.float32)
    seconds = []
    for _ in range(_REPEATS):
        request.infer([data])
        layers = request.get_profiling_info()
        seconds += [n.real_time.total_seconds() for n in layers if n.node_type == "Convolution"]
    return float(channels**2 * 9 * (side - 2) ** 2 / np.percentile(seconds, _FAST) / 1e9)


def _copying(mebibytes: int) -> float:
    """GB/s read and written by copying a block of that size with all cores."""
    source = torch.ones(mebibytes * 2**18)
    target = torch.empty_like(source)
    seconds = np.percentile([_time(lambda: target.copy_(source)) for _ in range(_REPEATS)], _FAST)
    return float(2 * source.nbytes / seconds / 1e9)


def _time(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def draw(results: dict[str, Any], path: Path) -> None:
    """Writes the plot: a roofline for each network and precision."""
    runs, roofs = results["runs"], results["roofs"]
    figure, axes = pyplot.subplots(
        1, len(runs), figsize=(4.2 * len(runs), 4), layout="constrained", sharex=True, sharey=True
    )
    intensity = np.geomspace(0.2, 2000, 50)
    for axis, run in zip(axes, runs, strict=True):
        for kind, peak in roofs["gmac_per_second"].items():
            roof = np.minimum(peak, intensity * roofs["gb_per_second"]["cache"])
            axis.loglog(intensity, roof, color="gray", linewidth=1)
            axis.annotate(kind, (1500, peak), fontsize="x-small", ha="right", va="bottom")
        memory = intensity * roofs["gb_per_second"]["memory"]
        axis.loglog(intensity, np.minimum(memory, max(roofs["gmac_per_second"].values())), "--", color="gray")
        for layer in (layer for layer in run["layers"] if layer["mmac"]):
            x, y = layer["mmac"] / layer["megabytes"], layer["mmac"] / layer["milliseconds"]
            area = 600 * layer["milliseconds"] / sum(one["milliseconds"] for one in run["layers"])
            axis.scatter(x, y, s=area, color=_COLORS["convolution"], alpha=0.7)
        axis.set(title=f"{run['network']}, {run['precision']}", xlabel="multiply-adds a byte")
    axes[0].set_ylabel("GMAC/s; area: share of the time")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
