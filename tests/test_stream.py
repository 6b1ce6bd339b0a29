"""Live video over the network: it arrives, and no server holds the show."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import NoReturn

import numpy as np
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.prefetch import Background, WriteBehind
from livestyle.sinks import stream
from livestyle.sinks.live import open_live_sink
from livestyle.sinks.stream import StreamSink
from livestyle.sources.camera import open_camera
from tests.rtsp import RtspServer
from tests.watching import Reader, frames

SIZE = (64, 48)


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


def test_ctrl_c_while_it_waits_for_a_server_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[stream._Streamer] = []

    def interrupt(streamer: stream._Streamer) -> NoReturn:
        waiting.append(streamer)
        raise KeyboardInterrupt

    monkeypatch.setattr(stream._Streamer, "state", property(interrupt))
    with listener() as server, pytest.raises(KeyboardInterrupt):
        StreamSink(url_of(server).replace("tcp", "rtmp") + "/live", SIZE)
    assert waiting[0].ended


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
        open_live_sink(url.replace("//", "//me:se@cret@"), SIZE, rate=30)
    assert reason in str(caught.value)
    assert url in str(caught.value)
    assert "cret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
