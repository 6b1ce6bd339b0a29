"""What is kept of a live show: snapshots and recordings, each under the time it was made."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from livestyle.errors import LivestyleError, SinkError, reason_of
from livestyle.frame import Image
from livestyle.notice import Notice
from livestyle.outputs import Outputs
from livestyle.prefetch import Background
from livestyle.sinks import Sink
from livestyle.sinks.picture import write_snapshot

_RECORDING = "recording"


class Recording(Sink, Protocol):
    """A sink that writes a video file."""

    @property
    def path(self) -> Path:
        """Where the file will be; after `close`, where it is."""
        ...


class Archive:
    """Makes snapshots and recordings of a show in a folder, without keeping the show waiting.

    `recorder` opens a recording, which replaces no file. `notice` is told what became of each.
    """

    def __init__(
        self,
        folder: Path,
        recorder: Callable[[Path], Recording],
        outputs: Outputs,
        background: Background,
        notice: Notice,
    ) -> None:
        self.outputs, self.notice = outputs, notice
        self._folder, self._recorder, self._background = folder, recorder, background
        self._latest: Recording | None = None

    @property
    def recording(self) -> bool:
        """Whether a recording is being made."""
        return _RECORDING in self.outputs

    def snapshot(self, image: Image, style: str) -> None:
        """Write an image as PNG with the style and the time in it, in the background."""
        moment = time.localtime()
        notes = {
            "Title": style,
            "Software": "livestyle",
            "Creation Time": time.strftime("%Y-%m-%d %H:%M:%S", moment),
        }

        def write() -> None:
            try:
                path = write_snapshot(self._folder, _name(moment, style), image, notes)
                self.notice.say(f"snapshot: {path}")
            except LivestyleError as error:
                self.notice.say(str(error))

        self._background.do(write)

    def record(self, on: bool) -> None:
        """Begin a recording, or end it, of which is told in the background where it is."""
        try:
            if on:
                self._latest = self._recorder(self._new_path())
                self.outputs.add(_RECORDING, self._latest)
                self.notice.say(f"recording to {self._latest.path}")
            elif self.recording and self._latest is not None:
                self._background.do(partial(self._finish, self.outputs.remove(_RECORDING), self._latest))
        except LivestyleError as error:
            self.outputs.failed = True
            self.notice.say(str(error))

    def _finish(self, finish: Callable[[], bool], recording: Recording) -> None:
        if finish():
            self.notice.say(f"recorded: {recording.path}")

    def _new_path(self) -> Path:
        from livestyle.sinks.recording import unclaimed  # loads FFmpeg, which a recording will need

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return unclaimed(self._folder / f"{_name(time.localtime(), 'recording')}.mp4")
        except OSError as error:
            raise SinkError(
                f"cannot record to {self._folder}: {reason_of(error)}; choose another --folder"
            ) from error


def _name(moment: time.struct_time, style: str) -> str:
    safe = "".join(c if c.isalnum() or c in "_+-" else "_" for c in style.replace(",", "+"))
    return f"livestyle_{time.strftime('%Y%m%d_%H%M%S', moment)}_{safe}"[:120]
