"""The sound of a microphone as AAC in a container, in step with live video."""

import logging
import time
from collections.abc import Iterator
from fractions import Fraction

import av
import av.filter
from av.audio.frame import AudioFrame
from av.container import OutputContainer

from livestyle.errors import SourceError
from livestyle.prefetch import Collector
from livestyle.sources.microphone import Microphone, Sound

logger = logging.getLogger(__name__)

_RATE = 48_000
_TIME_BASE = Fraction(1, 1_000_000)
_SYNC = f"{_RATE}:async=1:min_hard_comp=0.1:first_pts=0"
"""Sound that is off by more than 0.1 s is moved to its place by silence or by a cut: lost samples, and the
clocks of sound card and computer, which do not run evenly."""


class LiveSound:
    """The sound track of `container`, from `microphone`, which is read on a thread and closed here.

    `epoch` is `time.perf_counter()` at the video's pts 0; without it, the first video frame is taken to be of
    the moment it is written. A microphone that disappears leaves silence, with a notice.
    """

    def __init__(
        self, container: OutputContainer, microphone: Microphone, epoch: float | None = None
    ) -> None:
        self._container, self._microphone, self._epoch = container, microphone, epoch
        self._stream = container.add_stream("aac", rate=_RATE, layout="stereo")
        self._stream.codec_context.bit_rate = 160_000
        self._graph: av.filter.Graph | None = None
        self._collector = Collector(microphone)
        self._collector.__enter__()
        self._gone = False

    def write(self, start: float) -> None:
        """Encode what was heard since the last call. `start` is the pts of the first video frame."""
        if self._epoch is None:
            self._epoch = time.perf_counter() - start
        for sound in self._heard():
            for samples in self._in_step(sound, self._epoch + start):
                self._mux(samples)

    def finish(self, start: float) -> None:
        """Encode the rest."""
        self.write(start)
        if self._graph is not None:
            self._graph.push(None)
            for samples in self._ready():
                self._mux(samples)
        self._mux(None)

    def close(self) -> None:
        """Let the microphone go, unless it is dead; safe to call twice."""
        self._collector.__exit__(None, None, None)
        if self._collector.ended:  # else the device holds its reader, and closing it would crash the process
            self._microphone.close()

    def _heard(self) -> list[Sound]:
        if self._gone:
            return []
        try:
            return self._collector.take()
        except SourceError as error:
            self._gone = True
            logger.warning("%s", error)
            return []

    def _in_step(self, sound: Sound, zero: float) -> Iterator[AudioFrame]:
        samples = sound.samples
        seconds = sound.moment - zero
        if seconds + samples.samples / samples.sample_rate < 0:
            return  # from before the first picture
        samples.pts, samples.time_base = round(seconds / _TIME_BASE), _TIME_BASE
        if self._graph is None:
            self._graph = _graph(samples)
        self._graph.push(samples)
        yield from self._ready()

    def _ready(self) -> Iterator[AudioFrame]:
        while self._graph is not None:
            try:
                samples = self._graph.pull()
            except (av.BlockingIOError, EOFError):
                return
            assert isinstance(samples, AudioFrame)
            yield samples

    def _mux(self, samples: AudioFrame | None) -> None:
        for packet in self._stream.encode(samples):
            self._container.mux_one(packet)


def _graph(samples: AudioFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    chain = (
        graph.add_abuffer(
            sample_rate=samples.sample_rate,
            format=samples.format,
            layout=samples.layout,
            time_base=_TIME_BASE,
        ),
        graph.add("aresample", _SYNC),
        graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo"),
        graph.add("abuffersink"),
    )
    graph.link_nodes(*chain).configure()
    return graph
