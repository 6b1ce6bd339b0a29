"""Tags: those that describe the content come along, and what has no place in the output is told."""

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path

import av
from av.container import Container as OpenFile
from av.container import OutputContainer
from av.stream import Disposition

from livestyle.sinks.containers import Container

logger = logging.getLogger(__name__)

Tags = dict[str, str]

_OF_THE_FILE = {
    "encoder", "encoder_options", "vendor_id", "major_brand", "minor_version", "compatible_brands",
    "duration", "bps", "number_of_frames", "number_of_bytes", "rotate", "alpha_mode",
}  # fmt: skip
"""What describes a file and how it is encoded, which the new one has of its own."""
_NOT_MISSED = ("handler_name", "filename", "mimetype")
"""What programs call their own parts."""
_HOLDS_ALL = ("matroska", "webm")
_HOLDS_NONE = "webp"
_APPLE = "com.apple.quicktime."
_SHOWN = {
    "title": "title", "artist": "artist", "album": "album", "comment": "comment", "copyright": "copyright",
    "description": "description", "genre": "genre", "keywords": "keywords", "date": "creationdate",
    "location": "location.ISO6709",
}  # fmt: skip
"""What players show, and what it is called behind Apple's prefix."""
_OF_ITUNES = {
    "title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright",
    "grouping", "lyrics", "description", "synopsis", "show", "season_number", "episode_id", "network",
    "keywords", "track", "disc",
}  # fmt: skip
"""What has a place of its own in mp4."""
_LANGUAGES_OF_MOV = {
    "bod": "tib", "cym": "wel", "cze": "ces", "deu": "ger", "ell": "gre", "eus": "baq", "fas": "per",
    "fre": "fra", "hye": "arm", "isl": "ice", "kat": "geo", "mkd": "mac", "msa": "may", "mya": "bur",
    "nld": "dut", "rum": "ron", "slo": "slk", "sqi": "alb", "zho": "chi",
}  # fmt: skip
"""Of the two codes that ISO 639-2 has for these, the one by which FFmpeg finds QuickTime's number."""
_DEGREES, _SAME_DEGREES = re.compile(r"[+-]\d+(?:\.\d+)?"), 0.001
"""A number of ISO 6709, and by how much two of one place may differ, for digits that are left out."""
_FASTEST_TIME_CODE = 255
"""Frames per second."""


def content_tags(metadata: Mapping[str, str], kind: str = "") -> Tags:
    """What describes the content: not Matroska's statistics, as `_STATISTICS_TAGS` and `BPS-eng` are, nor
    what has written the file, which is `software` where its `kind` is avi."""
    tags = {}
    for name, value in metadata.items():
        plain = name.lower().partition("-")[0]
        twice = plain != name.lower() and metadata.get(plain) == value  # mp4 has location-eng beside location
        is_writer = plain == "software" and (kind == "avi" or value.startswith("Lavf"))
        if not (plain in _OF_THE_FILE or name.startswith("_") or twice or is_writer):
            tags["title" if name == "name" else name] = value  # as mp4 calls the title of a track
    return tags


