"""The measurements of `python -m benchmarks`: that they measure, and that what they found is told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import guard as guarding
from benchmarks import precision, roofline, scaling
from benchmarks.__main__ import ROOT, main
from benchmarks.peers.count import our_multiply_adds
from benchmarks.peers.plot import draw
from benchmarks.readme import fill
from benchmarks.speed import speed
from livestyle.backends.openvino import core
from livestyle.backends.openvino.graph import build
from livestyle.frame import Image
from livestyle.sources.picture import read_picture
from livestyle.weights import load_weights
from tests.results import bits, growth, layers, memory, peers, stages, video

README = """a
<!-- machine -->
<!-- end -->
<!-- networks -->
old
<!-- end -->
<!-- precision -->
<!-- end -->
<!-- video -->
<!-- end -->
c
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    contents = {
        "files": stages(),
        "memory_mkv": memory(),
        "memory_painted": memory() | {"strength": 1.0, "peak_mib": {"60": 300.0, "600": 301.0}},
        "peers": peers(),
        "cpu": video(),
        "roofline": layers(),
        "scaling": growth(),
        "precision_small": bits(),
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_readme_tells_ours_the_reference_and_the_fastest_of_the_others(results: Path) -> None:
    text = fill(README, results)
    assert "| livestyle small, openvino int8 | 222 | 111 | 111, 111 |" in text
    assert "(the reference) | 2.00 | 1.00 | 1.00, 1.00 |" in text
    assert "quick net" in text
    assert "the ratios at 640x480 are the ones to go by" in text
    assert "slow net" not in text
    assert "| `livestyle video`, 640x480, 300 frames | 91 | 200 MiB |" in text
    assert "it is 41 dB in the mean and 33 at worst" in text
    assert "old" not in text
    assert text.startswith("a\n")
    assert text.endswith("c\n")
    assert fill(text, results) == text


def test_latency_is_told_with_the_rate_of_its_camera(tmp_path: Path) -> None:
    run = {
        "size": [320, 240],
        "seconds": 9.0,
        "frames": 90,
        "dropped": 1,
        "percentiles": {"p50": 7, "p99": 9},
    }
    (tmp_path / "latency.json").write_text(json.dumps({"latency": [run, run | {"fps": 59.94}]}))
    text = fill("<!-- latency -->\n<!-- end -->\n", tmp_path)
    assert "| 320x240 at 30 fps, 9 s | 7 ms | 9 ms | 90 | 1 |" in text  # older results do not say
    assert "| 320x240 at 59.94 fps, 9 s |" in text


def test_the_ratios_to_go_by_are_those_of_the_smallest_frames(results: Path) -> None:
    measured = peers()
    for one in measured["rows"]:
        one["fps"] = dict(reversed(one["fps"].items()))
    (results / "peers.json").write_text(json.dumps(measured))
    assert "the ratios at 640x480 are the ones to go by" in fill(README, results)
    for one in measured["rows"]:
        del one["fps"]["1280x720"]
    (results / "peers.json").write_text(json.dumps(measured))
    assert "the ones to go by" not in fill(README, results)


def test_speed_tells_and_draws_all_of_it(results: Path) -> None:
    text = speed(results, draw=True)
    assert "| slow net | OpenVINO | 93 k | 6.4 | 11.0 | 5.50 | 5.50 |" in text
    # 400 MMAC at 400 GMAC/s are 1 ms of the 2 that were taken; 4 MB at 40 GB/s 0.1 of 1
    assert "| small | bf16 | convolution | 2.00 | 40% | 200 | 1 | 50% |" in text
    assert "| small | bf16 | moving | 1.00 | 20% |  | 4 | 10% |" in text
    assert "pixels of a frame: grows with the power 1.00" in text
    assert "cores: grows with the power -1.00" in text
    assert "styles in the table: grows with the power 0.00" in text
    assert "| decoding, to RGB | 100 |" in text
    assert (
        "640x480: all together reach 94% of the rate that their slowest stage has beside the others, 80%"
        in text
    )
    assert "by `python -m benchmarks memory --suffix .mkv`." in text
    assert "| .mkv, without the network | 120 MiB, 1 min | 129 MiB, 60 min | 9 MiB |" in text
    assert "| .mkv, with the network | 300 MiB, 1 min | 301 MiB, 10 min | 9 MiB |" in text
    for plot in ("roofline.png", "scaling.png"):
        assert (results / plot).stat().st_size > 5000
        assert f"(results/{plot})" in text


def test_the_bars_of_readme_are_as_long_as_the_networks_are_fast(tmp_path: Path) -> None:
    draw(peers(), tmp_path / "speed.png")
    image = read_picture(tmp_path / "speed.png")
    ours, fastest_other = (longest(image, color) for color in ((31, 119, 180), (211, 211, 211)))
    assert ours / fastest_other == pytest.approx(222 / 44, rel=0.05)


def longest(image: Image, color: tuple[int, int, int]) -> int:
    """The length of the longest bar of a colour, in pixels."""
    return int((np.abs(image.astype(int) - color).sum(axis=2) < 6).sum(axis=1).max())


def test_what_was_not_measured_is_not_told(tmp_path: Path) -> None:
    assert "##" not in speed(tmp_path, draw=True)
    assert fill(README, tmp_path) == README


def test_the_layers_of_a_graph_do_the_work_of_the_network() -> None:
    weights, size = load_weights("small"), (128, 96)
    model = build(weights, size[1], size[0])
    found = roofline._layers(core(), model, "f32", weights, size)
    work = sum(layer["mmac"] for layer in found) * 1e6 / (size[0] * size[1])
    # the head's kernels are 2x3 with zeros instead of 2x2
    assert 1 < work / our_multiply_adds(weights.config, size) < 1.1
    assert {layer["kind"] for layer in found} >= {"convolution", "norm", "element by element"}
    assert all(layer["milliseconds"] > 0 and layer["megabytes"] > 0 for layer in found)


def test_a_peak_is_more_than_one_multiply_add_a_nanosecond() -> None:
    assert roofline._peak(core(), "f32") > 1
    assert roofline._copying(1) > 0.1


def test_scaling_measures_each_of_its_axes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scaling, "_SECONDS", 0.05)
    monkeypatch.setattr(scaling, "_cores", lambda: 1)
    measured = scaling.scaling(((64, 48), (320, 240)), (1, 12), (3,))
    measured = json.loads(json.dumps(measured))  # as it comes back from its file
    assert measured["pixels"]["76800"] > measured["pixels"]["3072"] > 0
    assert list(measured["styles"]) == ["1", "12"]
    assert list(measured["frames"]) == ["3"]
    scaling.draw(measured, tmp_path / "scaling.png")
    assert len(scaling.lines(measured)) == 6


