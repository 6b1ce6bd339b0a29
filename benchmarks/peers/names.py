"""What others compare with, at which sizes, and how numbers are written: importable without any framework."""

from collections.abc import Iterable

from livestyle.errors import LivestyleError

REFERENCE = ("Johnson 2016", "PyTorch eager f32")
"""The network and the runtime that ratios are of."""

_LEAST_SIDE = 41
"""Of a frame that reflection can pad by 40 pixels, as one of the networks does."""


def check_sizes(sizes: Iterable[tuple[int, int]]) -> None:
    """Raises LivestyleError where a (width, height) is too small for one of the networks."""
    for width, height in sizes:
        if min(width, height) < _LEAST_SIDE:
            raise LivestyleError(
                f"cannot compare at {width}x{height}: one of the networks pads a frame by 40 pixels of "
                f"reflection; choose sides of {_LEAST_SIDE} or more"
            )


def three_digits(value: float) -> str:
    """A number for a table."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
