"""Styles: named rows of the network's table, and mixes of them."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livestyle.errors import StyleError


def engine_dir() -> Path:
    """Where the shipped weights are: in the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "engines"
    return installed if installed.is_dir() else package.parent / "engines"


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """One style of a network, and the picture it was learnt from."""

    name: str
    row: NDArray[np.float32]
    """Every scale and shift of the conditional norms, (affine_length,)."""
    title: str
    artist: str
    year: str
    licence: str
    own: bool = False
    """Whether the user made it: it was not there when the network was trained."""


@dataclass(frozen=True, slots=True)
class StyleMix:
    """Weights over styles: one style alone, or a blend of several."""

    parts: tuple[tuple[str, float], ...]
    """Names with their weights, which are positive and sum to 1."""

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> "StyleMix":
        """A mix in these proportions. Raises StyleError where no weight is above 0 or one is below."""
        total = sum(weights.values())
        if total == math.inf:
            raise StyleError("the weights of a style mix are too large to add up: 1 is a usual one")
        if not (min(weights.values(), default=0) >= 0 and total > 0):
            raise StyleError("the weights of a style mix must not be negative, and one must be above 0")
        return cls(tuple((name, weight / total) for name, weight in weights.items() if weight > 0))

    @classmethod
    def parse(cls, text: str) -> "StyleMix":
        """Reads `mosaic` or `mosaic:0.7,great_wave:0.3`. Raises StyleError where the text is neither."""
        weights: dict[str, float] = {}
        for part in text.split(","):
            name, colon, weight = part.strip().partition(":")
            if not name:
                raise StyleError(
                    f"a style is missing in {text!r}: write mosaic, or mosaic:0.7,great_wave:0.3"
                )
            try:
                weights[name] = weights.get(name, 0) + (float(weight) if colon else 1.0)
            except ValueError:
                raise StyleError(
                    f"cannot read the weight {weight!r} of style {name!r}: write {name}:0.5"
                ) from None
        return cls.of(weights)

    def blend(self, other: "StyleMix", share: float) -> "StyleMix":
        """The mix that is as much `other` as `share` (0 to 1) says: rows are blended, never pictures."""
        weights = {name: weight * (1 - share) for name, weight in self.parts}
        for name, weight in other.parts:
            weights[name] = weights.get(name, 0) + weight * share
        return StyleMix.of(weights)

    def __str__(self) -> str:
        if len(self.parts) == 1:
            return self.parts[0][0]
        return ",".join(f"{name}:{weight:.3g}" for name, weight in self.parts)

    def row(self, styles: Mapping[str, Style]) -> NDArray[np.float32]:
        """The weighted mean of the styles' rows, (affine_length,). Raises StyleError for an unknown style."""
        rows = [np.float32(weight) * find_style(name, styles).row for name, weight in self.parts]
        return np.asarray(np.sum(rows, axis=0), np.float32)


def find_style(name: str, styles: Mapping[str, Style]) -> Style:
    """The style of that name; a StyleError for an unknown one suggests the nearest."""
    if name in styles:
        return styles[name]
    raise StyleError(f"unknown style {name!r}: {_suggestion(name, styles)}; list them with livestyle styles")


def _suggestion(name: str, names: Iterable[str]) -> str:
    if name.isdecimal():  # of mosaic:0,7
        return "a weight has a point, as in mosaic:0.7"
    near = difflib.get_close_matches(name.lower().replace("-", "_").replace(" ", "_"), names, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
