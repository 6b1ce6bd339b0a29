"""Opening a video: which of its streams it is, and why there is none."""

from contextlib import suppress
from itertools import islice

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from livestyle.errors import SourceError, reason_of
from livestyle.sources.media import PICTURES_IN_A_ROW, Media

MOST_PIXELS = 40_000_000
"""Of a frame: 8K has 33 million. A damaged header may state so many that no memory holds them."""
_PICTURE = "image2"


def open_video(media: Media, hwaccel: str) -> tuple[InputContainer, VideoStream]:
    """The container and the stream to read. Raises SourceError where there is none."""
    try:
        container = media.open(hwaccel)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot open {media.name}: {_reason(error, media)}") from error
    if not media.pictures and _is_picture(container, media):
        container.close()
        what = "it is a picture; paint it with livestyle image"
        if _is_animated_webp(media):
            what = "FFmpeg reads no animated .webp; make it a .gif or .mp4 first"
        raise SourceError(f"cannot open {media.name} as a video: {what}")
    stream = video_of(container)
    if stream is not None and stream.width * stream.height <= MOST_PIXELS:
        return container, stream
    container.close()
    if stream is None:
        trouble = "it holds no video that can be decoded; choose another file"
    else:
        trouble = f"frames of {stream.width}x{stream.height} are too large; scale it down to 8K"
    raise SourceError(f"cannot read {media.name}: {trouble}")


def video_of(container: InputContainer) -> VideoStream | None:
    """The video that players show: the default one, else the first.

    Not a still picture, like a cover, or that of an AVIF beside its animation, unless there is no other.
    """
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None
    ]
    moving = [stream for stream in videos if stream.frames != 1] or videos
    default = (stream for stream in moving if stream.disposition & Disposition.default)
    return next(default, moving[0] if moving else None)


def others_of(container: InputContainer, video: VideoStream) -> list[str]:
    """What it has beside that video, each kind in a word."""
    covers = [stream for stream in container.streams.video if stream.disposition & Disposition.attached_pic]
    others = {
        "sound": container.streams.audio,
        "subtitles": container.streams.subtitles,
        "chapters": container.chapters(),
        "attachments": container.streams.attachments,
        "cover": covers,
        "other videos": [s for s in container.streams.video if s not in covers and s.index != video.index],
    }
    return [name for name, found in others.items() if found]


def _is_picture(container: InputContainer, media: Media) -> bool:
    if not container.format.name.endswith(PICTURES_IN_A_ROW):
        return container.format.name == _PICTURE
    with suppress(av.FFmpegError), media.open() as again:
        pictures = (packet for packet in again.demux(video=0) if packet.size)
        return len(list(islice(pictures, 2))) < 2
    return True


def _is_animated_webp(media: Media) -> bool:
    """WebP Container Specification: the flags of an extended file follow its first 20 bytes."""
    with media.content() as content:
        head = content.at(0, 21) if content else b""
    return len(head) == 21 and head[8:16] == b"WEBPVP8X" and bool(head[20] & 2)


def _reason(error: OSError | av.FFmpegError, media: Media) -> str:
    if isinstance(error, av.InvalidDataError) and media.begins_as_mp4():
        return "its index is missing: the recording was not finished; repair it with untrunc"
    return f"{reason_of(error)}; is it a video?"