class TagKeeper:
    """The tags of `output`, whose header is not written yet, and which of them it lacks then.

    `name` is that of the input; `whole` says whether its first frame is that of the output.
    """

    def __init__(self, output: OutputContainer, container: Container, name: str, *, whole: bool) -> None:
        self._name, self._muxer = name, container.muxer
        self._check_time_code(output, whole)
        if self._muxer in ("mp4", "mov"):
            _name_for_players(output, self._muxer)
        if self._muxer == "mov":
            for stream in output.streams:
                language = stream.metadata.get("language", "und")
                stream.metadata["language"] = _LANGUAGES_OF_MOV.get(language, language)
        self._wanted = _all_tags(output)

    def tell_lost(self, path: Path) -> None:
        """Tell what is not in the complete file at `path`."""
        if self._muxer in _HOLDS_ALL or not any(map(_missed, self._wanted)):
            return
        found: list[Tags] = []
        with suppress(av.FFmpegError, OSError):
            if self._muxer != _HOLDS_NONE:
                found = [content_tags(tags, self._muxer) for tags in _read(path)[: len(self._wanted)]]
        values = {value for tags in found for value in tags.values()}  # some come back by another name
        lost: dict[str, None] = {}
        for wanted, kept in zip_longest(self._wanted, found, fillvalue=Tags()):
            names = {name.lower() for name in kept}
            missed = _missed(wanted).items()
            lost |= {k: None for k, v in missed if k.lower() not in names and v not in values}
        if lost:
            logger.warning(
                "tags of %s have no place in %s files: %s", self._name, self._muxer, ", ".join(lost)
            )

    def _check_time_code(self, output: OutputContainer, whole: bool) -> None:
        """Leave out a wrong one, and one that cannot be: in mp4 and mov FFmpeg counts frames, at a rate."""
        video = output.streams.video[0]
        rate = video.codec_context.framerate
        counted = self._muxer not in ("mp4", "mov") or (rate and rate <= _FASTEST_TIME_CODE)
        places = [output.metadata, video.metadata]
        codes = [(tags, name) for tags in places for name in tags if name.lower() == "timecode"]
        if codes and not (whole and counted):
            logger.warning("the time code of %s is left out", self._name)
            for tags, name in codes:
                del tags[name]


def _name_for_players(output: OutputContainer, muxer: str) -> None:
    """Call things in mp4 and mov what players look for.

    FFmpeg writes either any names, as phones do, or only those that iTunes has, with the cover: players of
    mp4 look there. And most programs know the title of a track by the name of its handler.
    """
    tags = output.metadata
    if any(name.startswith("com.") for name in tags):
        covers = [stream for stream in output.streams if stream.disposition & Disposition.attached_pic]
        if muxer == "mp4" and (covers or _OF_ITUNES & tags.keys()):
            _call_as_itunes(tags)
        else:
            flags = output.container_options.get("movflags", "")
            output.container_options["movflags"] = f"{flags}+use_metadata_tags"
            for name, apples in _SHOWN.items():
                if name in tags:
                    tags.setdefault(f"{_APPLE}{apples}", tags[name])
    for stream in output.streams:
        if "title" in stream.metadata:
            stream.metadata.setdefault("handler_name", stream.metadata["title"])


def _call_as_itunes(tags: Tags) -> None:
    for name, apples in _SHOWN.items():
        value = tags.get(f"{_APPLE}{apples}")
        if value is None:
            continue
        usual = tags.setdefault(name, value)
        if name == "location" and _is_same_place(usual, value):
            usual = value = tags[name] = max(value, usual, key=lambda place: len(_DEGREES.findall(place)))
        if usual == value:
            tags.pop(f"{_APPLE}{apples}")


def _is_same_place(one: str, other: str) -> bool:
    """Whether these are one place, maybe one of them without its height."""
    pairs = list(zip(_DEGREES.findall(one), _DEGREES.findall(other), strict=False))
    return len(pairs) > 1 and all(abs(float(a) - float(b)) <= _SAME_DEGREES for a, b in pairs)


def _missed(tags: Tags) -> Tags:
    """Those that somebody may miss; und is what mp4 says where nobody named a language."""
    return {k: v for k, v in tags.items() if k.lower() not in _NOT_MISSED and v != "und"}


def _read(path: Path) -> list[Tags]:
    with av.open(f"file:{path}", metadata_errors="replace") as file:
        return _all_tags(file)


def _all_tags(file: OpenFile) -> list[Tags]:
    """Those of the file and of each of its streams, but for covers, which have places of their own."""
    streams = [stream for stream in file.streams if not stream.disposition & Disposition.attached_pic]
    return [dict(file.metadata), *(dict(stream.metadata) for stream in streams)]
