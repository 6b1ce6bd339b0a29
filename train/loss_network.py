"""Networks trained to recognise things, whose features measure style and content."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.error import URLError

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from livestyle.errors import SourceError

Features: TypeAlias = dict[str, Tensor]
"""The activations of some layers by name, (B, C, H, W) each."""

StateDict: TypeAlias = dict[str, Tensor]
"""Weights by torchvision's names."""

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is compared with one loss network, and where its weights are published."""

    style_layers: dict[str, float]
    """The weight of each layer in the mean over layers."""
    content_layer: str
    octaves: int
    """Style is compared at the full size and at this many less one halvings of it."""
    url: str
    """Torchvision's checkpoint, with the beginning of its sha256 in its name."""


_PUBLISHED = "https://download.pytorch.org/models/"
CHOICES = {
    # Johnson et al. 2016, section 4.1; one octave, as the deep layers see far by themselves
    "vgg16": Choice(
        {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0},
        "relu3_3",
        1,
        _PUBLISHED + "vgg16-397923af.pth",
    ),
    # Gatys et al. 2015, with content at a layer that keeps more of the photo
    "vgg19": Choice(
        {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0},
        "relu4_2",
        1,
        _PUBLISHED + "vgg19-dcbb9e9d.pth",
    ),
    # shallow layers over octaves (Snelgrove 2017); what the shipped styles were trained with
    "vgg19-shallow": Choice(
        {"relu1_1": 0.5, "relu2_1": 1.0, "relu3_1": 1.5, "relu3_4": 1.5},
        "relu3_3",
        3,
        _PUBLISHED + "vgg19-dcbb9e9d.pth",
    ),
    "resnet50": Choice(
        {"conv1": 0.5, "layer1": 1.0, "layer2": 1.0, "layer3": 1.0},
        "layer2",
        1,
        _PUBLISHED + "resnet50-0676ba61.pth",
    ),
}
"""Layers, weights and octaves for each loss network. Only `vgg19-shallow` has been tuned by eye."""

_VGG_BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_VGG_WIDTHS = (64, 128, 256, 512, 512)


class LossNetwork(nn.Module):
    """A frozen network between normalisation and some of its layers, in bfloat16 and channels_last."""

    def __init__(self, layers: nn.ModuleDict, dtype: torch.dtype = torch.bfloat16) -> None:
        """`layers` run one after the other; each one's output may be asked for by its name."""
        super().__init__()
        self.layers = layers
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(_STD)[:, None, None])
        self.mean: Tensor
        self.std: Tensor
        self.eval().to(dtype).requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types

    def forward(self, x: Tensor, layers: Iterable[str]) -> Features:
        """The activations of `layers` for x (B, 3, H, W), RGB in [0, 1]."""
        wanted = set(layers)
        x = ((x.to(self.mean.dtype) - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        features: Features = {}
        for name, layer in self.layers.items():
            x = layer(x)
            if name in wanted:
                features[name] = x
            if len(features) == len(wanted):
                return features
        raise ValueError(f"the loss network has no layers {', '.join(sorted(wanted - set(features)))}")


def load_loss_network(
    name: str, path: Path | None = None, *, average_pooling: bool = False, dtype: torch.dtype = torch.bfloat16
) -> LossNetwork:
    """The loss network of that name in `CHOICES`.

    Its weights come from a safetensors file, which may end after the layers that are compared, or, where none
    is given, from torchvision's published checkpoint, which torch.hub keeps in its cache and checks by its
    hash. `average_pooling` puts average pooling in the place of max pooling (Gatys et al. 2015, section 2).
    Raises SourceError where the weights are missing or are others.
    """
    state = _published(name) if path is None else _read(path)
    choice = CHOICES[name]
    try:
        layers = _resnet50(state) if name == "resnet50" else _vgg(name[:5], state, average_pooling)
    except (KeyError, RuntimeError) as error:
        raise SourceError(
            f"{path or name}: these are not the weights of {name} as torchvision names them"
        ) from error
    missing = [layer for layer in (*choice.style_layers, choice.content_layer) if layer not in layers]
    if missing:
        raise SourceError(
            f"{path or name} does not hold {name} up to {missing[-1]}: choose another loss network"
        )
    return LossNetwork(layers, dtype)


def _read(path: Path) -> StateDict:
    if not path.is_file():
        raise SourceError(f"no loss network at {path}: check the name, or leave it out to fetch it")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise SourceError(f"{path} is not a safetensors file: {error}") from error


def _published(name: str) -> StateDict:
    url = CHOICES[name].url
    try:
        state: StateDict = torch.hub.load_state_dict_from_url(url, check_hash=True, weights_only=True)
    except (URLError, OSError, RuntimeError) as error:
        raise SourceError(
            f"cannot fetch {name} from {url}: {error}; give a safetensors file with --loss-weights"
        ) from error
    return state


def _vgg(name: str, state: StateDict, average_pooling: bool) -> nn.ModuleDict:
    """VGG (Simonyan and Zisserman 2014) up to the last convolution that `state` holds.

    Unlike the original, it pads by reflection: with zeros the border of a picture is an edge to the loss, and
    the paintings grow a dark frame.
    """
    layers = nn.ModuleDict()
    number, inputs = 0, 3
    for block, (depth, width) in enumerate(zip(_VGG_BLOCKS[name], _VGG_WIDTHS, strict=True), start=1):
        for place in range(1, depth + 1):
            if f"features.{number}.weight" not in state:
                return layers
            conv = nn.Conv2d(inputs, width, 3, padding=1, padding_mode="reflect")
            conv.load_state_dict({key: state[f"features.{number}.{key}"] for key in ("weight", "bias")})
            pool = _pool(average_pooling) if place == 1 and block > 1 else nn.Identity()
            layers[f"relu{block}_{place}"] = nn.Sequential(pool, conv, nn.ReLU())
            number, inputs = number + 2, width
        number += 1
    return layers


def _pool(average: bool) -> nn.Module:
    return nn.AvgPool2d(2) if average else nn.MaxPool2d(2)


class _Bottleneck(nn.Module):
    """A residual block of ResNet-50 with its stride in the 3x3 convolution, as torchvision has it."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != 4 * width:
            conv = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y + self.downsample(x))


def _resnet50(state: StateDict) -> nn.ModuleDict:
    """ResNet-50 (He et al. 2015) up to layer3."""
    stem = nn.ModuleDict({"conv1": nn.Conv2d(3, 64, 7, 2, 3, bias=False), "bn1": nn.BatchNorm2d(64)})
    stages = {f"layer{n}": nn.Sequential(*blocks) for n, blocks in enumerate(_stages(), start=1)}
    everything = nn.ModuleDict({**stem, **stages})
    everything.load_state_dict({name: state[name] for name in everything.state_dict()})
    stages["layer1"] = nn.Sequential(nn.MaxPool2d(3, 2, 1), stages["layer1"])
    return nn.ModuleDict({"conv1": nn.Sequential(*stem.values(), nn.ReLU()), **stages})


def _stages() -> Iterator[Iterator[nn.Module]]:
    inputs = 64
    for width, depth, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2)):
        widths = [inputs] + [4 * width] * (depth - 1)
        yield (_Bottleneck(w, width, stride if i == 0 else 1) for i, w in enumerate(widths))
        inputs = 4 * width
