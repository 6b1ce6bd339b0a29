"""`livestyle build`, and the choice of a model, on a made-up GPU with a TensorRT that runs on a processor."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from benchmarks.random_weights import random_weights
from livestyle import bench, model_choice
from livestyle.architecture import NetworkConfig
from livestyle.backends import cuda, tensorrt
from livestyle.backends.recipes import named
from livestyle.backends.slots import CpuLane
from livestyle.cli import main
from livestyle.cli.options import chosen_model
from livestyle.engine import PRECISIONS, load_engine
from livestyle.engine_cache import EngineCache
from livestyle.errors import EngineError, UnavailableError
from livestyle.gate import natural_frame
from livestyle.gpu import find_driver
from livestyle.model_choice import choose_model
from livestyle.prepare import prepare
from livestyle.remembered import cache_folder
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from tests import fake_tensorrt
from tests.fake_driver import FakeDriver, install
from tests.media import make_video

MIX = StyleMix.parse("mosaic")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    find_driver.cache_clear()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that PyTorch can use; its lanes are the processor's."""
    install(monkeypatch, FakeDriver(capability=(8, 9)))
    monkeypatch.setattr(cuda, "require_cuda", lambda: None)
    for module in (cuda, tensorrt):
        monkeypatch.setattr(module, "CudaLane", lambda polite=False: CpuLane())
    monkeypatch.setattr(tensorrt, "find_flavour", lambda _: fake_tensorrt.flavour())


@pytest.fixture
def no_tensorrt(gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> None:
        raise UnavailableError("backend 'tensorrt' needs TensorRT: it is not installed")

    monkeypatch.setattr(tensorrt, "find_flavour", none)


@pytest.mark.usefixtures("gpu")
def test_an_engine_built_ahead_paints_the_first_frame() -> None:
    built = call("build", "--size", "64x48")
    assert built.exit_code == 0, built.output
    assert "tensorrt-rtx 1.2.3 engine of small for 64x48: " in built.stdout
    again = call("build", "--size", "64x48", "--backend", "tensorrt")
    assert "it is there already" in again.stdout
    compiled = len(fake_tensorrt.COMPILED)
    engine = load_engine(load_weights("small"), "tensorrt")
    assert engine.backend == "cuda f16"
    engine.stylize(natural_frame(48, 64), MIX)
    assert engine.backend == "tensorrt-rtx f16"
    assert len(fake_tensorrt.COMPILED) == compiled


@pytest.mark.usefixtures("gpu")
def test_the_backend_that_took_over_is_named_when_a_video_is_painted(tmp_path: Path) -> None:
    call("build", "--size", "64x48")
    make_video(tmp_path / "in.mp4", [natural_frame(48, 64)] * 3)
    arguments = "video", str(tmp_path / "in.mp4"), str(tmp_path / "out.mp4")
    result = call(*arguments, "--model", "small", "--backend", "tensorrt", "--hwaccel", "none")
    assert result.exit_code == 0, result.output
    assert "(tensorrt-rtx f16)" in result.stdout


@pytest.mark.usefixtures("gpu")
def test_kernels_that_were_lost_are_compiled_once_more() -> None:
    call("build", "--size", "64x48")
    (kernels,) = EngineCache().folder.glob("*.kernels")
    kernels.write_bytes(b"damaged")
    for compiled in (1, 0):
        before = len(fake_tensorrt.COMPILED)
        load_engine(load_weights("small"), "tensorrt").stylize(natural_frame(48, 64), MIX)
        assert len(fake_tensorrt.COMPILED) - before == compiled


@pytest.mark.usefixtures("gpu")
def test_one_process_builds_at_a_time_and_the_next_finds_the_engine(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="livestyle")
    monkeypatch.setattr(tensorrt, "build_engine", lambda *_: 1 / 0)
    weights, cache = load_weights("small"), EngineCache()
    with ThreadPoolExecutor(1) as pool:
        with cache.one_builder():
            waiting = pool.submit(prepare, weights, (64, 48), "tensorrt", EngineCache())
            until = time.monotonic() + 20
            while not caplog.messages and time.monotonic() < until:
                time.sleep(0.01)
            assert caplog.messages == ["another livestyle builds an engine: waiting for it"]
            assert not waiting.done()
            cache.put(tensorrt.key(weights, fake_tensorrt.flavour(), 48, 64), b"plan", {})
        assert "it is there already" in waiting.result(20)


@pytest.mark.usefixtures("gpu")
def test_nothing_is_built_that_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt, "build_engine", lambda *_: 1 / 0)
    cache_folder().parent.mkdir(parents=True, exist_ok=True)
    cache_folder().write_text("a file where the folder should be")
    with pytest.raises(EngineError, match="cannot keep the engine in"):
        prepare(load_weights("small"), (64, 48), "tensorrt", EngineCache())


@pytest.mark.usefixtures("gpu")
def test_a_benchmark_of_tensorrt_measures_engines_and_builds_none() -> None:
    sizes = (64, 48), (80, 48)
    call("build", "--size", "64x48")
    timing, skipped = bench.measure(load_weights("small"), ("tensorrt",), sizes=sizes, seconds=0.01)
    assert isinstance(timing, bench.Timing)
    assert timing.backend == "tensorrt-rtx f16"
    assert isinstance(skipped, bench.Skipped)
    assert skipped.reason == "no engine for 80x48 yet: livestyle build --size 80x48"


