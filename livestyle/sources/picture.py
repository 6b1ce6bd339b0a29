"""Still pictures, read by OpenCV; their colour profile and their transparency, by Pillow."""

import logging
import warnings
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

from livestyle.errors import SourceError, reason_of
from livestyle.frame import Image
from livestyle.sources.alpha import Alpha, over_black

logger = logging.getLogger(__name__)

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it prints, an error says in one line

_ADVICE = {
    **dict.fromkeys(("GIF", "PNG", "AVIF"), "; livestyle video paints all"),
    "WEBP": "; as a .gif or .mp4, livestyle video paints all",
    "TIFF": "",
}
"""By the formats whose further pictures are no other sizes or views of the first, what to do."""


def read_picture(path: Path | str) -> Image:
    """Read the picture at `path` as `read_with_alpha` does, on a black ground where it is transparent."""
    image, alpha = read_with_alpha(path)
    return image if alpha is None else over_black(image, alpha)


def read_with_alpha(path: Path | str) -> tuple[Image, Alpha | None]:
    """Read the picture at `path` upright, in 8 bits of sRGB, and its alpha where not all of it is opaque.

    Grey becomes RGB, EXIF orientation is applied, colours of another profile (a phone's Display P3) are
    converted. Raises `SourceError`.
    """
    try:
        # cv2.imread logs to stderr, and fails on some names on Windows
        encoded = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(f"cannot open {path}: {reason_of(error)}; check the name") from error
    try:
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    except cv2.error as error:  # for instance more pixels than OpenCV allows
        raise SourceError(
            f"cannot read {path}: opencv refuses it ({error.err}); save it as jpeg or png"
        ) from error
    if bgr is None:
        raise SourceError(
            f"cannot read {path}: a damaged picture, or none that opencv knows; videos go to livestyle video"
        )
    return _as_pillow_knows(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False), encoded)


def tell_of_more(path: Path | str) -> None:
    """Log it where the file at `path` holds more pictures than the one that is read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Pillow.open(path) as picture:
                kind, count = picture.format, getattr(picture, "n_frames", 1)
        except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
            return
    if kind in _ADVICE and count > 1:
        logger.warning("%s has %d pictures: only the first is painted%s", path, count, _ADVICE[kind])


def _as_pillow_knows(image: Image, encoded: NDArray[np.uint8]) -> tuple[Image, Alpha | None]:
    """The decoded image in sRGB, and its alpha; as it is where Pillow does not know the format."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is large, or oddly written: OpenCV has read it
        try:
            with Pillow.open(BytesIO(encoded.tobytes())) as picture:
                if picture.format == "AVIF":
                    image = _turned(image, picture)
                return _to_srgb(image, picture.info.get("icc_profile")), _alpha(picture, image.shape[:2])
        except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
            return image, None


def _to_srgb(image: Image, profile: bytes | None) -> Image:
    if not profile:
        return image
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != "RGB":  # of CMYK or grey, which OpenCV has made RGB already
            return image
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(Pillow.fromarray(image), source, target)
    except (ImageCms.PyCMSError, OSError):  # a damaged profile says nothing
        return image
    return np.array(converted, np.uint8)


def _turned(image: Image, picture: Pillow.Image) -> Image:
    """The image as the EXIF of `picture` says, which OpenCV does not read of AVIF."""
    turned = Pillow.fromarray(image)
    turned.getexif()[ExifTags.Base.Orientation] = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return np.array(ImageOps.exif_transpose(turned), np.uint8)


def _alpha(picture: Pillow.Image, shape: tuple[int, ...]) -> Alpha | None:
    """None too where it does not fit the image, as in a damaged file."""
    if not picture.has_transparency_data:
        return None
    alpha = np.array(ImageOps.exif_transpose(picture).convert("RGBA").getchannel("A"), np.uint8)
    return None if alpha.shape != shape or alpha.min() == 255 else alpha
