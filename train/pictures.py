"""The pictures that styles are learnt from, and what is known about each."""

import hashlib
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
from torch import Tensor

from livestyle.errors import SourceError
from train.photos import read_rgb, to_tensor

Crop = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class StylePicture:
    """A picture with its provenance, as the manifest of the trained weights will tell it."""

    name: str
    path: Path
    title: str = ""
    artist: str = "unknown"
    year: str = ""
    licence: str = "unknown"
    crop: Crop = (0.0, 0.0, 1.0, 1.0)
    """Left, top, right, bottom as fractions of the picture: what lies outside is not learnt."""
    stability: float = 1.0
    """How much this style must be steady, against the others: what is made of small parts needs freedom."""

    def load(self, side: int) -> Tensor:
        """The cropped picture (3, H, W), RGB in [0, 1], its short side scaled to `side` pixels."""
        image = read_rgb(self.path)
        if image is None:
            raise SourceError(
                f"cannot read the style picture {self.path}: it must be a jpg, png or webp file"
            )
        height, width, _ = image.shape
        left, top, right, bottom = self.crop
        image = image[int(top * height) : round(bottom * height), int(left * width) : round(right * width)]
        scale = side / min(image.shape[:2])
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        return to_tensor(cv2.resize(image, None, fx=scale, fy=scale, interpolation=way).astype("uint8"))

    def provenance(self) -> dict[str, Any]:
        """What the manifest says about the picture, with its sha256."""
        facts = asdict(self) | {
            "picture": self.path.name,
            "picture_sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(),
            "crop": list(self.crop),
        }
        del facts["path"]
        return facts


def read_gallery(path: Path, pictures: Path) -> list[StylePicture]:
    """The styles of a TOML file like `gallery.toml`; the pictures it names lie in the folder `pictures`."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["style"]
        styles = [_entry(entry, pictures) for entry in entries]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SourceError(f"cannot read the gallery {path}: {error}") from error
    for style in styles:
        if not style.path.is_file():
            raise SourceError(f"the picture of style {style.name!r} is missing: {style.path}")
    return styles


def _entry(entry: dict[str, Any], pictures: Path) -> StylePicture:
    picture = pictures / entry.pop("picture")
    left, top, right, bottom = entry.pop("crop", (0, 0, 1, 1))
    return StylePicture(path=picture, crop=(left, top, right, bottom), **entry)
