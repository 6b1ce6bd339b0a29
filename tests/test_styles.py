import numpy as np
import pytest

from livestyle.errors import StyleError
from livestyle.styles import Style, StyleMix, engine_dir

STYLES = {
    name: Style(name, np.array(row, np.float32), "", "", "", "")
    for name, row in {"mosaic": [1, 0, 4], "great_wave": [3, 2, 0], "starry_night": [0, 0, 0]}.items()
}


def test_one_style_is_its_own_row() -> None:
    assert StyleMix.parse("mosaic").row(STYLES).tolist() == [1, 0, 4]


def test_a_blend_is_the_weighted_mean_of_the_rows() -> None:
    row = StyleMix.parse("mosaic:0.75, great_wave:0.25").row(STYLES)
    np.testing.assert_allclose(row, [1.5, 0.5, 3.0], rtol=1e-6)
    assert row.dtype == np.float32


def test_weights_are_proportions() -> None:
    assert StyleMix.parse("mosaic:3,great_wave:1") == StyleMix.parse("mosaic:0.75,great_wave:0.25")
    assert StyleMix.parse("mosaic,great_wave") == StyleMix.parse("mosaic:1,great_wave:1")


def test_a_style_named_twice_counts_twice() -> None:
    assert StyleMix.parse("mosaic:1,great_wave:2,mosaic:1") == StyleMix.parse("mosaic,great_wave")


def test_a_weight_of_zero_leaves_a_style_out() -> None:
    assert StyleMix.parse("mosaic:1,great_wave:0") == StyleMix.parse("mosaic")


@pytest.mark.parametrize(
    "text", ["mosaic:-1,great_wave:2", "mosaic:0", "mosaic:nan", "mosaic:inf", "", "mosaic,"]
)
def test_impossible_weights_are_refused(text: str) -> None:
    with pytest.raises(StyleError):
        StyleMix.parse(text).row(STYLES)


def test_a_weight_that_is_no_number_is_named() -> None:
    with pytest.raises(StyleError, match=r"'much' of style 'mosaic'"):
        StyleMix.parse("mosaic:much")


@pytest.mark.parametrize(
    ("wrong", "meant"), [("mosiac", "mosaic"), ("Great Wave", "great_wave"), ("starry-nite", "starry_night")]
)
def test_an_unknown_style_suggests_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(StyleError, match=f"unknown style '{wrong}': did you mean {meant}"):
        StyleMix.parse(wrong).row(STYLES)


def test_a_style_like_no_other_gets_the_whole_list() -> None:
    with pytest.raises(StyleError, match="there are mosaic, great_wave, starry_night"):
        StyleMix.parse("xyz").row(STYLES)


@pytest.mark.parametrize("text", ["mosaic", "mosaic:0.7,great_wave:0.3"])
def test_a_mix_reads_what_it_prints(text: str) -> None:
    assert str(StyleMix.parse(text)) == text


def test_the_shipped_weights_are_found() -> None:
    assert (engine_dir() / "manifest.json").is_file()


def test_a_decimal_comma_is_told_of() -> None:
    with pytest.raises(StyleError, match=r"unknown style '7': a weight has a point, as in mosaic:0\.7"):
        StyleMix.parse("mosaic:0,7").row(STYLES)


def test_weights_that_overflow_are_not_called_negative() -> None:
    with pytest.raises(StyleError, match="too large to add up"):
        StyleMix.parse("mosaic:1e308,udnie:1e308")
