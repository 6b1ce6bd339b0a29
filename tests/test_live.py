import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame, Image
from livestyle.live import Plan
from livestyle.prefetch import Prefetch
from livestyle.working_size import SCALES
from tests.media import ListSink
from tests.stage import Camera, Script, Stage, Tinter


def shares(images: list[Image]) -> list[float]:
    """The share of great_wave in each picture."""
    return [float(image[..., 1].mean()) / 255 for image in images]


def test_every_frame_of_a_camera_in_time_is_painted_shown_and_written(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    assert stage.show.meters.frames == len(stage.sink.frames) <= len(stage.screen.shown)
    assert stage.show.meters.frames + stage.show.meters.dropped == 30
    assert stage.show.meters.dropped <= 6  # none, on a machine that has nothing else to do
    assert stage.screen.threads == {"MainThread"}
    assert all(frame.image[0, 0].tolist() == [255, 0, 0] for frame in stage.sink.frames)


def test_an_engine_that_takes_over_is_named(tmp_path: Path) -> None:
    class Relay(Tinter):
        @property
        def backend(self) -> str:  # type: ignore[override]
            return "second" if len(self.shapes) > 3 else "first"

    assert Stage(tmp_path, camera=Camera(6), engine=Relay()).show.meters.backend == "second"


def test_outputs_carry_the_times_at_which_frames_were_grabbed(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    times = [f.pts for f in stage.sink.frames]
    assert set(times) <= set(stage.camera.grabbed)
    assert times == sorted(times)


def test_a_style_key_fades_evenly_and_in_time(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {5: "2"}, camera=Camera(60), plan=Plan(0.0, fade_seconds=0.3))
    mixed = shares([f.image for f in stage.sink.frames])
    assert mixed[:5] == [0] * 5
    assert 0 < mixed[5] < 0.2, "the next frame is the first mixed one"
    assert all(b >= a for a, b in pairwise(mixed))
    times = [f.pts for f in stage.sink.frames]
    done = next(t for t, share in zip(times, mixed, strict=True) if share == 1)
    assert done - times[5] == pytest.approx(0.3, abs=0.05)


def test_a_steady_picture_fades_in_time_too(tmp_path: Path) -> None:
    """What stands still is held in the painting, but not the old style."""
    stage = Stage(tmp_path, {5: "2}}}}}}}}}}"}, camera=Camera(60), plan=Plan(0.0, fade_seconds=0.2))
    assert stage.show.settings.steady == 1
    assert shares([stage.sink.frames[-1].image])[0] == pytest.approx(1, abs=0.01)


def test_freezing_keeps_the_picture_and_the_time_going(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {5: " ", 10: "2", 20: " "}, plan=Plan(0.0, fade_seconds=0))
    images = [f.image for f in stage.sink.frames]
    assert all(np.array_equal(image, images[4]) for image in images[5:19])
    assert shares(images[-1:]) == [1]
    assert len(stage.sink.frames) == stage.show.meters.frames


def test_the_window_is_mirrored_and_what_is_recorded_is_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path, original=True, mirror=True)
    assert np.array_equal(stage.sink.frames[0].image, stage.camera.image)
    assert np.array_equal(stage.screen.shown[0], stage.camera.image[:, ::-1])


def test_split_view_shows_both_and_its_line_follows_keys_and_mouse(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {3: "))))", 8: "("}, split=True)
    first, last = stage.sink.frames[0].image, stage.sink.frames[-1].image

    def original_columns(image: Image) -> int:
        return int((image == stage.camera.image).all(axis=(0, 2)).sum())

    assert original_columns(first) == pytest.approx(160, abs=2)
    assert original_columns(last) == pytest.approx(0.65 * 320, abs=2)
    assert first[0, -1].tolist() == [255, 0, 0]


def test_dragging_in_a_mirrored_window_moves_the_line_where_the_mouse_is(tmp_path: Path) -> None:
    class Dragged(Script):
        def drag(self) -> float | None:
            return 0.25

    stage = Stage(tmp_path, split=True, mirror=True, camera=Camera(3))
    stage.show._screen = Dragged({})
    stage.show._listen()
    assert stage.show.settings.split_at == 0.75


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("mouse", "line"), [(100, 0.0), (240, 0.0), (600, 0.25), (1600, 1360 / 1440)])
def test_beside_black_bars_the_line_is_where_the_mouse_is(
    mouse: int, line: float, mirror: bool, tmp_path: Path
) -> None:
    class Dragged(Script):
        def drag(self) -> float | None:
            return mouse / 1920

    stage = Stage(tmp_path, split=True, mirror=mirror, camera=Camera(3))
    stage.show._screen = Dragged({}, area=(1920, 1080))
    stage.show._listen()
    assert stage.show.settings.split_at == pytest.approx(1 - line if mirror else line)


def test_a_tour_goes_from_style_to_style(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {1: "t"}, camera=Camera(60), plan=Plan(0.0, fade_seconds=0, tour_seconds=0.2))
    colours = [tuple(f.image[0, 0].tolist()) for f in stage.sink.frames]
    seen = list(dict.fromkeys(colours))
    assert seen == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_r_records_from_one_press_to_the_next(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {5: "r", 15: "r", 20: "r"})
    first, second = stage.recordings
    assert 7 <= len(first.frames) <= 10  # the picture may be shown twice where the machine is slow
    assert 7 <= len(second.frames) <= 10
    assert first.closed
    assert second.closed


