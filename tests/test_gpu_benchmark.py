"""The measurement on a GPU, rehearsed on the processor: that it runs to its end, and what its file holds."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import gpu
from benchmarks.gpu_device import Gpu, Processor
from benchmarks.random_weights import random_weights
from benchmarks.readme import fill
from benchmarks.work import work
from livestyle.architecture import CONFIGS
from livestyle.backends import cuda, tensorrt
from livestyle.backends.slots import CpuLane, Lane, Paint
from livestyle.backends.torchscript import frame_net
from livestyle.frame import Image
from livestyle.weights import Weights
from tests import fake_tensorrt

BLOCKED = (
    "av",
    "openvino",
    "rich",
    "matplotlib",
    "torchvision",
    "onnxruntime",
    "tensorrt_rtx_bindings",
    "triton",
)
"""What the machine that is measured need not have."""


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    path = tmp_path_factory.mktemp("gpu") / "gpu.json"
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({BLOCKED!r})); sys.argv[0] = 'gpu'\n"
        "import runpy; runpy.run_module('benchmarks.gpu', run_name='__main__')"
    )
    command = [sys.executable, "-W", "error", "-c", code, "--rehearse", "--no-compiled", "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parent.parent)
    return json.loads(path.read_text())


def test_every_way_is_measured_for_both_networks_at_every_size(rehearsal: dict[str, object]) -> None:
    rows = rehearsal["rows"]
    assert rehearsal["rehearsal"] is True
    cases = {(row["model"], *row["size"]) for row in rows}
    assert cases == {(m, *s) for m in ("johnson", "large", "small") for s in ((64, 48), (49, 33))}
    graphs = [row for row in rows if row["backend"].startswith("graph")]
    assert {row["backend"] for row in graphs} == {"graph: eager", "graph: eager channels_last"}
    for row in graphs:
        assert row["network_milliseconds"] > 0
        assert row["psnr_db"] > 60
        assert row["max_error"] <= 1
        for loop in ("loop", "loop_restyled", "loop_two_in_flight"):
            assert row[loop]["fps"] > 0
            assert row[loop]["p50_milliseconds"] <= row[loop]["p99_milliseconds"]


def test_what_is_not_there_is_named(rehearsal: dict[str, object]) -> None:
    skipped = {line["backend"]: line["reason"] for line in rehearsal["skipped"]}
    assert set(skipped) == {"tensorrt", "graph: fused", "no graph: fused"}
    assert "no GPU" in skipped["tensorrt"]
    assert "triton" in skipped["graph: fused"].lower()


def test_what_there_is_no_time_for_is_left_out(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from benchmarks.gpu import main

    result = CliRunner().invoke(main, ["--rehearse", "--minutes", "0", "-o", str(tmp_path / "gpu.json")])
    assert result.exit_code == 0, result.output
    reasons = {line["reason"] for line in json.loads((tmp_path / "gpu.json").read_text())["skipped"]}
    assert reasons == {"no time left"}


def test_readme_tells_the_fastest_of_each_network_and_no_rehearsal(
    rehearsal: dict[str, object], tmp_path: Path
) -> None:
    readme = "before\n<!-- gpu -->\nnothing yet\n<!-- end -->\nafter\n"
    assert fill(readme, tmp_path) == readme  # nothing was measured
    path = tmp_path / "gpu.json"
    path.write_text(json.dumps(rehearsal))
    with pytest.raises(ValueError, match="a rehearsal is no measurement"):
        fill(readme, tmp_path)
    machine = {"gpu": "NVIDIA H200", "driver": "580.1", "torch": "2.11.0+cu130"}
    wrong = {**rehearsal["rows"][1], "psnr_db": 30.0, "loop": {"fps": 1e9, "p99_milliseconds": 0}}
    told = {"rehearsal": False, "machine": machine, "rows": [*rehearsal["rows"], wrong]}
    path.write_text(json.dumps(rehearsal | told))
    lines = fill(readme, tmp_path).splitlines()
    assert "Measured on one NVIDIA H200, driver 580.1" in lines[2]
    rows = [line for line in lines if (line.startswith("| ") and "dB |" in line) or "eager f32" in line]
    assert len(rows) == 6  # three networks at two sizes
    small = max(
        row["loop"]["fps"] for row in rehearsal["rows"] if row["model"] == "small" and row["size"] == [64, 48]
    )
    (told,) = [line for line in rows if "`small`, 64x48" in line.replace(", not trained yet", "")]
    assert f"| {small:.0f} |" in told
    assert "1000000000" not in str(rows)  # fast, and not what the network paints
    assert any("% of the frame rate at most" in line for line in lines)
    assert (lines[0], lines[-1]) == ("before", "after")


@pytest.mark.usefixtures("user_data")
def test_the_memory_of_tensorrt_is_without_what_its_engine_was_held_against(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    class WithTensorRT(Processor):
        dtype = torch.float16

        def tensorrt(self, weights: Weights, size: tuple[int, int]) -> Callable[[Lane], Paint]:
            return Gpu.tensorrt(self, weights, size)  # type: ignore[arg-type]

        def forget_memory(self) -> None:
            done.append("forgotten")

        def peak_memory_mib(self) -> float:
            done.append("told")
            return 0.0

    def reference(*arguments: object) -> Image:
        done.append("reference")
        return eager(*arguments)  # type: ignore[arg-type]

    eager = cuda._eager_float32
    monkeypatch.setattr(cuda, "_eager_float32", reference)
    monkeypatch.setattr(tensorrt, "installed", fake_tensorrt.flavour)
    monkeypatch.setattr(tensorrt, "CudaLane", lambda **_: CpuLane())
    device = WithTensorRT()
    case = gpu.make_case(device, "small", (64, 48))
    row = gpu.measure_one(device, case, dict(gpu.ways(device, case, []))["tensorrt"], whole=False)
    assert row["psnr_db"] > 50
    assert done == ["forgotten", "reference", "forgotten", "told"]


@pytest.mark.parametrize("model", CONFIGS)
def test_the_operations_are_those_that_pytorch_counts(model: str) -> None:
    weights = random_weights(model)
    net = frame_net(weights)
    frame = torch.zeros((96, 128, 3), dtype=torch.uint8)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        net(frame, torch.from_numpy(next(iter(weights.styles.values())).row))
    # PyTorch counts the few pixels that are cropped at the far ends too
    assert work(weights.config, 96, 128).operations == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from benchmarks.gpu import main

    result = CliRunner().invoke(main, ["--rehearse", "-o", str(tmp_path / "no" / "gpu.json")])
    assert "there is no folder" in str(result.exception)
    assert result.output == ""


def test_without_a_gpu_the_measurement_is_refused_in_one_line(tmp_path: Path) -> None:
    without = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "-o", str(tmp_path / "gpu.json")],
        env=without,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Error: ")
    assert not list(tmp_path.iterdir())
