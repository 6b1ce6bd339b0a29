import numpy as np
import pytest

from livestyle.frame import as_image
from tests.pictures import scene


def test_an_image_is_taken_as_it_is() -> None:
    image = scene(64, 48)
    assert as_image(image) is image


@pytest.mark.parametrize("view", [np.s_[:, :, ::-1], np.s_[::2, ::2], np.s_[::-1]], ids=str)
def test_a_view_becomes_contiguous(view: tuple[slice, ...]) -> None:
    image = as_image(scene(64, 48)[view])
    assert image.flags.c_contiguous
    assert np.array_equal(image, scene(64, 48)[view])


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((48, 64), np.uint8), r"uint8 \(48, 64\)"),
        (np.zeros((48, 64, 4), np.uint8), r"uint8 \(48, 64, 4\)"),
        (np.zeros((48, 64, 3)), "float64"),
        (None, "NoneType"),
    ],
)
def test_anything_else_is_named(array: object, found: str) -> None:
    with pytest.raises(ValueError, match=f"an image is RGB, uint8.* this is {found}"):
        as_image(array)


def test_a_read_only_array_is_copied() -> None:
    array = scene(40, 30)
    array.flags.writeable = False
    image = as_image(array)
    assert image.flags.writeable
    assert np.array_equal(image, array)
