"""What `benchmarks.gpu` asks of the machine: a GPU, or a processor that stands in for one in a rehearsal."""

import gc
import platform
import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from livestyle.backends.cuda import require_cuda
from livestyle.backends.slots import CpuLane, CudaLane, Lane, Paint, Slot
from livestyle.engine_cache import EngineCache
from livestyle.errors import UnavailableError
from livestyle.gpu import driver_version, find_driver
from livestyle.weights import Weights

Work = Callable[[], object]


class Device(Protocol):
    """Where the networks run."""

    torch_device: torch.device
    dtype: torch.dtype

    def facts(self) -> dict[str, Any]:
        """What the numbers depend on."""
        ...

    def ceilings(self) -> dict[str, float]:
        """The most it does in a second, measured: `operations_per_second`, `bytes_per_second`, transfers."""
        ...

    def lane(self) -> Lane:
        """A lane that records."""
        ...

    def plain_lane(self) -> Lane:
        """A lane that does not record: every kernel is launched anew."""
        ...

    def tensorrt(self, weights: Weights, size: tuple[int, int], /) -> Callable[[Lane], Paint]:
        """An engine of TensorRT for that size, built anew; gives what paints with it."""
        ...

    def milliseconds(self, work: Work) -> float:
        """The median time of `work` on the device, by its own clock."""
        ...

    def network_milliseconds(self, slot: Slot) -> float:
        """The same of a slot's network."""
        ...

    def loop_frames(self, size: tuple[int, int], /) -> int:
        """How many frames a loop is measured over."""
        ...

    def forget_memory(self) -> None:
        """Frees what can be freed, and counts the peak anew."""
        ...

    def peak_memory_mib(self) -> float:
        """The most memory that was in use since `forget_memory`."""
        ...


class PlainLane(CudaLane):
    """A CUDA stream without a graph."""

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """`work` itself, warmed up on the stream."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            for _ in range(self._WARM_UPS):
                work()
        self._stream.synchronize()
        return work


class Gpu:
    """The GPU. Raises EngineError where there is none that PyTorch can use."""

    dtype = torch.float16

    def __init__(self) -> None:
        require_cuda()
        self.torch_device = torch.device("cuda")

    def facts(self) -> dict[str, Any]:
        """GPU, driver and versions."""
        gpu = find_driver().gpus[0]
        return {
            "gpu": gpu.name,
            "capability": list(gpu.capability),
            "memory_gib": round(gpu.memory_bytes / 2**30, 1),
            "driver": driver_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
        }

    @cache  # noqa: B019 - one device for the whole run
    def ceilings(self) -> dict[str, float]:
        """A copy of 2 GiB on the device, a product of 8192x8192 in half precision, transfers of 256 MiB."""
        a, b = (torch.randn(8192, 8192, dtype=torch.float16, device="cuda") for _ in range(2))
        product = self.milliseconds(lambda: a @ b)
        here = torch.empty(2**28, dtype=torch.uint8, pin_memory=True)
        there = torch.empty(2**28, dtype=torch.uint8, device="cuda")
        return {
            "bytes_per_second": 2 * self._copied(torch.empty(2**31, dtype=torch.uint8, device="cuda")),
            "operations_per_second": 2 * 8192**3 / product * 1000,
            "upload_bytes_per_second": self._copied(here, there),
            "download_bytes_per_second": self._copied(there, here),
        }

    def _copied(self, source: Tensor, target: Tensor | None = None) -> float:
        """Bytes that arrive in a second."""
        target = torch.empty_like(source) if target is None else target
        return source.numel() / self.milliseconds(lambda: target.copy_(source, non_blocking=True)) * 1000

    def lane(self) -> Lane:
        """A stream with a CUDA graph."""
        return CudaLane()

    def plain_lane(self) -> Lane:
        """A stream."""
        return PlainLane()

    def tensorrt(self, weights: Weights, size: tuple[int, int]) -> Callable[[Lane], Paint]:
        """Through ONNX. Raises UnavailableError where no TensorRT is installed that knows this GPU."""
        from livestyle.backends.plan import Plan
        from livestyle.backends.tensorrt import build_engine, installed, key

        flavour, cache = installed(), EngineCache()
        build_engine(weights, size, cache)
        self.forget_memory()  # that of float32 eager, which the engine was held against
        plan = cache.get(key(weights, flavour, *size[::-1]))
        assert plan is not None
        return Plan(flavour, plan).on

    def milliseconds(self, work: Work) -> float:
        """By events on the current stream: the median of ten rounds of ten."""
        return _by_events(work, torch.cuda.current_stream())

    @torch.inference_mode()
    def network_milliseconds(self, slot: Slot) -> float:
        """By events on the slot's own stream."""
        lane = slot.lane
        assert isinstance(lane, CudaLane)
        with lane.running():
            return _by_events(slot.network, torch.cuda.current_stream())

    def loop_frames(self, size: tuple[int, int]) -> int:
        """As many as fit into the time that all of it may take."""
        return 200 if size[0] * size[1] > 3_000_000 else 500

    def forget_memory(self) -> None:
        """As it says."""
        gc.collect()  # slots without a graph hold themselves
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()

    def peak_memory_mib(self) -> float:
        """What PyTorch reserved. Of TensorRT's, only what TensorRT for RTX is given to work in is in it."""
        return torch.cuda.max_memory_reserved() / 2**20


def _by_events(work: Work, stream: Any, rounds: int = 10, repeats: int = 10) -> float:
    events = [torch.cuda.Event(enable_timing=True) for _ in range(rounds + 1)]  # type: ignore[no-untyped-call]
    for _ in range(3):
        work()
    events[0].record(stream)
    for event in events[1:]:
        for _ in range(repeats):
            work()
        event.record(stream)
    events[-1].synchronize()
    times = sorted(a.elapsed_time(b) / repeats for a, b in pairwise(events))
    return float(times[len(times) // 2])


class Processor:
    """A processor in float32: everything runs, no number means anything."""

    dtype = torch.float32

    def __init__(self) -> None:
        self.torch_device = torch.device("cpu")

    def facts(self) -> dict[str, Any]:
        """That it is none."""
        return {"gpu": "none: a rehearsal", "torch": torch.__version__}

    @cache  # noqa: B019 - one device for the whole run
    def ceilings(self) -> dict[str, float]:
        """The same measurements, small."""
        source = torch.zeros(2**24, dtype=torch.uint8)
        a = torch.randn(256, 256)
        copied, product = self.milliseconds(source.clone), self.milliseconds(lambda: a @ a)
        return {
            "bytes_per_second": 2 * 2**24 / copied * 1000,
            "operations_per_second": 2 * 256**3 / product * 1000,
        }

    def lane(self) -> Lane:
        """The processor."""
        return CpuLane()

    plain_lane = lane

    def tensorrt(self, *_: object) -> Callable[[Lane], Paint]:
        """There is none without a GPU."""
        raise UnavailableError("a rehearsal has no GPU")

    def milliseconds(self, work: Work) -> float:
        """By the wall clock: the median of three."""
        times = []
        for _ in range(4):
            began = time.perf_counter()
            work()
            times.append(1000 * (time.perf_counter() - began))
        return sorted(times[1:])[1]

    @torch.inference_mode()
    def network_milliseconds(self, slot: Slot) -> float:
        """By the wall clock."""
        return self.milliseconds(slot.network)

    def loop_frames(self, _: tuple[int, int]) -> int:
        """A few."""
        return 12

    def forget_memory(self) -> None:
        """There is nothing to forget."""

    def peak_memory_mib(self) -> float:
        """Not measured."""
        return 0.0
