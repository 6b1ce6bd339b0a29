"""The mosaic renderer: where the stones lie, what they look like, and the command."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from livestyle.errors import SinkError, SourceError
from livestyle.frame import Image
from train.masonry import Labels, edge_distance, flat_regions, lay_rows, lay_stones, part_pieces
from train.motif import draw_motif
from train.tesserae import render, tesserae

STONE = 12.0


def stones_of(picture: Image, stone: float = STONE, seed: int = 0) -> Labels:
    return lay_stones(picture, stone, np.random.default_rng(seed))


def flat(height: int, width: int, rgb: tuple[int, int, int] = (200, 160, 90)) -> Image:
    return np.full((height, width, 3), rgb, np.uint8)


def disc(size: int = 200) -> tuple[Image, NDArray[np.bool_]]:
    """A cream disc on blue, and the pixels on either side of its outline."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    inside = np.hypot(x, y) < 0.37 * size
    picture = np.where(inside[..., None], (244, 232, 204), (24, 44, 150)).astype(np.uint8)
    return picture, edge_distance(inside.astype(np.int32)) < 1.5


def share_on_joints(stones: Labels, outline: NDArray[np.bool_]) -> float:
    """The share of the outline's pixels with a joint between stones no more than 2 pixels away."""
    return float((edge_distance(stones)[outline] <= 2.0).mean())


def square_grid(size: int, stone: int, left: int, top: int) -> Labels:
    y, x = np.mgrid[:size, :size]
    return np.asarray((y + top) // stone * size + (x + left) // stone, np.int32)


def test_the_same_seed_renders_the_same_mosaic() -> None:
    picture = draw_motif(160)
    np.testing.assert_array_equal(render(picture, STONE, seed=3), render(picture, STONE, seed=3))


def test_another_seed_lays_other_stones() -> None:
    picture = draw_motif(160)
    moved = edge_distance(stones_of(picture, seed=3)) - edge_distance(stones_of(picture, seed=4))
    # a few joints that moved would be a few per cent
    assert (moved != 0).mean() > 0.1


# at these sizes the motif has shapes of half a stone, whose stones come in two pieces unless they are parted
@pytest.mark.parametrize(("size", "stone", "seed"), [(256, 12.0, 0), (256, 12.0, 1), (161, 8.0, 1)])
def test_every_stone_is_one_connected_piece(size: int, stone: float, seed: int) -> None:
    stones = stones_of(draw_motif(size), stone, seed)
    assert stones.shape == (size, size)
    assert stones.min() == 0
    for label in np.unique(stones):
        count, _ = cv2.connectedComponents((stones == label).astype(np.uint8), connectivity=4)
        assert count == 2, f"stone {label} lies in {count - 1} pieces"  # the background counts as one


def test_a_label_in_two_pieces_is_parted_and_the_others_keep_their_numbers() -> None:
    labels = np.array([[7, 2, 7], [2, 2, 7], [5, 2, 5]], np.int32)
    parted = part_pieces(labels)
    np.testing.assert_array_equal(parted, [[7, 2, 9], [2, 2, 9], [5, 2, 8]])


def test_joints_follow_an_outline_that_a_grid_cuts_through() -> None:
    picture, outline = disc()
    shifts = range(0, 16, 2)
    best_grid = max(
        share_on_joints(square_grid(200, 16, left, top), outline) for left in shifts for top in shifts
    )
    # a joint is drawn up to 2 pixels off its outline, in a tenth of the places 3; a grid has a joint within
    # 2 pixels of two pixels in three, wherever it lies
    assert best_grid < 0.75
    assert share_on_joints(stones_of(picture, 16.0), outline) > 0.85


def test_stones_have_one_colour_of_a_two_coloured_picture() -> None:
    picture, _ = disc()
    cream = picture[..., 0] > 100
    stones = stones_of(picture)
    share = np.bincount(stones.ravel(), cream.ravel()) / np.maximum(np.bincount(stones.ravel()), 1)
    mixed = (share > 0.15) & (share < 0.85)  # a pixel along one side of a stone is a twelfth of it
    assert mixed.mean() < 0.02


@pytest.mark.parametrize("stone", [10.0, 16.0])
@pytest.mark.parametrize("picture", [disc()[0], flat(200, 200)], ids=["disc", "flat"])
def test_stones_are_as_large_as_asked_for(picture: Image, stone: float) -> None:
    stones = stones_of(picture, stone)
    mean_area = stones.size / len(np.unique(stones))
    # rows and their stones come in whole numbers, so a row may be a quarter wider than a stone
    assert mean_area == pytest.approx(stone**2, rel=0.3)


def test_grout_is_darker_than_the_stones() -> None:
    picture = flat(160, 160)
    depth = edge_distance(stones_of(picture, 16.0))
    brightness = render(picture, 16.0).mean(axis=-1)
    grout, glass = brightness[depth < 1], brightness[depth > 4]
    # glints and stones in shadow are left to the outer tenths
    assert np.quantile(grout, 0.9) < np.quantile(glass, 0.1)


def test_the_mosaic_keeps_the_colours_of_the_picture() -> None:
    picture, _ = disc()
    mosaic = render(picture, STONE)
    far = cv2.GaussianBlur(mosaic, (0, 0), STONE).astype(float)
    centre, corner = far[100, 100], far[10, 10]
    assert centre[0] > centre[2]  # cream is redder than it is blue
    assert corner[2] > 2 * corner[0]  # ultramarine is mostly blue


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 7), (40, 23), (161, 97)])
@pytest.mark.parametrize("stone", [6.0, 26.0])
def test_the_mosaic_has_the_size_of_the_picture(shape: tuple[int, int], stone: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    for picture in (flat(*shape), noise):
        mosaic = render(picture, stone)
        assert mosaic.shape == picture.shape
        assert mosaic.dtype == np.uint8


def test_a_flat_picture_is_laid_in_rows_along_its_border() -> None:
    picture = flat(120, 120)
    rows = lay_rows(flat_regions(picture, STONE), STONE, np.random.default_rng(0))
    # rows waver by a few pixels: these lie near the middle of the first row and of the second
    first, second = ring(rows, 4), ring(rows, 16)
    assert len(first) == len(second) == 1
    assert first != second


def ring(rows: Labels, inset: int) -> set[int]:
    """The rows met on the way round a square `inset` pixels inside the border."""
    inside = rows[inset:-inset, inset:-inset]
    return set(np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]]).tolist())


