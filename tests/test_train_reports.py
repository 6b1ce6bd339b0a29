"""The commands that judge what was trained, on a loss network of random weights."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.quality import report
from tests.training import call, command_options, make_data, small_pictures
from train.__main__ import main
from train.compare import read_run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Pictures that take no time, and photos that are kept nowhere else."""
    with pytest.MonkeyPatch.context() as patch:
        small_pictures(patch)
        cache = tmp_path_factory.mktemp("cache")
        patch.setattr("platformdirs.user_cache_path", lambda *_, **__: cache)
        yield


@pytest.fixture(scope="module")
def runs(data: Path) -> tuple[Path, Path]:
    """A run of both styles, and one of the second alone that had more steps."""
    gallery = data / "gallery.toml"
    alone = data / "alone.toml"
    alone.write_text("[[style]]" + gallery.read_text().split("[[style]]")[2])
    both, single = data / "both", data / "single"
    for config, run, steps in ((gallery, both, "1"), (alone, single, "3")):
        call("fit", config, *command_options(data), "-o", run, "--batch", 1, "--steps", steps)
    return both / "checkpoint.pt", single / "checkpoint.pt"


def compared(data: Path, output: Path, *checkpoints: Path) -> dict[str, Any]:
    where = ("--title", "one against the other", "-o", output)
    call("compare", data / "gallery.toml", *checkpoints, *command_options(data), *where)
    result: dict[str, Any] = json.loads(output.read_text())
    return result


def test_a_network_is_as_good_as_itself(data: Path, runs: tuple[Path, Path], tmp_path: Path) -> None:
    result = compared(data, tmp_path / "compare_same.json", runs[0], runs[0])
    assert result["ratios"] == {"style": 1.0, "content": 1.0}
    assert "It was trained" not in report(tmp_path, tmp_path)


def test_a_run_is_called_as_its_folder_wherever_it_is_named_from(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs[0].parent)
    assert read_run(Path("checkpoint.pt")).name == "both"
    (tmp_path / "again").symlink_to(Path.cwd())
    assert read_run(tmp_path / "again" / "checkpoint.pt").name == "again"


def test_networks_are_compared_in_the_styles_that_they_share(
    data: Path, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    result = compared(data, tmp_path / "compare_both.json", *runs)
    both, single = result["runs"]
    assert set(both["styles"]) == {"a", "b"}
    assert set(single["styles"]) == {"b"}
    assert [run["training"][0]["steps"] for run in (both, single)] == [1, 3]
    for term in ("style", "content"):
        ratio = both["styles"]["b"][term] / single["styles"]["b"][term]
        assert result["ratios"][term] == pytest.approx(ratio)
    text = report(tmp_path, tmp_path)
    assert "## One against the other" in text
    cells = [f"{single['styles']['b'][term]:.3f}" for term in ("style", "content")]
    assert f"| single | 1 | small | 3 | b | {cells[0]} | {cells[1]} |" in text
    assert f"**{result['ratios']['style']:.2f} times**" in text
    assert "It was trained for 1 steps on 2 styles, the others for 3 steps on one style each." in text


def test_networks_without_a_common_style_are_refused_at_once(
    data: Path, runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.commands.compare.load_loss_network", pytest.fail)
    other = tmp_path / "other.toml"
    other.write_text((data / "gallery.toml").read_text().split("[[style]]")[1].join(["[[style]]", ""]))
    arguments = ["compare", str(other), *map(str, runs), *command_options(data), "--title", "t"]
    result = CliRunner().invoke(main, [*arguments, "-o", str(tmp_path / "out.json")])
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the checkpoints have no style of the gallery in common: compare others\n"
    )
    assert not (tmp_path / "out.json").exists()


def test_what_is_no_checkpoint_is_told_at_once(
    data: Path, runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch's own words fill a page, and advise to run whatever the file holds."""
    monkeypatch.setattr("train.commands.compare.load_loss_network", pytest.fail)
    where = ["--title", "t", "-o", str(tmp_path / "out.json")]
    words = [str(data / "gallery.toml"), str(runs[0]), str(data / "a.png")]
    result = CliRunner().invoke(main, ["compare", *words, *command_options(data), *where])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"Error: {data / 'a.png'} is not a checkpoint of train fit: name the checkpoint.pt of a run"
    ]


def test_throughput_tells_the_share_of_the_loss_network(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "training.json"
    steps = ("--steps", 3, "--batch", 1)
    call("throughput", data / "gallery.toml", *command_options(data), *steps, "-o", output)
    found = json.loads(output.read_text())
    rates = found["photos_per_second"]
    assert set(rates) == {"loader", "painter", "plain", "with_stability"}
    assert rates["plain"] < rates["painter"]
    assert found["loss_network_share"] == pytest.approx(1 - rates["plain"] / rates["painter"])
    text = report(tmp_path, tmp_path)
    assert f"| small | {rates['plain']:.1f} |" in text
    assert f"{found['command']}`.\n" in text
    (tmp_path / "training_other.json").write_text(json.dumps(found | {"size": "large"}))
    assert f"{found['command']}`, and the same for large.\n" in report(tmp_path, tmp_path)
