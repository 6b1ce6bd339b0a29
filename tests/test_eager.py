"""What float32 eager paints, which everything on a GPU is held against."""

from weakref import WeakSet

import numpy as np
import pytest
import torch

from benchmarks.random_weights import random_weights
from livestyle.architecture import NetworkConfig
from livestyle.backends import cuda
from livestyle.backends.cuda import CudaEngine
from livestyle.backends.slots import CpuLane
from livestyle.backends.torchscript import frame_net
from livestyle.errors import EngineError
from livestyle.gate import natural_frame, psnr_db
from livestyle.weights import Weights

TINY = NetworkConfig(stem=4, body=8, blocks=1)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return random_weights("tiny", TINY)


def test_the_reference_has_all_bits_of_float32(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before, seen = (cudnn.allow_tf32, matmul.allow_tf32), []
    image, row = natural_frame(48, 65), weights.styles["random_one"].row
    net = frame_net(weights)
    right = net(torch.from_numpy(image), torch.from_numpy(row)).numpy()
    net.register_forward_pre_hook(lambda *_: seen.append((cudnn.allow_tf32, matmul.allow_tf32)))
    monkeypatch.setattr(cuda, "frame_net", lambda _: net)
    cudnn.allow_tf32 = matmul.allow_tf32 = True
    try:
        assert psnr_db(cuda.reference(weights, image, row), right) > 60
        assert (cudnn.allow_tf32, matmul.allow_tf32) == (True, True)
    finally:
        cudnn.allow_tf32, matmul.allow_tf32 = before
    assert seen == [(False, False)]


def test_the_processor_paints_the_reference_where_the_gpu_cannot(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, row = natural_frame(48, 65), weights.styles["random_one"].row
    on_cpu = cuda.reference(weights, image, row, "cpu")
    assert np.array_equal(cuda.reference(weights, image, row, "meta"), on_cpu)  # which computes nothing

    def full(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 2 bytes")

    monkeypatch.setattr(cuda, "frame_net", full)
    with pytest.raises(EngineError, match=r"^float32 eager cannot paint 65x48: there is not enough memory"):
        CudaEngine(weights, make_lane=CpuLane).measure(48, 65)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_reference_leaves_its_memory_to_others(
    device: str, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: WeakSet[torch.nn.Module] = WeakSet()
    left: list[int] = []

    def net(weights: Weights) -> torch.nn.Module:
        alive.add(made := frame_net(weights))
        return made

    monkeypatch.setattr(cuda, "frame_net", net)

    def empty_cache() -> None:
        left.append(len(alive))
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "empty_cache", empty_cache)
    cuda.reference(weights, natural_frame(48, 65), weights.styles["random_one"].row, device)
    assert left == [0]


@pytest.mark.needs_cuda
def test_on_a_gpu_the_reference_is_that_of_a_processor() -> None:
    weights = random_weights("small")
    image, row = natural_frame(360, 640), weights.styles["random_one"].row
    on_gpu = cuda._eager_float32(weights, image, row, "cuda")
    assert psnr_db(on_gpu, cuda._eager_float32(weights, image, row, "cpu")) > 60
