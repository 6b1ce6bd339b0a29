"""Raw video for another program: YUV4MPEG2, which says itself what size and rate it has.

    livestyle cam --output - | ffmpeg -i - OUTPUT
    livestyle cam --output - | ffplay -i -

Format: yuv4mpeg(5) of mjpegtools, with FFmpeg's XCOLORRANGE.
"""

import os
import sys
from fractions import Fraction

from livestyle.colors import BT470BG, Colors
from livestyle.errors import SinkError, reason_of
from livestyle.frame import Frame, require_size
from livestyle.sinks.pipe import Pipe
from livestyle.sinks.planes import to_even, to_i420


class RawSink:
    """Writes frames of `size` (width, height) to the file descriptor `target`, stdout by default.

    YUV4MPEG2 has a fixed rate and no times: a frame is repeated, or left out, so that the n-th one is of
    n / `rate` seconds after the first. Odd sides grow by one pixel. Raises `SinkError` where stdout is a
    terminal, when the reader has gone, and when it takes nothing for ten seconds. `target` stays open.
    """

    def __init__(self, size: tuple[int, int], *, rate: float = 30.0, target: int | None = None) -> None:
        if target is None and sys.stdout is None:
            raise SinkError("cannot write to stdout: it is closed; pipe it, as in --output - | ffplay -i -")
        target = sys.stdout.fileno() if target is None else target
        if os.isatty(target):
            raise SinkError("cannot write raw video to a terminal: pipe it, as in --output - | ffplay -i -")
        self.size = size
        self._rate = Fraction(rate).limit_denominator(1001)
        # what players assume of untagged video
        self._colors = Colors() if size[0] >= 1280 or size[1] > 576 else Colors(matrix=BT470BG)
        self._start: float | None = None
        self._written = 0
        self._pipe = Pipe(target)

    def write(self, frame: Frame) -> None:
        """Write the frame as often as its time asks for, which may be never. Raises `SinkError`."""
        require_size(frame.image, self.size)
        if self._start is None:
            self._start = frame.pts
            self._send(self._header())
        due = round((frame.pts - self._start) * self._rate) + 1
        if due > self._written:
            packed = b"FRAME\n" + to_i420(to_even(frame.image), self._colors).tobytes()
            while self._written < due:
                self._send(packed)
                self._written += 1

    def close(self) -> None:
        """Do nothing: whoever opened the file descriptor closes it."""

    def _header(self) -> bytes:
        width, height = (side + side % 2 for side in self.size)
        rate = f"{self._rate.numerator}:{self._rate.denominator}"
        return f"YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n".encode()

    def _send(self, data: bytes) -> None:
        try:
            self._pipe.send(data)
        except BrokenPipeError as error:
            raise SinkError("raw video ends here: the program that reads it has gone") from error
        except TimeoutError as error:
            patience = f"{self._pipe.patience_seconds:g} s"
            raise SinkError(f"raw video ends here: nobody has read it for {patience}") from error
        except OSError as error:
            raise SinkError(f"cannot write raw video: {reason_of(error)}") from error
