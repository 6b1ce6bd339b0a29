"""Engines of TensorRT that are loaded while a video runs: which stay, which go where memory is short."""

import gc
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from livestyle.backends.plan import UnreadableError
from livestyle.engine import Engine
from livestyle.engine_cache import EngineCache
from livestyle.errors import EngineError, NoMemoryError
from livestyle.frame import Image
from livestyle.styles import StyleMix
from livestyle.swapping import SwappingEngine
from tests.test_swapping import PATIENCE, Grey, levels, upgrades, wait_for


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "engines")


class Loader:
    """Loads engines that paint what their plan says; knows which are alive; fails as `fails` says."""

    def __init__(self, cache: EngineCache, heights: Sequence[int]) -> None:
        self.asked: list[int] = []
        self._made: weakref.WeakSet[Grey] = weakref.WeakSet()
        self.fails: Callable[[int], Exception | None] = lambda _: None
        for height in heights:
            cache.put({"size": [height, 64]}, str(height).encode(), {})

    def __call__(self, plan: bytes) -> Engine:
        self.asked.append(int(plan))
        if error := self.fails(int(plan)):
            raise error
        self._made.add(engine := Grey(int(plan)))
        return engine

    def alive(self) -> list[int]:
        gc.collect()
        return sorted(engine.level for engine in self._made)


def test_only_the_engines_that_painted_last_are_kept_in_memory(cache: EngineCache) -> None:
    load = Loader(cache, range(48, 53))
    engine = SwappingEngine(Grey(1), upgrades(cache, "", load)[0])
    for height in (48, 49, 50, 51, 50, 52):
        assert levels(engine, 1, height) == [height]
    assert load.alive() == [50, 52]
    assert levels(engine, 1, height=60) == [1]  # of which there is none
    assert load.alive() == [52]


def test_sizes_that_take_turns_are_loaded_and_told_once(
    cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="livestyle")
    load = Loader(cache, [48, 50])
    engine = SwappingEngine(Grey(1), upgrades(cache, "", load)[0])
    for _ in range(5):
        assert levels(engine, 1, 48) + levels(engine, 1, 50) == [48, 50]
    assert load.asked == [48, 50]
    assert caplog.messages == [
        "backend grey 48 paints 64x48 from here on",
        "backend grey 50 paints 64x50 from here on",
    ]


def test_engines_of_other_sizes_make_room_for_the_one_that_is_needed(cache: EngineCache) -> None:
    load = Loader(cache, [48, 50])
    load.fails = lambda _: NoMemoryError("full") if load.alive() else None
    engine = SwappingEngine(Grey(1), upgrades(cache, "", load)[0])
    assert levels(engine, 2, 48) + levels(engine, 2, 50) == [48, 48, 50, 50]
    assert load.asked == [48, 50, 50]
    assert load.alive() == [50]


def test_engines_make_room_for_what_paints_without_one(cache: EngineCache) -> None:
    load = Loader(cache, [48])

    class Cramped(Grey):
        def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
            if load.alive() or image.shape[0] == 99:
                raise NoMemoryError("full")
            return super().start(image, style)

    engine = SwappingEngine(Cramped(1), upgrades(cache, "", load)[0])
    assert levels(engine, 1, 48) + levels(engine, 1, 50) + levels(engine, 1, 48) == [48, 1, 48]
    assert load.asked == [48, 48]
    for _ in range(2):
        with pytest.raises(NoMemoryError):
            levels(engine, 1, 99)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoMemoryError("it is full"), "it is full"),
        (EngineError("no CUDA graph can record it"), "no CUDA graph can record it; livestyle build --clear"),
        (RuntimeError("an illegal access"), "an illegal access; livestyle build --clear forgets it"),
    ],
    ids=str,
)
def test_an_engine_that_cannot_be_used_now_is_kept_and_not_built_again(
    error: Exception, told: str, cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    load = Loader(cache, [48])
    load.fails = lambda _: error
    ready, begun = upgrades(cache, "", load)
    assert levels(SwappingEngine(Grey(1), ready), PATIENCE + 2) == [1] * (PATIENCE + 2)
    assert not begun
    assert load.asked == [48]
    (said,) = caplog.messages
    assert said.startswith(f"the TensorRT engine for 64x48 is not used: {told}")
    assert len(cache.entries()) == 1


def test_an_engine_that_does_not_load_is_built_anew_once(
    cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    def load(plan: bytes) -> Engine:
        raise UnreadableError("the plan is of another version")

    cache.put({"size": [48, 64]}, b"7", {})
    ready, begun = upgrades(cache, "cache.put(key, b'8', {})", load)
    engine = SwappingEngine(Grey(1), ready)
    assert levels(engine, PATIENCE + 1) == [1] * (PATIENCE + 1)
    assert wait_for(begun[0])
    assert levels(engine, PATIENCE + 5) == [1] * (PATIENCE + 5)
    assert len(begun) == 1
    assert caplog.text.count("does not load: the plan is of another version") == 2
    assert not cache.entries()
