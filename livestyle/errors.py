"""What can go wrong, as exceptions.

    LivestyleError
    ├── SourceError    a picture, video or camera cannot be read
    ├── SinkError      a picture, video or window cannot be written
    ├── StyleError     no such style, or its weights are damaged
    └── EngineError    a backend is missing or refuses to run
        └── UnavailableError    this machine or installation has not what it needs, which is no fault

Each message is one line that names what failed, with which value, and what to do. Programmer mistakes
stay `ValueError`.
"""


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


class UnavailableError(EngineError):
    """A backend needs a GPU or a package that is not here, which is no fault."""
