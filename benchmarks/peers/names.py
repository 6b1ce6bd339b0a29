"""What others compare with, and how numbers are written: importable without any framework."""

REFERENCE = ("Johnson 2016", "PyTorch eager f32")
"""The network and the runtime that ratios are of."""


def three_digits(value: float) -> str:
    """A number for a table."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
