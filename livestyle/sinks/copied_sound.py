"""Sound that gets from one file into another packet by packet, as it is."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import cast

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Stream

_PRIMING = 2
"""Packets that a decoder may need to hear before the first one that sounds."""
TOLERANCE = Fraction(1, 20)
"""In seconds, by which sound may come late or early unnoticed: some files count in milliseconds, and
some clocks drift."""


class CopiedSound:
    """Packets as they are, but for damaged ones, which players and muxers stumble over.

    Without `gaps`, what comes after one is too early in the output, which is told; `start`, in seconds by the
    clock of `stream`, is where sound is to begin. What the input cuts away, by an edit list, is left out
    unless the output `hides` it too.
    """

    def __init__(
        self, output: OutputContainer, stream: AudioStream, start: Fraction | None, *, gaps: bool, hides: bool
    ) -> None:
        self.track: Stream | None = output.add_stream_from_template(stream, opaque=True)
        # Matroska counts milliseconds, of which several frames of TrueHD share one
        self._twice = bool(output.format.flags & cast(int, Flags.ts_nonstrict.value))
        self._adts, self._gaps, self._hides = is_adts(stream), gaps, hides
        self._unheard: deque[Packet[Stream]] = deque(maxlen=_PRIMING)
        self._damaged = 0
        self._end = start
        self._dts = -(1 << 63)
        self._lost = Fraction(0)

    @property
    def trouble(self) -> str:
        """What the output could not take so far, in words; empty where it took all."""
        if not self._lost:
            return ""
        return (
            f"has {float(self._lost):.2f} s of gaps, which the output cannot hold: "
            "what follows comes too early; use .mkv"
        )

    @property
    def damage(self) -> str:
        """What of the input was beyond reading so far, in words; empty where nothing was."""
        return left_out(self._damaged)

    def carry(self, packet: Packet[Stream] | None) -> Sequence[Packet[Stream]]:
        """The packet, if it is whole, after those that lead up to it."""
        if packet is None:
            return []
        if packet.is_discard and not self._hides:
            self._unheard.append(packet)
            return []
        ready = [*self._unheard, packet]
        self._unheard.clear()
        return [one for one in ready if self._goes_on(one)]

    def _goes_on(self, packet: Packet[Stream]) -> bool:
        """Whether the packet is whole and comes after the last one; what is not is counted."""
        dts = packet.dts if packet.dts is not None else packet.pts or 0
        follows = dts >= self._dts if self._twice else dts > self._dts
        if not follows or (self._adts and not _is_whole_adts(bytes(packet))):
            self._damaged += not packet.is_discard  # where an edit begins, its pre-roll comes again
            return False
        self._dts = dts
        start = dts * packet.time_base
        if not self._gaps and self._end is not None and start > self._end + TOLERANCE:
            self._lost += start - self._end
        self._end = start + (packet.duration or 0) * packet.time_base
        return True


def _is_whole_adts(data: bytes) -> bool:
    """Whether it is one frame of AAC, with its header, of the length that this states."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return False
    return (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5 == len(data)


def is_adts(track: Stream) -> bool:
    """Whether it is AAC as transport streams have it, with a header in each packet."""
    return track.codec_context.name == "aac" and not track.codec_context.extradata


def left_out(count: int) -> str:
    """That so many packets did not come through, in words; empty for none."""
    if not count:
        return ""
    one = count == 1
    return (
        f"has {count} packet{'s' * (not one)} that {'is' if one else 'are'} damaged or out of order: "
        f"{'it is' if one else 'they are'} left out"
    )
