"""The NVIDIA GPUs of this machine, asked of the driver itself: in milliseconds, and without PyTorch."""

import ctypes
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from livestyle.errors import UnavailableError

_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU."""

    name: str
    capability: tuple[int, int]
    """Compute capability: (9, 0) is Hopper."""
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Driver:
    """The NVIDIA driver and what it drives; there is at least one GPU."""

    cuda: tuple[int, int]
    """The newest CUDA that it can run."""
    gpus: tuple[Gpu, ...]


@cache
def find_driver() -> Driver:
    """The driver, with the GPUs that this process may use. Raises UnavailableError, which says why none."""
    cuda = _library("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    if cuda is None:
        raise UnavailableError("there is no NVIDIA driver here")
    _check(cuda.cuInit(0), "start")
    count = _ask(cuda.cuDeviceGetCount)
    if count == 0:
        raise UnavailableError("the NVIDIA driver shows no GPU: is CUDA_VISIBLE_DEVICES empty?")
    version = _ask(cuda.cuDriverGetVersion)
    gpus = tuple(_gpu(cuda, index) for index in range(count))
    return Driver((version // 1000, version % 1000 // 10), gpus)


def driver_version() -> str | None:
    """The driver's own version, like 580.95.05; None where it does not tell."""
    nvml = _library("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
    if nvml is None or nvml.nvmlInit_v2() != 0:
        return None
    text = ctypes.create_string_buffer(80)
    told = nvml.nvmlSystemGetDriverVersion(text, len(text)) == 0
    nvml.nvmlShutdown()
    return text.value.decode() if told else None


def _gpu(cuda: Any, index: int) -> Gpu:
    device = _ask(cuda.cuDeviceGet, index)
    name = ctypes.create_string_buffer(256)
    _check(cuda.cuDeviceGetName(name, len(name), device), "name its GPU")
    memory = ctypes.c_size_t()
    _check(cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device), "tell its memory")
    capability = (
        _ask(cuda.cuDeviceGetAttribute, _MAJOR, device),
        _ask(cuda.cuDeviceGetAttribute, _MINOR, device),
    )
    return Gpu(name.value.decode(), capability, memory.value)


def _ask(function: Any, *arguments: int) -> int:
    """What a function of the driver writes to its first argument."""
    answer = ctypes.c_int()
    _check(function(ctypes.byref(answer), *arguments), "answer")
    return answer.value


def _check(status: int, doing: str) -> None:
    if status == _NO_DEVICE:
        raise UnavailableError("the NVIDIA driver finds no GPU")
    if status != 0:
        raise UnavailableError(
            f"the NVIDIA driver cannot {doing}: CUDA error {status}; does nvidia-smi work?"
        )


def _library(name: str) -> Any:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None
