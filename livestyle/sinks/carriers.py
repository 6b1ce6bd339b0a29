"""How one stream of a file gets into another: copied, encoded again, or as a picture on the cover."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Protocol, cast

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Disposition, Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream

from livestyle.errors import SinkError
from livestyle.sinks.containers import Container
from livestyle.sinks.partial import alternatives
from livestyle.sinks.sound import sound_carrier
from livestyle.sinks.texts import Texts
from livestyle.sources.media import Media
from livestyle.sources.opening import video_of

_COVERS = {
    "mjpeg": ("cover.jpg", "image/jpeg"),
    "png": ("cover.png", "image/png"),
    "gif": ("cover.gif", "image/gif"),
    "bmp": ("cover.bmp", "image/bmp"),
    "tiff": ("cover.tiff", "image/tiff"),
    "webp": ("cover.webp", "image/webp"),
}
"""What a cover that has neither is called as an attachment, and its type, by its codec."""


class Carrier(Protocol):
    """Turns packets of one stream into packets of `track`, whose times are still those of the input."""

    @property
    def track(self) -> Stream | None:
        """The stream of the output; None for what is written with its header and has no packets."""
        ...

    @property
    def trouble(self) -> str:
        """What the output could not take so far, in words; empty where it took all."""
        ...

    @property
    def damage(self) -> str:
        """What of the input was beyond reading so far, in words; empty where nothing was."""
        ...

    def carry(self, packet: Packet[Stream] | None) -> Iterable[Packet[Stream]]:
        """What becomes of the packet; None asks for what is still held back."""
        ...


def carrier_for(
    stream: Stream, output: OutputContainer, container: Container, media: Media, origin: Fraction
) -> tuple[Carrier | None, str]:
    """The way of a stream into the output, and a notice where it does not come through as it was.

    `origin` is what of the stream's clock will be 0 in the output.
    """
    if stream.type == "audio":
        return sound_carrier(cast(AudioStream, stream), output, container, origin)
    if stream.type == "subtitle":
        return _subtitles(cast(SubtitleStream, stream), output, container)
    if stream.type == "attachment" and container.attachments:
        return _Attachment(output, cast(AttachmentStream, stream)), ""
    if stream.type == "video" and not stream.disposition & Disposition.attached_pic:
        painted = video_of(cast(InputContainer, stream.container))
        return None, f"is left out: stream {painted.index if painted else 0} is the one video that is painted"
    if stream.type == "video":
        return _cover(stream, output, container, media)
    return None, f"is left out: there is no place for it in {container.muxer} files"


def _cover(
    stream: Stream, output: OutputContainer, container: Container, media: Media
) -> tuple[Carrier | None, str]:
    codec = stream.codec_context.name if stream.codec_context is not None else ""
    name, mimetype = _COVERS.get(codec, ("cover", ""))
    name, mimetype = stream.metadata.get("filename", name), stream.metadata.get("mimetype", mimetype)
    if container.attachments and mimetype:
        return _AttachedCover(output, stream, media, name, mimetype), ""
    if codec in container.covers:
        return _Cover(output, stream, media), ""
    return None, "is a cover, which is left out: .mp4 or .mkv keeps it"


def _subtitles(
    track: SubtitleStream, output: OutputContainer, container: Container
) -> tuple[Carrier | None, str]:
    context = cast(SubtitleCodecContext | None, track.codec_context)
    if context is not None and {context.name, context.codec.canonical_name} & container.subtitles:
        return _Copied(output, track), ""
    if context is None or not container.subtitle_encoder:
        return None, f"is left out: there is no place for it in {container.muxer} files"
    context.open(strict=False)
    if context.subtitle_header is None:
        return None, f"is left out: {context.name} is made of pictures, {container.muxer} files hold text"
    wanted = container.subtitle_encoder
    notice = (
        f"is {context.codec.canonical_name}, which {container.muxer} files do not hold: it becomes {wanted}"
    )
    return Texts(output, track, container), notice


class _Copied:
    """Packets as they are."""

    trouble = damage = ""

    def __init__(self, output: OutputContainer, stream: Stream) -> None:
        try:
            self.track: Stream | None = output.add_stream_from_template(stream, opaque=True)
        except ValueError as error:  # the muxer has no place for this codec
            raise SinkError(f"cannot write stream {stream.index}: {error}; use .mkv") from error

    def carry(self, packet: Packet[Stream] | None) -> Sequence[Packet[Stream]]:
        return [packet] if packet is not None else []


class _Attachment:
    """A file within the file, such as a font."""

    track: Stream | None = None
    trouble = damage = ""

    def __init__(self, output: OutputContainer, stream: AttachmentStream) -> None:
        name = stream.metadata.get("filename") or f"attachment{stream.index}"
        output.add_attachment(name, stream.mimetype or "application/octet-stream", stream.data)

    def carry(self, packet: Packet[Stream] | None) -> Sequence[Packet[Stream]]:  # noqa: ARG002
        return []


class _Cover:
    """A picture on the cover, as mp4 has it: a track of one packet."""

    trouble = damage = ""

    def __init__(self, output: OutputContainer, stream: Stream, media: Media) -> None:
        track = output.add_stream_from_template(stream)
        track.disposition = Disposition.attached_pic
        self.track: Stream | None = track
        self._packet = _first_packet(stream, media)

    def carry(self, packet: Packet[Stream] | None) -> Sequence[Packet[Stream]]:
        if packet is not None or self._packet is None:
            return []
        self._packet.pts = self._packet.dts = None  # it belongs to no moment
        return [self._packet]


class _AttachedCover:
    """A picture on the cover, which Matroska keeps as an attachment."""

    track: Stream | None = None
    trouble = damage = ""

    def __init__(
        self, output: OutputContainer, stream: Stream, media: Media, name: str, mimetype: str
    ) -> None:
        taken = {other.metadata.get("filename") for other in output.streams}
        free = next(path.name for path in alternatives(Path(name)) if path.name not in taken)
        packet = _first_packet(stream, media)
        output.add_attachment(free, mimetype, bytes(packet) if packet else b"")

    def carry(self, packet: Packet[Stream] | None) -> Sequence[Packet[Stream]]:  # noqa: ARG002
        return []


def _first_packet(stream: Stream, media: Media) -> Packet[Stream] | None:
    with closing(media.open()) as container:
        packets = container.demux(container.streams[stream.index])
        return next((packet for packet in packets if packet.size), None)
