"""No network at all, for a strength of 0: images come back as they are."""

from collections.abc import Callable

from livestyle.frame import Image
from livestyle.styles import StyleMix


class UntouchedEngine:
    """Gives back what it is given."""

    backend = "no network"
    in_flight = 1

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:  # noqa: ARG002 - every engine's
        """Give the image back."""
        return lambda: image

    def stylize(self, image: Image, style: StyleMix) -> Image:  # noqa: ARG002 - every engine's
        """Give the image back."""
        return image
