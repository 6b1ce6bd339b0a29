import errno
import json
from io import StringIO
from pathlib import Path

import pytest

from livestyle.errors import LivestyleError, SinkError
from train.metrics import Metrics, Watch, check_finite

GOOD = {"content": 1.0, "style": 0.2, "saturated": 0.05}


def watch(*phases: dict[str, float], window: int = 10) -> list[str]:
    """The warnings of a run whose halves have these values."""
    seen, watcher = [], Watch(2 * window, window)
    for i in range(2 * window):
        values = GOOD | phases[i * len(phases) // (2 * window)]
        seen += list(watcher.warnings(i + 1, values))
    return seen


def test_a_good_run_is_not_interrupted() -> None:
    assert watch({"style": 0.4}, {"style": 0.2}) == []


def test_rising_content_is_noticed() -> None:
    (warning,) = watch({"content": 1.0}, {"content": 1.5})
    assert warning == "step 20: the content loss rises (1.00 to 1.50): the style weight is probably too high"


def test_a_stuck_style_is_noticed() -> None:
    (warning,) = watch({"style": 0.5}, {"style": 0.5})
    assert "the style loss is stuck at 0.50" in warning


def test_saturated_output_is_noticed() -> None:
    (warning,) = watch({}, {"saturated": 0.4})
    assert "40% of the output is black or white: the style weight is probably too high" in warning


def test_a_warning_comes_once() -> None:
    watcher = Watch(100, 5)
    warnings = [w for i in range(100) for w in watcher.warnings(i + 1, GOOD | {"saturated": 0.9})]
    assert len(warnings) == 1


def test_a_resumed_run_forgets_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    first = Metrics(path, 0)
    for step in (1, 2, 3):
        first.add(step, {"total": step}, [0])
    first.close()
    second = Metrics(path, 2)
    second.add(3, {"total": 30.0}, [1])
    second.close()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["step"], row["total"]) for row in rows] == [(1, 1), (2, 2), (3, 30)]


def test_only_the_leader_writes(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl", 0, writes=False)
    metrics.add(1, {"total": 1.0}, [0])
    metrics.close()
    assert list(tmp_path.iterdir()) == []


def test_a_last_line_that_is_half_written_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "total": 1.0}\n{"step": 2, "tot')
    metrics = Metrics(path, 2)
    metrics.add(3, {"total": 3.0}, [0])
    metrics.close()
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 3]


def test_a_line_in_the_middle_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"st\n{"step": 3}\n')
    with pytest.raises(LivestyleError, match=r"line 2 of .* is damaged"):
        Metrics(path, 3)
    assert path.read_text().startswith('{"step": 1}\n{"st\n')


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_told_by_its_term(value: float) -> None:
    with pytest.raises(LivestyleError, match=f"step 7: style is {value}"):
        check_finite(7, GOOD | {"style": value})


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full(StringIO):
        write = full

    path, told = tmp_path / "metrics.jsonl", "^cannot write .*{}: no space left on device; make room"
    metrics = Metrics(path, 0, writes=False)
    monkeypatch.setattr("train.metrics.plot_losses", full)
    with pytest.raises(SinkError, match=told.format("loss.png")):
        metrics.plot(tmp_path / "loss.png", ["total"])
    monkeypatch.setattr(metrics, "_file", Full())
    with pytest.raises(SinkError, match=told.format("metrics.jsonl")):
        metrics.add(1, {"total": 1.0}, [0])
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SinkError, match=r"^cannot write .*metrics\.jsonl: no space left on device"):
        Metrics(path, 0)
