"""What the published numbers of quality say: on motion, noise and rows that are known."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.quality import report
from livestyle.frame import Frame, Image
from livestyle.sinks.picture import write_picture
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from tests.media import make_video
from tests.pictures import scene
from tests.training import call, command_options, make_data
from train.add import RowPainter, nearest
from train.evaluate import flicker, temporal_error


def noise(width: int = 48, height: int = 40) -> Image:
    return np.random.default_rng(1).integers(0, 200, (height, width, 3), np.uint8)


def flow_of(x: float, y: float, image: Image) -> np.ndarray:
    return np.full((*image.shape[:2], 2), (x, y), np.float32)


def test_what_moves_along_with_the_flow_has_no_temporal_error() -> None:
    """`flow` leads from the first frame into the second: 3 pixels to the right and 2 down."""
    first = noise()
    second = np.roll(first, (2, 3), axis=(0, 1))
    valid = np.ones(first.shape[:2], bool)
    assert temporal_error(first, second, flow_of(3, 2, first), valid) == pytest.approx(0, abs=1e-6)
    assert temporal_error(first, second, flow_of(-3, -2, first), valid) > 0.2
    assert temporal_error(first, second + 51, flow_of(3, 2, first), valid) == pytest.approx(0.2)


def test_only_valid_pixels_have_a_temporal_error() -> None:
    first, valid = noise(), np.ones((40, 48), bool)
    second = first.copy()
    second[:10] += 50
    valid[:10] = False
    assert temporal_error(first, second, flow_of(0, 0, first), valid) == 0


def clip_of(levels: list[tuple[int, int, int, int]]) -> list[Image]:
    """Frames of four columns of 4 pixels, each of one grey."""
    return [np.repeat(np.tile(np.repeat(np.uint8(row), 4), (8, 1))[..., None], 3, axis=2) for row in levels]


def test_flicker_is_told_of_what_rests_and_motion_of_what_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two columns rest, with a noise of 2 levels; the third moves; the fourth moves in every other step.

    What the fourth does while it rests, for one step after it moved, is neither.
    """
    inputs, outputs = [], []
    for i in range(8):
        odd, pair = i % 2, i // 2 % 2
        inputs.append((100 + 2 * odd, 100 + 2 * odd, 40 * odd, 20 * pair))
        outputs.append((50, 50 + 8 * odd, 100 + 15 * odd, 60 * odd))
    source = [Frame(image, 0.0) for image in clip_of(inputs)]
    monkeypatch.setattr("train.evaluate.open_source", lambda _: source)

    def follow(frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame, image in zip(frames, clip_of(outputs), strict=True):
            yield Frame(image, frame.pts)

    found = flicker([Path("webcam_a")], follow, skip=1)
    rest = {"still": np.sqrt((0 + 8**2) / 2), "input_still": 2.0}
    assert found == pytest.approx(rest | {"moving": 15.0, "input_moving": 40.0})


@pytest.mark.parametrize("name", ["mosaic", "udnie", "kylix"])
def test_a_style_is_learnt_from_the_row_that_comes_nearest(name: str) -> None:
    weights = load_weights()
    weights = replace(weights, styles={n: weights.styles[n] for n in ("mosaic", "udnie", "kylix")})
    crops = torch.from_numpy(scene(32, 32)).permute(2, 0, 1)[None]
    row = torch.from_numpy(weights.styles[name].row)
    with torch.no_grad():
        target = RowPainter(weights, row)(crops / 255, torch.tensor([0]))

    def loss(painted: Tensor, *_: Tensor) -> dict[str, Tensor]:
        return {"style": (painted - target).square().mean()}

    batches = [(crops, torch.tensor([0]))]
    assert nearest(weights, batches, loss, torch.device("cpu")).name == name  # type: ignore[arg-type]


class Inverter:
    """An engine that paints negatives."""

    backend = "inverter"
    in_flight = 1

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        return lambda: self.stylize(image, style)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        return 255 - image


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """The data of a training, with a pair of frames in sintel/ and a clip in clips/."""
    data = make_data(tmp_path)
    gallery = (data / "gallery.toml").read_text()
    (data / "gallery.toml").write_text(gallery.replace('"a"', '"mosaic"').replace('"b"', '"kylix"'))
    (pair := data / "sintel" / "alley").mkdir(parents=True)
    first = scene(64, 48)
    write_picture(pair / "first.webp", first)
    write_picture(pair / "second.webp", np.roll(first, 3, axis=1))
    np.savez(pair / "flow.npz", flow=flow_of(3, 0, first), valid=np.ones((48, 64), bool))
    (data / "clips").mkdir()
    images = [first.copy() for _ in range(14)]
    for image in images[::2]:
        image[:, 40:] = 255 - image[:, 40:]
    make_video(data / "clips" / "webcam_a.mp4", images)
    return data


def test_evaluate_measures_each_style_for_the_report(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.commands.evaluate.load_engine", lambda _: Inverter())
    monkeypatch.setattr("train.judge.gatys_iterations", lambda *_: 7)
    monkeypatch.setattr("train.judge._STYLE_SIDE", 64)
    (results := tmp_path / "results").mkdir()
    more = ["--sintel", measured / "sintel", "--clips", measured / "clips", "--gatys-styles", 1]
    words = [*command_options(measured), *more, "-o", results / "quality_small.json"]
    call("evaluate", measured / "gallery.toml", *words)
    found = json.loads((results / "quality_small.json").read_text())
    mosaic, kylix = found["styles"]["mosaic"], found["styles"]["kylix"]
    assert mosaic["content"] == kylix["content"] > 0
    assert mosaic["style"] != kylix["style"]
    assert [row.get("gatys_iterations") for row in (mosaic, kylix)] == [7, None]
    assert mosaic["sintel"] == pytest.approx(found["sintel_input"])  # a negative moves as its original does
    flickering = mosaic["each_frame"]
    assert flickering["still"] == pytest.approx(flickering["input_still"], abs=0.1)
    assert flickering["moving"] == pytest.approx(flickering["input_moving"], rel=0.1)
    text = report(results, tmp_path)
    assert f"| mosaic | {mosaic['style']:.3f} | {mosaic['content']:.2f} | 7 | " in text
    assert f"| kylix | {kylix['style']:.3f} | {kylix['content']:.2f} |  | " in text
