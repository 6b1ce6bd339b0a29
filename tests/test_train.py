"""Training, with a loss network of random weights: what it learns is nothing, how it learns is the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from livestyle.backends.torchscript import frame_net
from livestyle.errors import SourceError, StyleError
from livestyle.sinks.picture import write_picture
from livestyle.sources.picture import read_picture
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from tests.pictures import scene
from tests.training import TINY, loss_network, make_data, run_fit, small_pictures
from train.__main__ import main
from train.checkpoint import Checkpoint
from train.distributed import team
from train.export import export
from train.loop import fit
from train.loss_network import CHOICES, LossNetwork
from train.losses import LossConfig, PerceptualLoss, gram, relative_error, total_variation
from train.painter import Painter
from train.photos import PhotoBatches, cache_photos, find_photos, held_out
from train.pictures import read_gallery

SHALLOW = CHOICES["vgg19-shallow"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> LossNetwork:
    return loss_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(network: LossNetwork, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that never stopped."""
    run = tmp_path_factory.mktemp("whole")
    run_fit(network, data, run)
    return run


def curve(path: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [(row["step"], row["total"]) for row in rows]


def test_gram_is_the_mean_outer_product_of_the_features() -> None:
    x = torch.randn(2, 3, 4, 5)
    expected = torch.einsum("bihw,bjhw->bij", x, x) / 20
    torch.testing.assert_close(gram(x), expected)


def test_relative_errors_have_no_unit() -> None:
    a, b = torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    torch.testing.assert_close(relative_error(7 * a, 7 * b), relative_error(a, b))
    torch.testing.assert_close(relative_error(torch.zeros(2, 3, 4), b), torch.ones(2))
    assert relative_error(b, b).tolist() == [0, 0]


def test_a_photo_has_no_content_error_and_a_style_picture_no_style_error(network: LossNetwork) -> None:
    pictures = [torch.rand(3, 64, 64), torch.rand(3, 64, 64) ** 3]
    loss = PerceptualLoss(network, SHALLOW, pictures)
    both = torch.stack(pictures)
    right = loss(both, both, torch.tensor([0, 1]))
    assert right["content"] == 0
    assert right["style"] < 1e-9
    assert loss(both, both, torch.tensor([1, 0]))["style"] > 0.01
    assert loss(both, both.flip(0), torch.tensor([0, 1]))["content"] > 0.1


def test_only_the_transform_network_learns(network: LossNetwork) -> None:
    painter = Painter("small", 1)
    photos = torch.rand(1, 3, 64, 64)
    loss = PerceptualLoss(network, SHALLOW, [torch.rand(3, 64, 64)])
    terms = loss(painter(photos, torch.tensor([0])), photos, torch.tensor([0]))
    LossConfig().total(terms).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in painter.parameters())
    assert all(p.grad is None for p in network.parameters())


def test_a_batch_depends_on_seed_and_step_alone(data: Path) -> None:
    photos = cache_photos(find_photos(data / "photos"))
    batches = PhotoBatches(photos, 2, 10, 3, 48, seed=5)
    crops, styles = batches[7]
    assert crops.shape == (3, 3, 48, 48)
    assert crops.dtype == torch.uint8
    again = PhotoBatches(photos, 2, 10, 3, 48, seed=5)[7]
    assert torch.equal(crops, again[0])
    assert torch.equal(styles, again[1])
    assert not torch.equal(crops, batches[8][0])
    assert not torch.equal(crops, PhotoBatches(photos, 2, 10, 3, 48, seed=6)[7][0])


@pytest.mark.parametrize("colour", [(0, 0, 0), (120, 120, 120), (255, 255, 255), (200, 40, 40)])
def test_an_even_photo_leaves_the_gradient_a_number(colour: tuple[int, int, int], tmp_path: Path) -> None:
    image = np.empty((80, 72, 3), np.uint8)
    image[:] = colour
    write_picture(tmp_path / "even.png", image)
    crops, styles = PhotoBatches(cache_photos(find_photos(tmp_path)), 1, 4, 2, 64, seed=0)[0]
    deviations = crops.float().std(dim=(2, 3))
    assert deviations.min() > 0.5  # a little grain, for the norms to divide by
    assert deviations.max() < 4
    torch.manual_seed(0)
    painter = Painter("small", 1)
    painter(crops.float() / 255, styles).square().mean().backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in painter.parameters() if p.grad is not None])
    assert norm < 1e3


def test_photos_that_judge_are_not_trained_on() -> None:
    paths = [Path(f"{i:03}.jpg") for i in range(120)]
    trained, judged = held_out(paths)
    assert len(judged) == 3
    assert sorted(trained + judged) == paths


def test_a_resumed_run_ends_bit_for_bit_like_one_that_never_stopped(
    network: LossNetwork, data: Path, whole: Path, tmp_path: Path
) -> None:
    def stop(step: int, terms: dict[str, float]) -> None:
        if step == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_fit(network, data, tmp_path, on_step=stop)
    assert Checkpoint.load(tmp_path / "checkpoint.pt").step == 2
    resumed, expected = run_fit(network, data, tmp_path), Checkpoint.load(whole / "checkpoint.pt")
    assert expected.step == resumed.step == 4
    assert curve(tmp_path / "metrics.jsonl") == curve(whole / "metrics.jsonl")
    for name, value in expected.averaged.items():
        assert torch.equal(resumed.averaged[name], value), name
        assert torch.equal(resumed.parameters[name], expected.parameters[name]), name


