"""What is kept of a live show: snapshots and recordings, each under the time it was made."""

import time
from collections.abc import Callable
from pathlib import Path

from livestyle.errors import LivestyleError, SinkError
from livestyle.frame import Image
from livestyle.notice import Notice
from livestyle.outputs import Outputs
from livestyle.prefetch import Background
from livestyle.sinks import Sink
from livestyle.sinks.picture import unused, write_snapshot

_RECORDING = "recording"


class Archive:
    """Makes snapshots and recordings of a show in a folder, without keeping the show waiting.

    `recorder` opens a sink that writes a video file. `notice` is told what became of each.
    """

    def __init__(
        self,
        folder: Path,
        recorder: Callable[[Path], Sink],
        outputs: Outputs,
        background: Background,
        notice: Notice,
    ) -> None:
        self.outputs, self.notice = outputs, notice
        self._folder, self._recorder, self._background = folder, recorder, background
        self._path = folder

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
        """Begin a recording, or end it."""
        try:
            if on:
                self.outputs.add(_RECORDING, self._recorder(self._new_path()))
                self.notice.say(f"recording to {self._path}")
            elif self.recording:
                self._background.do(self.outputs.remove(_RECORDING))
                self.notice.say(f"recorded: {self._path}")
        except LivestyleError as error:
            self.notice.say(str(error))

    def _new_path(self) -> Path:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SinkError(f"cannot record to {self._folder}: {reason}; choose another --folder") from error
        self._path = unused(self._folder, _name(time.localtime(), "recording"), ".mp4")
        return self._path


def _name(moment: time.struct_time, style: str) -> str:
    safe = "".join(c if c.isalnum() or c in "_+-" else "_" for c in style.replace(",", "+"))
    return f"livestyle_{time.strftime('%Y%m%d_%H%M%S', moment)}_{safe}"[:120]
