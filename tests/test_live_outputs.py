"""Where a live painting goes besides a file: other programs, the network, a virtual camera."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.prefetch import Background, WriteBehind
from livestyle.sinks import stream
from livestyle.sinks.live import open_live_sink
from livestyle.sinks.null import NullSink
from livestyle.sinks.raw import RawSink
from livestyle.sinks.stream import StreamSink
from livestyle.sinks.virtual_camera import VirtualCamera
from livestyle.sources.camera import open_camera
from livestyle.sources.rgb import ToRgb
from tests.media import RED_GREEN_BLUE, grey, stripe_colours, stripes
from tests.rtsp import RtspServer

SIZE = (64, 48)


def frames(count: int, rate: float = 30) -> Iterator[Frame]:
    """Frames as a camera gives them, by the clock, whose brightness tells their place."""
    began = time.perf_counter()
    for index in range(count):
        time.sleep(max(0.0, began + index / rate - time.perf_counter()))
        yield Frame(grey(4 * index), index / rate)


class Reader:
    """Reads a URL or a pipe on a thread, as a player would: (seconds, image) of each frame."""

    def __init__(self, name: str, options: dict[str, str] | None = None, most: int = 1000) -> None:
        self.seen: list[tuple[float, np.ndarray]] = []
        self._name, self._options, self._most = name, options or {}, most
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def join(self) -> list[tuple[float, np.ndarray]]:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.seen

    def _read(self) -> None:
        to_rgb = ToRgb(self._name)
        with av.open(self._name, options=self._options) as container:
            for frame in container.decode(video=0):
                self.seen.append((frame.time, to_rgb(frame)))
                if len(self.seen) == self._most:
                    return


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with suppress(OSError):  # the test may have closed it
            os.close(end)


def through_pipe(pipe: tuple[int, int], size: tuple[int, int], given: list[Frame], rate: float) -> Reader:
    """Write frames into the pipe and close it, with a reader at its other end."""
    reader = Reader(f"pipe:{pipe[0]}")
    sink = RawSink(size, rate=rate, target=pipe[1])
    for frame in given:
        sink.write(frame)
    sink.close()
    os.close(pipe[1])
    return reader


@pytest.mark.parametrize("size", [(96, 64), (1280, 720)])
def test_raw_video_says_itself_what_it_is_and_keeps_its_colours(
    pipe: tuple[int, int], size: tuple[int, int]
) -> None:
    given = [Frame(stripes(*size), index / 25) for index in range(3)]
    seen = through_pipe(pipe, size, given, rate=25).join()
    assert [seconds for seconds, _ in seen] == pytest.approx([0, 0.04, 0.08])
    assert seen[0][1].shape == (size[1], size[0], 3)
    np.testing.assert_allclose(stripe_colours(seen[0][1]), RED_GREEN_BLUE, atol=6)


def test_raw_video_keeps_time_by_repeating_and_leaving_out(pipe: tuple[int, int]) -> None:
    moments = [5.0, 5.1, 5.11, 5.12, 5.4, 5.5]
    given = [Frame(grey(40 * index, *SIZE), pts) for index, pts in enumerate(moments)]
    seen = through_pipe(pipe, SIZE, given, rate=10).join()
    assert [round(float(image.mean()) / 40) for _, image in seen] == [0, 1, 4, 4, 4, 5]


def test_an_odd_size_grows_in_raw_video(pipe: tuple[int, int]) -> None:
    seen = through_pipe(pipe, (33, 47), [Frame(grey(90, 33, 47), 0.0)], rate=30).join()
    assert seen[0][1].shape == (48, 34, 3)


def test_a_reader_that_has_gone_is_one_clear_line(pipe: tuple[int, int]) -> None:
    sink = RawSink(SIZE, target=pipe[1])
    sink.write(Frame(grey(1), 0.0))
    os.close(pipe[0])
    with pytest.raises(SinkError, match="raw video ends here: the program that reads it has gone"):
        sink.write(Frame(grey(1), 1.0))
    sink.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot ask a pipe whether it is full")
def test_a_reader_that_does_not_read_is_given_up(pipe: tuple[int, int]) -> None:
    sink = RawSink((640, 480), target=pipe[1])
    sink._pipe.patience_seconds = 0.3
    began = time.perf_counter()
    with pytest.raises(SinkError, match=r"nobody has read it for 0\.3 s"):
        for index in range(100):
            sink.write(Frame(grey(1, 640, 480), index / 30))
    assert time.perf_counter() - began < 3


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo terminals on Windows")
def test_raw_video_is_not_poured_into_a_terminal() -> None:
    main, terminal = os.openpty()
    with pytest.raises(SinkError, match=r"--output - \| ffplay"):
        RawSink(SIZE, target=terminal)
    os.close(main)
    os.close(terminal)


def test_stdout_closed_by_its_reader_is_one_line_and_no_traceback() -> None:
    code = (
        "import sys, itertools\n"
        "from livestyle.errors import SinkError; from livestyle.sinks.live import open_live_sink\n"
        "from livestyle.sources.pattern import PatternSource\n"
        "source = PatternSource(size=(320, 240)); sink = open_live_sink('-', source.size, rate=30)\n"
        "try:\n"
        "    for index in itertools.count(): sink.write(source.at(index / 30))\n"
        "except SinkError as error: sys.exit(str(error))"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10) == b"YUV4MPEG2 "
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert said == "raw video ends here: the program that reads it has gone\n"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connect(url: str) -> StreamSink:
    """Open the stream once its listener is there."""
    until = time.perf_counter() + 5
    while True:
        try:
            return StreamSink(url, SIZE, rate=30)
        except SinkError:
            if time.perf_counter() > until:
                raise
            time.sleep(0.05)


# Listeners look at the stream's beginning for as long as they are told to before they begin.
QUICK = {"analyzeduration": "300000", "probesize": "50000"}


@pytest.mark.parametrize("scheme", ["rtmp", "tcp", "udp"])
def test_a_stream_arrives_with_its_times(scheme: str) -> None:
    port = free_port(socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM)
    url = f"{scheme}://127.0.0.1:{port}" + ("/live/x" if scheme == "rtmp" else "")
    listening = url + "?listen=1" if scheme == "tcp" else url
    reader = Reader(listening, {"listen": "1", **QUICK} if scheme == "rtmp" else QUICK, most=30)
    with closing(connect(url)) as sink:
        for frame in frames(60):
            sink.write(frame)
            if not reader._thread.is_alive():
                break
    seen = reader.join()
    assert len(seen) == 30
    # FLV counts in milliseconds; a loaded machine may drop frames, but never moves one
    steps = np.diff([seconds for seconds, _ in seen])
    places = np.diff([round(image.mean() / 4) for _, image in seen])
    assert steps == pytest.approx(places / 30, abs=0.0011)


def test_a_stream_goes_out_and_comes_in_again() -> None:
    with RtspServer() as server, closing(StreamSink(server.url, SIZE, rate=30)) as sink:
        with WriteBehind(sink) as behind:
            opened = Background()
            with opened:
                opening = opened.do(lambda: open_camera(server.url))
                for frame in frames(90):
                    behind.offer(frame)
                    if opening.done():
                        break
            camera = opening.result()
            assert camera.size == SIZE
            seen = []
            for sent, received in zip(frames(20), camera, strict=False):
                behind.offer(Frame(sent.image, 10 + sent.pts))
                seen.append(received)
            camera.close()
        assert len(seen) == 20


def test_a_frame_arrives_before_the_next_one_is_sent() -> None:
    with listener() as server, closing(StreamSink(url_of(server), SIZE)) as sink:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(2)
            for frame in frames(10, rate=20):
                sink.write(frame)
                assert len(connection.recv(1 << 16)) >= 188  # a packet of MPEG-TS at least


def listener(port: int = 0) -> socket.socket:
    server = socket.create_server(("127.0.0.1", port))
    server.settimeout(5)
    return server


def url_of(server: socket.socket) -> str:
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_a_lost_server_is_found_again_and_nobody_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with listener() as server:
        sink = StreamSink(url_of(server), SIZE)
        server.accept()[0].close()
    longest = write_until(sink, lambda: sink._lost)
    assert sink.dropped >= 1
    with listener(int(sink.name.rpartition(":")[2])) as server:
        longest = max(longest, write_until(sink, lambda: not sink._lost))
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            write_until(sink, lambda: True)
            assert connection.recv(188)[0] == 0x47  # the sync byte of MPEG-TS
            sink.close()
    assert longest < 0.3  # a process is started in that time, and nothing is waited for
    lost, back, summary = [record.getMessage() for record in caplog.records]
    assert lost.startswith(f"{sink.name} is gone (")
    assert back == f"{sink.name} is back"
    assert summary == f"{sink.name}: {sink.dropped} frames were dropped"


def write_until(sink: StreamSink, true: Callable[[], bool], seconds: float = 10) -> float:
    """Write frames until something is so; return the longest that one took."""
    longest = 0.0
    for frame in frames(round(30 * seconds)):
        began = time.perf_counter()
        sink.write(Frame(frame.image, began))
        longest = max(longest, time.perf_counter() - began)
        if true():
            return longest
    raise AssertionError(f"waited {seconds} s in vain")


def test_a_server_that_says_nothing_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_CONNECT_SECONDS", 1.5)
    ticks = []

    def tick() -> None:
        while len(ticks) < 1000 and not done.wait(0.01):
            ticks.append(time.perf_counter())

    done = threading.Event()
    ticker = threading.Thread(target=tick)
    with listener() as server:
        ticker.start()
        with pytest.raises(SinkError, match=r"^cannot stream to rtmp:[^\n]*: no answer; is it the right"):
            StreamSink(url_of(server).replace("tcp", "rtmp") + "/live", SIZE)
        done.set()
        ticker.join()
    assert max(np.diff(ticks)) < 1.0  # PyAV itself would have held every thread


def test_a_server_that_takes_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream, "_STUCK_SECONDS", 0.3)
    monkeypatch.setattr(stream, "_FINISH_SECONDS", 0.3)
    random = np.random.default_rng(0)
    size = (640, 480)
    with listener() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sink = StreamSink(url_of(server), size)
        connection, _ = server.accept()
        with connection:
            for index in range(600):
                sink.write(Frame(random.integers(0, 256, (480, 640, 3), np.uint8), index / 30))
                if sink.dropped:
                    break
                time.sleep(0.01)
            assert sink.dropped
            began = time.perf_counter()
            sink.close()
            assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("rtmp://127.0.0.1:9/live", "connection refused; is the server there?"),
        ("rtsp://127.0.0.1:9/live", "connection refused; is the server there?"),
        ("tcp://127.0.0.1:9", "connection refused; is the server there?"),
        ("magic://127.0.0.1", "no protocol 'magic' here; use rtmp://"),
    ],
)
def test_a_server_that_is_not_there_is_one_clear_line(
    url: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SinkError, match=r"^cannot stream to [^\n]*$") as caught:
        open_live_sink(url.replace("//", "//me:secret@"), SIZE, rate=30)
    assert reason in str(caught.value)
    assert url in str(caught.value)
    assert "secret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_virtual_camera_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"pip install 'livestyle\[virtual-camera\]'"):
        VirtualCamera(SIZE)


ADVICE = {"linux": "sudo modprobe v4l2loopback", "win32": "OBS Studio", "darwin": "OBS Studio"}


@pytest.mark.skipif(bool(list(Path("/dev").glob("video*"))), reason="there may be such a device")
def test_a_virtual_camera_without_a_device_says_how_to_make_one(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyvirtualcam", reason="there is no pyvirtualcam for this machine")
    with pytest.raises(SinkError, match=r"^cannot open a virtual camera: [^\n]*$") as caught:
        VirtualCamera(SIZE)
    assert ADVICE[sys.platform] in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("system", ADVICE)
def test_the_advice_is_that_of_the_system(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("'obs' backend: not there\n'other' backend: neither")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=refuse))
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(SinkError, match=r"^cannot open a virtual camera: not there; [^\n]*$") as caught:
        VirtualCamera(SIZE)
    assert ADVICE[system] in str(caught.value)


class FakeDevice:
    device = "/dev/video7"

    def __init__(self, *asked: object, device: str | None) -> None:
        self.asked, self.sent, self.closed, self.broken = asked, [], 0, False

    def send(self, image: np.ndarray) -> None:
        if self.broken:
            raise RuntimeError("Broken pipe")
        self.sent.append(image)

    def close(self) -> None:
        self.closed += 1


def test_a_virtual_camera_shows_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=FakeDevice))
    sink: Any = VirtualCamera(SIZE, rate=25.0)
    assert (sink.name, sink._camera.asked) == ("/dev/video7", (64, 48, 25.0))
    image = grey(7)
    sink.write(Frame(image, 0.0))
    assert sink._camera.sent[0] is image  # RGB already
    with pytest.raises(ValueError, match="32x48"):
        sink.write(Frame(grey(7, 32, 48), 0.1))
    sink._camera.broken = True
    with pytest.raises(SinkError, match="the virtual camera /dev/video7 is gone: broken pipe"):
        sink.write(Frame(image, 0.2))
    sink.close()
    sink.close()


def test_a_live_sink_is_chosen_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livestyle.sinks.raw.RawSink", lambda *_, **__: NullSink())
    assert isinstance(open_live_sink("-", SIZE, rate=30), NullSink)
    recorder = open_live_sink(tmp_path / "out.mkv", SIZE, rate=30)
    recorder.write(Frame(grey(1), 0.0))
    recorder.close()
    assert (tmp_path / "out.mkv").exists()