def test_a_run_describes_itself(whole: Path) -> None:
    metrics = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in metrics] == [1, 2, 3, 4]
    assert metrics[0].keys() >= {"content", "style", "total", "seconds", "styles"}
    assert (whole / "samples" / "000004.png").is_file()
    assert read_picture(whole / "loss.png").size > 0
    record = json.loads((whole / "config.json").read_text())
    assert record["commit"]
    assert record["config"]["learning_rate"] == TINY.learning_rate


@pytest.mark.parametrize(("half", "most_levels"), [(False, 0.51), (True, 2.0)])  # rounding to uint8, and more
def test_an_export_paints_what_its_run_does(
    whole: Path, tmp_path: Path, half: bool, most_levels: float
) -> None:
    path = export(whole / "checkpoint.pt", tmp_path, half=half)
    weights = load_weights("small", tmp_path)
    numbers = sum(tensor.size for tensor in weights.tensors.values())
    assert (path.stat().st_size < 4 * numbers) == half
    assert list(weights.styles) == ["a", "b"]
    painter = Painter("small", 2)
    Checkpoint.load(whole / "checkpoint.pt").warm_start(painter, ["a", "b"])
    image = torch.from_numpy(scene(64, 48))
    with torch.no_grad():
        expected = painter(image.permute(2, 0, 1)[None] / 255, torch.tensor([1]))[0].permute(1, 2, 0) * 255
        row = torch.from_numpy(StyleMix.parse("b").row(weights.styles))
        painted = frame_net(weights)(image, row)
    assert (painted.float() - expected).abs().max() <= most_levels


def test_a_new_style_starts_from_the_mean_of_those_there_are(whole: Path) -> None:
    checkpoint = Checkpoint.load(whole / "checkpoint.pt")
    painter = Painter("small", 2)
    checkpoint.warm_start(painter, ["b", "new"])
    table = checkpoint.averaged["affine"]
    torch.testing.assert_close(painter.affine.detach(), torch.stack([table[1], table.mean(0)]))


def test_other_styles_than_the_runs_are_refused(network: LossNetwork, data: Path, whole: Path) -> None:
    (data / "other.toml").write_text('[[style]]\nname = "c"\npicture = "a.png"\n')
    photos = cache_photos(find_photos(data / "photos"))
    styles = read_gallery(data / "other.toml", data)
    with pytest.raises(StyleError, match=r"begun with other styles \(a, b\)"), team() as alone:
        fit(TINY, styles, photos, [], network, whole, alone, command="")


def test_the_command_trains_and_exports(data: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    arguments = [str(data / "gallery.toml"), "--pictures", str(data), "--photos", str(data / "photos")]
    arguments += ["--loss-network", "vgg19-shallow", "--loss-weights", str(data / "vgg.safetensors")]
    arguments += ["-o", str(tmp_path / "run"), "--steps", "1"]
    path = tmp_path / "run" / "checkpoint.pt"
    for done in ("1 of 1 steps", "1 of 1 steps, all of them before"):
        result = runner.invoke(main, ["fit", *arguments, "--batch", "1"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert result.stdout == f"{path}: {done}; to paint with it: python -m train export {path}\n"
        assert "3/3" in result.stderr  # the photos
        assert "0/" not in result.stderr
    result = runner.invoke(main, ["export", str(tmp_path / "run" / "checkpoint.pt"), "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert load_weights("small", tmp_path).styles.keys() == {"a", "b"}


def test_a_folder_without_photos_and_a_missing_picture_are_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no photos under"):
        find_photos(tmp_path)
    with pytest.raises(SourceError, match=r"picture of style 'a' is missing: .*a\.png"):
        read_gallery(data / "gallery.toml", tmp_path)


def test_a_style_is_added_from_one_picture(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a row is learnt: the network is untouched, the row moves away from where it started."""
    small_pictures(monkeypatch)
    arguments = [str(data / "a.png"), "--name", "mine", "--photos", str(data / "photos"), "--steps", "2"]
    arguments += ["--loss-network", "vgg19-shallow", "--loss-weights", str(data / "vgg.safetensors")]
    arguments += ["--stroke-size", "64", "--artist", "Me", "--crop", "0", "0", "1", "0.9"]
    before = load_weights()
    result = CliRunner().invoke(main, ["add", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "try it with --style mine --model small" in result.stdout
    after = load_weights()
    assert after.network == before.network
    row = after.styles["mine"].row
    distances = [np.abs(row - style.row).max() for style in before.styles.values()]
    assert 0 < min(distances) < 0.1  # two steps at a rate of at most 0.02
    assert after.styles["mine"].artist == "Me"


@pytest.mark.parametrize(("name", "expected"), [("mosaic", "already"), ("a/b", "letters, digits")])
def test_a_bad_name_for_a_style_is_one_clear_line(name: str, expected: str, data: Path) -> None:
    arguments = [str(data / "a.png"), "--name", name, "--photos", str(data / "photos")]
    result = CliRunner().invoke(main, ["add", *arguments])
    assert result.exit_code == 1
    assert expected in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_total_variation_is_that_of_neighbours() -> None:
    assert total_variation(torch.full((1, 3, 8, 8), 0.3)) == 0
    stripes = torch.tensor([0.0, 1.0] * 4).expand(1, 3, 8, 8)
    assert total_variation(stripes) == 1
