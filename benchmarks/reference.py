"""What livestyle is measured against: Johnson's network, in the loop that most people write.

    python -m benchmarks.reference IN OUT [FRAMES]

The network is that of Johnson et al. 2016 with instance norm (Ulyanov et al. 2016): 9x9 ends, 32, 64 and
128 channels, five residual blocks, reflection padding, resize-convolutions; eager, in float32. The loop
reads with OpenCV, stylizes, writes with OpenCV, one after the other, and loses the sound. The weights are
random: they do not change the time.
"""

import argparse
import sys
import time

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from livestyle.errors import LivestyleError, SinkError, SourceError
from livestyle.frame import Image


class JohnsonNet(nn.Module):
    """Paints (B, 3, H, W), RGB in 0 to 255; sides that are multiples of 4 come back as they were."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(3, 32, 9),
            _conv(32, 64, 3, stride=2),
            _conv(64, 128, 3, stride=2),
            *(_Residual(128) for _ in range(5)),
            nn.Upsample(scale_factor=2),
            _conv(128, 64, 3),
            nn.Upsample(scale_factor=2),
            _conv(64, 32, 3),
            nn.ReflectionPad2d(4),
            nn.Conv2d(32, 3, 9),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The painting, unclamped."""
        painted: Tensor = self.layers(x)
        return painted

    @torch.inference_mode()
    def stylize(self, image: Image) -> Image:
        """Paints an image, (H, W, 3)."""
        x = torch.from_numpy(image).permute(2, 0, 1)[None].float()
        return np.ascontiguousarray(self(x)[0].clamp(0, 255).byte().permute(1, 2, 0).numpy())


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels, 3)
        self.second = _conv(channels, channels, 3, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        painted: Tensor = x + self.second(self.first(x))
        return painted


def _conv(inputs: int, outputs: int, size: int, stride: int = 1, relu: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ReflectionPad2d(size // 2), nn.Conv2d(inputs, outputs, size, stride)]
    layers.append(nn.InstanceNorm2d(outputs, affine=True))
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


def run(source: str, target: str, frames: int | None = None) -> tuple[int, float]:
    """Paints a video file; gives the number of frames and the seconds that the loop took.

    Raises SourceError where the source has no frame, SinkError where the target cannot be written.
    """
    net = JohnsonNet().eval()
    capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        raise SourceError(f"cannot read {source} as a video: choose another file")
    width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    fourcc = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(target, fourcc, capture.get(cv2.CAP_PROP_FPS), (width, height))
    if not writer.isOpened():
        raise SinkError(f"cannot write {target}: choose an .mp4 in a folder that there is")
    done, began = 0, time.perf_counter()
    while done != frames:
        more, bgr = capture.read()
        if not more:
            break
        painted = net.stylize(_swap(np.asarray(bgr, np.uint8)))
        writer.write(_swap(painted))
        done += 1
    capture.release()
    writer.release()
    if not done:
        raise SourceError(f"no frame of {source} was painted: choose a longer video, and FRAMES above 0")
    return done, time.perf_counter() - began


def _swap(image: NDArray[np.uint8]) -> Image:
    """RGB to BGR, and back."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.reference", description=__doc__.splitlines()[0])
    parser.add_argument("source", metavar="IN")
    parser.add_argument("target", metavar="OUT")
    parser.add_argument("frames", metavar="FRAMES", type=int, nargs="?")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it prints, an error says
    try:
        count, seconds = run(**vars(parser.parse_args()))
    except LivestyleError as error:
        sys.exit(f"Error: {error}")
    print(f"{count} frames in {seconds:.2f} s, {count / seconds:.3f} fps")
