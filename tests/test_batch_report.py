"""What a batch remembers of earlier ones, so that no painting of another file is replaced."""

import json
from pathlib import Path

import pytest

from tests.media import greys, make_video, video_seconds
from tests.test_batch import batch, clips


def rows(out: Path) -> list[tuple[str, str, str]]:
    found = json.loads((out / "livestyle-batch.json").read_text())["files"]
    return [(Path(r["source"]).parent.name, Path(r["target"]).name, r["status"]) for r in found]


def test_resume_keeps_what_is_painted_from_another_file_of_that_name(tmp_path: Path) -> None:
    x, y, out = tmp_path / "x", tmp_path / "y", tmp_path / "out"
    clips(x, "holiday.mp4")
    y.mkdir()
    make_video(y / "holiday.mp4", greys(7))
    assert batch(x, "-o", out).returncode == 0
    done = batch(y, "-o", out, "--resume")
    assert done.returncode == 1
    assert f"it is painted from {x / 'holiday.mp4'}; choose another folder, or add --overwrite" in done.stdout
    assert len(video_seconds(out / "holiday.mp4")) == 4
    assert rows(out) == [("x", "holiday.mp4", "painted"), ("y", "holiday.mp4", "failed")]
    make_video(x / "holiday.mp4", greys(5))  # its own is replaced all the same
    assert batch(x, "-o", out, "--resume").returncode == 0
    assert len(video_seconds(out / "holiday.mp4")) == 5
    assert batch(y, "-o", out, "--resume", "--overwrite").returncode == 0
    assert rows(out) == [("y", "holiday.mp4", "painted")]


def test_a_run_without_resume_forgets_no_earlier_one(tmp_path: Path) -> None:
    (a,), (b,), out = clips(tmp_path / "x", "a.mp4"), clips(tmp_path / "y", "b.mp4"), tmp_path / "out"
    codes = [batch(a, "-o", out).returncode, batch(b, "-o", out).returncode]
    codes.append(batch(a, b, "-o", out, "--resume").returncode)
    assert codes == [0, 0, 0]
    assert rows(out) == [("x", "a.mp4", "skipped"), ("y", "b.mp4", "skipped")]
    (out / "a.mp4").unlink()
    assert batch(b, "-o", out, "--resume").returncode == 0
    assert rows(out) == [("y", "b.mp4", "skipped")]


@pytest.mark.parametrize("name", ["in/a.mp4", "out/a.mp4", "notes.json", "notes.txt", "in", "nowhere/report"])
def test_a_report_replaces_nothing_but_a_report(name: str, tmp_path: Path) -> None:
    """It is told before anything is painted."""
    (source,) = clips(tmp_path / "in", "a.mp4")
    before = source.read_bytes()
    (tmp_path / "notes.json").write_text('{"precious": 1}')
    (tmp_path / "notes.txt").write_text("precious")
    done = batch(source, "-o", tmp_path / "out", "--report", tmp_path / name)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: cannot write ")
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []
    assert source.read_bytes() == before
    assert "precious" in (tmp_path / "notes.json").read_text()
    assert "precious" in (tmp_path / "notes.txt").read_text()


def test_resume_knows_what_is_painted_by_another_name(tmp_path: Path) -> None:
    """Two files of one name are called after their folders; one of them alone would not be."""
    (a,), (b,), out = clips(tmp_path / "a", "x.mp4"), clips(tmp_path / "b", "x.mp4"), tmp_path / "out"
    assert batch(a, b, "-o", out).returncode == 0
    for alone, name in ((b, "b-x.mp4"), (a, "a-x.mp4")):
        done = batch(alone, "-o", out, "--resume")
        assert (done.returncode, name in done.stdout, "skipped" in done.stdout) == (0, True, True)
    assert sorted(path.name for path in out.glob("*.mp4")) == ["a-x.mp4", "b-x.mp4"]


def test_resume_keeps_a_painting_that_was_changed_by_others(tmp_path: Path) -> None:
    (clip,), out = clips(tmp_path / "in", "a.mp4"), tmp_path / "out"
    assert batch(clip, "-o", out).returncode == 0
    (out / "a.mp4").write_bytes(b"precious")
    assert batch(clip, "-o", out, "--resume").returncode == 0
    done = batch(clip, "-o", out, "--resume", "--crf", 30)
    assert done.returncode == 1
    assert "it was changed since it was painted; choose another folder, or add --overwrite" in done.stdout
    assert (out / "a.mp4").read_bytes() == b"precious"
    assert batch(clip, "-o", out, "--resume", "--crf", 30, "--overwrite").returncode == 0
    assert batch(clip, "-o", out, "--resume", "--crf", 31).returncode == 0  # its own once more


def test_a_painting_that_nobody_can_look_at_any_more_is_forgotten(tmp_path: Path) -> None:
    (clip,), out = clips(tmp_path / "in", "a.mp4"), tmp_path / "out"
    assert batch(clip, "-o", out).returncode == 0
    report = out / "livestyle-batch.json"
    report.write_text(report.read_text().replace("a.mp4", f"{'a' * 300}.mp4"))
    done = batch(clip, "-o", out, "--resume", "--overwrite")
    assert done.returncode == 0, done.stderr
    assert rows(out) == [("in", "a.mp4", "painted")]
