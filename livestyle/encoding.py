"""How a video is to be encoded, in plain values, for the command line and for every sink."""

from dataclasses import dataclass

CODECS = ("h264", "hevc", "av1", "vp9", "prores")
"""What a user may ask for; what an animation is made of follows from its file."""

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
"""From the fastest to the one that makes the smallest files: x264's names, for every codec."""

HWACCELS = ("auto", "all", "none")
"""`auto` decodes and encodes on an NVIDIA GPU that can, without a word where there is none; `all` encodes on
a graphics processor of any maker besides, and says so where there is none; `none` does neither."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What is asked for; by default, what suits the file and cannot be told from the original at a glance."""

    codec: str | None = None
    """One of `CODECS`; None: what such files usually hold."""
    crf: float | None = None
    """Constant quality, 0 (best) up, on the codec's own scale; None: its usual one."""
    preset: str = "ultrafast"
    """One of `PRESETS`."""
    hwaccel: str = "none"
    """One of `HWACCELS`."""

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"unknown preset {self.preset!r}: choose {', '.join(PRESETS)}")
        if self.hwaccel not in HWACCELS:
            raise ValueError(f"unknown hwaccel {self.hwaccel!r}: choose {', '.join(HWACCELS)}")
