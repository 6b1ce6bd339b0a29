"""TensorRT's backend with a TensorRT that runs on a processor: builds, gate, cache, children, the swap."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.random_weights import random_weights
from livestyle import tensorrt_builder
from livestyle.architecture import NetworkConfig
from livestyle.backends import tensorrt, torch_plan
from livestyle.backends.slots import CpuLane
from livestyle.backends.tensorrt import PlanEngine, build_engine, key
from livestyle.backends.torchscript import frame_net
from livestyle.engine_cache import EngineCache
from livestyle.errors import EngineError, UnavailableError
from livestyle.gate import natural_frame, psnr_db
from livestyle.styles import StyleMix
from livestyle.tensorrt_builder import build_plan, find_flavour, open_flavour
from livestyle.weights import Weights
from tests import fake_tensorrt

TINY = NetworkConfig(stem=4, body=8, blocks=1)
SIZE = (64, 48)
MIX = StyleMix.parse("random_one:0.6,random_two:0.4")


@pytest.fixture(scope="module")
def weights() -> Weights:
    return random_weights("tiny", TINY)


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "engines")


def build(weights: Weights, cache: EngineCache) -> dict[str, object]:
    return build_engine(weights, SIZE, cache, flavour=fake_tensorrt.flavour(), make_lane=CpuLane)


def plan_of(weights: Weights, cache: EngineCache) -> bytes | None:
    return cache.get(key(weights, fake_tensorrt.flavour(), *SIZE[::-1]))


def test_an_engine_is_built_gated_and_kept_with_its_figure(weights: Weights, cache: EngineCache) -> None:
    found = build(weights, cache)
    assert found["route"] == "onnx"
    assert found["psnr_db"] > 50
    (entry,) = cache.entries()
    assert entry.note["found"] == found
    assert entry.note["key"]["size"] == list(SIZE)
    assert entry.note["key"]["flavour_version"] == "1.2.3"


@pytest.mark.parametrize("streams", [1, 2])
def test_it_paints_what_eager_paints_in_any_style(weights: Weights, cache: EngineCache, streams: int) -> None:
    build(weights, cache)
    plan = plan_of(weights, cache)
    assert plan is not None
    engine = PlanEngine(weights, fake_tensorrt.flavour(), plan, SIZE[::-1], streams, CpuLane)
    assert engine.in_flight == streams
    for mix in (MIX, StyleMix.parse("random_two")):
        image, row = natural_frame(*SIZE[::-1]), torch.from_numpy(mix.row(weights.styles))
        right = frame_net(weights)(torch.from_numpy(image), row).numpy()
        assert psnr_db(engine.stylize(image, mix), right) > 50


def test_an_engine_that_paints_something_else_is_refused_and_not_kept(
    weights: Weights, cache: EngineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(flavour: object, graph: bytes, capability: object) -> bytes:
        return build_plan(fake_tensorrt.flavour(), fake_tensorrt.wrong_graph(graph))

    monkeypatch.setattr(tensorrt, "build_plan", wrong)
    with pytest.raises(EngineError, match=r"through onnx paints something else than float32 eager: .* dB"):
        build(weights, cache)
    assert not cache.entries()


def compiled_in(work: Callable[[], object]) -> int:
    before = len(fake_tensorrt.COMPILED)
    work()
    return len(fake_tensorrt.COMPILED) - before


def test_kernels_are_compiled_where_an_engine_is_built_and_never_again(
    weights: Weights, cache: EngineCache
) -> None:
    assert compiled_in(lambda: build(weights, cache)) == 1
    plan, kernels = plan_of(weights, cache), cache.kernels(key(weights, fake_tensorrt.flavour(), *SIZE[::-1]))
    arguments = weights, fake_tensorrt.flavour(), plan, SIZE[::-1], 2, CpuLane
    assert compiled_in(lambda: PlanEngine(*arguments, kernels=kernels)) == 0
    assert compiled_in(lambda: PlanEngine(*arguments)) == 1  # for two frames at a time
    assert PlanEngine(*arguments, kernels=kernels).new_kernels is None
    assert PlanEngine(*arguments, kernels=b"of another driver").new_kernels == kernels


def broken(*_: object) -> None:
    raise RuntimeError("no CUDA context")


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (fake_tensorrt.RuntimeConfig, "create_runtime_cache", broken),
        (fake_tensorrt.RuntimeConfig, "set_runtime_cache", lambda *_: False),
        (fake_tensorrt.RuntimeCache, "deserialize", broken),
        (fake_tensorrt.RuntimeCache, "serialize", broken),
        (fake_tensorrt.RuntimeCache, "serialize", lambda _: None),
    ],
)
def test_an_engine_whose_kernels_cannot_be_kept_runs_as_well(
    where: type,
    name: str,
    value: object,
    weights: Weights,
    cache: EngineCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, name, value)
    build(weights, cache)
    plan = plan_of(weights, cache)
    assert plan is not None
    engine = PlanEngine(weights, fake_tensorrt.flavour(), plan, SIZE[::-1], 1, CpuLane, kernels=b"kernels:")
    assert engine.stylize(natural_frame(*SIZE[::-1]), MIX).std() > 0


@pytest.mark.parametrize(
    ("capability", "built_for"),
    [((7, 5), ["SM75"]), ((8, 9), ["SM89"]), ((12, 1), []), (None, [])],  # the fake knows no 12.1
)
def test_an_engine_is_built_for_the_gpu_that_is_there(
    capability: tuple[int, int] | None,
    built_for: list[str],
    weights: Weights,
    cache: EngineCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tensorrt, "_capability", lambda: capability)
    build(weights, cache)
    config = fake_tensorrt.BuilderConfig.last
    assert [target.name for target in config.capabilities.values()] == built_for
    assert config.num_compute_capabilities == len(built_for)
    assert config.flags == {fake_tensorrt.BuilderFlag.REQUIRE_USER_ALLOCATION}


def test_what_tensorrt_says_comes_out() -> None:
    flavour = fake_tensorrt.flavour()
    with pytest.raises(EngineError, match=r"^tensorrt-rtx 1.2.3 cannot read the network: Failed to parse$"):
        build_plan(flavour, b"not a graph")
    with pytest.raises(EngineError, match=r"cannot build the network: no tactic for Conv_3$"):
        build_plan(flavour, b"impossible")


def test_the_other_route_is_taken_where_the_first_fails(
    weights: Weights, cache: EngineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    from livestyle import onnx_graph

    graph = onnx_graph.build(weights, *SIZE[::-1], "f16").SerializeToString()
    monkeypatch.setattr(onnx_graph, "build", lambda *_: 1 / 0)
    monkeypatch.setattr(tensorrt, "plan_from_torch", lambda *_: fake_tensorrt.MAGIC + graph)
    flavour = fake_tensorrt.flavour("tensorrt")
    found = build_engine(weights, SIZE, cache, flavour=flavour, make_lane=CpuLane)
    assert found["route"] == "torch_tensorrt"


def test_torch_tensorrt_gets_a_program_that_paints_the_same(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its arguments are those of 2.11 to 2.14; the program ends before the cast that it cannot convert."""
    given: dict[str, object] = {}

    class Dynamo:
        @staticmethod
        def convert_exported_program_to_serialized_trt_engine(program: object, **options: object) -> bytes:
            given.update(options, program=program)
            return b"plan"

    class TorchTensorRT:
        dynamo = Dynamo

    monkeypatch.setattr(torch_plan, "open_torch_tensorrt", lambda: TorchTensorRT)
    assert torch_plan.plan_from_torch(weights, *SIZE[::-1], device="cpu") == b"plan"
    assert set(given) == {"program", "arg_inputs"}
    image, row = natural_frame(*SIZE[::-1]), torch.from_numpy(MIX.row(weights.styles))
    painted = given["program"].module()(torch.from_numpy(image), row.half())
    assert painted.dtype == torch.float16
    right = frame_net(weights)(torch.from_numpy(image), row).numpy()
    assert psnr_db(painted.to(torch.uint8).numpy(), right) > 50
    names = [str(node.target) for node in given["program"].graph.nodes]
    assert any("instance_norm" in name or "batch_norm" in name for name in names)