def test_fewer_bits_are_further_from_float32() -> None:
    choices = [("openvino", "f32"), ("openvino", "int8")]
    measured = precision.precision(every=1000, choices=choices)
    assert measured["paintings"] == len(load_weights("small").styles)
    assert measured["psnr"]["openvino f32"]["worst"] > 60 > measured["psnr"]["openvino int8"]["mean"] > 30


@pytest.mark.parametrize(("ratio", "status"), [(500.0, 0), (2.0, 1)])
def test_the_guard_fails_where_a_ratio_is_lost(
    ratio: float, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turns(paints: list[Any], size: Any, rounds: int) -> list[list[float]]:
        return [[9.0, 1.0 / ratio]] * (len(paints) - 1) + [
            [1.0, 9.0]
        ]  # the reference comes last; the best counts

    monkeypatch.setattr(guarding, "take_turns", turns)
    result = CliRunner().invoke(main, ["guard"])
    assert result.exit_code == status
    assert "openvino" in result.output
    assert "torchscript" in result.output
    assert "openvino int8" in result.output
    assert f"{ratio:.0f} times the reference" in result.output


def test_readme_and_speed_are_those_of_the_results() -> None:
    texts = [ROOT / "README.md", ROOT / "benchmarks" / "SPEED.md"]
    before = [path.stat().st_mtime_ns for path in texts]
    result = CliRunner().invoke(main, ["readme", "--check"])
    assert result.exit_code == 0, result.output
    assert [path.stat().st_mtime_ns for path in texts] == before


@pytest.mark.parametrize(
    "command", ["compare", "files", "memory", "peers", "pictures", "precision", "roofline", "scaling"]
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_measured(
    command: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(main, [command, "-o", str(tmp_path / "no" / "x.json")])
    assert result.exit_code == 1
    assert "there is no folder" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "name"),
    [((), "memory.json"), (("--suffix", ".mkv", "--seconds", "600", "--strength", "1.0"), "memory_mkv.json")],
)
def test_each_container_has_a_file_of_its_own_which_tells_the_command(
    options: tuple[str, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.__main__.RESULTS", tmp_path)
    monkeypatch.setattr("benchmarks.files.measure_memory", lambda *_, **__: memory())
    result = CliRunner().invoke(main, ["memory", *options])
    assert result.exit_code == 0, result.output
    (path,) = tmp_path.iterdir()
    assert path.name == name
    expected = " ".join(["python -m benchmarks memory", *options])
    assert json.loads(path.read_text())["command"] == expected


def test_what_peers_is_told_to_measure_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.compare.contenders", lambda: [])
    monkeypatch.setattr("benchmarks.peers.compare.compare", lambda *_: peers())
    options = "--rounds 1 --size 64x48 --size 96x64"
    path = tmp_path / "peers.json"
    result = CliRunner().invoke(main, ["peers", *options.split(), "-o", str(path)])
    assert result.exit_code == 0, result.output
    assert json.loads(path.read_text())["command"] == f"python -m benchmarks peers {options}"
    assert "| slow net | OpenVINO |" in result.output


def test_without_a_package_that_they_need_the_benchmarks_say_what_to_install() -> None:
    without = "import sys; sys.modules['onnxruntime'] = None; sys.argv[1:] = ['--help']\n"
    code = without + "import runpy; runpy.run_module('benchmarks', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "the benchmarks need onnxruntime: pip install -e '.[bench]'\n"
