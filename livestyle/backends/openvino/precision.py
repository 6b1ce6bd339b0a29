"""What the network computes in on this processor, where nobody says."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from livestyle.backends.instruction_sets import multiplies_tiles
from livestyle.backends.openvino.library import ov
from livestyle.backends.openvino.probe import has_bfloat16, saturates

if TYPE_CHECKING:
    from livestyle.engine import Engine
    from livestyle.weights import Weights

_SIZE = (640, 480)
_SECONDS = 0.3
_WORTH = 1.1
"""As many times as fast as bfloat16, which paints closer to float32, 8 bits must be where both are fast."""


def best_precision(core: "ov.Core", weights: "Weights", load: Callable[[str], "Engine"]) -> str:
    """The fastest precision that paints nearly what float32 does; `load` makes the engine of a precision.

    int8 needs VNNI: without it kernels have 7 bits. Where AMX multiplies int8 and bfloat16 fast, both are
    timed, which takes a second; the answer is remembered for this processor and these weights.
    """
    bfloat16, int8 = has_bfloat16(core), not saturates(core)
    if bfloat16 and int8 and multiplies_tiles():
        return _faster(weights, load)
    if int8:
        return "int8"
    return "bf16" if bfloat16 else "f32"


def _faster(weights: "Weights", load: Callable[[str], "Engine"]) -> str:
    from livestyle.bench import machine  # most processors do without
    from livestyle.remembered import recall, remember

    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    facts = {"what": "fastest precision", "network": weights.network, "limit": limit} | machine()
    known = recall(facts)
    if known not in ("int8", "bf16"):
        fps = {name: _fps(weights, load(name)) for name in ("int8", "bf16")}
        known = "int8" if fps["int8"] > _WORTH * fps["bf16"] else "bf16"
        remember(facts, known)
    return str(known)


def _fps(weights: "Weights", engine: "Engine") -> float:
    from livestyle.bench import time_engine

    return time_engine(engine, next(iter(weights.styles)), _SIZE, _SECONDS).fps
