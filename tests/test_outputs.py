import threading
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image as Pillow

from livestyle.archive import Archive
from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.notice import Notice
from livestyle.outputs import Outputs
from livestyle.prefetch import Background
from livestyle.sinks.live import open_recorder
from tests.media import ListSink, grey, video_seconds
from tests.pictures import scene
from tests.stage import Recording


def frames(count: int) -> list[Frame]:
    return [Frame(grey(i, 4, 2), i / 30) for i in range(count)]


def offer(outputs: Outputs, count: int, pause: float = 0.005) -> None:
    for frame in frames(count):
        outputs.offer(frame)
        time.sleep(pause)


def test_every_output_gets_every_frame_and_is_closed() -> None:
    failures: list[str] = []
    first, second = ListSink(), ListSink()
    outputs = Outputs(lambda name, why: failures.append(f"{name}: {why}"))
    outputs.add("first", first)
    outputs.add("second", second)
    offer(outputs, 5)
    outputs.close()
    outputs.close()
    for sink in (first, second):
        assert [frame.pts for frame in sink.frames] == [i / 30 for i in range(5)]
        assert sink.closed
    assert not failures
    assert not outputs.failed


def test_an_output_that_fails_is_reported_once_and_the_others_go_on() -> None:
    failures: list[str] = []
    failing, sound = ListSink(fails_at=2, error=SinkError("the disk is full")), ListSink()
    outputs = Outputs(lambda name, why: failures.append(f"{name}: {why}"))
    outputs.add("failing", failing)
    outputs.add("sound", sound)
    offer(outputs, 12)
    assert "failing" not in outputs
    outputs.close()
    assert failures == ["failing: the disk is full"]
    assert outputs.failed
    assert failing.closed
    assert len(sound.frames) == 12


def test_an_output_that_fails_on_its_last_frame_is_closed_too() -> None:
    failures: list[str] = []
    failing = ListSink(fails_at=2, error=SinkError("the disk is full"), before=lambda _: time.sleep(0.02))
    outputs = Outputs(lambda name, why: failures.append(f"{name}: {why}"))
    outputs.add("failing", failing)
    offer(outputs, 3, pause=0)
    outputs.close()
    assert failures == ["failing: the disk is full"]
    assert failing.closed


def test_two_outputs_of_one_name_are_a_mistake() -> None:
    first = ListSink()
    outputs = Outputs(lambda name, why: None)
    outputs.add("one", first)
    with pytest.raises(ValueError, match="there is an output one already"):
        outputs.add("one", ListSink())
    outputs.close()
    assert first.closed


def test_a_slow_output_loses_frames_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    slow = ListSink(before=lambda _: time.sleep(0.05))
    outputs = Outputs(lambda name, why: None)
    outputs.add("slow", slow)
    started = time.perf_counter()
    offer(outputs, 40, pause=0)
    assert time.perf_counter() - started < 0.2
    outputs.close()
    assert len(slow.frames) <= 15
    assert f"slow was too slow for {40 - len(slow.frames)} frames" in caplog.text


def test_an_output_that_is_taken_away_keeps_what_it_was_given() -> None:
    sink = ListSink(before=lambda _: time.sleep(0.01))
    outputs = Outputs(lambda name, why: None)
    outputs.add("one", sink)
    offer(outputs, 4, pause=0)
    finish = outputs.remove("one")
    outputs.offer(frames(1)[0])
    finish()
    assert len(sink.frames) == 4
    assert sink.closed


class Recorders:
    """Opens sinks that keep their frames, and remembers them."""

    def __init__(self) -> None:
        self.opened: list[Recording] = []

    def __call__(self, path: Path) -> Recording:
        path.touch()
        self.opened.append(Recording(path))
        return self.opened[-1]


@pytest.fixture
def outputs() -> Outputs:
    return Outputs(lambda name, why: None)


def test_a_snapshot_is_a_png_with_style_and_time_inside(tmp_path: Path, outputs: Outputs) -> None:
    with Background() as background:
        archive = Archive(tmp_path / "new", Recorders(), outputs, background, Notice())
        archive.snapshot(scene(64, 48), "mosaic:0.7,great_wave:0.3")
        archive.snapshot(scene(64, 48), "mosaic:0.7,great_wave:0.3")
    first, second = sorted((tmp_path / "new").iterdir())
    assert "mosaic_0_7+great_wave_0_3" in first.name
    assert first.suffix == second.suffix == ".png"
    with Pillow.open(first) as picture:
        assert picture.size == (64, 48)
        notes = picture.info
    assert notes["Title"] == "mosaic:0.7,great_wave:0.3"
    assert time.strptime(notes["Creation Time"], "%Y-%m-%d %H:%M:%S")


def test_a_snapshot_that_cannot_be_written_is_told(tmp_path: Path, outputs: Outputs) -> None:
    (tmp_path / "taken").write_text("a file")
    notice = Notice()
    with Background() as background:
        Archive(tmp_path / "taken", Recorders(), outputs, background, notice).snapshot(
            scene(64, 48), "mosaic"
        )
    assert "choose another --folder" in notice.text


def test_recordings_begin_and_end_and_never_replace_each_other(tmp_path: Path, outputs: Outputs) -> None:
    recorders, notice = Recorders(), Notice()
    with Background() as background:
        archive = Archive(tmp_path, recorders, outputs, background, notice)
        for _ in range(2):
            archive.record(True)
            assert archive.recording
            offer(outputs, 3)
            archive.record(False)
            assert not archive.recording
    first, second = recorders.opened
    assert notice.text == f"recorded: {second.path}"
    assert first.path != second.path
    for sink in (first, second):
        assert len(sink.frames) == 3
        assert sink.closed


def test_a_recording_that_could_not_be_finished_is_not_called_recorded(tmp_path: Path) -> None:
    class Stuck(Recording):
        def close(self) -> None:
            raise SinkError("the recording stays as x.part.mp4: permission denied; rename it")

    notice = Notice()
    outputs = Outputs(lambda name, why: notice.say(f"{name}: {why}"))
    with Background() as background:
        archive = Archive(tmp_path, Stuck, outputs, background, notice)
        archive.record(True)
        archive.record(False)
    assert notice.text.startswith("recording: the recording stays as x.part.mp4")


def test_recordings_within_one_second_are_all_kept(
    tmp_path: Path, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "localtime", lambda: time.gmtime(0))
    notice, recorder = Notice(), partial(open_recorder, size=(4, 2), rate=30, overwrite=False)
    with Background() as background:
        archive = Archive(tmp_path, recorder, outputs, background, notice)
        held = threading.Event()
        background.do(held.wait)  # as a long recording does that is being finished
        for _ in range(3):
            archive.record(True)
            offer(outputs, 3)
            archive.record(False)
        held.set()
    names = [f"livestyle_19700101_000000_recording{number}.mp4" for number in ("-2", "-3", "")]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [len(video_seconds(tmp_path / name)) for name in names] == [3, 3, 3]


def test_a_recording_that_cannot_begin_is_told_and_the_show_goes_on(tmp_path: Path, outputs: Outputs) -> None:
    def refuse(path: Path) -> Recording:
        raise SinkError("cannot write video: no room")

    notice = Notice()
    with Background() as background:
        archive = Archive(tmp_path, refuse, outputs, background, notice)
        archive.record(True)
        assert not archive.recording
        assert outputs.failed
    assert notice.text == "cannot write video: no room"