@pytest.mark.usefixtures("gpu")
def test_engines_are_listed_with_their_figures_and_cleared() -> None:
    assert "no engines are kept in " in call("build", "--list").stdout
    call("build", "--size", "64x48")
    (line,) = call("build", "--list").stdout.splitlines()
    for fact in ("small", "64x48", "tensorrt-rtx 1.2.3", " dB", " ms a frame", " MB"):
        assert fact in line
    assert call("build", "--clear").stdout.startswith("1 engines removed")
    assert "no engines are kept in " in call("build", "--list").stdout


@pytest.mark.usefixtures("no_tensorrt")
def test_without_tensorrt_the_recipes_are_tried_and_the_best_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuda.CudaEngine.measure, "__defaults__", ([named("eager channels_last")],))
    result = call("build", "--size", "64x48")
    assert result.exit_code == 0, result.output
    assert "cuda for small at 64x48: eager channels_last, " in result.stdout
    assert "no TensorRT: backend 'tensorrt' needs TensorRT" in result.stdout
    by_name = call("build", "--size", "64x48", "--backend", "tensorrt")
    assert by_name.exit_code == 1
    assert len(by_name.stderr.splitlines()) == 2  # what it was doing, and why it could not


def test_without_a_gpu_there_is_nothing_to_build(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)
    result = call("build", "--size", "64x48")
    assert result.exit_code == 1
    assert (
        "only for an NVIDIA GPU there is something to build, and there is no NVIDIA driver" in result.stderr
    )
    assert call("build").exit_code == 2
    assert call("build", "--size", "64").exit_code == 2


@pytest.mark.usefixtures("no_tensorrt")
def test_auto_steps_down_to_cuda_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="livestyle")
    assert load_engine(load_weights("small")).backend == "cuda f16"
    assert (
        "skipped backend tensorrt: backend 'tensorrt' needs TensorRT: it is not installed" in caplog.messages
    )


@pytest.mark.usefixtures("gpu")
def test_a_torch_without_cuda_is_worth_a_warning_where_there_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without() -> None:
        raise EngineError("torch is built without CUDA: install one with it")

    monkeypatch.setattr(cuda, "require_cuda", without)
    assert load_engine(load_weights("small")).backend.startswith("openvino")
    assert "skipped backend cuda: torch is built without CUDA" in caplog.text


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world in which `large` has weights: tiny ones."""
    tiny = random_weights("large", NetworkConfig(stem=4, body=8, blocks=1))
    monkeypatch.setattr(model_choice, "read_manifest", lambda: {"small": {}, "large": {}})
    monkeypatch.setattr(model_choice, "load_weights", lambda _: tiny)
    monkeypatch.setattr(model_choice, "_SIZE", (64, 48))


def test_without_a_gpu_the_model_is_small_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)
    monkeypatch.setattr(model_choice, "read_manifest", lambda: 1 / 0)
    assert choose_model("auto", "auto") == "small"


@pytest.mark.usefixtures("gpu")
def test_the_model_is_small_while_large_is_not_trained(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_choice, "read_manifest", lambda: {"small": {}})
    caplog.set_level("DEBUG", logger="livestyle")
    assert choose_model("auto", "auto") == "small"
    assert "model small: large has no trained weights yet" in caplog.messages
    assert choose_model("openvino", "auto") == "small"


@pytest.mark.usefixtures("gpu", "large")
@pytest.mark.parametrize(("wanted", "model"), [(0.001, "large"), (1e6, "small")])
def test_large_is_taken_where_it_is_fast_enough(
    wanted: float, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_choice, "TARGET_FPS", wanted)
    assert choose_model("auto", "auto") == model
    monkeypatch.setattr(model_choice, "_measure", lambda *_: 1 / 0)  # it is remembered
    assert choose_model("auto", "auto") == model
    monkeypatch.setattr(torch, "__version__", "9.9.9")
    with pytest.raises(ZeroDivisionError):  # and measured anew for another PyTorch
        choose_model("auto", "auto")


@pytest.mark.usefixtures("gpu", "large")
@pytest.mark.parametrize("precision", [name for name in PRECISIONS if name != "auto"])
def test_a_precision_that_no_gpu_computes_in_means_small(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_choice, "TARGET_FPS", 0.001)
    assert choose_model("auto", precision) == "small"
    assert chosen_model("auto", "auto", precision) == "small"


@pytest.mark.usefixtures("gpu", "large")
def test_a_large_that_does_not_run_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise EngineError("no memory")

    monkeypatch.setattr(model_choice, "load_engine", broken)
    assert choose_model("cuda", "auto") == "small"


class FullLane(CpuLane):
    """A GPU without memory, which is found at the first frame."""

    def __init__(self, polite: bool = False) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.mark.usefixtures("gpu", "large")
def test_a_large_that_fails_at_its_first_frame_is_not_taken_and_tried_again_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_choice, "TARGET_FPS", 0.001)
    with monkeypatch.context() as patch:
        patch.setattr(cuda, "CudaLane", FullLane)
        assert choose_model("auto", "auto") == "small"
    assert choose_model("auto", "auto") == "large"


@pytest.mark.usefixtures("gpu")
def test_a_benchmark_tells_of_a_gpu_that_fails_at_its_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "CudaLane", FullLane)
    skipped, timing = bench.measure(
        load_weights("small"), ("cuda", "openvino"), sizes=[(64, 48)], seconds=0.01
    )
    assert isinstance(skipped, bench.Skipped)
    assert "the GPU cannot paint 64x48: there is not enough memory" in skipped.reason
    assert isinstance(timing, bench.Timing)
