import time
from pathlib import Path

import pytest
from PIL import Image as Pillow

from livestyle.archive import Archive
from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.notice import Notice
from livestyle.outputs import Outputs
from livestyle.prefetch import Background
from livestyle.sinks import Sink
from tests.media import ListSink, grey
from tests.pictures import scene


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
    assert failing.closed
    assert len(sound.frames) == 12


def test_a_slow_output_loses_frames_and_holds_nothing_up() -> None:
    slow = ListSink(before=lambda _: time.sleep(0.05))
    outputs = Outputs(lambda name, why: None)
    outputs.add("slow", slow)
    started = time.perf_counter()
    offer(outputs, 40, pause=0)
    assert time.perf_counter() - started < 0.2
    assert outputs.dropped >= 25
    outputs.close()
    assert len(slow.frames) + outputs.dropped <= 40


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
        self.opened: list[tuple[Path, ListSink]] = []

    def __call__(self, path: Path) -> Sink:
        path.touch()
        self.opened.append((path, ListSink()))
        return self.opened[-1][1]


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
        assert "recorded: " in notice.text
    assert len({path for path, _ in recorders.opened}) == 2
    for _, sink in recorders.opened:
        assert len(sink.frames) == 3
        assert sink.closed


def test_a_recording_that_cannot_begin_is_told_and_the_show_goes_on(tmp_path: Path, outputs: Outputs) -> None:
    def refuse(path: Path) -> Sink:
        raise SinkError("cannot write video: no room")

    notice = Notice()
    with Background() as background:
        archive = Archive(tmp_path, refuse, outputs, background, notice)
        archive.record(True)
        assert not archive.recording
    assert notice.text == "cannot write video: no room"
