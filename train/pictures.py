"""The pictures that styles are learnt from, and what is known about each."""

import hashlib
import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
from torch import Tensor

from livestyle.architecture import MIN_SIDE
from livestyle.errors import SourceError
from livestyle.sources.picture import read_picture
from train.photos import to_tensor

Crop = tuple[float, float, float, float]

_NAME = re.compile(r"\w+")
"""What a style may be called: nothing that means something else in `--style`, or in the name of a file."""


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
        try:
            image = read_picture(self.path)
        except SourceError as error:
            what = str(error).partition(";")[0]
            raise SourceError(f"{what}; a style is learnt from a picture, as jpeg or png") from error
        height, width, _ = image.shape
        left, top, right, bottom = self.crop
        image = image[int(top * height) : round(bottom * height), int(left * width) : round(right * width)]
        if min(image.shape[:2]) < MIN_SIDE:
            raise SourceError(
                f"the style picture {self.path} has less than {MIN_SIDE} pixels a side to learn"
            )
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
    """The styles of a TOML file like `gallery.toml`; the pictures it names lie in the folder `pictures`.

    Raises SourceError where the file says something else, and as `check_styles` does.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8-sig"))["style"]
        if not isinstance(entries, list):
            raise TypeError("write [[style]], in two brackets, above each style")
        styles = [_entry(dict(entry), pictures) for entry in entries]
    except KeyError as error:
        raise SourceError(f"cannot read the gallery {path}: {error} is missing") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"cannot read the gallery {path}: it is no text; pictures go to --style") from error
    except (OSError, ValueError, TypeError) as error:
        raise SourceError(f"cannot read the gallery {path}: {error}") from error
    if not styles:
        raise SourceError(f"cannot read the gallery {path}: it names no style")
    check_styles(styles)
    return styles


def check_styles(styles: Sequence[StylePicture]) -> None:
    """Raises SourceError where a style cannot be learnt, or not be called by its name afterwards."""
    names = [style.name for style in styles]
    for style in styles:
        left, top, right, bottom = style.crop
        if not _NAME.fullmatch(style.name):
            raise SourceError(f"cannot call a style {style.name!r}: use letters, digits and _")
        if names.count(style.name) > 1:
            raise SourceError(f"there are several styles {style.name!r}: give each a name of its own")
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise SourceError(
                f"cannot crop style {style.name!r} to {left:g} {top:g} {right:g} {bottom:g}: "
                "give left, top, right and bottom, in this order, as parts of 1"
            )
        if not 0 <= style.stability < math.inf:
            raise SourceError(f"the stability of style {style.name!r} is {style.stability}: give 0 or more")
        if not style.path.is_file():
            raise SourceError(f"the picture of style {style.name!r} is missing: {style.path}")


def _entry(entry: dict[str, Any], pictures: Path) -> StylePicture:
    picture = pictures / entry.pop("picture")
    crop = tuple(float(edge) for edge in entry.pop("crop", (0, 0, 1, 1)))
    if len(crop) != 4:
        raise ValueError("crop takes four numbers: left, top, right and bottom")
    stability = float(entry.pop("stability", 1))
    name = str(entry.pop("name"))
    texts = {fact: str(value) for fact, value in entry.items()}
    return StylePicture(name, picture, crop=crop, stability=stability, **texts)
