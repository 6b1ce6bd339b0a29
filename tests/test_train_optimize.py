"""Optimising pixels, with a loss network of random weights."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from livestyle.sources.picture import read_picture
from tests.pictures import scene
from tests.training import loss_network, make_data
from train.__main__ import main
from train.judge import gatys_iterations
from train.loss_network import CHOICES, LossNetwork
from train.losses import PerceptualLoss
from train.optimize import OptimizeConfig, optimize
from train.photos import to_image, to_tensor
from train.plots import plot_losses

SHALLOW = CHOICES["vgg19-shallow"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> LossNetwork:
    return loss_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_optimising_pixels_lowers_the_loss_and_draws_it(optimiser: str, data: Path, tmp_path: Path) -> None:
    arguments = [str(data / "photos" / "0.png"), str(data / "a.png"), "-o", str(tmp_path / "out.png")]
    arguments += ["--loss-network", "vgg19-shallow", "--loss-weights", str(data / "vgg.safetensors")]
    arguments += ["--optimiser", optimiser, "--size", "64", "--steps", "8", "--tv-weight", "0.1"]
    result = CliRunner().invoke(main, ["optimize", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert read_picture(tmp_path / "out.png").shape == (64, 71, 3)  # the photo's 80x72, its short side at 64
    assert read_picture(tmp_path / "out.loss.png").size > 0


@pytest.mark.parametrize("start", ["photo", "noise"])
def test_each_step_of_the_optimisation_is_heard(network: LossNetwork, start: str) -> None:
    torch.manual_seed(0)
    photo, picture = torch.rand(3, 64, 64), torch.rand(3, 64, 64) ** 3
    loss = PerceptualLoss(network, SHALLOW, [picture])
    heard: list[tuple[int, float]] = []
    config = OptimizeConfig(steps=6, start=start)  # type: ignore[arg-type]
    painted = optimize(photo, loss, config, lambda step, terms: heard.append((step, terms["total"])))
    assert [step for step, _ in heard] == [1, 2, 3, 4, 5, 6]
    assert heard[-1][1] < heard[0][1]
    assert painted.min() >= 0
    assert painted.max() <= 1


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_a_step_tells_the_loss_after_it(network: LossNetwork, optimiser: str) -> None:
    photo, picture = torch.rand(3, 64, 64), torch.rand(3, 64, 64) ** 3
    loss = PerceptualLoss(network, SHALLOW, [picture])
    heard: dict[int, float] = {}
    rate = 1.0 if optimiser == "lbfgs" else 0.02
    for steps in (1, 2, 3):
        config = OptimizeConfig(steps=steps, optimiser=optimiser, learning_rate=rate)  # type: ignore[arg-type]
        painted = optimize(photo, loss, config, lambda step, terms: heard.update({step: terms["total"]}))
        terms = loss(painted[None], photo[None], torch.tensor([0]))
        told = sum(config.weights[name] * term.item() for name, term in terms.items())
        assert heard[steps] == pytest.approx(told, rel=1e-5)
        assert len(heard) == steps


def test_gatys_iterations_are_those_that_were_done(network: LossNetwork) -> None:
    photo, picture = scene(64, 64), torch.rand(3, 64, 64) ** 3
    loss = PerceptualLoss(network, SHALLOW, [picture])
    config = OptimizeConfig(steps=6)
    painted = to_image(optimize(to_tensor(photo), loss, OptimizeConfig(steps=3), lambda *_: None))
    terms = loss(to_tensor(painted)[None], to_tensor(photo)[None], torch.tensor([0]))
    reached = sum(config.weights[name] * term.item() for name, term in terms.items())
    heard: list[float] = []
    optimize(to_tensor(photo), loss, config, lambda _, values: heard.append(values["total"]))
    assert heard[1] > reached  # two iterations are not enough for what three made
    needed = next(step for step, total in enumerate(heard, start=1) if total <= reached)
    assert gatys_iterations(photo, painted, loss) == needed


@pytest.mark.parametrize("rate", ["0", "-1", "nan"])
def test_a_learning_rate_that_is_none_is_a_usage_error(rate: str, data: Path) -> None:
    arguments = [str(data / "photos" / "0.png"), str(data / "a.png"), "-o", "out.png"]
    result = CliRunner().invoke(main, ["optimize", *arguments, "--learning-rate", rate])
    assert result.exit_code == 2
    assert "--learning-rate" in result.stderr


@pytest.mark.parametrize(
    ("output", "more", "told"),
    [
        ("there.png", [], "it exists; choose another name, or add --overwrite"),
        ("photos/0.png", ["--overwrite"], "it is an input"),
        ("new.png", [], "it exists; choose another name, or add --overwrite"),  # its plot does
    ],
)
def test_optimising_replaces_nothing_unasked(output: str, more: list[str], told: str, tmp_path: Path) -> None:
    data = make_data(tmp_path)
    for name in ("there.png", "new.loss.png"):
        (data / name).write_bytes(b"kept")
    before = (data / output).read_bytes() if (data / output).exists() else None
    arguments = [str(data / "photos" / "0.png"), str(data / "a.png"), "-o", str(data / output), *more]
    result = CliRunner().invoke(main, ["optimize", *arguments])
    assert result.exit_code == 1
    assert told in result.stderr
    assert ((data / output).read_bytes() if (data / output).exists() else None) == before


def test_losses_of_nothing_are_drawn_without_a_warning(tmp_path: Path) -> None:
    plot_losses(tmp_path / "zero.png", "t", [{"step": 1, "style": 0.0}, {"step": 2, "style": 0.0}], ["style"])
    assert read_picture(tmp_path / "zero.png").size > 0
