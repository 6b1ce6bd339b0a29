"""`livestyle doctor`: every failure it knows, made up one by one, and the fix it tells for each."""

import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import platformdirs
import pytest
import torch
from click.testing import CliRunner

from livestyle import doctor, tensorrt_builder
from livestyle.cli import main
from livestyle.doctor import CHECKS, Finding, State, examine
from livestyle.engine import Choice
from livestyle.errors import EngineError, UnavailableError
from livestyle.gpu import find_driver
from livestyle.sinks import hwaccel
from livestyle.sources.devices import Camera
from tests import fake_tensorrt
from tests.fake_machine import Fake, both, cameras, gpu, no_gpu, only, raising, replaced, versions


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    probe = hwaccel.nvenc_problem
    probe.cache_clear()
    yield
    probe.cache_clear()
    find_driver.cache_clear()


CPU_TORCH = both(gpu(), replaced(torch.version, "cuda", None))
RTX = both(gpu(), replaced(tensorrt_builder, "find_flavour", lambda _: fake_tensorrt.flavour()))
TENSORRT = both(
    gpu(), replaced(tensorrt_builder, "find_flavour", lambda _: fake_tensorrt.flavour("tensorrt"))
)
NO_TENSORRT = replaced(
    tensorrt_builder, "find_flavour", raising(UnavailableError("tensorrt is not installed: pip install it"))
)
BUSY = Camera(0, "Webcam", "/dev/video0", problem="permission denied")

