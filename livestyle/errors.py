"""What can go wrong, as exceptions.

    LivestyleError
    ├── SourceError    a picture, video or camera cannot be read
    ├── SinkError      a picture, video or window cannot be written
    ├── StyleError     no such style, or its weights are damaged
    └── EngineError    a backend is missing or refuses to run
        ├── NoMemoryError       there is too little memory for a frame
        └── UnavailableError    this machine or installation has not what it needs, which is no fault

Each message is one line that names what failed, with which value, and what to do. Programmer mistakes
stay `ValueError`.
"""

import re
from itertools import takewhile

_TRACEBACK = re.compile(r".*^Traceback .*?^[\w.]*(?:Error|Exception): ", re.DOTALL | re.MULTILINE)
_NO_MEMORY = re.compile(
    r"out[ _]?of[ _]?memory|not enough memory|could not be allocated|(?:can't|cannot|failed to) allocate"
    r"|bad[ _]alloc|alloc(?:ation)?_failed",
    re.IGNORECASE,
)
"""How PyTorch, its libraries, OpenVINO, TensorRT and C++ say it."""


class LivestyleError(Exception):
    """The base of every error that livestyle raises on purpose."""


class SourceError(LivestyleError):
    """A picture, video or camera cannot be read."""


class SinkError(LivestyleError):
    """A picture, video or window cannot be written."""


class StyleError(LivestyleError):
    """A style does not exist, or its weights are damaged."""


class EngineError(LivestyleError):
    """A backend is missing or refuses to run."""


class NoMemoryError(EngineError):
    """There is too little memory for a frame, or for what paints it."""


class UnavailableError(EngineError):
    """A backend needs a GPU or a package that is not here, which is no fault."""


def reason_of(error: Exception) -> str:
    """What the system or FFmpeg says went wrong, in lower case and without the file's name, for a message."""
    words: str | None = getattr(error, "strerror", None)
    return (words or str(error) or type(error).__name__).lower()


def in_one_line(error: Exception) -> str:
    """What a library's error says, in one line: its first ones may only announce the next.

    Of an error that tells where it happened first, as TorchScript's do, it is what follows that.
    """
    said = _TRACEBACK.sub("", str(error))
    lines = [line.strip() for line in said.splitlines() if line.strip()] or [type(error).__name__]
    announcing = len(list(takewhile(lambda line: line.endswith(":"), lines)))
    return " ".join(lines[: announcing + 1])


def is_about_memory(said: str) -> bool:
    """Whether that is how a library says that there is too little memory."""
    return _NO_MEMORY.search(said) is not None
