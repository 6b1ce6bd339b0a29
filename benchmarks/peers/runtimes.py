"""The usual ways of running a network on a CPU: each makes a function from frame to painting, both uint8."""

import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from livestyle.cli.stopping import unstoppable
from livestyle.frame import Image

Paint = Callable[[Image], Image]
Runtime = Callable[[nn.Module, tuple[int, int]], Paint]
"""Takes the network and the (width, height) of the frames."""


def eager(net: nn.Module, _size: tuple[int, int]) -> Paint:
    """PyTorch, as a repository's own script runs it."""
    net = net.eval()

    @torch.inference_mode()
    def paint(image: Image) -> Image:
        x = torch.from_numpy(image).permute(2, 0, 1)[None].float()
        return _cropped(net(x)[0].clamp(0, 255).byte().permute(1, 2, 0).numpy(), image)

    return paint


def openvino(net: nn.Module, size: tuple[int, int]) -> Paint:
    """OpenVINO's own conversion and settings for low latency: bfloat16 where the processor has it."""
    import openvino as ov

    from livestyle.backends.openvino import core

    shape = [1, 3, size[1], size[0]]
    with unstoppable(), warnings.catch_warnings():  # Ctrl-C within the conversion may never return
        warnings.simplefilter("ignore")  # what PyTorch's tracer says of constant sizes
        model = ov.convert_model(net.eval(), example_input=torch.zeros(shape), input=shape)
    compiled = core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    return _planar(lambda x: request.infer([x], share_inputs=True, share_outputs=True)[0])


def onnxruntime(net: nn.Module, size: tuple[int, int]) -> Paint:
    """ONNX Runtime's CPU provider."""
    import onnxruntime as ort

    session = ort.InferenceSession(_as_onnx(net, size), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return _planar(lambda x: session.run(None, {name: x})[0])


def opencv(net: nn.Module, size: tuple[int, int]) -> Paint:
    """OpenCV's dnn module, from the same ONNX file."""
    import cv2

    loaded = cv2.dnn.readNetFromONNX(np.frombuffer(_as_onnx(net, size), np.uint8))

    def run(x: Any) -> Any:
        loaded.setInput(x)
        return loaded.forward()

    return _planar(run)


RUNTIMES: dict[str, Runtime] = {
    "PyTorch eager f32": eager,
    "OpenVINO": openvino,
    "ONNX Runtime f32": onnxruntime,
    "OpenCV dnn f32": opencv,
}


def _planar(run: Callable[[Any], Any]) -> Paint:
    """Between uint8 (H, W, 3) and float32 (1, 3, H, W), by NumPy."""

    def paint(image: Image) -> Image:
        painted = run(np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32))
        return _cropped(painted[0].clip(0, 255).astype(np.uint8).transpose(1, 2, 0), image)

    return paint


def _cropped(painted: Image, image: Image) -> Image:
    """Networks that halve the sides twice paint a little more where those are no multiples of 4."""
    return np.ascontiguousarray(painted[: image.shape[0], : image.shape[1]])


def _as_onnx(net: nn.Module, size: tuple[int, int]) -> bytes:
    frame = torch.zeros(1, 3, size[1], size[0])
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter without extra packages is the old one
        path = Path(folder) / "net.onnx"
        torch.onnx.export(net.eval(), (frame,), path, dynamo=False, opset_version=17)
        return path.read_bytes()
