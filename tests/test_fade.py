import numpy as np
import pytest

from livestyle.fade import Fade
from livestyle.styles import StyleMix

MOSAIC, WAVE = StyleMix.parse("mosaic"), StyleMix.parse("great_wave")


def share(mix: StyleMix, name: str) -> float:
    return dict(mix.parts).get(name, 0.0)


def test_a_fade_moves_evenly_from_one_style_to_the_other() -> None:
    fade = Fade.still(MOSAIC).to(WAVE, now=10.0, seconds=0.5)
    shares = [share(fade.at(t), "great_wave") for t in np.linspace(10, 10.5, 11)]
    np.testing.assert_allclose(shares, np.linspace(0, 1, 11), atol=1e-9)
    assert fade.at(9) == MOSAIC
    assert fade.at(11) == WAVE


def test_a_fade_that_is_turned_round_goes_on_from_where_it_is() -> None:
    there = Fade.still(MOSAIC).to(WAVE, now=0.0, seconds=1.0)
    back = there.to(MOSAIC, now=0.4, seconds=1.0)
    assert share(back.at(0.4), "great_wave") == pytest.approx(0.4)
    assert share(back.at(0.9), "great_wave") == pytest.approx(0.2)
    assert back.at(1.5) == MOSAIC


def test_asking_again_for_the_same_style_does_not_begin_anew() -> None:
    fade = Fade.still(MOSAIC).to(WAVE, now=0.0, seconds=1.0)
    assert fade.to(WAVE, now=0.5, seconds=1.0) is fade


def test_no_time_at_all_is_a_cut() -> None:
    assert Fade.still(MOSAIC).to(WAVE, now=3.0, seconds=0).at(3.0) == WAVE
