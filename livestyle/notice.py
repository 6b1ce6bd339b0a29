"""Lines for people that go away by themselves."""

import logging
import time

logger = logging.getLogger(__name__)

_SECONDS = 4.0


class Notice:
    """The last line that was said, for a few seconds. For any thread."""

    def __init__(self) -> None:
        self._text = ""
        self._until = 0.0

    def say(self, text: str) -> None:
        """Show a line for a few seconds, and log it."""
        logger.info(text)
        self._text, self._until = text, time.perf_counter() + _SECONDS

    @property
    def text(self) -> str:
        """The line, empty once its time is over."""
        return self._text if time.perf_counter() < self._until else ""
