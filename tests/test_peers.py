"""The networks that livestyle is compared with are those that were published, and compared as told."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.peers.compare import REFERENCE, Contender, compare, contenders, table
from benchmarks.peers.count import multiply_adds, our_multiply_adds, weights
from benchmarks.peers.networks import PEERS, FritzSmallNet, MicroAst
from benchmarks.peers.runtimes import RUNTIMES
from benchmarks.reference import JohnsonNet
from benchmarks.reference import run as run_reference
from livestyle.architecture import CONFIGS
from livestyle.errors import LivestyleError
from livestyle.network import TransformNet, pad_to_fit
from tests.clock import Clock
from tests.media import make_video
from tests.pictures import scene

NETS = {peer.name: peer.make for peer in PEERS}
SIZE = (640, 480)


def test_weights_are_as_many_as_published() -> None:
    assert weights(JohnsonNet()) == 1_679_235  # pytorch/examples' state dict
    # MicroAST: 0.472 M in the paper, for two encoders, the modulator (four depthwise 3x3) and the decoder
    encoder = [MicroAst().shallow, MicroAst().deep]
    both = weights(MicroAst()) + sum(map(weights, encoder)) + 4 * (64 * 9 + 64)
    assert round(both / 1e6, 3) == 0.472
    # fritz's small network is said to be of 17 kB: a byte for each weight, and the file's own 5 kB
    assert 10_000 < weights(FritzSmallNet()) < 17_000


@pytest.mark.parametrize(
    ("name", "kilo"),
    # by hand from the shapes alone, borders left out: k * k * in * out / (pixels for each output)
    [
        ("Johnson 2016", 153.8),
        ("lengstrom", 126.1),
        ("ReCoNet", 292.9),
        ("MicroAST", 27.8),
        ("fritz small", 5.79),
    ],
)
def test_multiply_adds_are_those_of_the_shapes(name: str, kilo: float) -> None:
    assert multiply_adds(NETS[name](), (64, 48)) / 1000 == pytest.approx(kilo, rel=0.002)


def test_padding_by_40_pixels_costs_small_frames_more() -> None:
    net = NETS["Johnson, half width"]()
    assert multiply_adds(net, (320, 240)) > multiply_adds(net, (640, 480)) > 37_000


def test_ours_are_counted_as_theirs_are() -> None:
    counted = 0.0
    net = TransformNet(CONFIGS["small"]).eval()

    class Padded(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(pad_to_fit(x), torch.ones(1, net.config.affine_length, device=x.device))

    counted = multiply_adds(Padded(), SIZE)
    assert our_multiply_adds(CONFIGS["small"], SIZE) == pytest.approx(counted)


@pytest.mark.parametrize("name", NETS)
def test_each_paints_a_frame_of_its_own_size(name: str) -> None:
    with torch.inference_mode():
        assert NETS[name]().eval()(torch.rand(1, 3, 48, 64)).shape == (1, 3, 48, 64)


def test_every_runtime_paints_the_same() -> None:
    torch.manual_seed(0)
    net, image = FritzSmallNet(), scene(64, 48)
    painted = {name: make(net, (64, 48))(image).astype(int) for name, make in RUNTIMES.items()}
    for name, other in painted.items():
        assert other.shape == image.shape
        # random weights make noise of full contrast; bfloat16, OpenVINO's own choice, differs by some levels
        limit = 12 if name == "OpenVINO" else 1
        assert np.abs(other - painted["PyTorch eager f32"]).mean() < limit, name


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_painting_has_the_size_of_its_frame(runtime: str) -> None:
    image = scene(67, 49)
    assert RUNTIMES[runtime](FritzSmallNet(), (67, 49))(image).shape == image.shape


def test_contenders_take_turns_and_the_reference_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.compare._TURN_SECONDS", 0.02)
    those = [one for one in contenders() if one.network == "livestyle small"]
    those.append(next(one for one in contenders() if (one.network, one.runtime) == REFERENCE))
    results = compare(those, sizes=((64, 48),), rounds=1)
    rows = {(row["network"], row["runtime"]): row for row in results["rows"]}
    assert rows[REFERENCE]["times_reference"] == {"64x48": 1.0}
    ours = [row for (network, _), row in rows.items() if network == "livestyle small"]
    assert len(ours) == 3
    assert all(row["fps"]["64x48"] > 0 and row["multiply_adds_per_pixel"] < 7000 for row in ours)
    lines = table(results)
    assert len(lines) == 2 + len(rows)
    assert {line.count("|") for line in lines} == {7}


def test_pytorch_is_loaded_after_its_threads_were_told_to_wait_idly() -> None:
    told = """
import os, sys
class Watch:
    def find_spec(self, name, *_):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"))
sys.meta_path.insert(0, Watch())
import benchmarks.guard
"""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    command, root = [sys.executable, "-c", told], Path(__file__).parent.parent
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["PASSIVE"]


def test_a_slower_contender_is_shown_to_be_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("benchmarks.peers.compare.time", clock)

    def waiting(seconds: float):
        return lambda _size: lambda image: (clock.sleep(seconds), image)[1]

    those = [Contender(*REFERENCE, 1.0, 1, waiting(0.02)), Contender("fast", "f32", 1.0, 1, waiting(0.002))]
    results = compare(those, sizes=((64, 48),), rounds=2)
    assert [row["times_reference"]["64x48"] for row in results["rows"]] == [1, pytest.approx(10)]


def test_the_reference_loop_says_how_it_is_called() -> None:
    command = [sys.executable, "-m", "benchmarks.reference"]
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        "usage: python -m benchmarks.reference [-h] IN OUT [FRAMES]",
    )


@pytest.mark.parametrize(
    ("source", "target", "frames", "error"),
    [
        ("no.mp4", "out.mp4", 1, "cannot read no.mp4 as a video"),
        ("in.mp4", "no/out.mp4", 1, "cannot write no/out.mp4"),
        ("in.mp4", "out.mp4", 0, "no frame of in.mp4 was painted"),
    ],
)
def test_the_reference_loop_that_paints_nothing_measures_nothing(
    source: str, target: str, frames: int, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "in.mp4", [scene(64, 48)] * 2)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LivestyleError, match=error):
        run_reference(source, target, frames)