def test_a_torch_tensorrt_for_another_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        __version__ = "2.9.1"

    monkeypatch.setattr(torch_plan, "find_spec", lambda _: object())
    monkeypatch.setattr(torch_plan.importlib, "import_module", lambda _: Other)
    with pytest.raises(EngineError, match=r"torch_tensorrt 2\.9\.1 is for torch 2\.9, and torch is"):
        torch_plan.open_torch_tensorrt()


def test_a_package_that_is_missing_or_broken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    open_flavour.cache_clear()
    monkeypatch.setattr(tensorrt_builder, "find_spec", lambda _: None)
    with pytest.raises(
        UnavailableError, match=r"pip install 'livestyle\[tensorrt\]'.*'livestyle\[tensorrt-rtx\]'"
    ):
        find_flavour((8, 9))
    with pytest.raises(UnavailableError, match=r"tensorrt-rtx knows no GPU of compute capability 9\.0"):
        find_flavour((9, 0))

    def no_library(_: str) -> object:
        print("loading ...")
        raise OSError("libnvinfer.so.10: cannot open shared object file")

    monkeypatch.setattr(tensorrt_builder, "find_spec", lambda _: object())
    monkeypatch.setattr(tensorrt_builder.importlib, "import_module", no_library)
    with pytest.raises(
        UnavailableError, match=r"tensorrt does not load: libnvinfer\.so\.10: .*; reinstall it"
    ):
        open_flavour("tensorrt")
    open_flavour.cache_clear()


def test_a_loader_that_prints_is_not_heard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_flavour.cache_clear()
    monkeypatch.setattr(tensorrt_builder, "find_spec", lambda _: object())
    monkeypatch.setattr(
        tensorrt_builder.importlib, "import_module", lambda _: print("noise") or fake_tensorrt.flavour().trt
    )
    assert find_flavour((12, 1)).version == "1.2.3"
    assert capsys.readouterr().out == ""
    open_flavour.cache_clear()