def test_s_writes_what_is_shown(tmp_path: Path) -> None:
    Stage(tmp_path, {5: "s"})
    assert len(list(tmp_path.glob("livestyle_*_mosaic.png"))) == 1


def test_a_slow_engine_drops_frames_and_never_queues_more_than_one(tmp_path: Path) -> None:
    stage = Stage(tmp_path, camera=Camera(60, fps=200), engine=Tinter(0.02 / (320 * 240)))
    assert stage.show.meters.dropped > 20
    assert stage.show.meters.frames + stage.show.meters.dropped == 60
    # one frame is painted and the newest one waits: none is older than two paintings and one frame interval
    assert stage.show.meters.latency.percentile_milliseconds(50) < 2 * 20 + 5 + 15


def test_quality_gives_way_to_the_rate_and_the_output_keeps_its_size(tmp_path: Path) -> None:
    engine = Tinter(0.012 / (320 * 240))
    stage = Stage(tmp_path, camera=Camera(250, fps=100), engine=engine, plan=Plan(100.0))
    widths = {shape[1] for shape in engine.shapes}
    assert max(widths) == 320
    assert min(widths) <= round(320 * SCALES[2])
    assert {f.image.shape for f in stage.sink.frames} == {(240, 320, 3)}
    assert "painted at" in " ".join(stage.show.meters._describe(stage.show.settings))


def test_without_a_target_the_quality_stays(tmp_path: Path) -> None:
    engine = Tinter(0.012 / (320 * 240))
    Stage(tmp_path, camera=Camera(150, fps=100), engine=engine, plan=Plan(0.0))
    assert {shape[1] for shape in engine.shapes} == {320}


def test_strokes_have_their_size_by_the_networks_frame(tmp_path: Path) -> None:
    engine = Tinter()
    stage = Stage(tmp_path, engine=engine, stroke_size=2.0)
    assert set(engine.shapes) == {(120, 160, 3)}
    assert stage.sink.frames[0].image.shape == (240, 320, 3)


def test_q_ends_the_show(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {5: "q"}, camera=Camera(10_000))
    assert stage.show.meters.frames <= 6


def test_closing_the_window_ends_the_show(tmp_path: Path) -> None:
    class Closed(Script):
        def pressed(self) -> Iterator[int]:
            self.closed = len(self.shown) > 3
            return iter(())

    stage = Stage(tmp_path, camera=Camera(3))
    show = stage.show
    show._screen = Closed({})
    show._source = camera = Camera(10_000)
    with Prefetch(camera) as frames:
        show.run(frames)
    assert show.settings.quit
    assert show.meters.frames < 20


def test_the_duration_ends_the_show(tmp_path: Path) -> None:
    started = time.perf_counter()
    Stage(tmp_path, camera=Camera(10_000), plan=Plan(0.0, duration=0.3))
    assert 0.25 < time.perf_counter() - started < 1.5


def test_without_a_screen_the_outputs_are_fed(tmp_path: Path) -> None:
    stage = Stage(tmp_path, screen=False)
    assert len(stage.sink.frames) == stage.show.meters.frames > 20
    assert not stage.screen.shown


def test_without_a_screen_it_ends_with_its_last_output(tmp_path: Path) -> None:
    sink = ListSink(fails_at=3, error=SinkError("the disk is full"))
    stage = Stage(tmp_path, camera=Camera(200), screen=False, sink=sink)
    assert stage.show.meters.frames < 100
    assert stage.outputs.failed


def test_with_a_screen_it_goes_on_without_outputs(tmp_path: Path) -> None:
    sink = ListSink(fails_at=3, error=SinkError("the disk is full"))
    stage = Stage(tmp_path, camera=Camera(20), sink=sink)
    assert stage.show.meters.frames + stage.show.meters.dropped == 20


def test_a_camera_that_is_lost_leaves_the_last_painting_with_a_notice(tmp_path: Path) -> None:
    class Stalling(Camera):
        def __iter__(self) -> Iterator[Frame]:
            for i, frame in enumerate(super().__iter__()):
                if i == 5:
                    self.notice = "camera 0 is gone: trying again"
                    time.sleep(0.3)
                    self.notice = None
                yield frame

    stage = Stage(tmp_path, camera=Stalling(20))
    assert stage.show.meters.frames + stage.show.meters.dropped == 20
    noticed = [image for image in stage.screen.shown if (image[-10:, 100:220] != [255, 0, 0]).any()]
    assert len(noticed) >= 5, "the picture is shown again and again while nothing comes"
    assert all((image[:100] == [255, 0, 0]).all() for image in noticed), "the last painting stays"


def test_the_picture_fills_the_window_without_being_distorted(tmp_path: Path) -> None:
    stage = Stage(tmp_path, camera=Camera(3))
    stage.show._screen = wide = Script({}, area=(1000, 480))
    stage.show._display()
    assert wide.shown[0].shape == (480, 1000, 3)
    assert (wide.shown[0][:, :175] == 0).all()
    assert (wide.shown[0][:, 185:815] == [255, 0, 0]).all()
