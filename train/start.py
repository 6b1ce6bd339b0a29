"""What a run may start from: the checkpoint of another, or weights that were exported from one."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from livestyle.errors import StyleError
from livestyle.network import ResizeFold
from livestyle.weights import MANIFEST, load_weights, read_manifest
from train.checkpoint import Checkpoint, Parameters
from train.config import read_record
from train.painter import Painter

_WEIGHTS = ".safetensors"
_TRAINED = "parametrizations.weight.original"
"""Where PyTorch keeps the kernel that a layer's weight is computed from."""


def read_start(path: Path) -> Checkpoint:
    """The checkpoint in a file, or one of step 0 with the weights in it.

    Weights are unfolded into the kernels that are trained. Raises StyleError where it is neither.
    """
    if path.suffix != _WEIGHTS:
        return Checkpoint.load(path)
    weights = load_weights(_model(path), path.parent)
    shipped = [style for style in weights.styles.values() if not style.own]
    painter = Painter(weights.model, len(shipped))
    rows = torch.stack([torch.from_numpy(style.row) for style in shipped])
    folded = {name: torch.from_numpy(tensor) for name, tensor in weights.tensors.items()}
    kernels = unfold(painter.net, folded)
    parameters = {"affine": rows} | {f"net.{name}": kernel for name, kernel in kernels.items()}
    names = [style.name for style in shipped]
    return Checkpoint(0, weights.model, names, parameters, parameters, optimiser={}, schedule={})


def read_history(path: Path) -> list[dict[str, Any]]:
    """The commands that trained what is in a file, the first one first, each with its steps."""
    if path.suffix != _WEIGHTS:
        return list(read_record(path)["training"])
    return list(read_manifest(path.parent)[_model(path)]["styles"][0]["training"])


def unfold(net: nn.Module, folded: Parameters) -> Parameters:
    """The kernels that `net` trains, by name, which fold into the weights `folded`.

    Folding is linear and takes no two kernels to one. Weights that were rounded since, or were never the
    fold of any kernel, are met as closely as they can be.
    """
    kernels = {}
    for name, weight in folded.items():
        layer, _, kind = name.rpartition(".")
        conv = net.get_submodule(layer)
        if kind == "weight" and parametrize.is_parametrized(conv):
            fold = conv.get_submodule("parametrizations.weight.0")
            shape = conv.get_parameter(_TRAINED).shape
            kernels[f"{layer}.{_TRAINED}"] = _unfolded(fold, shape, weight)
        else:
            kernels[name] = weight
    return kernels


def _unfolded(fold: nn.Module, shape: torch.Size, folded: Tensor) -> Tensor:
    """The kernel of `shape` (out, in, k, k) for which `fold` gives `folded`, in least squares.

    A fold treats each plane (k, k) by itself: what it makes of each of its pixels is the whole system.
    """
    outputs, inputs, side, _ = shape
    pixels = torch.eye(side * side).reshape(-1, 1, side, side)
    system = _by_plane(fold, fold(pixels), side * side, 1)
    wanted = _by_plane(fold, folded, outputs, inputs)
    planes: Tensor = torch.linalg.lstsq(system.T.double(), wanted.T.double()).solution
    return planes.T.reshape(shape).float().contiguous()


def _by_plane(fold: nn.Module, folded: Tensor, outputs: int, inputs: int) -> Tensor:
    """Folded kernels as rows, one for each plane of (outputs, inputs); sub-pixels go with their plane."""
    if isinstance(fold, ResizeFold):
        folded = folded.reshape(outputs, 4, inputs, -1).transpose(1, 2)
    return folded.reshape(outputs * inputs, -1)


def _model(path: Path) -> str:
    """The model whose weights a file holds, by the manifest beside it."""
    if path.with_name(MANIFEST).is_file():
        for model, entry in read_manifest(path.parent).items():
            if entry["file"] == path.name:
                return str(model)
    raise StyleError(
        f"no {MANIFEST} beside {path} names it: choose weights that train export wrote, or a checkpoint.pt"
    )
