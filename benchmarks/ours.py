"""The ways of running livestyle's network that are worth a measurement on this processor."""

from livestyle.backends.openvino import core
from livestyle.backends.openvino.probe import has_bfloat16


def ways() -> list[tuple[str, str]]:
    """Pairs of a backend and a precision, the fastest first on most processors."""
    floating = "bf16" if has_bfloat16(core()) else "f32"
    return [("openvino", "int8"), ("openvino", floating), ("torchscript", "auto")]
