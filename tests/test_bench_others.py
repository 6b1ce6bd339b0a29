"""livestyle bench: what it measures beside the painting does not weigh on the painting's numbers."""

import json
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.ours import ways
from benchmarks.peers import compare as comparing
from benchmarks.peers.compare import Contender
from livestyle.bench import frame
from livestyle.bench_run import MovingPicture
from tests.commands import call

SIZE = (320, 240)
_BYTES = 320 * 240 * 3


def peak_bytes(make: Any) -> int:
    tracemalloc.start()
    try:
        make()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_frames_to_measure_with_take_no_more_memory_than_frames_do() -> None:
    frame(SIZE)  # what NumPy loads for it the first time
    assert peak_bytes(lambda: frame(SIZE)) < 1.7 * _BYTES
    assert peak_bytes(lambda: list(MovingPicture(SIZE, 30))) < 2 * _BYTES


def test_no_two_frames_of_the_moving_picture_in_a_row_are_alike() -> None:
    images = [each.image for each in MovingPicture(SIZE, 12)]
    assert all(image.shape == (240, 320, 3) and image.flags.c_contiguous for image in images)
    for one, next_one in pairwise(images):
        assert np.abs(one.astype(int) - next_one).mean(axis=(0, 1)).min() > 5  # in each colour


def test_other_networks_are_loaded_after_our_own_memory_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def peak() -> float:
        order.append("peak")
        return 123.0

    def compared(*_: object) -> dict[str, Any]:
        order.append("others")
        return {}

    monkeypatch.setattr("livestyle.bench_machine.peak_memory_mib", peak)
    monkeypatch.setitem(sys.modules, "benchmarks.peers.compare", SimpleNamespace(compare_and_print=compared))
    result = call("bench", "--compare", "--size", "64x48", "--frames", 3, "--json", tmp_path / "a.json")
    assert result.exit_code == 0, result.output
    assert order == ["peak", "others"]
    assert json.loads((tmp_path / "a.json").read_text())["peak_mib"] == 123


def test_whether_networks_can_be_compared_is_found_out_without_loading_them() -> None:
    script = "import sys; from livestyle.cli.bench_others import check_peers; check_peers([(64, 48)])"
    command = [sys.executable, "-c", f"{script}; print('torch' in sys.modules)"]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_numbers_on_stdout_are_all_there_is_and_say_what_was_asked_for() -> None:
    asked = ["--style", "udnie", "--steady", 0.3, "--precision", "f32", "--size", "64x48", "--frames", 4]
    result = call("bench", *asked, "--json", "-")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    assert measured["options"] == {
        "style": "udnie",
        "steady": 0.3,
        "precision": "f32",
        "size": [[64, 48]],
        "frames": 4,
        "model": "small",
        "backend": "auto",
        "camera": None,
        "input": None,
        "latency": None,
        "backends": False,
        "compare": False,
    }
    assert measured["runs"][0]["frames"] == 4
    assert "64x48, openvino f32: " in result.stderr
    assert not Path("-").exists()


def test_other_backends_are_timed_in_the_precision_that_was_asked_for(tmp_path: Path) -> None:
    asked = ["--backends", "--precision", "f32", "--size", "64x48", "--frames", 3]
    result = call("bench", *asked, "--json", tmp_path / "a.json")
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "a.json").read_text())["backends"]
    assert {"openvino f32", "torchscript f32"} <= {row["backend"] for row in rows}
    assert all(row["backend"].endswith(" f32") for row in rows)


@pytest.mark.parametrize(
    ("asked", "ours"),
    [
        (("torchscript", "f32"), ["torchscript f32"]),
        (("auto", "auto"), [" ".join(way) for way in ways()[:2]] + ["torchscript "]),
    ],
)
def test_others_are_compared_with_what_was_asked_for(
    asked: tuple[str, str], ours: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def compared(those: list[Contender], sizes: object, rounds: int = 3) -> dict[str, Any]:
        given.update(those=those, rounds=rounds)
        return {"rows": []}

    monkeypatch.setattr(comparing, "compare", compared)
    monkeypatch.setattr(comparing, "table", lambda _: [])
    backend, precision = asked
    how = {"model": "small", "style": "mosaic", "backend": backend, "precision": precision}
    comparing.compare_and_print(lambda _: None, [(64, 48)], how)
    found = [one.runtime for one in given["those"] if one.network == "livestyle small"]
    assert len(found) == len(ours)
    assert all(one.startswith(name) for one, name in zip(found, ours, strict=True))
    assert given["rounds"] % 2 == 1  # the median of an even number is a mean
    assert given["rounds"] >= 3
