"""Where live frames go besides the screen: each output on a thread of its own, none able to stop the show."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from livestyle.errors import LivestyleError
from livestyle.frame import Frame, counted
from livestyle.prefetch import WriteBehind
from livestyle.sinks import Sink

logger = logging.getLogger(__name__)

_DEPTH = 8
"""Frames that wait for a slow output before newer ones are dropped."""


@dataclass
class _Output:
    name: str
    behind: WriteBehind
    opened: ExitStack
    """The sink and the thread that writes to it."""
    dropped: int = 0


class Outputs:
    """Any number of sinks that are given the same frames, by name.

    A sink that is slow loses frames, which are counted. One that fails is closed and reported to
    `on_failure`, with its name and why, and the others go on. `close` finishes all of them.
    """

    def __init__(self, on_failure: Callable[[str, str], None]) -> None:
        self.failed = False
        """Whether something that should be written is not, or not all of it."""
        self._on_failure = on_failure
        self._outputs: dict[str, _Output] = {}

    def add(self, name: str, sink: Sink) -> None:
        """Begin to write frames to a sink, which is closed here."""
        if name in self._outputs:
            raise ValueError(f"there is an output {name} already")
        opened = ExitStack()
        opened.callback(sink.close)
        behind = opened.enter_context(WriteBehind(sink, _DEPTH))
        self._outputs[name] = _Output(name, behind, opened)

    def __contains__(self, name: str) -> bool:
        return name in self._outputs

    def __len__(self) -> int:
        """How many are written to."""
        return len(self._outputs)

    def offer(self, frame: Frame) -> None:
        """Hand a frame to every output, without waiting."""
        for output in list(self._outputs.values()):
            try:
                output.dropped += not output.behind.offer(frame)
            except LivestyleError as error:
                self._failed(output, error)

    def remove(self, name: str) -> Callable[[], bool]:
        """Give an output no more frames. What is returned writes those that wait, closes it, and says whether
        all went well.
        """
        return partial(self._finish, self._outputs.pop(name))

    def close(self) -> None:
        """Finish every output; safe to call twice."""
        for name in list(self._outputs):
            self.remove(name)()

    def _finish(self, output: _Output) -> bool:
        if output.dropped:
            logger.warning("%s was too slow for %s", output.name, counted(output.dropped))
        try:
            output.opened.close()
        except LivestyleError as error:
            self._tell(output, error)
            return False
        return True

    def _failed(self, output: _Output, error: LivestyleError) -> None:
        del self._outputs[output.name]
        try:
            output.opened.close()
        except LivestyleError as later:
            logger.debug("closing %s: %s", output.name, later)
        self._tell(output, error)

    def _tell(self, output: _Output, error: LivestyleError) -> None:
        self.failed = True
        self._on_failure(output.name, str(error))
