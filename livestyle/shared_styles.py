"""Styles as files of their own, a few kilobytes each, for people to make, keep and share.

A `NAME.style.safetensors` holds one row of `affine` and, as text, where it comes from and the network whose
norms it belongs to. Those in the user's style folder, and below, are there at once, in every backend.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import platformdirs
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from livestyle.architecture import CONFIGS
from livestyle.errors import SinkError, StyleError, reason_of
from livestyle.remembered import write_whole
from livestyle.styles import Style

logger = logging.getLogger(__name__)

SUFFIX = ".style.safetensors"
_FACTS = ("title", "artist", "year", "licence")


def style_folder() -> Path:
    """Where the user's own styles are; it need not exist."""
    return platformdirs.user_data_path("livestyle", appauthor=False) / "styles"


def write_style(path: Path, style: Style, network: str) -> None:
    """Writes a style for the network with that sha256; an older file stays until the new one is complete.

    Raises StyleError where its row is not finite, SinkError where the file cannot be written.
    """
    if not np.isfinite(style.row).all():
        raise StyleError(f"style {style.name!r} was not learnt: its row is not finite; lower the strength")
    facts = {fact: getattr(style, fact) for fact in _FACTS} | {"network": network}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, save({"affine": style.row}, metadata=facts))
    except OSError as error:
        raise SinkError(f"cannot write the style {path}: {reason_of(error)}") from error


def read_style(path: Path) -> tuple[Style, str]:
    """Reads a style and the sha256 of its network.

    Raises StyleError where the file is something else, or has a name that no style can have.
    """
    name = path.name.removesuffix(SUFFIX)
    if not _can_be_called(name):
        raise StyleError(
            f"{_in_print(str(path))} cannot be called by its name: rename it; letters and digits will do"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            facts = file.metadata() or {}
            row = np.asarray(file.get_tensor("affine"), np.float32)
        if not np.isfinite(row).all():
            raise ValueError("its row holds numbers that are not finite")
        title, artist, year, licence = (_in_print(facts[fact]) for fact in _FACTS)
        style = Style(name, row, title, artist, year, licence)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise StyleError(
            f"{_in_print(str(path))} is not a style file: {error}; remove it, or make it anew"
        ) from error
    return replace(style, own=True), _in_print(facts.get("network", ""))


def _can_be_called(name: str) -> bool:
    """Whether `--style` can ask for it, where : , @ and .toml mean something else and outer spaces go."""
    return (
        bool(name)
        and name.isprintable()
        and name == name.strip()
        and not set(name) & set(":,@")
        and not name.lower().endswith(".toml")
    )


def _in_print(text: str) -> str:
    """The text without what would move the cursor, colour a terminal or break a table: others wrote it."""
    return "".join(c if c.isprintable() else " " for c in text)


def own_styles(network: str, length: int) -> Iterator[Style]:
    """The user's styles for the network with that sha256, whose rows have that length."""
    for _, style, made_for in read_own():
        if made_for == network and style.row.shape == (length,):
            yield style
        else:
            logger.debug("skipped style %s: it was made for another network", style.name)


def read_own() -> Iterator[tuple[Path, Style, str]]:
    """The user's styles, whatever they were made for: file, style, and the sha256 of its network."""
    try:
        paths = sorted(style_folder().rglob(f"*{SUFFIX}"))
    except OSError as error:  # Python before 3.12 where nobody may look into a folder above
        _warn(f"skipped the styles in {style_folder()}: {reason_of(error)}")
        return
    for path in paths:
        try:
            yield path, *read_style(path)
        except StyleError as error:
            _warn(f"skipped a style: {error}")


def home_of(style: Style, network: str) -> str:
    """The network, of that sha256, that a style was made for, in words: `a small network (1a2b3c4d)`."""
    sizes = [size for size, config in CONFIGS.items() if style.row.shape == (config.affine_length,)]
    kind = f"a {sizes[0]} network" if sizes else "a network of another size"
    return f"{kind} ({network[:8] or 'unnamed'})"


@cache
def _warn(problem: str) -> None:
    """Say it once: several networks look through the same folder."""
    logger.warning(problem)
