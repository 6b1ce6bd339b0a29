"""A batch of `tests.fuzz`, small enough for every run of the tests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="forks and watches processes as Linux does")
def test_damaged_clips_end_in_time_in_words_and_in_bounds() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--count", "120", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert sum(result["ended"].values()) == 120
    assert len(result["ended"]) == 2  # some were painted, some refused
    assert result["wrong"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="forks and watches processes as Linux does")
@pytest.mark.parametrize(
    ("status", "said", "peak", "left", "verdict"),
    [
        (1, "Error: cannot read it\n", 100, [], ""),
        (0, "", 100, [], "no output"),
        (1, "", 100, [], "0 lines of error"),
        (1, "Error: a\nError: b\n", 100, [], "2 lines of error"),
        (1, "Traceback (most recent call last)\n", 100, [], "a traceback"),
        (-11, "", 100, [], "exit code -11"),
        (None, "", 100, [], "still running after 30 s"),
        (1, "Error: cannot read it\n", 900, [], "900 MiB"),
        (1, "Error: cannot read it\n", 100, [".out.mp4.0.part"], "left ['.out.mp4.0.part']"),
    ],
)
def test_the_judge_sees_what_went_wrong(
    status: int | None, said: str, peak: float, left: list[str], verdict: str, tmp_path: Path
) -> None:
    from tests.fuzz import Ended, judge

    for name in left:
        (tmp_path / name).touch()
    assert judge(Ended(status, said, peak, 0.1), tmp_path, 200) == verdict
