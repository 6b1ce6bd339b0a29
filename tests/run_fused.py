"""Runs the fused kernels on a processor, in Triton's interpreter; prints the PSNR against float32 eager.

    TRITON_INTERPRET=1 python -m tests.run_fused

Every buffer lies between guards of nan: a value read outside shows in the painting, one written is found.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.random_weights import random_weights
from livestyle.architecture import NetworkConfig
from livestyle.backends import fused
from livestyle.backends.fused import FusedNet
from livestyle.backends.torchscript import frame_net
from livestyle.gate import natural_frame, psnr_db

GUARD = 4096
SMALL, LARGE = NetworkConfig(stem=4, body=8, blocks=2), NetworkConfig(stem=8, body=4, blocks=1)
CASES = (
    (SMALL, (32, 32), torch.float32, 2048, 1024),
    (SMALL, (33, 47), torch.float32, 256, 1024),
    (SMALL, (36, 41), torch.float32, 128, 3),
    (SMALL, (33, 47), torch.float16, 2048, 1024),
    (LARGE, (36, 41), torch.float16, 256, 3),
)
"""Network, (height, width), and how the work is split, _TILE and _CHUNKS: among one, many, or few."""

allocate = torch.empty
guarded: list[Tensor] = []


def empty(*shape: Any, dtype: torch.dtype = torch.float32, memory_format: Any = None, **_: Any) -> Tensor:
    (sizes,) = shape
    room = allocate(int(np.prod(sizes)) + 2 * GUARD, dtype=dtype)
    room.fill_(float("nan"))
    guarded.append(room)
    inside = room[GUARD:-GUARD]
    if memory_format is torch.channels_last:
        batch, channels, height, width = sizes
        return inside.view(batch, height, width, channels).permute(0, 3, 1, 2)
    return inside.view(sizes)


def main() -> None:
    torch.empty = empty  # type: ignore[assignment]
    for config, (height, width), dtype, fused._TILE, fused._CHUNKS in CASES:
        weights = random_weights("tiny", config)
        image, row = natural_frame(height, width), weights.styles["random_two"].row
        right = frame_net(weights)(torch.from_numpy(image), torch.from_numpy(row)).numpy()
        guarded.clear()
        with torch.inference_mode():
            net = FusedNet(weights, torch.device("cpu"), dtype)
            painted = net(torch.from_numpy(image), torch.from_numpy(row).to(dtype)).numpy()
        for room in guarded:
            assert room[:GUARD].isnan().all(), "written before a buffer"
            assert room[-GUARD:].isnan().all(), "written behind a buffer"
            assert not room[GUARD:-GUARD].isnan().any(), "not written everywhere"
        print(str(dtype).removeprefix("torch."), psnr_db(painted, right), len(guarded))


if __name__ == "__main__":
    main()
