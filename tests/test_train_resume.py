"""A run that goes on: with the settings that it was begun with, and with the record of all that was done."""

import errno
import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from livestyle.errors import LivestyleError, SinkError, StyleError
from livestyle.sinks.picture import write_picture
from tests.pictures import scene
from tests.training import TINY, command_options, loss_network, make_data, run_fit
from train.__main__ import main
from train.checkpoint import Checkpoint
from train.commands.stopping import between_steps
from train.config import FitConfig, describe_resumed, read_record
from train.export import export
from train.loss_network import LossNetwork
from train.losses import LossConfig
from train.start import read_start

SHORT = replace(TINY, steps=2)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> LossNetwork:
    return loss_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def done(network: LossNetwork, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps that is done."""
    run = tmp_path_factory.mktemp("done")
    run_fit(network, data, run, SHORT)
    return run


@pytest.fixture
def run(done: Path, tmp_path: Path) -> Path:
    """A copy of it, for the test to change."""
    return Path(shutil.copytree(done, tmp_path / "run"))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(SHORT, learning_rate=0.5), "learning_rate 0.002, not 0.5"),
        (replace(SHORT, steps=4), "steps 2, not 4"),
        (replace(SHORT, size="large"), "size small, not large"),
        (
            replace(SHORT, loss=replace(SHORT.loss, weights=SHORT.loss.weights | {"style": 3.0})),
            "loss weights style 10.0, not 3.0",
        ),
    ],
)
def test_other_settings_are_refused_by_name_and_leave_the_record(
    other: FitConfig, told: str, network: LossNetwork, data: Path, run: Path
) -> None:
    before = (run / "config.json").read_bytes()
    with pytest.raises(StyleError, match=f"was begun with {told}: give the same again") as caught:
        run_fit(network, data, run, other)
    assert len(str(caught.value).splitlines()) == 1
    assert (run / "config.json").read_bytes() == before


def test_another_crop_of_a_style_is_refused(
    network: LossNetwork, data: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = (data / "gallery.toml").read_text()
    (data / "gallery.toml").write_text(gallery + "crop = [0, 0, 1, 0.5]\n")
    try:
        with pytest.raises(StyleError, match=r"begun with b crop \[0.0, 0.0, 1.0, 1.0\], not \[0"):
            run_fit(network, data, run, SHORT)
    finally:
        (data / "gallery.toml").write_text(gallery)


def test_other_photos_are_refused_and_the_same_elsewhere_are_not(
    network: LossNetwork, data: Path, run: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(data, tmp_path / "moved"))
    assert run_fit(network, moved, run, SHORT).step == 2
    write_picture(moved / "photos" / "3.png", scene(72, 80))
    with pytest.raises(StyleError, match=r"run was begun with other photos than these 3: give the same"):
        run_fit(network, moved, run, SHORT)
    record = json.loads((run / "config.json").read_text())
    del record["photos"]  # as of a run that an older version began
    (run / "config.json").write_text(json.dumps(record))
    assert run_fit(network, moved, run, SHORT).step == 2


def test_a_run_that_is_done_keeps_its_record(network: LossNetwork, data: Path, run: Path) -> None:
    before = (run / "config.json").stat().st_mtime_ns
    assert run_fit(network, data, run, SHORT).step == 2
    assert (run / "config.json").stat().st_mtime_ns == before


def test_a_resumed_run_keeps_the_stage_that_it_started_from(
    network: LossNetwork, data: Path, run: Path, tmp_path: Path
) -> None:
    def stop(step: int, _: dict[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    second = tmp_path / "second"
    with pytest.raises(KeyboardInterrupt):
        run_fit(network, data, second, start_from=run / "checkpoint.pt", on_step=stop)
    run_fit(network, data, second)
    stages = read_record(second / "checkpoint.pt")["training"]
    assert [stage["steps"] for stage in stages] == [2, 4]


@pytest.mark.parametrize(("half", "apart"), [(False, 1e-6), (True, 1e-3)])
def test_exported_weights_start_a_run_like_the_checkpoint_they_are_of(
    network: LossNetwork, data: Path, run: Path, tmp_path: Path, half: bool, apart: float
) -> None:
    weights = export(run / "checkpoint.pt", tmp_path, half=half)
    kept, unfolded = Checkpoint.load(run / "checkpoint.pt"), read_start(weights)
    assert (unfolded.size, unfolded.styles) == (kept.size, kept.styles)
    assert unfolded.averaged.keys() == kept.averaged.keys()
    for name, value in kept.averaged.items():
        torch.testing.assert_close(unfolded.averaged[name], value, rtol=0, atol=apart, msg=name)
    second = tmp_path / "second"
    run_fit(network, data, second, start_from=weights)
    assert [stage["steps"] for stage in read_record(second / "checkpoint.pt")["training"]] == [2, 4]


def test_weights_that_no_manifest_names_start_no_run(run: Path, tmp_path: Path) -> None:
    weights = export(run / "checkpoint.pt", tmp_path)
    with pytest.raises(StyleError, match=r"no manifest\.json beside .* names it: choose"):
        read_start(weights.rename(tmp_path / "other.safetensors"))
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(StyleError, match=r"no manifest\.json beside .* names it: choose"):
        read_start(tmp_path / "other.safetensors")


def test_a_run_begun_without_start_from_does_not_take_one_later(
    network: LossNetwork, data: Path, run: Path
) -> None:
    with pytest.raises(StyleError, match="was begun without --start-from"):
        run_fit(network, data, run, SHORT, start_from=run / "checkpoint.pt")


def test_an_interrupted_run_keeps_every_step_and_ends_like_one_that_never_stopped(
    network: LossNetwork, data: Path, tmp_path: Path
) -> None:
    def interrupt(step: int, _: dict[str, float]) -> None:
        if step == 3:
            signal.raise_signal(signal.SIGINT)

    whole = run_fit(network, data, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt), between_steps(interrupt) as on_step:
        run_fit(network, data, tmp_path / "parts", on_step=on_step)
    assert Checkpoint.load(tmp_path / "parts" / "checkpoint.pt").step == 3
    parts = run_fit(network, data, tmp_path / "parts")
    assert all(torch.equal(parts.averaged[name], value) for name, value in whole.averaged.items())


def test_an_interrupted_command_ends_with_one_line(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("train.commands.fit.fit", stop)
    where = [str(data / "gallery.toml"), *command_options(data), "-o", str(tmp_path / "run")]
    result = CliRunner().invoke(main, ["fit", *where])
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "stopped: the same command goes on from the last checkpoint"


def test_a_loss_that_is_not_finite_ends_the_run_and_the_last_checkpoint_stays(
    network: LossNetwork, data: Path, run: Path
) -> None:
    for path in (run / "checkpoint.pt", run / "config.json"):
        change(path, steps=4)
    before = (run / "checkpoint.pt").read_bytes()
    for layer in (spoilt := loss_network(run)).parameters():
        layer.data.fill_(torch.nan)
    with pytest.raises(LivestyleError, match=r"^step 3: content is nan: lower the learning rate"):
        run_fit(spoilt, data, run)
    assert (run / "checkpoint.pt").read_bytes() == before


def change(path: Path, **facts: Any) -> None:
    """Makes a run of two steps one that is to have more."""
    if path.suffix == ".json":
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"config": record["config"] | facts}))
    else:
        state = torch.load(path)
        torch.save(state | {"schedule": state["schedule"] | {"total_steps": facts["steps"]}}, path)


@pytest.mark.parametrize(
    "record",
    ["[]", "{}", '{"training": [], "config": {"batch": 1}, "styles": [{"name": "a"}]}', '{"training": 3}'],
)
def test_a_broken_record_is_one_clear_line(record: str, run: Path, tmp_path: Path) -> None:
    (run / "config.json").write_text(record)
    with pytest.raises(StyleError, match="is not the whole record of a run"):
        export(run / "checkpoint.pt", tmp_path)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"size": "huge"}, "is of a network 'huge' that is not known here"),
        ({"averaged": {}}, "is not a checkpoint of train fit"),
        ({"averaged": {"affine": torch.zeros(2, 7)}}, "is of another network"),
        ({"size": "large"}, "is of another network, of size large"),
        ({"styles": ["a", "c"]}, "is of another run"),
    ],
)
def test_a_checkpoint_of_something_else_is_one_clear_line(
    facts: dict[str, Any], told: str, run: Path, tmp_path: Path
) -> None:
    path = run / "checkpoint.pt"
    torch.save(torch.load(path) | facts, path)
    result = CliRunner().invoke(main, ["export", str(path), "-o", str(tmp_path)])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert told in result.stderr
    assert not (tmp_path / "manifest.json").exists()


def test_a_network_of_another_size_starts_no_run(network: LossNetwork, data: Path, run: Path) -> None:
    with pytest.raises(StyleError, match="is of another network, of size small"):
        run_fit(
            network,
            data,
            run.parent / "large",
            replace(SHORT, size="large"),
            start_from=run / "checkpoint.pt",
        )


def test_a_term_that_counts_nothing_is_not_computed(network: LossNetwork, data: Path, tmp_path: Path) -> None:
    weights = LossConfig().weights | {"stability": 0.0}
    run_fit(network, data, tmp_path / "run", replace(SHORT, loss=replace(SHORT.loss, weights=weights)))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert all("stability" not in row for row in rows)


def fill(path: Path, content: bytes) -> int:
    """What Path.write_bytes does on a disk that is full."""
    with path.open("wb") as file:
        file.write(content[:10])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_export_that_cannot_be_finished_leaves_the_weights_as_they_were(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(run / "checkpoint.pt", tmp_path)
    kept = {name: (tmp_path / name).read_bytes() for name in ("small.safetensors", "manifest.json")}
    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(SinkError, match=r"cannot write .*small\.safetensors: no space left"):
        export(run / "checkpoint.pt", tmp_path, half=True)
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
    assert not list(tmp_path.glob(".*.part"))


def test_weights_that_are_there_are_replaced_only_when_told_to(run: Path, tmp_path: Path) -> None:
    words = ["export", str(run / "checkpoint.pt"), "-o", str(tmp_path)]
    assert CliRunner().invoke(main, words).exit_code == 0
    path = tmp_path / "small.safetensors"
    kept = {name: (tmp_path / name).read_bytes() for name in (path.name, "manifest.json")}
    result = CliRunner().invoke(main, [*words, "--half"])
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {path} exists: add --overwrite to replace it, or choose another folder with -o\n"
    )
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
    assert CliRunner().invoke(main, [*words, "--half", "--overwrite"]).exit_code == 0
    assert path.stat().st_size < len(kept[path.name])


def test_a_run_on_a_full_disk_keeps_what_there_was(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    checkpoint = Checkpoint.load(run / "checkpoint.pt")
    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(SinkError, match=r"^cannot write .*checkpoint\.pt: no space left on device; choose"):
        checkpoint.save(run / "checkpoint.pt")
    with pytest.raises(SinkError, match=r"^cannot write .*config\.json: no space left on device; choose"):
        describe_resumed(run)
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == kept
