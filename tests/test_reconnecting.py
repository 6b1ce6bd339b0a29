"""Cameras that stall, disappear and come back."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from livestyle.errors import SourceError
from livestyle.frame import Frame, Image
from livestyle.prefetch import Prefetch
from livestyle.sources import reconnecting
from livestyle.sources.camera import open_camera
from livestyle.sources.reconnecting import Reconnecting
from tests.display import until
from tests.media import grey
from tests.mjpeg import MjpegServer


def next_after(frames: Iterator[Frame], gap_seconds: float, last: float) -> Frame:
    """The first frame that comes so long after the one before it; `last` is the pts of that before these."""
    for frame in frames:
        if frame.pts - last > gap_seconds:
            return frame
        last = frame.pts
    raise AssertionError("the frames ended")


def test_a_killed_and_restarted_camera_is_back_within_two_seconds() -> None:
    with MjpegServer() as server:
        camera = open_camera(server.url)
        restarted_at, notices = [], []

        def kill_and_restart() -> None:
            server.kill()
            time.sleep(1.2)
            notices.append(camera.notice)
            server.start()
            restarted_at.append(time.perf_counter())

        frames = iter(camera)
        last = next(frames).pts
        killer = threading.Thread(target=kill_and_restart)
        killer.start()
        frame = next_after(frames, 1.0, last)
        killer.join()
        assert camera.epoch + frame.pts - restarted_at[0] < 2.0
        assert notices == [f"{server.url} is gone: trying again in 1 s"]
        assert camera.notice is None
        camera.close()


def test_a_stalled_camera_is_reported_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livestyle.sources.url._READ_SECONDS", 0.5)
    with MjpegServer() as server:
        camera = open_camera(server.url)
        resumed_at, notices = [], []

        def stall() -> None:
            server.stalls = True
            time.sleep(1.2)
            notices.append(camera.notice)
            server.stalls = False
            resumed_at.append(time.perf_counter())

        frames = iter(camera)
        last = next(frames).pts
        staller = threading.Thread(target=stall)
        staller.start()
        frame = next_after(frames, 1.0, last)
        staller.join()
        assert camera.epoch + frame.pts - resumed_at[0] < 2.0
        assert notices[0] is not None
        assert "is gone: trying again" in notices[0]
        assert camera.notice is None
        camera.close()


def test_a_damaged_picture_costs_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with MjpegServer() as server:
        server.damaged = lambda index: index % 5 == 4
        camera = open_camera(server.url)
        frames = [frame for _, frame in zip(range(30), camera, strict=False)]
        camera.close()
    assert np.diff([frame.pts for frame in frames]).max() < 0.2
    assert not caplog.text


def test_a_camera_that_sends_nothing_but_damage_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "_STALL_SECONDS", 0.3)
    with MjpegServer() as server:
        server.damaged = lambda index: index > 20
        camera = open_camera(server.url)
        with Prefetch(camera):
            until(lambda: camera.notice)


@pytest.mark.parametrize("login", ["me:secret", "me:se@cret", "me@home:cret"])
def test_a_password_in_a_url_is_never_shown(login: str) -> None:
    with MjpegServer() as server:
        camera = open_camera(server.url.replace("//", f"//{login}@"))
        assert camera.name == server.url
        camera.close()
    with pytest.raises(SourceError) as caught:
        open_camera(server.url.replace("//", f"//{login}@"))
    assert "cret" not in str(caught.value)


class FakeConnection:
    """Gives what each of `script` is: an image; None, for nothing yet; or an exception. Then nothing."""

    fps = 30.0

    def __init__(self, script: list[Image | SourceError | None]) -> None:
        self.script, self.closed = script, 0

    def grab(self) -> tuple[Image, float] | None:
        given = self.script.pop(0) if self.script else None
        if isinstance(given, SourceError):
            raise given
        if given is None:
            time.sleep(0.01)
            return None
        return given, time.perf_counter()

    def close(self) -> None:
        self.closed += 1


def connecting(*made: FakeConnection | SourceError) -> Callable[[], FakeConnection]:
    waiting = list(made)

    def connect() -> FakeConnection:
        given = waiting.pop(0)
        if isinstance(given, SourceError):
            raise given
        return given

    return connect


def test_a_camera_that_comes_back_with_another_size_keeps_its_first() -> None:
    first = FakeConnection([grey(50), grey(50), SourceError("unplugged")])
    second = FakeConnection([None, grey(80, 128, 96), grey(80, 32, 24)])
    camera = Reconnecting("camera 0", connecting(first, SourceError("busy"), second))
    frames = [frame for _, frame in zip(range(3), camera, strict=False)]
    assert camera.size == (64, 48)
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 3
    assert [int(frame.image.mean()) for frame in frames] == [50, 80, 80]
    assert first.closed == 1
    camera.close()
    assert second.closed >= 1


def test_the_pauses_between_attempts_grow_to_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(reconnecting.Pace, "pause", lambda _, seconds: pauses.append(seconds))
    broken = [SourceError("still away")] * 5
    camera = Reconnecting(
        "camera 0",
        connecting(FakeConnection([grey(1), SourceError("gone")]), *broken, FakeConnection([grey(2)])),
    )
    next(iter(camera))
    assert pauses == [0.25, 0.5, 1.0, 1.0, 1.0, 1.0]
    camera.close()


def test_a_connection_that_only_waits_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "_STALL_SECONDS", 0.1)
    silent, working = FakeConnection([grey(1)]), FakeConnection([grey(2)])
    camera = Reconnecting("camera 0", connecting(silent, working))
    assert next(iter(camera)).image.mean() == 2
    assert silent.closed == 1
    camera.close()


def test_a_camera_without_a_first_picture_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "_OPENING_SECONDS", 0.1)
    silent = FakeConnection([])
    with pytest.raises(SourceError, match=r"^cannot read camera 0: no picture came"):
        Reconnecting("camera 0", connecting(silent))
    assert silent.closed == 1


def test_clocks_that_go_back_give_rising_times(monkeypatch: pytest.MonkeyPatch) -> None:
    class Backwards(FakeConnection):
        def grab(self) -> tuple[Image, float] | None:
            return grey(1), 100.0 - len(self.script)

    camera = Reconnecting("camera 0", connecting(Backwards([None])))
    moments = [frame.pts for _, frame in zip(range(4), camera, strict=False)]
    assert moments == sorted(set(moments))
    camera.close()


def test_closing_while_it_is_away_ends_at_once() -> None:
    connection = FakeConnection([grey(1), grey(1), SourceError("gone")])
    away = [SourceError("still away")] * 50
    camera = Reconnecting("camera 0", connecting(connection, *away))
    with Prefetch(camera) as frames:
        next(iter(frames))
        time.sleep(1.0)
        assert camera.notice is not None
        began = time.perf_counter()
        camera.close()
    assert time.perf_counter() - began < 0.5
    assert connection.closed >= 1


def test_leaving_the_show_while_it_is_away_ends_at_once() -> None:
    connection = FakeConnection([grey(1), grey(1), SourceError("gone")])
    camera = Reconnecting("camera 0", connecting(connection, *[SourceError("still away")] * 50))
    with Prefetch(camera) as frames:
        next(iter(frames))
        time.sleep(0.5)
        began = time.perf_counter()
    assert time.perf_counter() - began < 0.5
    assert connection.closed >= 1


def test_the_first_frame_is_of_now_not_of_the_opening() -> None:
    connection = FakeConnection([np.full((48, 64, 3), level, np.uint8) for level in (1, 2)])
    camera = Reconnecting("camera 0", connecting(connection))
    time.sleep(0.2)
    frame = next(iter(camera))
    assert frame.image[0, 0, 0] == 2
    assert frame.pts > 0.15
    camera.close()
