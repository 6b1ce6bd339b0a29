"""Still pictures, written by OpenCV; snapshots with notes inside, by Pillow."""

from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from livestyle.errors import SinkError, reason_of
from livestyle.frame import Image
from livestyle.sinks.partial import PartialFile, alternatives, reserved

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it prints, an error says in one line

_TRANSPARENT = (".png", ".webp", ".tif", ".tiff", ".avif", ".jp2")
_WITHOUT_COLOUR = (".pgm", ".pbm")
_STDOUT = "-"


def write_picture(
    path: Path | str,
    image: Image,
    alpha: NDArray[np.uint8] | None = None,
    *,
    overwrite: bool = True,
    swept: bool = False,
) -> None:
    """Write `image` in the format that the suffix of `path` names, whole or not at all. Raises SinkError.

    `alpha` (H, W) says how opaque each pixel is, for a format that `keeps_alpha`. With `overwrite` False
    there must be nothing; `swept` is that of `PartialFile`.
    """
    with open_picture(path, overwrite=overwrite, swept=swept) as partial:
        fill_picture(partial, image, alpha)


def open_picture(path: Path | str, *, overwrite: bool = True, swept: bool = False) -> PartialFile:
    """The file for `fill_picture`. Raises SinkError where no picture can be written to `path`."""
    suffix = Path(path).suffix
    if str(path) == _STDOUT:
        raise SinkError("cannot write a picture to a pipe: name a file, as painted.png")
    if not suffix or suffix.lower() in _WITHOUT_COLOUR or not cv2.haveImageWriter(f"picture{suffix}"):
        reason = f"opencv writes no {suffix} pictures" if suffix else "its name does not end in a format"
        raise SinkError(f"cannot write {path}: {reason}; use .png or .jpg")
    return PartialFile(path, overwrite=overwrite, swept=swept)


def fill_picture(partial: PartialFile, image: Image, alpha: NDArray[np.uint8] | None = None) -> None:
    """Write `image` to what `open_picture` opened, as `write_picture` does."""
    path, pixels = partial.path, cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    try:
        made, encoded = cv2.imencode(path.suffix, pixels if alpha is None else cv2.merge([pixels, alpha]))
    except cv2.error as error:
        raise SinkError(f"cannot write {path}: {str(error).strip().lower()}; use .png") from error
    if not made:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise SinkError(f"cannot write {path}: no {path.suffix} picture can be of {size}; use .png")
    partial.write(encoded.tobytes())


def keeps_alpha(path: Path | str) -> bool:
    """Whether pictures of that suffix can be transparent."""
    return Path(path).suffix.lower() in _TRANSPARENT


def write_snapshot(folder: Path, name: str, image: Image, notes: Mapping[str, str]) -> Path:
    """Write `image` to a new PNG file, `name.png` or `name-2.png` and so on, with `notes` as its text chunks.

    Returns its path. Raises SinkError.
    """
    png, text = BytesIO(), PngInfo()
    for key, value in notes.items():
        text.add_text(key, value)
    try:
        Pillow.fromarray(image).save(png, "png", pnginfo=text, compress_level=3)
        folder.mkdir(parents=True, exist_ok=True)
        for path in alternatives(folder / f"{name}.png"):
            with suppress(FileExistsError), reserved(path), PartialFile(path) as partial:
                partial.write(png.getvalue())
                break
    except OSError as error:
        raise SinkError(
            f"cannot write a snapshot to {folder}: {reason_of(error)}; choose another --folder"
        ) from error
    return path


def check_target(path: Path | str, *, overwrite: bool = True) -> None:
    """Raise `SinkError` where no picture can be written to `path`, before time is spent on making one.

    With `overwrite` False there must be nothing.
    """
    open_picture(path, overwrite=overwrite).discard()
