"""Styles that change while a video runs: what is seen when, and how one becomes the next."""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from livestyle.errors import StyleError, reason_of
from livestyle.styles import StyleMix


@dataclass(frozen=True, slots=True)
class Cue:
    """A style, and when it comes."""

    seconds: float
    """From the first frame on; it is seen alone at the end of its fade."""
    mix: StyleMix
    fade_seconds: float = 0.0
    """How long the style before becomes this one; 0 is a cut."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Styles one after the other, the first from the beginning on.

    Between two of them the weights of their mixes are blended, which blends rows of the network, not images:
    each frame is one painting, in a style between the two.
    """

    cues: tuple[Cue, ...]
    """In the order of time, at least one."""
    _before: tuple[StyleMix, ...] = field(init=False, repr=False, compare=False)
    """What is seen just before each cue; before the first one, itself."""

    def __post_init__(self) -> None:
        before = [self.cues[0].mix]
        for index, cue in enumerate(self.cues[1:]):
            before.append(_seen(self.cues[index], before[index], cue.seconds))
        object.__setattr__(self, "_before", tuple(before))

    @classmethod
    def of(cls, cues: Iterable[Cue]) -> "Timeline":
        """Put cues in order. Raises StyleError where there are none, two at a time, or a negative time."""
        ordered = tuple(sorted(cues, key=lambda cue: cue.seconds))
        if not ordered:
            raise StyleError("a timeline needs at least one style: write mosaic@0,great_wave@12.5~2")
        for cue in ordered:
            if not (0 <= cue.seconds < float("inf") and 0 <= cue.fade_seconds < float("inf")):
                raise StyleError(f"style {cue.mix} cannot come at {cue.seconds:g}~{cue.fade_seconds:g} s")
        for before, after in pairwise(ordered):
            if before.seconds == after.seconds:
                raise StyleError(f"{before.mix} and {after.mix} both come at {after.seconds:g} s")
        return cls(ordered)

    @classmethod
    def parse(cls, text: str) -> "Timeline":
        """Reads `mosaic`, `mosaic:0.7,great_wave:0.3`, or these with times: `mosaic@0,great_wave@12.5~2`.

        `@` ends the mix before it and says when it comes, `~` how long its fade lasts, both in seconds or as
        `1:02.5`. A text that ends in `.toml` names a file. Raises StyleError.
        """
        if text.lower().endswith(".toml"):
            return read_timeline(text)
        return cls.of(_cues(text))

    @property
    def mixes(self) -> list[StyleMix]:
        """Each of the styles."""
        return [cue.mix for cue in self.cues]

    def at(self, seconds: float) -> StyleMix:
        """The style of the frame at that moment, which counts from the first frame."""
        index = bisect_right([cue.seconds for cue in self.cues], seconds) - 1
        if index < 0:
            return self.cues[0].mix
        return _seen(self.cues[index], self._before[index], seconds)


def _seen(cue: Cue, before: StyleMix, seconds: float) -> StyleMix:
    """What is seen at that moment, at or after the cue."""
    if seconds >= cue.seconds + cue.fade_seconds:
        return cue.mix
    return before.blend(cue.mix, (seconds - cue.seconds) / cue.fade_seconds)


def read_timeline(path: Path | str) -> Timeline:
    """Reads a file of `[[style]]` tables, each with `style`, and `at` and `fade` where they are not 0.

    Raises StyleError.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise StyleError(f"cannot open {path}: {reason_of(error)}; check the name") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StyleError(f"cannot read {path}: {str(error).lower()}") from error
    tables = content.get("style")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise StyleError(f"cannot read {path}: it needs a table [[style]] for each style")
    return Timeline.of(_cue(table, path) for table in tables)


def parse_seconds(text: str) -> float:
    """Reads `12.5`, `1:02.5` or `1:01:02.5`. Raises ValueError."""
    seconds = 0.0
    parts = text.strip().split(":")
    for place, part in enumerate(parts):
        number = float(part)
        if not 0 <= number < float("inf") or (place and number >= 60) or len(parts) > 3:
            raise ValueError(text)
        seconds = 60 * seconds + number
    return seconds


def _cues(text: str) -> Iterator[Cue]:
    """Commas part both the styles of a mix and the cues: a mix ends with its time."""
    mix: list[str] = []
    parts = text.split(",")
    if not any("@" in part for part in parts):
        yield Cue(0.0, StyleMix.parse(text))
        return
    for part in parts:
        style, at, when = part.partition("@")
        mix.append(style)
        if at:
            moment, _, fade = when.partition("~")
            yield Cue(_time(moment, part), StyleMix.parse(",".join(mix)), _time(fade or "0", part))
            mix = []
    if mix:
        raise StyleError(f"style {','.join(mix)!r} has no time: write {','.join(mix).strip()}@12.5")


def _time(text: str, where: str) -> float:
    try:
        return parse_seconds(text)
    except ValueError:
        raise StyleError(f"cannot read the time {text!r} in {where!r}: write mosaic@12.5~2") from None


def _cue(table: dict[str, Any], path: Path | str) -> Cue:
    unknown = table.keys() - {"style", "at", "fade"}
    if unknown or not isinstance(table.get("style"), str):
        wrong = f"{min(unknown)!r} is not known" if unknown else "a table has no style"
        raise StyleError(f"cannot read {path}: {wrong}; a table has style, at and fade")
    times = [_time(str(table.get(name, 0)), f"{name} = {table.get(name, 0)}") for name in ("at", "fade")]
    return Cue(times[0], StyleMix.parse(table["style"]), times[1])
