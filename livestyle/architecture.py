"""The shape of the transform network in plain numbers, for every backend that builds it.

The network itself is in `livestyle.network`; this module imports no framework, so that a backend which
does not need PyTorch does not wait for it.
"""

from dataclasses import dataclass

NORM_EPSILON = 1e-5
"""Added to the variance in every norm, as PyTorch's instance_norm does."""

MIN_SIDE = 32
"""The smallest height or width of a frame, in pixels."""

_BODY_STRIDE = 4
_MARGIN = 7
"""Frame pixels before the first output pixel: 2 for the stem, 2 for down-sampling, 3 for up-sampling."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The widths of a transform network, in channels, and its depth."""

    stem: int
    """Channels at half resolution."""
    body: int
    """Channels at quarter resolution."""
    blocks: int
    """Residual blocks, two 3x3 convolutions each."""

    @property
    def norms(self) -> tuple[int, ...]:
        """The channels of each conditional norm, in the order in which the network meets them."""
        return (self.stem, self.body, *(self.body,) * (2 * self.blocks), self.stem)

    @property
    def affine_length(self) -> int:
        """The length of one style's row: a scale and a shift for each channel of each norm."""
        return 2 * sum(self.norms)

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight of the folded network by name, with its shape (out, in, height, width)."""
        shapes: dict[str, tuple[int, ...]] = {
            "stem.weight": (self.stem, 12, 3, 3),
            "down.weight": (self.body, self.stem, 4, 4),
        }
        for block in range(self.blocks):
            for conv in ("first", "second"):
                shapes[f"blocks.{block}.{conv}.weight"] = (self.body, self.body, 3, 3)
        return shapes | {
            "up.weight": (4 * self.stem, self.body, 2, 2),
            "head.weight": (12, self.stem, 2, 2),
            "head.bias": (12,),
        }


CONFIGS = {
    "small": NetworkConfig(stem=16, body=32, blocks=4),
    "large": NetworkConfig(stem=32, body=128, blocks=5),
}
"""The shipped sizes: `small` for CPUs, `large` (as many weights as Johnson's net) for GPUs."""


@dataclass(frozen=True, slots=True)
class Padding:
    """How many pixels one axis of a frame is padded by, for valid convolutions to give all of it back."""

    before: int
    after: int

    @classmethod
    def of(cls, side: int) -> "Padding":
        """The padding of an axis of `side` pixels; the network's output is cropped at its far end."""
        if side < MIN_SIDE:
            raise ValueError(f"a frame needs at least {MIN_SIDE} pixels a side, not {side}")
        body = -(-(side + 6) // _BODY_STRIDE)
        return cls(_MARGIN, _BODY_STRIDE * body + 8 - side - _MARGIN)
