"""Paintings in 8 bits: where rounding would be seen, it must not be."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from livestyle.backends.openvino.graph import head_rows, upsampling
from livestyle.backends.openvino.quantization import Int8
from livestyle.engine import load_engine
from livestyle.frame import Image
from livestyle.gate import psnr_db
from livestyle.styles import StyleMix
from livestyle.weights import Weights, load_weights

STYLES = ("mosaic", "udnie", "reed_pen")


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights("small")


@pytest.mark.parametrize("name", ["up", "head"])
def test_sub_pixels_are_rounded_to_the_same_sum(name: str, weights: Weights) -> None:
    kernel = weights.tensors[f"{name}.weight"]
    codes, scale = Int8(weights, saturates=False).kernel(kernel, sub_pixels=4)
    exact = kernel / scale
    assert np.abs(codes - exact).max() < 1
    assert np.abs(codes).max() <= 127
    sums = codes.sum(axis=(2, 3)).reshape(-1, 4, kernel.shape[1])
    assert np.array_equal(sums, np.broadcast_to(sums[:, :1], sums.shape))
    assert np.abs(sums - exact.sum(axis=(2, 3)).reshape(sums.shape)).max() <= 0.5001  # no sum is further off


def test_kernels_are_arranged_without_a_loss(weights: Weights) -> None:
    up, head = (weights.tensors[f"{name}.weight"] for name in ("up", "head"))
    assert np.array_equal(np.sort(upsampling(up), axis=None), np.sort(up, axis=None))
    rows = np.concatenate([head_rows(head, parity) for parity in (0, 1)])
    assert np.isclose(np.abs(rows).sum(), 2 * np.abs(head).sum())  # two columns, and zeros beside them


@pytest.mark.parametrize("style", STYLES)
def test_an_even_sky_shows_no_grid(style: str, weights: Weights) -> None:
    """The mean error of each of the 4x4 places in a cell; a grid that can be seen has more than one level."""
    exact, eight = paintings(evening_sky(), style, weights)
    error = eight.astype(float) - exact
    cells = error.reshape(60, 4, 80, 4, 3).mean(axis=(0, 2))
    assert (cells - cells.mean(axis=(0, 1))).std() < 0.15


@pytest.mark.parametrize("style", STYLES)
def test_a_dull_picture_with_a_bright_spot_is_painted_the_same(style: str, weights: Weights) -> None:
    """Its norms have tails of ten deviations: where they are clipped, all the rest is painted stronger.

    That made 23 dB of mosaic; at 28 one has to look for differences.
    """
    down, right = np.mgrid[0:240, 0:320]
    image = evening_sky(clouds=24 * np.sin(right / 17) * np.sin(down / 11))
    image[100:104, 60:90] = 255
    exact, eight = paintings(image, style, weights)
    assert psnr_db(eight, exact) > 28


@pytest.mark.parametrize("factor", [2, 4, 10])
def test_a_style_of_ones_own_makes_no_other_coarser(factor: float, weights: Weights) -> None:
    """Ranges as wide as that of ten times mosaic cost mosaic 17 dB."""
    far = replace(weights.styles["mosaic"], name="far", row=factor * weights.styles["mosaic"].row, own=True)
    with_own = replace(weights, styles=weights.styles | {"far": far})
    image = evening_sky()
    before, after = (paintings(image, "mosaic", some)[1] for some in (weights, with_own))
    assert np.array_equal(before, after)


def evening_sky(clouds: NDArray[np.float64] | float = 0.0) -> Image:
    """A slow gradient with a little noise, (240, 320, 3)."""
    down, right = np.mgrid[0:240, 0:320].astype(np.float32)
    noise: NDArray[np.float64] = np.random.default_rng(0).normal(0, 1.5, (240, 320, 3))
    sky = np.stack([90 + down / 12, 95 + right / 20, 120 - down / 16], axis=2) + noise
    sky += np.broadcast_to(clouds, (240, 320))[..., None]
    return np.asarray(sky.round().clip(0, 255), np.uint8)


def paintings(image: Image, style: str, weights: Weights) -> list[Image]:
    """In float32 and in 8 bits."""
    mix = StyleMix.parse(style)
    return [load_engine(weights, "openvino", precision=bits).stylize(image, mix) for bits in ("f32", "int8")]
