"""Being told to stop at an awkward moment."""

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import openvino
import pytest

from benchmarks.peers.networks import FritzSmallNet
from benchmarks.peers.runtimes import RUNTIMES
from livestyle.bench import machine
from livestyle.cli.stopping import unstoppable
from tests.commands import call


@pytest.fixture
def heeded() -> Iterator[list[int]]:
    """The signals that reached who was there before; without a handler SIGTERM would end the tests."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = signal.signal(signal.SIGTERM, note)
    yield came
    signal.signal(signal.SIGTERM, before)


def test_what_must_not_be_interrupted_ends_first(heeded: list[int]) -> None:
    with unstoppable():
        signal.raise_signal(signal.SIGTERM)
        assert heeded == []
    assert heeded == [signal.SIGTERM]
    done = False
    with pytest.raises(KeyboardInterrupt), unstoppable():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done


def test_an_error_of_its_own_is_not_hidden_and_ctrl_c_works_again() -> None:
    with pytest.raises(ValueError, match="broken"), unstoppable():
        raise ValueError("broken")
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_network_is_converted_whole_before_ctrl_c_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    convert, converted = openvino.convert_model, []

    def interrupted(*arguments: Any, **named: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        converted.append(convert(*arguments, **named))
        return converted[0]

    monkeypatch.setattr(openvino, "convert_model", interrupted)
    with pytest.raises(KeyboardInterrupt):
        RUNTIMES["OpenVINO"](FritzSmallNet(), (64, 48))
    assert converted


def test_a_bench_that_is_ended_at_once_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heeded: list[int]
) -> None:
    def ended() -> dict[str, str]:
        assert list(tmp_path.iterdir())  # the file is there, under a name of its own
        signal.raise_signal(signal.SIGTERM)
        return machine()

    monkeypatch.setattr("livestyle.bench.machine", ended)
    result = call("bench", "--json", tmp_path / "a.json", "--size", "64x48", "--frames", 3)
    assert (result.exit_code, result.stderr) == (128 + signal.SIGTERM, "stopped: nothing was written\n")
    assert heeded == []
    assert not list(tmp_path.iterdir())
