"""What the driver tells, with a made-up one: each of its failures is one clear reason."""

import warnings
from collections.abc import Iterator

import pytest
import torch

from livestyle import gpu
from livestyle.backends.cuda import require_cuda
from livestyle.engine import choose_engine
from livestyle.errors import EngineError, UnavailableError
from livestyle.findings import State
from livestyle.gpu_checks import check_torch
from livestyle.weights import load_weights
from tests.fake_driver import FakeDriver, install


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    gpu.find_driver.cache_clear()


def test_the_driver_tells_its_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeDriver(count=2, capability=(8, 9)))
    driver = gpu.find_driver()
    assert driver.cuda == (13, 0)
    assert [g.name for g in driver.gpus] == ["NVIDIA Fake 0", "NVIDIA Fake 1"]
    assert driver.gpus[0].capability == (8, 9)
    assert driver.gpus[0].memory_bytes == 8 << 30
    assert gpu.driver_version() == "580.95.05"


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        (None, "there is no NVIDIA driver here"),
        (FakeDriver(status=100), "finds no GPU"),
        (FakeDriver(status=999), "cannot start: CUDA error 999; does nvidia-smi work?"),
        (FakeDriver(count=0), "is CUDA_VISIBLE_DEVICES empty?"),
    ],
)
def test_a_driver_that_does_not_work_says_why(
    driver: FakeDriver | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, driver)
    with pytest.raises(UnavailableError, match=expected.replace("?", r"\?")):
        gpu.find_driver()


def test_a_driver_that_hides_its_version_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    for driver in (None, FakeDriver(status=3)):
        install(monkeypatch, driver)
        assert gpu.driver_version() is None


def test_a_torch_without_cuda_is_said_though_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeDriver())
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(EngineError, match=r"torch .* is built without CUDA: install one with it"):
        require_cuda()


def test_a_driver_too_old_for_torch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeDriver())
    monkeypatch.setattr(torch.version, "cuda", "14.1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        EngineError, match=r"cannot use the NVIDIA Fake 0: .* runs CUDA 13\.0, torch wants 14\.1"
    ):
        require_cuda()


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that the driver runs and PyTorch finds, but has no kernels for."""

    def none(*_: object, **__: object) -> None:
        warnings.warn("NVIDIA Fake 0 with CUDA capability sm_61 is not compatible", stacklevel=1)
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCompile")

    install(monkeypatch, FakeDriver(capability=(6, 1)))
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80"])
    monkeypatch.setattr(torch.nn.functional, "conv2d", none)
    monkeypatch.setattr(torch, "zeros", lambda *_, **__: None)


@pytest.mark.usefixtures("no_kernels")
def test_a_gpu_too_old_for_torch_is_said() -> None:
    with pytest.raises(
        EngineError,
        match=r"does not run on the NVIDIA Fake 0, of compute capability 6\.1: CUDA error: no kernel image .*"
        r" the device; .* choose a torch for it at https://pytorch\.org: this one is made for sm_75, sm_80$",
    ):
        require_cuda()


@pytest.mark.usefixtures("no_kernels")
def test_auto_steps_down_from_a_gpu_too_old_for_torch() -> None:
    choice = choose_engine(load_weights("small"))
    assert choice.engine.backend.startswith("openvino")
    assert "does not run on the NVIDIA Fake 0" in choice.skipped["cuda"]
    found = check_torch()
    assert found.state is State.FAULT
    assert "download.pytorch.org/whl/cu126" in found.fix
