"""What fewer bits cost: paintings in each precision against those in float32, eager."""

from typing import Any

import numpy as np
import torch

from benchmarks.clips import SAMPLE
from benchmarks.ours import ways
from livestyle.backends.torchscript import frame_net
from livestyle.bench import machine
from livestyle.engine import load_engine
from livestyle.gate import psnr_db
from livestyle.sources import open_source
from livestyle.styles import StyleMix
from livestyle.weights import load_weights

_EVERY = 15
"""Frames of the sample clip from one that is painted to the next: half a second."""


def precision(
    model: str = "small", every: int = _EVERY, choices: list[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """PSNR in dB of frames of the sample clip in all styles, for each way of computing: mean and worst.

    The ways are pairs of a backend and a precision; all that this processor has if none are given.
    """
    weights = load_weights(model)
    chosen = choices or [("openvino", "f32"), *ways()]
    engines = [load_engine(weights, backend, precision=bits) for backend, bits in chosen]
    found: dict[str, list[float]] = {engine.backend: [] for engine in engines}
    net = frame_net(weights)
    images = [frame.image for number, frame in enumerate(open_source(SAMPLE)) if number % every == 0]
    for style in weights.styles:
        mix = StyleMix.parse(style)
        row = torch.from_numpy(mix.row(weights.styles))
        for image in images:
            with torch.inference_mode():
                right = net(torch.from_numpy(image), row).numpy()
            for engine in engines:
                found[engine.backend].append(psnr_db(engine.stylize(image, mix), right))
    return {
        "machine": machine(),
        "model": model,
        "paintings": len(images) * len(weights.styles),
        "psnr": {name: {"mean": float(np.mean(all_)), "worst": min(all_)} for name, all_ in found.items()},
    }


def lines(results: dict[str, Any]) -> list[str]:
    """The table, in Markdown."""
    rows = ["| computed in | PSNR against float32 eager, dB | worst |", "|---|---:|---:|"]
    for name, row in results["psnr"].items():
        rows.append(f"| {name} | {row['mean']:.1f} | {row['worst']:.1f} |")
    return rows
