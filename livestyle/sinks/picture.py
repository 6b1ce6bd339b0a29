"""Still pictures, written by OpenCV."""

from pathlib import Path

import cv2

from livestyle.errors import SinkError
from livestyle.frame import Image
from livestyle.sinks.partial import PartialFile


def write_picture(path: Path | str, image: Image) -> None:
    """Write `image` in the format that the suffix of `path` names, whole or not at all. Raises SinkError."""
    partial = _open(path)
    try:
        _, encoded = cv2.imencode(partial.path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        partial.part.write_bytes(encoded.tobytes())
    except (cv2.error, OSError) as error:
        partial.discard()
        raise SinkError(f"cannot write {path}: {str(error).strip().lower()}; choose another place") from error
    except BaseException:  # Ctrl-C included: nothing half written stays behind
        partial.discard()
        raise
    partial.commit()


def check_target(path: Path | str) -> None:
    """Raise `SinkError` where no picture can be written to `path`, before time is spent on making one."""
    _open(path).discard()


def _open(path: Path | str) -> PartialFile:
    suffix = Path(path).suffix
    if not suffix or not cv2.haveImageWriter(f"picture{suffix}"):
        raise SinkError(
            f"cannot write {path}: opencv writes no {suffix or 'nameless'} pictures; use .png or .jpg"
        )
    return PartialFile(path)
