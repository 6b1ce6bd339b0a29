"""The network whose features measure style and content: VGG-19 (Simonyan and Zisserman 2014)."""

from collections.abc import Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from livestyle.errors import SourceError

Features = dict[str, Tensor]
"""The activations of some layers by name, (B, C, H, W) each."""

_LAYERS = {
    "relu1_1": 0,
    "relu1_2": 2,
    "relu2_1": 5,
    "relu2_2": 7,
    "relu3_1": 10,
    "relu3_2": 12,
    "relu3_3": 14,
    "relu3_4": 16,
}
"""The convolution before each layer, by torchvision's number in `features`."""

_POOL_BEFORE = ("relu2_1", "relu3_1")
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class LossNetwork(nn.Module):
    """VGG-19 up to relu3_4, frozen, in bfloat16 and channels_last.

    Deeper layers are not needed: the shallow ones over several octaves of the picture see as far
    (Snelgrove 2017, "High-Resolution Multi-Scale Neural Texture Synthesis").
    """

    def __init__(self, weights: dict[str, Tensor], dtype: torch.dtype = torch.bfloat16) -> None:
        super().__init__()
        self.convs = nn.ModuleDict()
        for layer, number in _LAYERS.items():
            weight, bias = weights[f"features.{number}.weight"], weights[f"features.{number}.bias"]
            conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            conv.load_state_dict({"weight": weight, "bias": bias})
            self.convs[layer] = conv
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(_STD)[:, None, None])
        self.mean: Tensor
        self.std: Tensor
        self.to(dtype).requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types

    @classmethod
    def load(cls, path: Path) -> "LossNetwork":
        """The network with the weights of a safetensors file; tensors are named as torchvision names them.

        Raises SourceError where the file is missing or holds something else.
        """
        if not path.is_file():
            raise SourceError(f"no loss network at {path}: give the VGG-19 weights with --loss-network")
        try:
            return cls(load_file(path))
        except (SafetensorError, KeyError, RuntimeError) as error:
            raise SourceError(
                f"{path} does not hold VGG-19 up to conv3_4 under torchvision's names: {error}"
            ) from error

    def forward(self, x: Tensor, layers: Iterable[str]) -> Features:
        """The activations of `layers` for x (B, 3, H, W), RGB in [0, 1]."""
        wanted = set(layers)
        x = ((x.to(self.mean.dtype) - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        features: Features = {}
        for layer, conv in self.convs.items():
            if layer in _POOL_BEFORE:
                x = F.max_pool2d(x, 2)
            x = F.relu(conv(x))
            if layer in wanted:
                features[layer] = x
            if len(features) == len(wanted):
                break
        return features
