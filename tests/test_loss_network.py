"""Loss networks with random weights of the published names and shapes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from livestyle.errors import SourceError
from train.loss_network import CHOICES, LossNetwork, load_loss_network

DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def vgg_weights(name: str, convolutions: int = 99) -> dict[str, Tensor]:
    """The first convolutions of a VGG as torchvision numbers them; activations keep their size."""
    random = torch.manual_seed(0)
    weights, number, inputs = {}, 0, 3
    for depth, width in zip(DEPTHS[name], (64, 128, 256, 512, 512), strict=True):
        for _ in range(depth):
            kernel = torch.randn(width, inputs, 3, 3, generator=random) * (2 / (9 * inputs)) ** 0.5
            if len(weights) < 2 * convolutions:
                weights |= {
                    f"features.{number}.weight": kernel,
                    f"features.{number}.bias": torch.zeros(width),
                }
            number, inputs = number + 2, width
        number += 1
    return weights


def resnet_weights() -> dict[str, Tensor]:
    """All weights of a ResNet-50 up to layer3 and some beyond, as torchvision names them."""

    def norm(name: str, channels: int) -> dict[str, Tensor]:
        values = {"weight": torch.ones(channels), "bias": torch.zeros(channels)}
        values |= {"running_mean": torch.zeros(channels), "running_var": torch.ones(channels)}
        return {f"{name}.{k}": v for k, v in values.items()} | {
            f"{name}.num_batches_tracked": torch.tensor(0)
        }

    def conv(name: str, outputs: int, inputs: int, side: int) -> dict[str, Tensor]:
        return {f"{name}.weight": torch.randn(outputs, inputs, side, side) * (inputs * side * side) ** -0.5}

    torch.manual_seed(0)
    weights = conv("conv1", 64, 3, 7) | norm("bn1", 64)
    inputs = 64
    for stage, (width, depth) in enumerate(((64, 3), (128, 4), (256, 6)), start=1):
        for block in range(depth):
            at = f"layer{stage}.{block}"
            weights |= conv(f"{at}.conv1", width, inputs, 1) | norm(f"{at}.bn1", width)
            weights |= conv(f"{at}.conv2", width, width, 3) | norm(f"{at}.bn2", width)
            weights |= conv(f"{at}.conv3", 4 * width, width, 1) | norm(f"{at}.bn3", 4 * width)
            if block == 0:
                weights |= conv(f"{at}.downsample.0", 4 * width, inputs, 1)
                weights |= norm(f"{at}.downsample.1", 4 * width)
            inputs = 4 * width
    return weights | {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}


def published(name: str) -> dict[str, Tensor]:
    return resnet_weights() if name == "resnet50" else vgg_weights(name[:5])


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """torch.hub without the network: what was asked of it, and weights as it would give them."""
    calls: list[dict[str, Any]] = []

    def load(url: str, **options: Any) -> dict[str, Tensor]:
        calls.append({"url": url, **options})
        return published(next(name for name in ("vgg16", "vgg19", "resnet50") if name in url))

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", load)
    return calls


@pytest.mark.parametrize("name", CHOICES)
def test_published_weights_are_checked_by_their_hash_and_give_every_layer(
    name: str, hub: list[dict[str, Any]]
) -> None:
    network, choice = load_loss_network(name, dtype=torch.float32), CHOICES[name]
    assert hub[0]["check_hash"] is True
    assert hub[0]["weights_only"] is True
    features = network(torch.rand(2, 3, 64, 64), [*choice.style_layers, choice.content_layer])
    assert features.keys() == {*choice.style_layers, choice.content_layer}
    assert all(value.isfinite().all() and value.std() > 0 for value in features.values())
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_vgg_is_what_torchvision_lists() -> None:
    """The same numbers in a plain sequence, as torchvision builds `vgg19().features`, but for the padding."""
    weights = vgg_weights("vgg19", 5)
    layers: list[nn.Module] = []
    for width in (64, 64, 0, 128, 128, 0, 256):
        inputs = 3 if not layers else [m for m in layers if isinstance(m, nn.Conv2d)][-1].out_channels
        if width:
            layers += [nn.Conv2d(inputs, width, 3, padding=1, padding_mode="reflect"), nn.ReLU()]
        else:
            layers.append(nn.MaxPool2d(2))
    plain = nn.Sequential(*layers)
    plain.load_state_dict({name.removeprefix("features."): value for name, value in weights.items()})
    x = torch.rand(1, 3, 32, 32)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = plain((x - mean[:, None, None]) / std[:, None, None])
    from train.loss_network import _vgg

    network = LossNetwork(_vgg("vgg19", weights, False), torch.float32)
    torch.testing.assert_close(network(x, ["relu3_1"])["relu3_1"], expected)


def test_average_pooling_is_another_network(hub: list[dict[str, Any]]) -> None:
    x = torch.rand(1, 3, 32, 32)
    first, second = (
        load_loss_network("vgg16", average_pooling=average, dtype=torch.float32)(x, ["relu2_2"])["relu2_2"]
        for average in (False, True)
    )
    assert first.shape == second.shape
    assert first.mean() > second.mean()


def test_an_unknown_layer_is_a_mistake(hub: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="relu9_9"):
        load_loss_network("vgg16")(torch.rand(1, 3, 32, 32), ["relu9_9"])


def test_a_file_that_ends_too_early_says_which_layer_is_missing(tmp_path: Path) -> None:
    save_file(vgg_weights("vgg19", 4), tmp_path / "vgg.safetensors")
    with pytest.raises(SourceError, match="does not hold vgg19-shallow up to relu3_3"):
        load_loss_network("vgg19-shallow", tmp_path / "vgg.safetensors")


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_weights_of_another_network_are_refused(name: str, tmp_path: Path) -> None:
    save_file(
        {"features.0.weight": torch.zeros(3, 3), "features.0.bias": torch.zeros(3)},
        tmp_path / "w.safetensors",
    )
    with pytest.raises(SourceError, match=f"these are not the weights of {name}"):
        load_loss_network(name, tmp_path / "w.safetensors")


def test_missing_and_broken_files_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no loss network at"):
        load_loss_network("vgg16", tmp_path / "no.safetensors")
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(SourceError, match="not a safetensors file"):
        load_loss_network("vgg16", tmp_path / "text.safetensors")


def test_without_a_network_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(SourceError, match="give a safetensors file with --loss-weights"):
        load_loss_network("vgg16")
