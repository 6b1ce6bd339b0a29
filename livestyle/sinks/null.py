"""A sink that keeps nothing, to measure or to warm up."""

from livestyle.frame import Frame


class NullSink:
    """Counts the frames it is given and forgets them."""

    def __init__(self) -> None:
        self.frames = 0

    def write(self, frame: Frame) -> None:  # noqa: ARG002 - the name is part of the Sink protocol
        """Count one frame."""
        self.frames += 1

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
