"""An engine of TensorRT where it paints: its memory, what records it, and what is said where it fails."""

import gc
import weakref
from weakref import WeakSet

import pytest
import torch
from torch import Tensor

from benchmarks.random_weights import random_weights
from livestyle.architecture import NetworkConfig
from livestyle.backends.plan import Plan, UnreadableError
from livestyle.backends.slots import CpuLane
from livestyle.backends.tensorrt import PlanEngine
from livestyle.backends.torchscript import frame_net
from livestyle.errors import EngineError, NoMemoryError
from livestyle.gate import natural_frame, psnr_db
from livestyle.styles import StyleMix
from livestyle.tensorrt_builder import Flavour, build_plan
from livestyle.weights import Weights
from tests import fake_tensorrt
from tests.test_slots import GraphLane

SIZE = (64, 48)
MIX = StyleMix.parse("random_one:0.6,random_two:0.4")


@pytest.fixture(scope="module")
def weights() -> Weights:
    return random_weights("tiny", NetworkConfig(stem=4, body=8, blocks=1))


def frame_and_row(weights: Weights) -> tuple[Tensor, Tensor]:
    row = torch.from_numpy(MIX.row(weights.styles)).half()
    return torch.from_numpy(natural_frame(*SIZE[::-1])), row


def plan_for(name: str, weights: Weights) -> tuple[Flavour, bytes]:
    from livestyle import onnx_graph

    flavour = fake_tensorrt.flavour(name)
    return flavour, build_plan(flavour, onnx_graph.build(weights, *SIZE[::-1], "f16").SerializeToString())


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-rtx"])
def test_an_engine_works_in_memory_that_stays_as_long_as_what_paints(name: str, weights: Weights) -> None:
    plan = Plan(*plan_for(name, weights))
    paint, alive = plan.on(CpuLane()), weakref.ref(plan)
    del plan
    gc.collect()
    assert alive() is not None
    assert len(alive()._memory) == (name == "tensorrt-rtx")
    frame, row = frame_and_row(weights)
    right = frame_net(weights)(frame, row.float()).numpy()
    assert psnr_db(paint(frame, row).numpy(), right) > 50


def test_an_engine_that_no_graph_can_record_is_refused(weights: Weights) -> None:
    flavour, plan = plan_for("tensorrt-rtx", weights)
    paint = Plan(flavour, plan.replace(fake_tensorrt.CAPTURABLE, b"")).on(CpuLane())
    with pytest.raises(EngineError, match=r"^no CUDA graph can record the engine of tensorrt-rtx$"):
        paint(*frame_and_row(weights))


def test_an_engine_without_a_context_says_why(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    flavour, plan = plan_for("tensorrt-rtx", weights)
    monkeypatch.setattr(Flavour, "takes_memory", False)
    with pytest.raises(
        EngineError, match=r"tensorrt-rtx cannot prepare the engine .*: .* requires kUSER_MAN"
    ):
        Plan(flavour, plan).on(CpuLane())


def test_whether_a_graph_can_record_it_is_asked_where_it_has_run(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def is_stream_capturable(context: fake_tensorrt.Context, _: int) -> bool:
        asked.append(bool(context.addresses))
        return True

    monkeypatch.setattr(fake_tensorrt.Context, "is_stream_capturable", is_stream_capturable)
    paint = Plan(*plan_for("tensorrt-rtx", weights)).on(CpuLane())
    for _ in range(2):
        paint(*frame_and_row(weights))
    assert asked == [True]


def fails_with(*said: str) -> object:
    """Something of TensorRT's that logs these errors and gives nothing."""

    def fail(part: fake_tensorrt.Runtime | fake_tensorrt.Engine, *_: object) -> None:
        for line in said:
            part.log.log(fake_tensorrt.ILogger.Severity.ERROR, line)

    return fail


NO_MEMORY = "1: [defaultAllocator.cpp::allocate::19] Error Code 1: Cuda Runtime (out of memory)"


@pytest.mark.parametrize(
    ("where", "name", "kind"),
    [
        (fake_tensorrt.Runtime, "deserialize_cuda_engine", UnreadableError),
        (fake_tensorrt.Engine, "create_execution_context", EngineError),
    ],
)
def test_want_of_memory_is_told_though_another_error_follows_from_it(
    where: type, name: str, kind: type, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = plan_for("tensorrt", weights)
    monkeypatch.setattr(where, name, fails_with(NO_MEMORY, "4: Internal Error (it failed)"))
    with pytest.raises(NoMemoryError, match=r"^tensorrt .*: 1: .*\(out of memory\)$"):
        Plan(*arguments).on(CpuLane())
    monkeypatch.setattr(where, name, fails_with("4: Internal Error", "6: of another version"))
    with pytest.raises(kind, match=r"^tensorrt .*: 6: of another version$"):
        Plan(*arguments).on(CpuLane())


def test_where_two_frames_do_not_fit_they_go_one_by_one(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: WeakSet[fake_tensorrt.Context] = WeakSet()
    tried: list[int] = []
    create = fake_tensorrt.Engine.create_execution_context

    def cramped(engine: fake_tensorrt.Engine, *config: object) -> fake_tensorrt.Context | None:
        tried.append(len(alive))
        if alive:
            return fails_with(NO_MEMORY)(engine)  # type: ignore[operator,no-any-return]
        alive.add(context := create(engine, *config))
        return context

    flavour, plan = plan_for("tensorrt-rtx", weights)
    monkeypatch.setattr(fake_tensorrt.Engine, "create_execution_context", cramped)
    engine = PlanEngine(weights, flavour, plan, SIZE[::-1], 2, GraphLane)
    assert tried == [0, 1, 0]  # what was made at first is gone
    assert engine.in_flight == 1
    assert engine.stylize(natural_frame(*SIZE[::-1]), MIX).shape == (*SIZE[::-1], 3)
    with pytest.raises(NoMemoryError):
        PlanEngine(weights, flavour, plan, SIZE[::-1], 2, GraphLane)


def test_an_engine_that_pytorch_has_no_memory_for_is_one_line(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has")

    monkeypatch.setattr(CpuLane, "host", full)
    with pytest.raises(NoMemoryError, match=r"^tensorrt f16 cannot paint 64x48: there is not enough memory"):
        PlanEngine(weights, *plan_for("tensorrt", weights), SIZE[::-1], 1, CpuLane)