def run(*arguments: str | Path) -> None:
    tesserae.main([str(argument) for argument in arguments], standalone_mode=False)


def read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


def test_the_command_lays_the_motif_as_a_png_file(tmp_path: Path) -> None:
    run("-o", tmp_path / "motif.png", "--size", "160", "--stone", "10", "--seed", "2")
    assert (tmp_path / "motif.png").read_bytes().startswith(b"\x89PNG")
    np.testing.assert_array_equal(read(tmp_path / "motif.png"), render(draw_motif(160), 10.0, 2))


def test_the_command_lays_a_picture_scaled_to_the_size(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), flat(90, 60, (0, 0, 220)))  # OpenCV writes BGR
    run(tmp_path / "red.png", "-o", tmp_path / "mosaic.png", "--size", "120", "--stone", "10")
    mosaic = read(tmp_path / "mosaic.png")
    assert mosaic.shape == (180, 120, 3)
    assert mosaic[..., 0].mean() > 3 * mosaic[..., 2].mean()  # still red: grout and glints are grey


@pytest.mark.parametrize("content", [None, b"", b"not a picture"], ids=["missing", "empty", "text"])
def test_a_picture_that_cannot_be_read_is_a_source_error(
    content: bytes | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    if content is not None:
        picture.write_bytes(content)
    with pytest.raises(SourceError, match=r"picture\.png") as caught:
        run(picture, "-o", tmp_path / "mosaic.png")
    assert is_one_lower_case_line(str(caught.value))
    assert capfd.readouterr().err == ""  # OpenCV adds no warning of its own
    assert not (tmp_path / "mosaic.png").exists()


def test_an_output_that_cannot_be_written_is_a_sink_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"mosaic\.png") as caught:
        run("-o", tmp_path / "nowhere" / "mosaic.png", "--size", "48", "--stone", "12")
    assert is_one_lower_case_line(str(caught.value))


def test_a_picture_is_not_replaced_by_its_mosaic(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    run("-o", picture, "--size", "48", "--stone", "12")
    before = picture.read_bytes()
    with pytest.raises(SinkError, match="it is the input itself"):
        run(picture, "-o", picture, "--size", "48", "--stone", "12")
    assert picture.read_bytes() == before


def test_another_picture_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    words = ["-o", tmp_path / "mosaic.png", "--size", "48", "--stone", "12"]
    (tmp_path / "mosaic.png").write_text("precious")
    with pytest.raises(SinkError, match=r"mosaic\.png: it exists; choose another name, or add --overwrite"):
        run(*words)
    assert (tmp_path / "mosaic.png").read_text() == "precious"
    run(*words, "--overwrite")
    assert read(tmp_path / "mosaic.png").shape == (48, 48, 3)


@pytest.mark.parametrize(
    ("suffix", "begin"), [(".jpg", b"\xff\xd8"), (".webp", b"RIFF"), (".png", b"\x89PNG")]
)
def test_the_suffix_names_the_format_and_success_is_told(
    suffix: str, begin: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / f"mosaic{suffix}"
    run("-o", output, "--size", "48", "--stone", "12")
    assert output.read_bytes().startswith(begin)
    assert capsys.readouterr().out == f"{output}\n"


def test_a_name_that_is_no_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"mosaic\.txt: opencv writes no \.txt pictures; use \.png or"):
        run("-o", tmp_path / "mosaic.txt", "--size", "48", "--stone", "12")


def is_one_lower_case_line(message: str) -> bool:
    return "\n" not in message and message[0].islower()


@pytest.mark.parametrize("option", ["--stone=5", "--stone=2000", "--size=15", "--seed=-1", "--stone=nan"])
def test_a_value_out_of_range_is_a_usage_error(option: str, tmp_path: Path) -> None:
    outcome = CliRunner().invoke(tesserae, ["-o", str(tmp_path / "mosaic.png"), option])
    assert outcome.exit_code == 2
    assert option.split("=")[0] in outcome.stderr


def test_help_tells_units_and_the_defaults_of_the_library() -> None:
    text = " ".join(CliRunner().invoke(tesserae, ["--help"]).stdout.split())
    for part in ("--stone PIXELS", "[default: 26.0; 6<=x<=1000]", "[default: 1024; 16<=x<=8192]"):
        assert part in text
