"""The CUDA backend's order of things, on a processor: lanes, recipes, and what is remembered."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from weakref import WeakSet

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.random_weights import random_weights
from livestyle.architecture import NetworkConfig
from livestyle.backends import cuda
from livestyle.backends.cuda import CudaEngine, device_facts
from livestyle.backends.recipes import RECIPES, Recipe, Trial, choose, named
from livestyle.backends.slots import CpuLane
from livestyle.backends.torchscript import OnePictureNorm, frame_net
from livestyle.errors import EngineError, NoMemoryError
from livestyle.gate import natural_frame, psnr_db
from livestyle.network import ConditionalNorm
from livestyle.styles import StyleMix
from livestyle.weights import Weights
from tests.test_slots import GraphLane

TINY = NetworkConfig(stem=4, body=8, blocks=1)
EAGER = [recipe for recipe in RECIPES if recipe.name.startswith("eager")]
ONE = np.zeros(1, np.float32)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return random_weights("tiny", TINY)


def cpu_engine(weights: Weights, streams: int = 1) -> CudaEngine:
    return CudaEngine(weights, streams, make_lane=CpuLane, dtype=torch.float32)


def test_the_engine_paints_what_eager_paints(weights: Weights) -> None:
    image, mix = natural_frame(48, 65), StyleMix.parse("random_one:0.6,random_two:0.4")
    row = torch.from_numpy(mix.row(weights.styles))
    right = frame_net(weights)(torch.from_numpy(image), row).numpy()
    for streams in (1, 2):
        painted = cpu_engine(weights, streams).stylize(image, mix)
        assert psnr_db(painted, right) > 60


def test_half_precision_passes_the_gate_by_far(weights: Weights) -> None:
    engine = CudaEngine(weights, make_lane=CpuLane, dtype=torch.float16)
    assert engine.measure(48, 65, EAGER[:1]).psnr_db > 50
    assert engine.backend == "cuda f16"


def test_two_frames_are_under_way_for_files_one_for_cameras(weights: Weights) -> None:
    assert [cpu_engine(weights, streams).in_flight for streams in (1, 2, 8)] == [1, 2, 2]


def test_the_norm_that_keeps_its_layout_is_the_same_norm() -> None:
    x = torch.randn(1, 5, 9, 11).to(memory_format=torch.channels_last)
    style = torch.randn(1, 5, 1, 1), torch.randn(1, 5, 1, 1)
    painted = OnePictureNorm()(x, style)
    torch.testing.assert_close(painted, ConditionalNorm()(x, style), rtol=1e-5, atol=1e-5)
    assert painted.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("norm", [OnePictureNorm(), ConditionalNorm()])
def test_large_values_do_not_overflow_in_half_precision(norm: torch.nn.Module) -> None:
    x = torch.linspace(-6e4, 6e4, 64).reshape(1, 1, 8, 8).half()
    painted = norm(x, (torch.ones(1, 1, 1, 1).half(), torch.zeros(1, 1, 1, 1).half()))
    assert painted.isfinite().all()
    assert float(painted.float().std(correction=0)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("recipe", EAGER, ids=lambda recipe: recipe.name)
def test_every_recipe_paints_the_same(recipe: Recipe, weights: Weights) -> None:
    assert cpu_engine(weights).measure(48, 65, [recipe]).psnr_db > 60


def trial_of(milliseconds: dict[str, float]) -> Callable[[Recipe], Trial]:
    def try_one(recipe: Recipe) -> Trial:
        if recipe.name not in milliseconds:
            raise RuntimeError(f"raised:\n\nno kernel for {recipe.name}")
        return Trial(recipe, 60.0, milliseconds[recipe.name])

    return try_one


def test_the_fastest_sound_recipe_is_taken() -> None:
    assert choose(RECIPES, trial_of({"eager": 2.0, "compiled": 1.0})).recipe.name == "compiled"
    assert choose(RECIPES, trial_of({"eager": 2.0})).recipe.name == "eager"


def test_where_no_recipe_runs_each_reason_is_told() -> None:
    with pytest.raises(
        EngineError, match="fused: raised: no kernel for fused; eager: raised: no kernel for eager; eager ch"
    ):
        choose(RECIPES, trial_of({}))


def recorded(tried: list[str], broken: str = "") -> tuple[Recipe, ...]:
    """The eager recipes, noting which are prepared; `broken` raises."""

    def wrap(recipe: Recipe) -> Recipe:
        def prepare(*arguments: object) -> Callable[[Tensor, Tensor], Tensor]:
            tried.append(recipe.name)
            if recipe.name == broken:
                raise RuntimeError("no compiler")
            return recipe.prepare(*arguments)  # type: ignore[arg-type]

        return replace(recipe, prepare=prepare)

    return tuple(wrap(recipe) for recipe in EAGER)


def use(recipes: tuple[Recipe, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_INSTANT", recipes)
    monkeypatch.setattr(cuda, "named", lambda name: named(name, recipes))


def test_a_recipe_that_paints_something_else_is_refused(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(EAGER[0], prepare=lambda *_: lambda frame, _: 255 - frame)
    use((wrong,), monkeypatch)
    with pytest.raises(EngineError, match=r"eager: cuda f32 eager paints something else .* dB"):
        cpu_engine(weights).stylize(natural_frame(48, 64), StyleMix.parse("random_one"))


def test_what_was_measured_is_not_measured_again(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    use(recorded(tried), monkeypatch)
    image, mix = natural_frame(48, 64), StyleMix.parse("random_one")
    cpu_engine(weights).stylize(image, mix)
    assert tried[:2] == ["eager", "eager channels_last"]
    chosen = tried[2:]
    cpu_engine(weights).stylize(image, mix)
    assert len(chosen) == 1
    assert tried[3:] == chosen
    cpu_engine(weights).stylize(natural_frame(64, 64), mix)  # another size is measured by itself
    assert len(tried) == 7


def test_a_remembered_recipe_that_fails_now_is_measured_anew(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    cpu_engine(weights).measure(48, 64, EAGER[1:])
    use(recorded(tried, broken="eager channels_last"), monkeypatch)
    painted = cpu_engine(weights).stylize(natural_frame(48, 64), StyleMix.parse("random_one"))
    assert painted.shape == (48, 64, 3)
    assert tried == ["eager channels_last", "eager", "eager channels_last", "eager"]


def test_where_two_frames_do_not_fit_they_go_one_by_one(weights: Weights) -> None:
    tried: list[int] = []
    alive: WeakSet[CpuLane] = WeakSet()

    class CrampedLane(GraphLane):
        def __init__(self) -> None:
            super().__init__()
            alive.add(self)

        def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
            tried.append(len(alive))
            if len(tried) == 2:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has")
            return super().record(work)

    engine = CudaEngine(weights, 2, make_lane=CrampedLane, dtype=torch.float32)
    ring = engine._ring(EAGER[0], 48, 64)
    assert tried == [2, 2, 1]  # the two of the first try are gone before the next
    row = weights.styles["random_one"].row
    fetches = [ring.start(natural_frame(48, 64), row) for _ in range(3)]
    assert len([fetch() for fetch in fetches]) == 3


def test_a_recipe_that_fails_for_another_reason_is_not_made_twice(weights: Weights) -> None:
    tried: list[str] = []
    recipe, _ = recorded(tried, broken="eager")
    engine = CudaEngine(weights, 2, make_lane=CpuLane, dtype=torch.float32)
    with pytest.raises(EngineError, match="no compiler"):
        engine._ring(recipe, 48, 64)
    assert tried == ["eager"]


@pytest.mark.parametrize("streams", [1, 2])
def test_a_gpu_without_enough_memory_is_one_clear_line(
    streams: int, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    class FullLane(CpuLane):
        def record(self, _: Callable[[], Tensor]) -> Callable[[], Tensor]:
            tried.append(self)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has")

    use(tuple(EAGER[:1]), monkeypatch)
    engine = CudaEngine(weights, streams, make_lane=FullLane, dtype=torch.float32)
    with pytest.raises(
        NoMemoryError, match=r"the GPU cannot paint 64x48: there is not enough memory .* takes less$"
    ):
        engine.stylize(natural_frame(48, 64), StyleMix.parse("random_one"))
    tried.clear()
    with pytest.raises(NoMemoryError, match="not enough memory"):
        engine._ring(EAGER[0], 48, 64)
    assert len(tried) == streams


def test_an_unknown_recipe_in_the_cache_is_nobodys() -> None:
    assert named("eager") is EAGER[0]
    assert named("of another version") is None
    assert named(None) is None


def test_measurements_belong_to_this_device_and_this_torch() -> None:
    assert device_facts()["torch"] == torch.__version__
    assert device_facts()["device"]


@pytest.mark.needs_cuda
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("model", ["small", "large"])
def test_on_a_gpu_every_recipe_keeps_50_db(model: str, recipe: Recipe) -> None:
    assert CudaEngine(random_weights(model)).measure(360, 640, [recipe]).psnr_db > 50


@pytest.mark.needs_cuda
def test_on_a_gpu_frames_that_overlap_are_those_painted_alone() -> None:
    weights = random_weights("small")
    engine, mix = CudaEngine(weights, 2), StyleMix.parse("random_one")
    images = [np.ascontiguousarray(np.roll(natural_frame(360, 640), 9 * i, axis=1)) for i in range(12)]
    fetches = [engine.start(image, mix) for image in images]
    alone = CudaEngine(weights)
    for image, fetch in zip(images, fetches, strict=True):
        assert np.array_equal(fetch(), alone.stylize(image, mix))


@pytest.mark.needs_cuda
@pytest.mark.parametrize("recipe", cuda._INSTANT, ids=lambda recipe: recipe.name)
def test_on_a_gpu_what_a_graph_reads_is_not_freed(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    if "check_input_liveness" not in inspect.signature(torch.cuda.graph).parameters:
        pytest.skip("this torch cannot check it")
    watched = partial(torch.cuda.graph, check_input_liveness=True)
    monkeypatch.setattr(torch.cuda, "graph", watched)
    CudaEngine(random_weights("small")).measure(64, 96, [recipe])
