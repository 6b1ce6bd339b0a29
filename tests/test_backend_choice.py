"""Which backend and precision run: what auto takes, skips and says, and what is refused by name."""

import importlib
import logging
import os
import subprocess
import sys

import pytest

from livestyle import gpu
from livestyle.bench import Skipped, Timing, measure
from livestyle.engine import BACKENDS, choose_engine, load_engine
from livestyle.errors import EngineError
from livestyle.weights import Weights, load_weights


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights("small")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without an NVIDIA driver."""
    monkeypatch.setattr(gpu, "_library", lambda _: None)
    gpu.find_driver.cache_clear()


@pytest.mark.usefixtures("no_gpu")
def test_auto_takes_the_fastest_and_says_so(weights: Weights, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    engine = load_engine(weights)
    assert engine.backend.startswith("openvino")
    assert f"backend {engine.backend}: the fastest that runs here" in caplog.messages


@pytest.fixture
def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine for which there is no openvino."""
    for name in [name for name in sys.modules if name.startswith("livestyle.backends.openvino")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openvino", None)


@pytest.mark.usefixtures("no_gpu")
def test_auto_is_quiet_about_a_gpu_that_is_not_there(
    weights: Weights, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    load_engine(weights)
    assert len(caplog.messages) == 1
    caplog.set_level(logging.DEBUG, logger="livestyle")
    skipped = choose_engine(weights).skipped
    assert list(skipped) == ["tensorrt", "cuda"]
    for name, reason in skipped.items():
        assert f"skipped backend {name}: {reason}" in caplog.messages
        assert "needs an NVIDIA GPU, and there is no NVIDIA driver here" in reason


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("backend", ["tensorrt", "cuda"])
def test_a_gpu_backend_without_a_gpu_is_one_clear_line(weights: Weights, backend: str) -> None:
    with pytest.raises(
        EngineError, match=f"^backend '{backend}' needs an NVIDIA GPU, .*; --backend auto takes what is here$"
    ):
        load_engine(weights, backend)


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_pytorch_is_not_loaded_for_it() -> None:
    code = (
        "import sys; from livestyle.engine import load_engine; from livestyle.weights import load_weights\n"
        "print(load_engine(load_weights()).backend, 'torch' in sys.modules)"
    )
    without = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=without, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("openvino")
    assert done.stdout.split()[-1] == "False"


@pytest.mark.usefixtures("no_openvino", "no_gpu")
def test_auto_says_why_it_skipped_a_better_backend(
    weights: Weights, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_engine(weights).backend.startswith("torchscript")
    assert (
        "skipped backend openvino: backend 'openvino' needs openvino: pip install openvino" in caplog.messages
    )


@pytest.mark.usefixtures("no_openvino")
def test_a_backend_asked_for_by_name_is_never_replaced(weights: Weights) -> None:
    with pytest.raises(EngineError, match="pip install openvino"):
        load_engine(weights, "openvino")


def test_a_precision_that_a_backend_lacks_is_refused_in_words(weights: Weights) -> None:
    with pytest.raises(EngineError, match="'torchscript' does not compute in int8: choose"):
        load_engine(weights, "torchscript", precision="int8")
    with pytest.raises(EngineError, match="unknown precision 'int4': choose auto, f32, bf16, int8"):
        load_engine(weights, precision="int4")


def test_an_unknown_backend_lists_those_there_are(weights: Weights) -> None:
    with pytest.raises(EngineError, match="'cuda9000': choose auto, tensorrt, cuda, openvino, torchscript"):
        load_engine(weights, "cuda9000")


def test_every_backend_is_a_module_of_its_own() -> None:
    for name in BACKENDS:
        assert callable(importlib.import_module(f"livestyle.backends.{name}").load)


@pytest.mark.usefixtures("no_openvino")
def test_a_benchmark_measures_what_runs_and_names_what_does_not(weights: Weights) -> None:
    skipped, *timings = measure(weights, ("openvino", "torchscript"), seconds=0.01)
    assert isinstance(skipped, Skipped)
    assert "pip install openvino" in skipped.reason
    assert [t.size for t in timings if isinstance(t, Timing)] == [(640, 480), (1280, 720)]
    for timing in timings:
        assert isinstance(timing, Timing)
        assert timing.frames >= 3
        assert timing.fps == pytest.approx(1000 / timing.milliseconds)
