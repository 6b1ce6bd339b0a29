"""Engines of TensorRT by way of torch_tensorrt, for an installation that cannot read ONNX."""

import importlib
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from typing import Any

import torch
from torch import Tensor, nn

from livestyle.backends.torchscript import frame_net
from livestyle.errors import EngineError, UnavailableError, in_one_line
from livestyle.network import FrameNet, pad_to_fit
from livestyle.weights import Weights


class UncastNet(nn.Module):
    """`FrameNet` without its last cast, for which torch_tensorrt has no converter (#3247)."""

    def __init__(self, net: FrameNet) -> None:
        super().__init__()
        self.net = net.net

    def forward(self, frame: Tensor, affine: Tensor) -> Tensor:
        """Paints frame (H, W, 3) uint8; gives whole numbers from 0 to 255 in the type of `affine`."""
        height, width, _ = frame.shape
        x = pad_to_fit(frame.to(affine.dtype).permute(2, 0, 1)[None] / 255)
        painted: Tensor = self.net(x, affine[None])[0, :, :height, :width]
        return (painted * 255).round().permute(1, 2, 0).contiguous()


def plan_from_torch(weights: Weights, height: int, width: int, device: str = "cuda") -> bytes:
    """The serialized engine for one size of frame. Raises EngineError."""
    torch_tensorrt = open_torch_tensorrt()
    net = UncastNet(frame_net(weights)).to(device, torch.float16)
    inputs = (
        torch.zeros((height, width, 3), dtype=torch.uint8, device=device),
        torch.ones(weights.config.affine_length, dtype=torch.float16, device=device),
    )
    program = torch.export.export(net, inputs)
    # no precisions are passed: the program's own types hold, which 2.11 and 2.12 would not take as an option
    plan: bytes = torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine(
        program, arg_inputs=list(inputs)
    )
    return plan


def open_torch_tensorrt() -> Any:
    """The module. Raises UnavailableError where it is missing, EngineError where it cannot be used."""
    if find_spec("torch_tensorrt") is None:
        raise UnavailableError("torch_tensorrt is not installed: pip install 'livestyle[tensorrt]'")
    try:
        with redirect_stdout(StringIO()):  # it prints
            module = importlib.import_module("torch_tensorrt")
    except Exception as error:  # never ImportError where there is no GPU, but AssertionError, OSError ...
        raise EngineError(f"torch_tensorrt does not load: {in_one_line(error)}") from error
    theirs, ours = module.__version__.split(".")[:2], torch.__version__.split(".")[:2]
    if theirs != ours:
        raise EngineError(
            f"torch_tensorrt {module.__version__} is for torch {'.'.join(theirs)}, "
            f"and torch is {torch.__version__}: pip install 'torch-tensorrt=={'.'.join(ours)}.*'"
        )
    return module
