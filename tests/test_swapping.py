"""From one engine to a better one while a video runs: children that build, and the swap."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livestyle.backends import tensorrt
from livestyle.backends.tensorrt import PlanUpgrades
from livestyle.child_build import ChildBuild
from livestyle.engine import Engine
from livestyle.engine_cache import EngineCache
from livestyle.frame import Image
from livestyle.gate import natural_frame
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from livestyle.swapping import SwappingEngine

SIZE = (64, 48)
MIX = StyleMix.parse("random_one:0.6,random_two:0.4")


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "engines")


class Grey:
    """An engine that paints one grey."""

    in_flight = 1

    def __init__(self, level: int) -> None:
        self.level = level
        self.backend = f"grey {level}"

    def start(self, image: Image, _: StyleMix) -> Callable[[], Image]:
        return lambda: np.full_like(image, self.level)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        return self.start(image, style)()


def child(code: str) -> ChildBuild:
    return ChildBuild([sys.executable, "-c", code])


def wait_for(process: ChildBuild) -> bool:
    until = time.monotonic() + 20
    while (done := process.poll()) is None and time.monotonic() < until:
        time.sleep(0.01)
    assert done is not None
    return done


def upgrades(
    cache: EngineCache, code: str, load: Callable[[bytes], Engine]
) -> tuple[PlanUpgrades, list[ChildBuild]]:
    """Upgrades whose builder is a child that runs `code`, with the key's plan to write at `FOLDER`."""
    begun: list[ChildBuild] = []

    def begin(height: int, width: int) -> ChildBuild:
        put = (
            "from pathlib import Path; from livestyle.engine_cache import EngineCache\n"
            f"cache, key = EngineCache(Path({str(cache.folder)!r})), {{'size': [{height}, {width}]}}\n"
        )
        begun.append(child(put + code))
        return begun[-1]

    return PlanUpgrades(cache, lambda h, w: {"size": [h, w]}, lambda plan, *_: load(plan), begin), begun


def levels(engine: SwappingEngine, frames: int, height: int = 48) -> list[int]:
    image = natural_frame(height, 64)
    return [int(engine.stylize(image, MIX)[0, 0, 0]) for _ in range(frames)]


PATIENCE = tensorrt._FRAMES_BEFORE_A_BUILD


def test_the_video_goes_on_while_a_child_builds_and_then_swaps(
    cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="livestyle")
    ready, begun = upgrades(
        cache, "import time; time.sleep(1); cache.put(key, b'7', {})", lambda p: Grey(int(p))
    )
    engine = SwappingEngine(Grey(1), ready)
    assert levels(engine, PATIENCE) == [1] * PATIENCE
    assert not begun  # a short look builds nothing
    began = time.perf_counter()
    assert levels(engine, 3) == [1, 1, 1]
    assert time.perf_counter() - began < 0.8  # nobody waited for the child
    assert wait_for(begun[0])
    assert levels(engine, 2) == [7, 7]
    assert engine.backend == "grey 7"
    assert "backend grey 7 paints 64x48 from here on" in caplog.text
    assert levels(engine, 2, height=50) == [1, 1]  # another size has no engine yet
    assert len(begun) == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit('Error: the GPU has no memory left')", "Error: the GPU has no memory left"),
        ("import os; os.abort()", "it ended with status"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_child_that_fails_is_reported_once_and_changes_nothing(
    code: str, reason: str, cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    ready, begun = upgrades(cache, code, lambda _: Grey(7))
    engine = SwappingEngine(Grey(1), ready)
    levels(engine, PATIENCE + 1)
    assert not wait_for(begun[0])
    assert levels(engine, 5) == [1] * 5
    said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(said) == 1
    assert said[0].startswith("cannot build the TensorRT engine for 64x48: ")
    assert reason in said[0]
    assert len(begun) == 1


def test_children_build_one_after_the_other(cache: EngineCache) -> None:
    ready, begun = upgrades(cache, "import time; time.sleep(1)", lambda _: Grey(7))
    engine = SwappingEngine(Grey(1), ready)
    levels(engine, PATIENCE + 1)
    levels(engine, PATIENCE + 1, height=50)
    assert len(begun) == 1
    wait_for(begun[0])
    levels(engine, 1, height=50)  # though nobody asked for the first size again
    assert len(begun) == 2
    wait_for(begun[1])


def test_an_engine_that_is_kept_paints_from_the_first_frame(cache: EngineCache) -> None:
    cache.put({"size": [48, 64]}, b"7", {})
    ready, begun = upgrades(cache, "", lambda p: Grey(int(p)))
    assert levels(SwappingEngine(Grey(1), ready), 2) == [7, 7]
    assert not begun


def test_a_size_that_returns_gets_its_engine_again(cache: EngineCache) -> None:
    for height in (48, 50):
        cache.put({"size": [height, 64]}, str(height).encode(), {})
    ready, begun = upgrades(cache, "", lambda p: Grey(int(p)))
    engine = SwappingEngine(Grey(1), ready)
    for height in (48, 48, 50, 48, 48, 50):
        assert levels(engine, 1, height) == [height]
    assert not begun


def test_a_size_that_returns_gets_the_engine_that_was_built_meanwhile(cache: EngineCache) -> None:
    cache.put({"size": [50, 64]}, b"50", {})
    ready, begun = upgrades(cache, "cache.put(key, b'7', {})", lambda p: Grey(int(p)))
    engine = SwappingEngine(Grey(1), ready)
    levels(engine, PATIENCE + 1)
    assert levels(engine, 2, height=50) == [50, 50]
    assert wait_for(begun[0])
    assert levels(engine, 2) == [7, 7]
    assert levels(engine, 2, height=50) == [50, 50]
    assert len(begun) == 1


def test_frames_begun_before_the_swap_come_from_where_they_were_begun() -> None:
    class Soon:
        asked = 0

        def ready(self, height: int, width: int) -> Engine | None:
            self.asked += 1
            return Grey(7) if self.asked > 2 else None

        def give_up(self) -> bool:
            return False

    engine = SwappingEngine(Grey(1), Soon())
    image = natural_frame(48, 64)
    fetches = [engine.start(image, MIX) for _ in range(4)]
    assert [int(fetch()[0, 0, 0]) for fetch in fetches] == [1, 1, 7, 7]


def test_a_painter_follows_a_video_across_the_swap() -> None:
    from livestyle.frame import Frame

    class Third:
        asked = 0

        def ready(self, height: int, width: int) -> Engine | None:
            self.asked += 1
            return Grey(200) if self.asked > 3 else None

        def give_up(self) -> bool:
            return False

    painter = Painter(SwappingEngine(Grey(100), Third()), MIX)
    frames = (Frame(natural_frame(48, 64), i / 10) for i in range(6))
    painted = [int(frame.image[0, 0, 0]) for frame in painter.follow(frames, steadiness=0)]
    assert painted == [100] * 3 + [200] * 3


def test_real_children_end_by_themselves() -> None:
    assert wait_for(child("print('built')"))
    failed = child("print('first'); raise SystemExit('last words')")
    assert failed.poll() in (None, False)
    assert not wait_for(failed)
    assert failed.reason == "last words"
    assert failed.poll() is False
