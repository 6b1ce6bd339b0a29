"""What live frames are written to, chosen by its name."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from livestyle.errors import SourceError

if TYPE_CHECKING:
    from livestyle.sinks import Sink
    from livestyle.sinks.recording import Recorder
    from livestyle.sources.microphone import Microphone

logger = logging.getLogger(__name__)


def open_live_sink(
    target: Path | str,
    size: tuple[int, int],
    *,
    rate: float,
    sound: bool = False,
    epoch: float | None = None,
    overwrite: bool = True,
) -> Sink:
    """Open a file, a URL, or `-` for raw video on stdout, for live frames of `size` (width, height).

    `rate` is about how many come a second. With `sound` the default microphone goes into a file too, in
    step: `epoch` is the source's, `time.perf_counter()` at pts 0. Without a microphone there is a notice,
    and no sound. A file that exists is replaced if `overwrite`. Raises `SinkError`.
    """
    if str(target) == "-":
        from livestyle.sinks.raw import RawSink

        return RawSink(size, rate=rate)
    if "://" in str(target):
        from livestyle.sinks.stream import StreamSink

        return StreamSink(str(target), size, rate=rate)
    return open_recorder(Path(target), size, rate=rate, sound=sound, epoch=epoch, overwrite=overwrite)


def open_recorder(
    path: Path,
    size: tuple[int, int],
    *,
    rate: float,
    sound: bool = False,
    epoch: float | None = None,
    overwrite: bool = True,
) -> Recorder:
    """Open a file as `open_live_sink` does."""
    from livestyle.sinks.recording import Recorder

    with ExitStack() as opened:
        microphone = _microphone() if sound else None
        if microphone is not None:
            opened.callback(microphone.close)
        recorder = Recorder(path, size, rate=rate, microphone=microphone, epoch=epoch, overwrite=overwrite)
        opened.pop_all()  # the recorder closes it from here on
    return recorder


def _microphone() -> Microphone | None:
    from livestyle.sources.microphone import Microphone

    try:
        return Microphone()
    except SourceError as error:
        logger.warning("%s", error)
        return None
