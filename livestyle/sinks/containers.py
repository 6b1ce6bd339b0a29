"""What each kind of output file can hold, by the suffix of its name."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from livestyle.errors import SinkError

STDOUT = "-"
_FINE = Fraction(1, 90_000)
"""A time base fine enough for every usual frame rate, and for rates that vary."""


@dataclass(frozen=True, slots=True)
class Container:
    """One kind of file, as players expect it to be, which is less than what FFmpeg's muxers accept."""

    muxer: str
    video: tuple[str, ...]
    """Names of `livestyle.sinks.codecs.CODECS`; the first is the usual one."""
    audio: frozenset[str] | None
    """What is copied as it is; None: whatever comes."""
    audio_encoder: str = "aac"
    """What becomes of the rest; empty where there is no place for sound."""
    steady_sound: frozenset[str] = frozenset()
    """Codecs whose sound has no gaps in it, whatever its times."""
    late_sound: bool = True
    """Whether its sound may start after the picture."""
    subtitles: frozenset[str] = frozenset()
    """What is copied as it is."""
    subtitle_encoder: str = ""
    """What becomes of other text; empty where there is no place for subtitles."""
    chapters: bool = True
    attachments: bool = False
    """Whether it holds files such as fonts, and pictures on the cover with them."""
    covers: frozenset[str] = frozenset()
    """The codecs of pictures on the cover for which it has a place of their own."""
    options: dict[str, str] = field(default_factory=dict)
    stream_options: dict[str, str] = field(default_factory=dict)
    """In place of `options` where the file cannot be gone back in, as in a pipe."""
    time_base: Fraction = _FINE
    constant_rate: bool = False
    """Whether its frames are all equally far apart."""
    header_first: bool = False
    """Whether its header is complete before the first packet, as in a pipe it must be."""
    highest_rate: float | None = None
    """Frames a second that players still show as they should be."""


# faststart puts the index first, so that a browser plays the file while it still loads
_MP4_OPTIONS = {"movflags": "+faststart"}
_MP4_STREAM = {"movflags": "+frag_keyframe+empty_moov+delay_moov+default_base_moof"}
_TEXTS = frozenset({"subrip", "ass", "ssa", "webvtt", "dvd_subtitle", "hdmv_pgs_subtitle", "dvb_subtitle"})
_PCM = frozenset({"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"})
_AVI_SOUND = frozenset({"mp3", "ac3", "pcm_s16le", "mp2"})

_MP4 = Container(
    "mp4",
    ("h264", "hevc", "av1", "vp9"),
    frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}),
    subtitles=frozenset({"mov_text"}),
    subtitle_encoder="mov_text",
    covers=frozenset({"mjpeg", "png"}),
    options=_MP4_OPTIONS,
    stream_options=_MP4_STREAM,
)
_MOV = Container(
    "mov",
    ("h264", "hevc", "prores"),
    frozenset({"aac", "mp3", "ac3", "eac3", "alac"}) | _PCM,
    steady_sound=_PCM,
    subtitles=frozenset({"mov_text"}),
    subtitle_encoder="mov_text",
    options=_MP4_OPTIONS,
    stream_options=_MP4_STREAM,
)
_MKV = Container(
    "matroska",
    ("h264", "hevc", "av1", "vp9", "prores"),
    None,
    subtitles=_TEXTS,
    subtitle_encoder="subrip",
    attachments=True,
)
_WEBM = Container(
    "webm",
    ("vp9", "av1"),
    frozenset({"opus", "vorbis"}),
    "libopus",
    subtitles=frozenset({"webvtt"}),
    subtitle_encoder="webvtt",
)
# an encoder's delay of sound, which begins below 0, would move the picture off its grid
_AVI_OPTIONS = {"avoid_negative_ts": "disabled"}
_AVI = Container(
    "avi",
    ("h264",),
    _AVI_SOUND,
    "libmp3lame",
    steady_sound=_AVI_SOUND,
    late_sound=False,
    chapters=False,
    options=_AVI_OPTIONS,
    stream_options=_AVI_OPTIONS,
    constant_rate=True,
)
_TS_OPTIONS = {"muxdelay": "0", "muxpreload": "0"}
_TS = Container(
    "mpegts",
    ("h264", "hevc"),
    frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus"}),
    subtitles=frozenset({"dvb_subtitle"}),
    chapters=False,
    options=_TS_OPTIONS,
    stream_options=_TS_OPTIONS,
)
# as Blu-ray discs and AVCHD cameras have it: with other sound, players find no sound in it
_M2TS_OPTIONS = _TS_OPTIONS | {"mpegts_m2ts_mode": "1"}
_M2TS = replace(
    _TS,
    audio=frozenset({"ac3", "eac3", "dts", "pcm_bluray"}),
    audio_encoder="ac3",
    subtitles=frozenset({"hdmv_pgs_subtitle"}),
    options=_M2TS_OPTIONS,
    stream_options=_M2TS_OPTIONS,
)
_GIF = Container(
    "gif",
    ("gif",),
    frozenset(),
    "",
    chapters=False,
    options={"loop": "0"},
    time_base=Fraction(1, 100),
    highest_rate=50.0,  # browsers show frames of less than 0.02 s for 0.1 s
)
_WEBP = Container(
    "webp",
    ("webp",),
    frozenset(),
    "",
    chapters=False,
    options={"loop": "0"},
    time_base=Fraction(1, 1000),
)

CONTAINERS = {
    "mp4": _MP4,
    "m4v": _MP4,
    "mov": _MOV,
    "mkv": _MKV,
    "webm": _WEBM,
    "avi": _AVI,
    "ts": _TS,
    "m2ts": _M2TS,
    "gif": _GIF,
    "webp": _WEBP,
}
"""By the suffix of a file's name, without its dot."""


def container_of(path: Path | str, form: str | None = None) -> Container:
    """The kind of file that `path` is to be: `form`, else what its suffix says; Matroska for a pipe.

    Raises SinkError where the suffix says nothing.
    """
    if str(path) == STDOUT:
        return replace(_MKV if form is None else CONTAINERS[form], header_first=True, covers=frozenset())
    if form is not None:
        return CONTAINERS[form]
    suffix = Path(path).suffix
    if suffix[1:].lower() not in CONTAINERS:
        known = ", ".join(f".{name}" for name in CONTAINERS)
        why = f"{suffix} is no video format here" if suffix else "its name does not end in a format"
        raise SinkError(f"cannot write {path}: {why}; use {known}")
    return CONTAINERS[suffix[1:].lower()]
