"""Results of measurements, made up, as benchmarks/results keeps them."""

from typing import Any

from benchmarks.peers.names import REFERENCE
from livestyle.bench import machine

SIZES = ("640x480", "1280x720")


def row(network: str, runtime: str, fps: float) -> dict[str, Any]:
    return {
        "network": network,
        "runtime": runtime,
        "multiply_adds_per_pixel": 6434,
        "weights": 93_340,
        "fps": {size: fps / number for number, size in enumerate(SIZES, start=1)},
        "times_reference": dict.fromkeys(SIZES, fps / 2),
    }


def peers() -> dict[str, Any]:
    rows = [row("livestyle small", "openvino int8", 222.0), row(*REFERENCE, 2.0)]
    rows += [row("slow net", "OpenVINO", 11.0), row("quick net", "OpenVINO", 44.0)]
    return {"machine": machine(), "command": "python -m benchmarks peers", "reference": "it", "rows": rows}


def video() -> dict[str, Any]:
    run = {"size": "640x480", "frames": 300, "fps": 91.0, "peak_mib": 200.0}
    ours = run | {"first_painted_seconds": 0.4, "times_faster": 55.0}
    return {"video": {"reference": {"fps": 1.6, "frames": 30}, "vga": ours}}


def bits() -> dict[str, Any]:
    found = {"openvino f32": (86.0, 80.0), "openvino bf16": (52.0, 43.0), "openvino int8": (41.0, 33.0)}
    return {
        "machine": machine(),
        "command": "python -m benchmarks precision",
        "paintings": 144,
        "psnr": {name: {"mean": mean, "worst": worst} for name, (mean, worst) in found.items()},
    }


def layers() -> dict[str, Any]:
    layer = {"type": "Convolution", "kind": "convolution", "int8": False, "milliseconds": 2.0}
    moving = {
        "type": "Pad",
        "kind": "moving",
        "int8": False,
        "milliseconds": 1.0,
        "mmac": 0,
        "megabytes": 4.0,
    }
    kinds = [moving | {"kind": kind} for kind in ("norm", "element by element", "moving")]
    return {
        "machine": machine(),
        "command": "python -m benchmarks roofline",
        "size": [640, 480],
        "roofs": {
            "gmac_per_second": {"f32": 100.0, "bf16": 400.0, "int8": 800.0},
            "gb_per_second": {"memory": 20.0, "cache": 40.0},
        },
        "runs": [
            {
                "network": name,
                "precision": "bf16",
                "layers": [layer | {"mmac": 400.0, "megabytes": 2.0}, *kinds],
            }
            for name in ("small", "large")
        ],
    }


def growth() -> dict[str, Any]:
    return {
        "machine": machine(),
        "command": "python -m benchmarks scaling",
        "backend": "openvino bf16",
        "pixels": {"100": 1.0, "200": 2.0, "400": 4.0},
        "cores": {"1": 4.0, "2": 2.0},
        "styles": {"1": 3.0, "1000": 3.0},
        "frames": {"10": 2.0},
    }


def stages() -> dict[str, Any]:
    names = ("decode", "encode", "paint", "paint_in_the_pipeline", "all_but_the_network", "all")
    found = {
        "fps": {name: 100.0 * number for number, name in enumerate(names, start=1)},
        "times_faster_without_the_network": 4.0,
        "share_of_the_slowest_stage": 0.8,
        "share_of_the_slowest_stage_beside_the_others": 0.94,
        "cores_busy": 0.97,
        "fps_if_no_core_ever_waited": 1200.0,
        "conversion_share_of_the_time": 0.05,
    }
    return {"machine": machine(), "command": "python -m benchmarks files", "stages": {"vga": found}}


def memory() -> dict[str, Any]:
    peaks = {"peak_mib": {"60": 120.0, "3600": 129.0}, "growth_mib": 9.0}
    command = "python -m benchmarks memory --suffix .mkv"
    return {"machine": machine(), "command": command, "suffix": ".mkv", "strength": 0.0, **peaks}
