"""A batch of `tests.fuzz`, small enough for every run of the tests."""

import json
import subprocess
import sys

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
