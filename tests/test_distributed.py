"""Two processes train as one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from livestyle.sinks.picture import write_picture
from tests.pictures import scene
from tests.test_loss_network import vgg_weights
from train.distributed import Team

ROOT = Path(__file__).parent.parent


def totals(run: Path) -> list[float]:
    return [json.loads(line)["total"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_the_same_global_batch_gives_the_same_loss_curve(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for i in range(3):
        write_picture(tmp_path / "photos" / f"{i}.png", scene(96 + 8 * i, 80))
    write_picture(tmp_path / "style.png", 255 - scene(300, 260))
    save_file(vgg_weights("vgg19", 8), tmp_path / "vgg.safetensors")
    options = ["--style", str(tmp_path / "style.png"), "--photos", str(tmp_path / "photos")]
    options += ["--loss-network", "vgg19-shallow", "--loss-weights", str(tmp_path / "vgg.safetensors")]
    options += ["--steps", "3", "--batch", "2", "--stability-from", "0"]
    # one thread for each process, for both: the order of sums is then the same
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path)}
    two_processes = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for name, launcher in (("one", []), ("two", two_processes)):
        fit = ["-m", "tests.training", "fit", *options, "-o", str(tmp_path / name)]
        command = [sys.executable, *launcher, *fit]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = totals(tmp_path / "one"), totals(tmp_path / "two")
    assert len(one) == len(two) == 3
    # the loss network works in bfloat16, whose products of other batch shapes differ in the third digit
    assert two == pytest.approx(one, rel=5e-3)


def test_a_batch_is_shared_out_evenly() -> None:
    batch = torch.arange(6)
    shares = [Team(rank, 3, torch.device("cpu")).share(batch).tolist() for rank in range(3)]
    assert shares == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(ValueError, match="a batch of 6 cannot be divided among 4"):
        Team(0, 4, torch.device("cpu")).share(batch)
