"""Frames at another rate than they came: each shown when it is due, and none behind the end."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from livestyle.frame import Frame
from livestyle.pace import at_most, at_rate, fill_up, keep_apart, thin_out
from tests.media import grey


def test_keeps_a_constant_rate_as_it_is() -> None:
    frames = [Frame(grey(index), index / 30) for index in range(10)]
    paced = list(fill_up(thin_out(frames, Fraction(30), lambda: 1 / 3), Fraction(30), lambda: 1 / 3))
    assert [int(frame.image[0, 0, 0]) for frame in paced] == list(range(10))
    assert [frame.pts for frame in paced] == pytest.approx([i / 30 for i in range(10)])


def test_fills_turns_as_close_as_its_tolerance() -> None:
    frames = [Frame(grey(index), index / 10) for index in range(20)]
    paced = list(fill_up(thin_out(frames, Fraction(1000), lambda: 2.0), Fraction(1000), lambda: 2.0))
    assert [int(frame.image[0, 0, 0]) for frame in paced] == [i // 100 for i in range(2000)]


def test_leaves_out_before_painting_what_nobody_sees() -> None:
    frames = [Frame(grey(index), index / 60) for index in range(60)]
    seen = list(thin_out(frames, Fraction(10), lambda: 1.0))
    assert [int(frame.image[0, 0, 0]) for frame in seen] == list(range(0, 60, 6))
    assert [frame.pts for frame in seen] == pytest.approx([i / 10 for i in range(10)])


def test_shows_the_last_of_several_frames_that_come_too_soon() -> None:
    moments = [0.0, 0.01, 3.0, 3.005, 3.01, 3.05, 3.08]
    frames = [Frame(grey(index), moment) for index, moment in enumerate(moments)]
    seen = list(keep_apart(frames, 0.02, lambda: 3.1))
    assert [int(frame.image[0, 0, 0]) for frame in seen] == [0, 1, 2, 4, 5, 6]
    assert [frame.pts for frame in seen] == pytest.approx([0.0, 0.02, 3.0, 3.02, 3.05, 3.08])


def test_gives_a_frame_as_soon_as_it_came() -> None:
    """Whoever stops a slow source has all of it."""
    read: list[float] = []

    def source() -> Iterator[Frame]:
        for index in range(5):
            read.append(index / 2)
            yield Frame(grey(index), index / 2)

    for frame in keep_apart(source(), 0.02, lambda: 2.5):
        assert read[-1] == frame.pts
    assert len(read) == 5


@pytest.mark.parametrize("rate", [60, 100, 120, 240])
def test_puts_no_frame_behind_the_end(rate: int) -> None:
    frames = [Frame(grey(index), index / rate) for index in range(3 * rate)]
    moments = [frame.pts for frame in at_most(frames, lambda seen: seen, Fraction(50), lambda: 1 / rate)]
    assert moments == pytest.approx([index / 50 for index in range(150)])


def test_shows_a_late_frame_that_is_seen_for_long() -> None:
    frames = [Frame(grey(index), index / 100) for index in range(2)]
    seen = list(at_most(frames, lambda seen: seen, Fraction(50), lambda: 1.0))
    assert [frame.pts for frame in seen] == pytest.approx([0.0, 0.02])


@pytest.mark.parametrize(("longer", "count"), [(-0.03, 10), (0.0, 10), (0.015, 10), (0.025, 11), (0.08, 12)])
def test_shows_the_last_frame_again_where_that_is_nearer_to_its_end(longer: float, count: int) -> None:
    frames = [Frame(grey(index), index / 25) for index in range(10)]
    paced = list(at_rate(frames, lambda seen: seen, Fraction(25), lambda: 1 / 25 + longer))
    assert [frame.pts for frame in paced] == pytest.approx([index / 25 for index in range(count)])


def test_does_not_fill_a_gap_that_only_damage_makes() -> None:
    frames = [Frame(grey(1), 0.0), Frame(grey(2), 0.5), Frame(grey(3), 1e9), Frame(grey(4), 1e9 + 0.2)]
    paced = [frame.pts for frame in fill_up(frames, Fraction(10), lambda: 1e9 + 0.3)]
    assert len(paced) == 5 + 1 + 2 + 1
    assert paced[-1] == pytest.approx(1e9 + 0.2)


def test_shows_a_frame_until_the_end_where_the_last_one_has_no_turn() -> None:
    frames = [Frame(grey(1), 0.0), Frame(grey(2), 5.3)]
    paced = list(at_rate(frames, lambda seen: seen, Fraction(1), lambda: 1 / 30))
    assert [(int(frame.image[0, 0, 0]), frame.pts) for frame in paced] == [(1, i) for i in range(6)]
