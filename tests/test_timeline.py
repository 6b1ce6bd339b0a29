from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from livestyle.errors import StyleError
from livestyle.frame import Frame
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from livestyle.timeline import Cue, Timeline, parse_seconds, read_timeline
from livestyle.weights import load_weights
from tests.commands import call
from tests.media import make_video
from tests.pictures import scene


def test_one_style_is_there_all_the_time() -> None:
    timeline = Timeline.parse("mosaic:3,udnie:1")
    for seconds in (0, 1, 1e6):
        assert timeline.at(seconds) == StyleMix.parse("mosaic:3,udnie:1")


def test_a_style_comes_at_its_time_and_fades_in() -> None:
    timeline = Timeline.parse("mosaic@0, great_wave@12.5~2, a:1,b:3@1:00")
    assert dict(timeline.at(12.49).parts) == {"mosaic": 1}
    assert dict(timeline.at(13).parts) == {"mosaic": 0.75, "great_wave": 0.25}
    assert dict(timeline.at(14.5).parts) == {"great_wave": 1}
    assert dict(timeline.at(59.9).parts) == {"great_wave": 1}
    assert dict(timeline.at(60).parts) == {"a": 0.25, "b": 0.75}


def test_the_first_style_is_there_before_its_time_and_order_does_not_matter() -> None:
    timeline = Timeline.parse("b@9,a@5~2")
    assert dict(timeline.at(0).parts) == {"a": 1}
    assert dict(timeline.at(10).parts) == {"b": 1}


def test_a_fade_that_is_overtaken_goes_on_from_where_it_was() -> None:
    timeline = Timeline.parse("a@0,b@10~4,c@12~4")
    halfway = dict(timeline.at(14).parts)
    assert halfway == {"a": pytest.approx(0.25), "b": pytest.approx(0.25), "c": pytest.approx(0.5)}


def test_a_fade_has_no_steps() -> None:
    timeline = Timeline.parse("a@0,b@1~2")
    mixes = [timeline.at(i / 30) for i in range(120)]
    shares = [dict(mix.parts).get("b", 0.0) for mix in mixes]
    steps = [y - x for x, y in pairwise(shares)]
    assert min(steps) >= 0
    assert max(steps) <= 1 / 60 + 1e-9
    assert sum(steps) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mosaic@x", "cannot read the time 'x'"),
        ("mosaic@1~y", "cannot read the time 'y'"),
        ("mosaic@1,udnie", "style 'udnie' has no time: write udnie@12.5"),
        ("mosaic@1,udnie@1", "both come at 1 s"),
        ("mosaic@-1", "cannot read the time '-1'"),
        ("mosaic@nan", "cannot read the time 'nan'"),
        ("@1", "a style is missing"),
        ("", "a style is missing"),
        ("missing.toml", "no such file"),
    ],
)
def test_a_mistake_is_one_clear_line(text: str, reason: str) -> None:
    with pytest.raises(StyleError, match=r"^[^\n]*$") as caught:
        Timeline.parse(text)
    assert reason in str(caught.value)


def test_long_ones_go_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "styles.toml"
    path.write_text('[[style]]\nstyle = "mosaic"\n[[style]]\nstyle = "a:1,b:3"\nat = "1:02.5"\nfade = 2\n')
    assert Timeline.parse(str(path)) == Timeline.parse("mosaic@0,a:1,b:3@62.5~2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("style = 3", "needs a table [[style]]"),
        ("[[style]]\nat = 3", "a table has no style"),
        ('[[style]]\nstyle = "a"\nwhen = 3', "'when' is not known"),
        ("[[", "cannot read"),
        ('[[style]]\nstyle = "a"\nat = "soon"', "cannot read the time 'soon'"),
        ("", "needs a table [[style]]"),
    ],
)
def test_a_wrong_file_is_one_clear_line(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "styles.toml"
    path.write_text(text)
    with pytest.raises(StyleError, match=r"^[^\n]*$") as caught:
        read_timeline(path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("12.5", 12.5), ("1:02.5", 62.5), ("1:01:02", 3662), (" 90 ", 90)]
)
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1:75", "1:2:3:4", "inf", "nan", "1:-2"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whose text is that of float
        parse_seconds(text)


def test_a_cut_of_style_does_not_keep_the_old_painting_where_nothing_moves() -> None:
    """A steady painting changes slowly where the picture stands still: not where the style does not."""
    from livestyle.engine import load_engine

    engine = load_engine(load_weights("small"), "torchscript")
    still = [Frame(scene(64, 48), index / 10) for index in range(6)]
    timeline = Timeline.parse("mosaic@0,great_wave@0.3")
    changing = list(Painter(engine, timeline.at(0)).follow(still, 1.0, timeline.at))
    alone = list(Painter(engine, StyleMix.parse("great_wave")).follow(still, 1.0))
    assert np.array_equal(changing[3].image, alone[0].image)
    assert not np.array_equal(changing[2].image, alone[0].image)


def test_the_style_of_a_video_changes_on_time(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", [scene(64, 48)] * 20, rate=10)
    result = call("video", made, tmp_path / "out.mp4", "--style", "mosaic@0,great_wave@1", "--steady", 0)
    assert result.exit_code == 0, result.output
    from livestyle.sources import open_source

    frames = [frame.image.astype(int) for frame in open_source(tmp_path / "out.mp4")]
    assert np.abs(frames[9] - frames[0]).mean() < 4  # as much as encoding changes
    assert np.abs(frames[10] - frames[9]).mean() > 20


def test_an_unknown_style_in_a_timeline_is_told_before_anything_is_painted(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", [scene(64, 48)] * 3)
    result = call("video", made, tmp_path / "out.mp4", "--style", "mosaic@0,mosiac@1")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "did you mean mosaic?" in result.stderr
    assert not (tmp_path / "out.mp4").exists()


def test_many_fades_that_overlap_are_told_at_once() -> None:
    cues = [
        Cue(float(second), StyleMix.parse(("mosaic", "udnie")[second % 2]), 2.0) for second in range(3000)
    ]
    mix = Timeline.of(cues).at(2999.5)
    assert dict(mix.parts)["udnie"] == pytest.approx(0.5, abs=0.2)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "styles.toml").write_text('[[style]]\nstyle = "udnie"\n', encoding="utf-8-sig")
    assert read_timeline(tmp_path / "styles.toml").at(0) == StyleMix.parse("udnie")
