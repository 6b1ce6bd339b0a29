"""What the network is computed in: the choice of `auto`, and what 8 bits need of a processor."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import cv2
import openvino as ov
import platformdirs
import pytest

from livestyle.backends import instruction_sets
from livestyle.backends.openvino import OpenVinoEngine, core, precision, probe
from livestyle.engine import Engine
from livestyle.weights import load_weights
from tests.pictures import scene

_ON_X86 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the limit is one of x86 alone"
)


@pytest.mark.parametrize(
    ("bfloat16", "whole", "best"),
    [(True, True, "int8"), (False, True, "int8"), (True, False, "bf16"), (False, False, "f32")],
)
def test_auto_takes_8_bits_where_they_are_fast_and_exact(
    bfloat16: bool, whole: bool, best: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _processor(monkeypatch, bfloat16=bfloat16, tiles=False, whole=whole)
    assert _best() == best


@pytest.mark.parametrize(("times_as_fast", "best"), [(0.9, "bf16"), (1.05, "bf16"), (1.3, "int8")])
def test_with_amx_auto_takes_the_faster_and_of_two_alike_the_closer(
    times_as_fast: float, best: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    _processor(monkeypatch, bfloat16=True, tiles=True, whole=True)
    fps = {"int8": 100 * times_as_fast, "bf16": 100.0}
    monkeypatch.setattr(precision, "_fps", lambda _, engine: fps.pop(engine))
    assert _best() == best
    assert not fps
    assert _best() == best, "what was measured is remembered"


@_ON_X86
def test_with_amx_both_are_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    if not probe.has_bfloat16(core()):
        pytest.skip("this processor has no bfloat16")
    _processor(monkeypatch, bfloat16=True, tiles=True, whole=True)
    fps: list[float] = []
    timed = precision._fps
    monkeypatch.setattr(precision, "_fps", lambda *given: fps.append(timed(*given)) or fps[-1])
    taken = OpenVinoEngine(load_weights("small")).backend
    assert len(fps) == 2
    assert taken == ("openvino int8" if fps[0] > 1.1 * fps[1] else "openvino bf16")


def _processor(monkeypatch: pytest.MonkeyPatch, *, bfloat16: bool, tiles: bool, whole: bool) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: bfloat16)
    monkeypatch.setattr(precision, "multiplies_tiles", lambda: tiles)
    monkeypatch.setattr(precision, "saturates", lambda _: not whole)


def _best() -> str:
    return precision.best_precision(core(), load_weights("small"), cast(Callable[[str], Engine], str))


@pytest.mark.parametrize(
    ("flags", "limit", "tiles"),
    [
        ("fpu amx_bf16 amx_tile", "", True),
        ("fpu avx512_bf16", "", False),
        ("fpu amx_bf16 amx_tile", "AVX512_CORE_VNNI", False),
        ("fpu amx_bf16 amx_tile", "avx512_core_amx", True),
    ],
)
def test_amx_is_found_and_the_limit_on_instructions_kept(
    flags: str, limit: str, tiles: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    monkeypatch.setattr(instruction_sets, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert instruction_sets.multiplies_tiles() == tiles


class _Imitator:
    """What OpenVINO says on AVX-512 without bfloat16, or with it."""

    def __init__(self, preferred: ov.Type) -> None:
        self._properties = {
            "INFERENCE_PRECISION_HINT": preferred,
            "OPTIMIZATION_CAPABILITIES": ["BF16", "FP32", "INT8"],
        }

    def get_property(self, _: str, name: str) -> object:
        return self._properties[name]


@pytest.mark.parametrize(
    ("preferred", "limit", "has"),
    [
        (ov.Type.bf16, "", True),
        (ov.Type.f32, "", False),
        (ov.Type.bf16, "AVX512_CORE_BF16", True),
        (ov.Type.bf16, "AVX512_CORE_VNNI", False),
        (ov.Type.bf16, "AVX512_CORE", False),
        (ov.Type.bf16, "AVX2_VNNI", False),
    ],
)
def test_bfloat16_that_is_only_imitated_is_not_taken(
    preferred: ov.Type, limit: str, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert probe.has_bfloat16(cast(ov.Core, _Imitator(preferred))) == has


@_ON_X86
def test_int8_keeps_the_gate_on_a_processor_that_saturates() -> None:
    """AVX2 adds products of 8 bits in 16; without kernels of 7 bits the painting would fall to 25 dB."""
    code = """
import numpy as np
from tests.pictures import scene
from tests.test_engine import MIN_PSNR, eager
from livestyle.engine import load_engine
from livestyle.gate import psnr_db
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
weights, image, mix = load_weights("small"), scene(320, 240), StyleMix.parse("mosaic")
painted = load_engine(weights, "openvino", precision="int8").stylize(image, mix)
print(psnr_db(painted, eager(weights, image, mix)), MIN_PSNR["int8"])
"""
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=limited, capture_output=True, text=True, check=True
    )
    reached, least = map(float, done.stdout.split())
    assert reached > least


@_ON_X86
@pytest.mark.parametrize("limit", ["AVX2", "AVX2_VNNI"])
def test_auto_follows_the_limit_on_instructions(limit: str) -> None:
    """Not every AVX-512 processor with VNNI has the VNNI of AVX2: Zen 4 has not, Zen 5 has."""
    code = """
from livestyle.backends.openvino import core
from livestyle.backends.openvino.probe import saturates
from livestyle.engine import load_engine
from livestyle.weights import load_weights
print(saturates(core()), load_engine(load_weights("small"), "openvino").backend)
"""
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": limit}
    done = subprocess.run(
        [sys.executable, "-c", code], env=limited, capture_output=True, text=True, check=True
    )
    saturated, backend = done.stdout.strip().split(maxsplit=1)
    assert backend == ("openvino f32" if saturated == "True" else "openvino int8")
    flags = instruction_sets.processor_flags()
    if limit == "AVX2" or flags:
        assert (saturated == "False") == (limit == "AVX2_VNNI" and "avx_vnni" in flags)


@_ON_X86
def test_auto_paints_on_a_processor_without_avx(tmp_path: Path) -> None:
    picture = tmp_path / "in.png"
    cv2.imwrite(str(picture), scene(64, 48))
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": "SSE41"}

    def paint(name: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "livestyle", "image", str(picture), str(tmp_path / name), *options]
        return subprocess.run(command, env=limited, capture_output=True, text=True, timeout=120)

    done = paint("auto.png")
    assert done.returncode == 0, done.stderr
    asked = paint("openvino.png", "--backend", "openvino")
    if "(openvino" in done.stdout:  # a version whose norms do without
        assert asked.returncode == 0, asked.stderr
    else:
        assert "(torchscript f32)" in done.stdout
        assert (asked.returncode, asked.stderr.splitlines()) == (
            1,
            ["Error: backend 'openvino' needs a processor with AVX; --backend auto takes what is here"],
        )


def test_openvino_is_loaded_without_its_converter_which_others_still_find() -> None:
    script = """
import sys
import livestyle.backends.openvino
assert not [name for name in sys.modules if "telemetry" in name or name.startswith("openvino.tools.ovc")]
import openvino
try:
    openvino.convert_model("no such model")
except Exception as error:
    assert type(error).__module__.startswith("openvino.tools.ovc"), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
