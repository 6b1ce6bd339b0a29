"""Slots and their ring, on a processor: what is under way, whose memory it is, and how long it lives."""

import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from livestyle.backends.slots import CpuLane, Ring, Slot
from livestyle.errors import EngineError
from livestyle.frame import Image

ONE = np.zeros(1, np.float32)


class LateLane(CpuLane):
    """Like a GPU: queued work is done when somebody waits for it, and not before."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Callable[[], None]] = []

    def queue(self, work: Callable[[], None]) -> Callable[[], None]:
        self.waiting.append(work)
        mine = len(self.waiting)
        done = 0

        def wait() -> None:
            nonlocal done
            while len(self.waiting) > 0 and done < mine:
                self.waiting.pop(0)()
                done += 1

        return wait


def add_row(frame: Tensor, row: Tensor) -> Tensor:
    return frame + row.to(torch.uint8)


def slot(lane: CpuLane) -> Slot:
    return Slot(lane, 2, 3, 1, torch.float32, add_row)


def grey(level: int) -> Image:
    return np.full((2, 3, 3), level, np.uint8)


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_nothing_is_overwritten_before_it_was_used(slots: int) -> None:
    ring = Ring([slot(LateLane()) for _ in range(slots)])
    image = grey(0)
    fetches = []
    for level in range(9):
        image[:] = level  # the caller's buffer is free again when start has returned
        fetches.append(ring.start(image, ONE + level))
    assert [int(fetch()[0, 0, 0]) for fetch in reversed(fetches)] == [2 * level for level in range(9)][::-1]


def test_as_many_frames_are_under_way_as_there_are_slots() -> None:
    lanes = [LateLane(), LateLane()]
    ring = Ring([slot(lane) for lane in lanes])
    for level in range(5):
        ring.start(grey(level), ONE)
        assert sum(len(lane.waiting) for lane in lanes) == min(level + 1, 2)


def test_a_painting_is_the_callers_to_keep_and_to_change() -> None:
    one = slot(CpuLane())
    first = one.start(grey(7), ONE)()
    second = one.start(grey(9), ONE)()
    first[:] = 0
    assert (second == 9).all()
    assert first.flags.c_contiguous
    assert first.flags.writeable


def test_a_caller_who_keeps_all_paintings_gets_copies_in_plain_memory() -> None:
    taken = 0

    class CountingLane(CpuLane):
        def host(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
            nonlocal taken
            taken += 1
            return super().host(shape, dtype)

    one = slot(CountingLane())
    kept = [one.start(grey(level), ONE)() for level in range(40)]
    assert [int(image[0, 0, 0]) for image in kept] == list(range(40))
    assert sum(image.base is not None for image in kept) == 16
    assert taken == 42


def test_fetching_twice_gives_the_same() -> None:
    fetch = slot(LateLane()).start(grey(5), ONE)
    assert np.array_equal(fetch(), fetch())


class GraphLane(CpuLane):
    """Like a CUDA graph: what is recorded ran once, and of `work` nothing is held."""

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        painted = work()
        return lambda: painted


def test_the_network_lives_as_long_as_its_slot() -> None:
    net = torch.nn.Identity()
    alive = weakref.ref(net)
    held = Slot(GraphLane(), 2, 3, 1, torch.float32, lambda frame, _, net=net: net(frame))  # type: ignore[misc]
    del net
    assert alive() is not None
    del held
    assert alive() is None


def test_a_gpu_that_fails_while_it_paints_is_told() -> None:
    class FailingLane(CpuLane):
        def queue(self, work: Callable[[], None]) -> Callable[[], None]:
            def wait() -> None:
                raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nCompile")

            return wait

    one = slot(FailingLane())
    fetch = one.start(grey(3), ONE)
    for again in (fetch, lambda: one.start(grey(4), ONE)):
        with pytest.raises(
            EngineError, match=r"^the GPU cannot paint 3x2: CUDA error: an illegal .* encountered$"
        ):
            again()
