"""What to do where a file could not be written."""

import errno

import av

from livestyle.sinks.containers import Container

_OF_THE_DISK = {
    getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "ENODEV", "ENXIO")
}


def advice_on(error: av.FFmpegError | OSError, form: Container, otherwise: str = "") -> str:
    """What may help: room on the disk where that may be the cause, else `otherwise`, or another kind of
    file than `form`."""
    if isinstance(error, BrokenPipeError):
        return "does its reader still run?"
    if error.errno in _OF_THE_DISK:
        return "is there room on the disk?"
    return otherwise or f"try another kind of file, such as {'.mp4' if form.muxer == 'matroska' else '.mkv'}"
