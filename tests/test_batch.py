"""Many files: each is painted or its failure told, and nothing that is done is done again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from livestyle.batch import fingerprint
from livestyle.errors import SinkError
from livestyle.folder_lock import alone_in
from livestyle.sources import open_source
from tests.commands import posix
from tests.media import greys, make_video, sound_packets, video_seconds
from tests.pictures import scene

COMMAND = [sys.executable, "-m", "livestyle", "batch"]


def batch(*arguments: object, listed: str | None = None) -> "subprocess.CompletedProcess[str]":
    command = [*COMMAND, *map(str, arguments), "--strength", "0"]
    return subprocess.run(command, input=listed, capture_output=True, text=True, timeout=120, check=False)


def clips(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [make_video(folder / name, [scene(64, 48)] * 4, sound="aac") for name in names]


def report(folder: Path) -> dict[str, dict[str, object]]:
    rows = json.loads((folder / "livestyle-batch.json").read_text())["files"]
    return {Path(str(row["source"])).name: row for row in rows}


def test_a_fingerprint_follows_content_and_options(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"content")
    other.write_bytes(b"content")
    assert fingerprint(one, "mosaic") == fingerprint(other, "mosaic")
    assert fingerprint(one, "mosaic") != fingerprint(one, "udnie")
    other.write_bytes(b"contents")
    assert fingerprint(one, "mosaic") != fingerprint(other, "mosaic")


def test_one_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    clips(tmp_path / "in", "a.mp4", "b.mkv")
    (tmp_path / "in" / "broken.mp4").write_text("no video")
    cut = make_video(tmp_path / "in" / "cut.mkv", [scene(64, 48)] * 40, sound="aac")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    listed = f"{tmp_path / 'in'}\n{tmp_path / 'missing.mp4'}\n"
    done = batch("-", "-o", tmp_path / "out", "--jobs", 2, listed=listed)
    assert done.returncode == 1, done.stderr
    found = report(tmp_path / "out")
    assert {name: row["status"] for name, row in found.items()} == {
        "a.mp4": "painted",
        "b.mkv": "painted",
        "broken.mp4": "failed",
        "cut.mkv": "damaged",
        "missing.mp4": "failed",
    }
    assert "is it a video?" in str(found["broken.mp4"]["said"])
    assert "no such file" in str(found["missing.mp4"]["said"])
    assert "is cut short" in str(found["cut.mkv"]["said"])
    assert "3 of 5 files painted, 1 of them in part" in done.stdout
    for name in ("a.mp4", "b.mp4"):
        assert len(video_seconds(tmp_path / "out" / name)) == 4
        assert sound_packets(tmp_path / "out" / name)
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == ["a.mp4", "b.mp4", "cut.mp4", "livestyle-batch.json"]


def test_what_could_not_be_kept_is_told_once(tmp_path: Path) -> None:
    odd = make_video(tmp_path / "odd.mkv", [scene(95, 64)] * 4, codec="ffv1", sound="pcm_s16le")
    arguments = [odd, *clips(tmp_path / "in", "a.mp4"), "-o", tmp_path / "out", "--resume"]
    assert batch(*arguments).stderr.splitlines() == [
        f"{odd}: 95x64 is an odd size: the file is 96x64",
        f"stream 1 (audio) of {odd} is pcm_s16le sound, which does not play in mp4 files: "
        "it is encoded again, as aac",
    ]
    assert batch(*arguments).stderr == ""


def test_resume_skips_what_is_done_and_repeats_what_changed(tmp_path: Path) -> None:
    clips(tmp_path / "in", "a.mp4", "b.mp4")
    arguments = [tmp_path / "in", "-o", tmp_path / "out", "--resume"]
    assert batch(*arguments).returncode == 0
    times = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in ("a.mp4", "b.mp4")}
    make_video(tmp_path / "in" / "b.mp4", greys(6))
    done = batch(*arguments)
    assert done.returncode == 0, done.stdout
    assert {name: row["status"] for name, row in report(tmp_path / "out").items()} == {
        "a.mp4": "skipped",
        "b.mp4": "painted",
    }
    assert "2 of 2 files painted, 1 of them before\n" in done.stdout
    assert (tmp_path / "out" / "a.mp4").stat().st_mtime_ns == times["a.mp4"]
    assert len(video_seconds(tmp_path / "out" / "b.mp4")) == 6
    done = batch(*arguments, "--crf", 30)  # other options: both again
    assert [row["status"] for row in report(tmp_path / "out").values()] == ["painted", "painted"]


def test_resume_takes_no_other_kind_of_file_for_what_was_asked(tmp_path: Path) -> None:
    clips(tmp_path / "in", "a.mp4")
    out = tmp_path / "out"
    assert batch(tmp_path / "in", "-o", out, "--strength", 0).returncode == 0
    assert batch(tmp_path / "in", "-o", out, "--strength", 0, "--resume", "--format", "mkv").returncode == 0
    assert (out / "a.mkv").exists()
    (out / "a.mp4").unlink()
    assert batch(tmp_path / "in", "-o", out, "--strength", 0, "--resume").returncode == 0
    assert (out / "a.mp4").exists()


def test_what_is_skipped_has_the_name_that_it_was_painted_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips(tmp_path / "in", "a.mp4")
    monkeypatch.chdir(tmp_path)
    assert "  out/a.mp4\n" in batch("in", "-o", "out").stdout
    assert "  out/a.mp4\n" in batch("in", "-o", "out", "--resume").stdout


def test_without_resume_an_existing_file_is_kept(tmp_path: Path) -> None:
    clips(tmp_path / "in", "a.mp4")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.mp4").write_bytes(b"precious")
    done = batch(tmp_path / "in", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "it exists; choose another name, or add --overwrite" in done.stdout
    assert (tmp_path / "out" / "a.mp4").read_bytes() == b"precious"
    done = batch(
        tmp_path / "in", "-o", tmp_path / "out", "--resume"
    )  # a failure makes nothing livestyle's own
    assert done.returncode == 1
    assert (tmp_path / "out" / "a.mp4").read_bytes() == b"precious"


def test_a_folder_is_one_batch_s_at_a_time(tmp_path: Path) -> None:
    clips(tmp_path / "in", "a.mp4")
    out = tmp_path / "out"
    out.mkdir()
    with alone_in(out):
        done = batch(tmp_path / "in", "-o", out, "--resume")
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: another livestyle batch works in {out}: wait for it, or choose another folder\n"
    )
    assert list(out.iterdir()) == []
    assert batch(tmp_path / "in", "-o", out, "--resume").returncode == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.mp4", "livestyle-batch.json"]


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_batch_that_was_killed_holds_no_folder(tmp_path: Path) -> None:
    held = "import sys, time; from pathlib import Path; from livestyle.folder_lock import alone_in\n"
    held += "with alone_in(Path(sys.argv[1])): print(flush=True); time.sleep(60)"
    command = [sys.executable, "-c", held, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(SinkError, match="another livestyle batch"), alone_in(tmp_path):
            pass
        process.kill()
        process.wait()
        with alone_in(tmp_path):
            pass


def test_a_run_that_may_not_overwrite_forgets_nothing_of_the_one_before(tmp_path: Path) -> None:
    clips(tmp_path / "in", "a.mp4")
    arguments = [tmp_path / "in", "-o", tmp_path / "out"]
    codes = [
        batch(*arguments).returncode,
        batch(*arguments).returncode,
        batch(*arguments, "--resume").returncode,
    ]
    assert codes == [0, 1, 0]
    row = report(tmp_path / "out")["a.mp4"]
    assert (row["status"], row["said"]) == ("skipped", [])


def test_nothing_is_said_at_the_end_by_a_process_that_was_stopped(tmp_path: Path) -> None:
    """A signal that came while it ended by itself showed as a traceback, in half of the runs."""
    clips(tmp_path / "in", "a.mp4")
    for number in range(6):
        done = batch(tmp_path / "in", "-o", tmp_path / f"out{number}", "--strength", 0)
        assert done.returncode == 0
        assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
@pytest.mark.parametrize("asked", ["SIGTERM", "SIGKILL"])
def test_what_was_interrupted_goes_on_at_its_last_complete_segment(asked: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    picture = scene(160, 120)
    images = [np.roll(picture, 4 * i, axis=1) for i in range(40)] * 7 + [picture] * 20
    made = make_video(tmp_path / "in" / "a.mp4", images, rate=10, sound="aac", gop=10)  # 30 s
    whole = [tmp_path / "in", "--strength", "0", "--preset", "veryslow"]
    command = [*COMMAND, *map(str, whole), "-o", str(tmp_path / "out"), "--resume"]
    segments = tmp_path / "out" / ".a.mp4.segments"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (segments / "000000.mp4").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.Signals[asked])
        process.wait(60)
    assert process.returncode == (-9 if asked == "SIGKILL" else 128 + signal.Signals[asked])
    assert not (tmp_path / "out" / "a.mp4").exists()
    first = (segments / "000000.mp4").stat().st_mtime_ns
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    row = report(tmp_path / "out")["a.mp4"]
    assert row["status"] == "painted"
    assert row["frames"] == 300
    assert first
    assert not segments.exists()
    out = tmp_path / "out" / "a.mp4"
    assert video_seconds(out) == pytest.approx(video_seconds(made), abs=0.001)
    assert sound_packets(out) == sound_packets(made)
    source = open_source(out)
    for frame, image in zip(source, images, strict=True):
        assert np.abs(frame.image.astype(int) - image).mean() < 6
    assert source.faults == []
    source.close()


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_process_that_dies_fails_its_file_alone(tmp_path: Path) -> None:
    """As a decoder may, on a file made to break it."""
    from functools import partial

    from livestyle.batch import run_batch
    from livestyle.job import Job
    from livestyle.timeline import Timeline
    from livestyle.workers import Recipe

    a, b = clips(tmp_path / "in", "a.mp4", "b.mp4")
    out = tmp_path / "out"
    out.mkdir()
    recipe = Recipe(partial(die_once, str(tmp_path / "died")), Timeline.parse("mosaic"), "")
    jobs = [Job(path, out / path.name) for path in (a, b)]
    results = run_batch(jobs, recipe, out / "report.json")
    assert [result.status for result in results] == ["failed", "painted"]
    assert "the process that painted it died (exit code -9)" in results[0].said[0]


def die_once(mark: str) -> object:
    from livestyle.cli.file_options import make_file_painter

    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    painting = {"model": "small", "backend": "auto", "precision": "auto", "keep_colors": False}
    return make_file_painter("mosaic", strength=0, **painting)


def test_a_list_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (clip,) = clips(tmp_path / "in", "a.mp4")
    done = batch("-", "-o", tmp_path / "out", listed=f"\ufeff{clip}\n")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse names that are no text")
def test_a_list_may_hold_names_that_are_no_text(tmp_path: Path) -> None:
    (clip,) = clips(tmp_path / "in", "a.mp4")
    name = os.fsencode(clip.parent) + b"/caf\xe9.mp4"
    os.rename(clip, name)  # noqa: PTH104 - a name in bytes
    command = [*COMMAND, "-", "-o", str(tmp_path / "out"), "--strength", "0"]
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(
        command, input=name + b"\n", env=strict, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"1 of 1 files painted" in done.stdout
    assert os.path.exists(os.fsencode(tmp_path / "out") + b"/caf\xe9.mp4")  # noqa: PTH110


@posix
def test_a_pipe_is_refused_in_one_line_and_nothing_taken_from_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to("pipe.mp4")
    (good,) = clips(tmp_path / "in", "a.mp4")
    reader = os.open(tmp_path / "pipe.mp4", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe.mp4", os.O_WRONLY)
    os.write(writer, b"video")
    done = batch(tmp_path / "pipe.mp4", tmp_path / "link.mp4", good, "-o", tmp_path / "out")
    assert (done.returncode, done.stderr) == (1, "")
    assert "1 of 2 files painted" in done.stdout
    (said,) = report(tmp_path / "out")["pipe.mp4"]["said"]
    assert said.endswith("it is a pipe or a device, not a file; use livestyle video")
    assert os.read(reader, 9) == b"video"
    os.close(reader)
    os.close(writer)
