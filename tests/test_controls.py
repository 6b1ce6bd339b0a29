from dataclasses import fields, replace

import pytest

from livestyle import defaults
from livestyle.controls import KEYS, Key, Settings, next_style, press
from livestyle.styles import StyleMix

NAMES = ("mosaic", "starry_night", "great_wave")
START = Settings(names=NAMES, style=StyleMix.parse("mosaic"))
MIDDLE = replace(START, strength=0.5, steady=0.5, second=StyleMix.parse("great_wave"), blend=0.5)
"""Where every control can move in both directions."""


def pressed(settings: Settings, keys: str) -> Settings:
    for key in keys:
        settings = press(settings, ord(key))
    return settings


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_does_something_with_each_of_its_codes(key: Key) -> None:
    settings = replace(MIDDLE, style=StyleMix.parse("great_wave")) if key.name == "1" else MIDDLE
    if key.name.isdigit() and (int(key.name) - 1) % 10 >= len(NAMES):
        assert all(press(settings, code) == settings for code in key.codes)
    else:
        assert all(press(settings, code) != settings for code in key.codes)


def test_no_two_keys_share_a_code() -> None:
    codes = [code for key in KEYS for code in key.codes]
    assert len(codes) == len(set(codes))


def test_a_key_without_meaning_changes_nothing() -> None:
    assert press(START, ord("z")) == START
    assert press(START, 65361) == START


def test_number_keys_choose_styles_by_place() -> None:
    assert str(pressed(START, "2").style) == "starry_night"
    assert str(pressed(START, "3").style) == "great_wave"
    many = replace(START, names=tuple(f"style{i}" for i in range(12)))
    assert str(pressed(many, "0").style) == "style9"


def test_a_style_is_chosen_by_its_whole_name() -> None:
    for name in ("a:b", "night, blue"):
        assert press(replace(START, names=(name,)), ord("1")).style.parts == ((name, 1.0),)


def test_n_and_p_go_round_and_round() -> None:
    assert [str(pressed(START, "n" * i).style) for i in range(4)] == [*NAMES, "mosaic"]
    assert str(pressed(START, "p").style) == "great_wave"


def test_the_next_of_a_style_that_is_not_in_the_list_is_the_first() -> None:
    assert str(next_style(replace(START, style=StyleMix.parse("gone"))).style) == "mosaic"


def test_a_blend_goes_from_the_style_to_the_marked_one() -> None:
    settings = pressed(START, "3b1")
    assert str(settings.mix) == "mosaic"
    assert str(pressed(settings, "...").mix) == "mosaic:0.7,great_wave:0.3"
    assert str(pressed(settings, "." * 12).mix) == "great_wave"
    assert pressed(settings, "....,").blend == pytest.approx(0.3)


def test_without_a_marked_style_there_is_nothing_to_blend() -> None:
    assert pressed(START, "...") == START


@pytest.mark.parametrize(("less", "more", "field"), [("[", "]", "strength"), ("{", "}", "steady")])
def test_shares_stay_between_0_and_1(less: str, more: str, field: str) -> None:
    assert getattr(pressed(MIDDLE, less), field) == pytest.approx(0.4)
    assert getattr(pressed(MIDDLE, less * 20), field) == 0
    assert getattr(pressed(MIDDLE, more * 20), field) == 1


def test_strokes_double_in_four_steps_and_stay_in_their_range() -> None:
    assert pressed(START, "====").stroke_size == pytest.approx(2, abs=0.01)
    assert pressed(START, "++++").stroke_size == pytest.approx(2, abs=0.01)
    smallest, largest = defaults.STROKE_SIZES
    assert pressed(START, "=" * 40).stroke_size == largest
    assert pressed(START, "-" * 40).stroke_size == smallest


def test_toggles_return_to_where_they_were() -> None:
    keys = "cmovfrtih "
    toggles = {f.name for f in fields(Settings) if f.type is bool} - {"quit"}
    assert len(keys) == len(toggles)
    for key in keys:
        changed = pressed(START, key)
        assert changed != START
        assert pressed(changed, key) == START


def test_snapshots_are_counted_and_q_and_escape_quit() -> None:
    assert pressed(START, "sss").snapshots == 3
    assert press(START, 27).quit
    assert pressed(START, "q").quit
