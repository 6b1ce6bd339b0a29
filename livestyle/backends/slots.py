"""Frames on their way through a GPU: fixed buffers, work queued on a lane, paintings fetched when done.

A `Slot` holds everything one frame needs from its upload to its download, so that two of them can be under
way at a time. What a slot asks of a GPU is in the protocol `Lane`, so that the order of things can be tested
without one.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeAlias, TypeVar
from weakref import WeakSet

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from livestyle.engine import as_engine_error
from livestyle.errors import NoMemoryError
from livestyle.frame import Image

logger = logging.getLogger(__name__)

T = TypeVar("T")
Paint: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""The network on its device: frame (H, W, 3) uint8 and affine (K,) to a painting like the frame."""

_KEPT_PAINTINGS = 16
"""Paintings that may stay in pinned memory, which is scarce; of more, the caller gets copies."""


class Lane(Protocol):
    """Where work is queued: it is done in order, after `queue` has returned."""

    device: torch.device
    stream: int
    """The handle of its stream, for what is not PyTorch."""

    def host(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Memory of the host that the device reads and writes by itself."""
        ...

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Makes `work`, whose inputs lie still, quick to repeat; what it gives lies still as well."""
        ...

    def queue(self, work: Callable[[], None]) -> Callable[[], None]:
        """Queues what `work` asks of the device; what it gives waits until that is done."""
        ...


class CpuLane:
    """The processor, which does everything at once: to try on it what is meant for a GPU."""

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self.stream = 0

    def host(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Plain memory."""
        return torch.empty(shape, dtype=dtype)

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """`work` itself."""
        return work

    def queue(self, work: Callable[[], None]) -> Callable[[], None]:
        """Does it; there is nothing to wait for."""
        work()
        return lambda: None


class CudaLane:
    """A CUDA stream; what is recorded becomes a CUDA graph.

    `polite` waits asleep, which leaves the processor to others; else waiting spins, which wakes sooner.
    """

    _WARM_UPS = 3

    def __init__(self, *, polite: bool = False) -> None:
        self.device = torch.device("cuda")
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self.stream = int(self._stream.cuda_stream)
        self._polite = polite

    def host(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Pinned memory, which PyTorch keeps and gives again when nobody holds it any more."""
        return torch.empty(shape, dtype=dtype, pin_memory=True)

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """A CUDA graph of `work`, captured after a few rounds in which cuDNN finds its fastest kernels."""
        graph = torch.cuda.CUDAGraph()
        self._stream.wait_stream(torch.cuda.current_stream())
        with _fastest_kernels():
            with self.running():
                for _ in range(self._WARM_UPS):
                    work()
            self._stream.synchronize()
            # a decoder on another thread may call CUDA meanwhile
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                painted = work()

        def replay() -> Tensor:
            graph.replay()
            return painted

        return replay

    @contextmanager
    def running(self) -> Iterator[None]:
        """What is asked of PyTorch inside goes to this lane's stream."""
        with torch.cuda.stream(self._stream):
            yield

    def queue(self, work: Callable[[], None]) -> Callable[[], None]:
        """Queues it on the stream; the wait is for an event of its own."""
        done = torch.cuda.Event(blocking=self._polite)  # type: ignore[no-untyped-call]
        with self.running():
            work()
            done.record(self._stream)
        return done.synchronize


@contextmanager
def _fastest_kernels() -> Iterator[None]:
    """Lets cuDNN try its kernels and keep the fastest for each layer."""
    cudnn = torch.backends.cudnn
    before, cudnn.benchmark = cudnn.benchmark, True
    try:
        yield
    finally:
        cudnn.benchmark = before


def free_cached_memory() -> None:
    """Gives back what PyTorch keeps of the GPU's memory for itself: TensorRT takes its own."""
    with suppress(RuntimeError):  # of a GPU that was lost, which the next thing asked of it tells
        torch.cuda.empty_cache()


class Slot:
    """The buffers of one frame of (H, W, 3), and the network recorded between them."""

    def __init__(
        self, lane: Lane, height: int, width: int, length: int, dtype: torch.dtype, paint: Paint
    ) -> None:
        self.lane = lane
        self._paint = paint  # a CUDA graph reads the network where it lies, and does not hold it
        self._wait: Callable[[], None] = lambda: None
        shape = (height, width, 3)
        self._frame_here, self._row_here = lane.host(shape, torch.uint8), lane.host((length,), dtype)
        self._frame = torch.zeros(shape, dtype=torch.uint8, device=lane.device)
        self._row = torch.zeros(length, dtype=dtype, device=lane.device)
        self._kept: WeakSet[Any] = WeakSet()
        with torch.inference_mode():
            self.network = lane.record(lambda: paint(self._frame, self._row).contiguous())
            """Paints what was uploaded last; to be called on the lane."""

    def start(self, image: Image, row: NDArray[np.float32]) -> Callable[[], Image]:
        """Queues upload, network and download, as soon as the frame before is through.

        The image is copied before this returns. What it gives waits for the painting, which is the caller's.
        Both raise EngineError where the GPU fails, the frame before included.
        """
        with as_engine_error("the GPU", *image.shape[:2]):
            self.wait()
            self._frame_here.copy_(torch.from_numpy(image))  # on several cores, unlike NumPy's
            self._row_here.copy_(torch.from_numpy(row))
            painted = self.lane.host(tuple(self._frame_here.shape), torch.uint8)
            wait = self._wait = self.lane.queue(lambda: self._work(painted))
        return lambda: self._fetch(wait, painted)

    def wait(self) -> None:
        """Waits until the frame in the slot is through; its painting can still be fetched."""
        self._wait()

    @torch.inference_mode()
    def _work(self, painted: Tensor) -> None:
        self._frame.copy_(self._frame_here, non_blocking=True)
        self._row.copy_(self._row_here, non_blocking=True)
        painted.copy_(self.network(), non_blocking=True)

    def _fetch(self, wait: Callable[[], None], painted: Tensor) -> Image:
        with as_engine_error("the GPU", *painted.shape[:2]):
            wait()
            result = painted.numpy()
            if len(self._kept) >= _KEPT_PAINTINGS:
                return result.copy()
        self._kept.add(result.base)  # which lives as long as the caller keeps the painting, or a view of it
        return result


def as_many_as_fit(count: int, make: Callable[[int], T]) -> T:
    """What `make` makes for `count` frames at a time, or for one where there is no memory for more."""
    try:
        return make(count)
    except NoMemoryError as error:
        if count == 1:
            raise
        logger.debug("one frame at a time: %s", error)
    free_cached_memory()  # here, where what failed is gone
    return make(1)


class Ring:
    """Slots taken in turn: a frame waits for the slot that has been under way the longest."""

    def __init__(self, slots: list[Slot]) -> None:
        self._slots = deque(slots)

    def start(self, image: Image, row: NDArray[np.float32]) -> Callable[[], Image]:
        """As `Slot.start`, in the next slot."""
        slot = self._slots[0]
        self._slots.rotate(-1)
        return slot.start(image, row)