FAILURES: dict[str, tuple[str, Fake, State, str, str]] = {
    "old processor": (
        "processor",
        replaced(doctor, "processor_flags", lambda: {"sse2"}),
        State.NOTE,
        "no vector units",
        "a GPU",
    ),
    "no driver": ("gpu", no_gpu, State.NOTE, "there is no NVIDIA driver", "install its driver"),
    "driver fails": ("gpu", gpu(status=999), State.NOTE, "CUDA error 999", "install its driver"),
    "hidden gpu": ("gpu", gpu(count=0), State.NOTE, "is CUDA_VISIBLE_DEVICES empty?", "install its driver"),
    "no driver version": ("driver", no_gpu, State.NOTE, "none", ""),
    "no torch": ("torch", versions(torch=None), State.FAULT, "not installed", "pip install torch"),
    "torch without cuda": ("torch", CPU_TORCH, State.FAULT, "is built without CUDA", "download.pytorch.org"),
    "no torch_tensorrt": ("torch_tensorrt", versions(torch_tensorrt=None), State.NOTE, "not installed", ""),
    "other torch_tensorrt": (
        "torch_tensorrt",
        versions(torch_tensorrt="2.9.0", torch="2.13.0+cu130"),
        State.FAULT,
        "2.9.0 does not belong to torch 2.13.0+cu130",
        "pip install 'torch-tensorrt==2.13.*'",
    ),
    "tensorrt without gpu": ("tensorrt", no_gpu, State.NOTE, "of no use without an NVIDIA GPU", ""),
    "no tensorrt": (
        "tensorrt",
        both(gpu(), NO_TENSORRT),
        State.NOTE,
        "is not installed",
        "livestyle[tensorrt]",
    ),
    "no tensorrt for a geforce": (
        "tensorrt",
        both(gpu(capability=(12, 0)), NO_TENSORRT),
        State.NOTE,
        "is not installed",
        "livestyle[tensorrt-rtx]",
    ),
    "tensorrt without onnx": (
        "tensorrt",
        both(RTX, only()),
        State.FAULT,
        "tensorrt-rtx 1.2.3, but no onnx",
        "livestyle[export]",
    ),
    "tensorrt-rtx with torch_tensorrt": (  # which reads onnx only
        "tensorrt",
        both(RTX, only("torch_tensorrt")),
        State.FAULT,
        "tensorrt-rtx 1.2.3, but no onnx",
        "livestyle[export]",
    ),
    "tensorrt without either route": (
        "tensorrt",
        both(TENSORRT, only()),
        State.FAULT,
        "tensorrt 1.2.3, but no onnx",
        "livestyle[export]",
    ),
    "no openvino": (
        "openvino",
        versions(openvino=None),
        State.FAULT,
        "not installed",
        "pip install openvino",
    ),
    "broken openvino": (
        "openvino",
        replaced(doctor, "import_module", raising(OSError("libopenvino.so: no such file"))),
        State.FAULT,
        "libopenvino.so",
        "fresh environment",
    ),
    "no x264": (
        "video codecs",
        replaced(hwaccel, "codecs", lambda: ({"h264"}, [])),
        State.FAULT,
        "without libx264",
        "pip install --force-reinstall av",
    ),
    "no hardware video": ("hardware video", no_gpu, State.NOTE, "in software (there is no NVIDIA driver", ""),
    "no camera": ("cameras", cameras(), State.NOTE, "none", "--camera pattern"),
    "refused camera": ("cameras", cameras(BUSY), State.FAULT, "permission denied", "/dev/video0"),
    "no virtual camera": (
        "virtual camera",
        replaced(doctor, "find_spec", lambda _: None),
        State.NOTE,
        "not installed",
        "pip install 'livestyle[virtual-camera]'",
    ),
    "no display": ("display", lambda m: m.delenv("DISPLAY", False), State.NOTE, "DISPLAY", "--no-window"),
    "no backend": (
        "backend",
        replaced(doctor, "choose_engine", raising(EngineError("no backend runs here"))),
        State.FAULT,
        "no backend runs here",
        "reinstall livestyle",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_is_found_and_its_fix_told(failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, fake, state, value, fix = FAILURES[failure]
    if name == "display" and sys.platform != "linux":
        pytest.skip("there is always a display here")
    fake(monkeypatch)
    found = doctor._safely(name, CHECKS[name])
    assert (found.name, found.state) == (name, state)
    assert value in found.value
    assert fix in found.fix


WELL: dict[str, tuple[str, Fake, str]] = {
    "gpu": ("gpu", gpu(capability=(8, 9)), "NVIDIA Fake 0 (8.9, 8 GiB)"),
    "driver": ("driver", gpu(), "580.95.05, runs CUDA 13.0"),
    "torch": ("torch", no_gpu, importlib.metadata.version("torch")),
    "torch_tensorrt": (
        "torch_tensorrt",
        versions(torch_tensorrt="2.13.1", torch="2.13.0"),
        "2.13.1, belongs to torch 2.13.0",
    ),
    "tensorrt": ("tensorrt", RTX, "tensorrt-rtx 1.2.3"),
    "tensorrt without onnx": ("tensorrt", both(TENSORRT, only("torch_tensorrt")), "tensorrt 1.2.3"),
    "tensorrt without torch_tensorrt": ("tensorrt", both(TENSORRT, only("onnx")), "tensorrt 1.2.3"),
    "cameras": ("cameras", cameras(Camera(0, "Webcam", "/dev/video0")), "0 (Webcam)"),
    "backend": (
        "backend",
        no_gpu,
        "not tensorrt or cuda: needs an NVIDIA GPU, and there is no NVIDIA driver",
    ),
    "backend that gives way": (
        "backend",
        replaced(doctor, "choose_engine", lambda _: Choice(SimpleNamespace(backend="cuda f16"), {})),
        "auto takes cuda f16, and tensorrt where its engine is built",
    ),
    "backend below another": (
        "backend",
        replaced(
            doctor,
            "choose_engine",
            lambda _: Choice(SimpleNamespace(backend="cuda f16"), {"tensorrt": "it is not installed"}),
        ),
        "auto takes cuda f16; not tensorrt: it is not installed",
    ),
}


@pytest.mark.parametrize("thing", WELL)
def test_what_is_well_is_said_to_be(thing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, fake, value = WELL[thing]
    fake(monkeypatch)
    found = CHECKS[name]()
    assert found.state is State.OK, found
    assert value in found.value


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    assert CHECKS["cache"]().state is State.FAULT
    tmp_path.chmod(0o700)


def test_a_file_in_the_place_of_the_cache_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "cache" / "livestyle")
    found = CHECKS["cache"]()
    assert found.state is State.FAULT
    assert "XDG_CACHE_HOME" in found.fix


def test_engines_of_another_user_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as `sudo livestyle build` leaves; what may not be written is made up, for root may everywhere."""
    engines = tmp_path / "engines"
    engines.mkdir()
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    monkeypatch.setattr(os, "access", lambda path, _: path != engines)
    found = CHECKS["cache"]()
    assert found.state is State.FAULT
    assert f"make {engines} writable" in found.fix


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "cameras", raising(ZeroDivisionError("by zero\nand more")))
    found = {finding.name: finding for finding in examine()}
    assert set(found) == set(CHECKS)
    assert found["cameras"].state is State.FAULT
    assert found["cameras"].value == "by zero"


def findings_of(*found: Finding) -> Fake:
    return replaced(doctor, "examine", lambda: list(found))


def test_a_fault_exits_with_1_and_a_note_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    findings_of(Finding("gpu", State.NOTE, "none", "buy one"))(monkeypatch)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0
    assert "-> buy one" in result.stdout
    findings_of(Finding("torch", State.FAULT, "broken", "mend it"))(monkeypatch)
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 1


def test_it_is_one_screen_as_json_too_and_quick() -> None:
    """Under 3 s; the better of two, because the machine may be busy."""
    times = []
    for arguments in (["doctor"], ["doctor", "--json"]):
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "livestyle", *arguments], capture_output=True, text=True)
        times.append(time.perf_counter() - began)
        assert done.stderr == ""
        if arguments == ["doctor"]:
            assert len(done.stdout.splitlines()) <= 35
            assert all(len(line) <= 80 for line in done.stdout.splitlines())
        else:
            assert [finding["name"] for finding in json.loads(done.stdout)] == list(CHECKS)
    assert min(times) < 3
