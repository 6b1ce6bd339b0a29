"""Processes that paint files: what they have made is known, however they or the batch end."""

import errno
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from livestyle.backends.untouched import UntouchedEngine
from livestyle.batch import run_batch
from livestyle.errors import EngineError
from livestyle.frame import Image
from livestyle.job import Job
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from livestyle.timeline import Timeline
from livestyle.workers import Recipe, Result, Worker, workers
from tests.media import greys, make_video, video_seconds

MIX = StyleMix.parse("mosaic")
RECIPE = Recipe(partial(Painter, UntouchedEngine(), MIX, 0.0), Timeline.parse("mosaic"), "")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def result_of(worker: Worker, job: Job) -> Result:
    assert worker.begin(job)
    while not isinstance(said := worker.receive(), Result):
        pass
    return said


def statuses(report: Path) -> list[str]:
    return [row["status"] for row in json.loads(report.read_text())["files"]]


def test_what_is_painted_when_a_batch_is_stopped_is_in_the_report(tmp_path: Path) -> None:
    jobs = [Job(make_video(tmp_path / f"{i}.mkv", greys(4)), tmp_path / f"{i}.mp4") for i in range(2)]
    report = tmp_path / "report.json"

    def stop_when_both_are_there(_: Result) -> None:
        deadline = time.monotonic() + 60
        while not all(job.target.exists() for job in jobs) and time.monotonic() < deadline:
            time.sleep(0.02)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(jobs, RECIPE, report, at_once=2, on_result=stop_when_both_are_there)
    assert statuses(report) == ["painted", "painted"]
    run_batch(jobs, RECIPE, report, resume=True)
    assert statuses(report) == ["skipped", "skipped"]


def test_half_a_file_does_not_take_the_place_of_a_whole_one(tmp_path: Path) -> None:
    """AVI is made in one piece: nothing of it stays."""
    source = make_video(tmp_path / "in.mkv", greys(1, 320, 240) * 900)
    job, report = Job(source, tmp_path / "out.avi"), tmp_path / "report.json"
    with pytest.raises(KeyboardInterrupt):
        run_batch([job], RECIPE, report, on_progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "report.json"]
    (result,) = run_batch([job], RECIPE, report, resume=True)
    assert result.status == "painted"
    assert len(video_seconds(job.target)) == 900


def test_a_process_that_died_without_a_job_is_replaced(tmp_path: Path) -> None:
    job = Job(make_video(tmp_path / "in.mkv", greys(4)), tmp_path / "out.mp4")
    with workers(RECIPE, 1, lambda _: None) as (worker,):
        process = worker._process
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert result_of(worker, job).status == "painted"


def test_processes_that_die_as_they_start_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = Worker._start

    def die(worker: Worker) -> None:
        start(worker)
        worker._process.kill()
        worker._process.join()

    monkeypatch.setattr(Worker, "_start", die)
    jobs = [Job(make_video(tmp_path / f"{i}.mkv", greys(4)), tmp_path / f"{i}.mp4") for i in range(2)]
    results = run_batch(jobs, RECIPE, tmp_path / "report.json")
    assert [(result.status, "died" in result.said[0]) for result in results] == [("failed", True)] * 2


def test_a_process_that_starts_does_not_mind_ctrl_c(tmp_path: Path) -> None:
    """It reaches all processes of a terminal; which of them stop is the first one's to say."""
    job = Job(make_video(tmp_path / "in.mkv", greys(4)), tmp_path / "out.mp4")
    with workers(RECIPE, 1, lambda _: None) as (worker,):
        assert worker._process.pid is not None
        os.kill(worker._process.pid, signal.SIGINT)
        assert result_of(worker, job).status == "painted"


def test_what_each_segment_says_is_told_once(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mkv", greys(25, 63, 47), rate=1, codec="ffv1", pix_fmt="bgr0")
    report = tmp_path / "report.json"
    run_batch([Job(made, tmp_path / "out.mp4")], RECIPE, report)
    (row,) = json.loads(report.read_text())["files"]
    assert row["notices"] == ["63x47 is an odd size: the file is 64x48"]


def fail() -> Painter:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_error_that_is_no_end_of_the_connection_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job = Job(make_video(tmp_path / "in.mkv", greys(4)), tmp_path / "out.mp4")
    with workers(replace(RECIPE, make_painter=fail), 1, lambda _: None) as (worker,):
        assert result_of(worker, job).said == ["the process that painted it died (exit code 1)"]
    assert "No space left on device" in capfd.readouterr().err


class FragileEngine(UntouchedEngine):
    """Like one on a GPU, which a frame 64 wide loses, for good to this process."""

    lost = False

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        FragileEngine.lost |= image.shape[1] == 64
        if FragileEngine.lost:
            raise EngineError("the GPU cannot paint: an illegal memory access was encountered")
        return super().start(image, style)


FRAGILE = replace(RECIPE, make_painter=partial(Painter, FragileEngine(), MIX))


def test_an_engine_that_fails_costs_no_other_file(tmp_path: Path) -> None:
    jobs = [
        Job(make_video(tmp_path / f"{i}.mkv", greys(4, width, 48)), tmp_path / f"{i}.mp4")
        for i, width in enumerate((48, 64, 48, 48))
    ]
    results = run_batch(jobs, FRAGILE, tmp_path / "report.json")
    assert [result.status for result in results] == ["painted", "failed", "painted", "painted"]
    assert results[1].said == ["the GPU cannot paint: an illegal memory access was encountered"]


def test_the_result_of_a_process_that_ends_is_kept_when_a_batch_is_stopped(tmp_path: Path) -> None:
    job = Job(make_video(tmp_path / "in.mkv", greys(4, 64, 48)), tmp_path / "out.mp4")
    kept: list[Result] = []
    with workers(FRAGILE, 1, kept.append) as (worker,):
        worker.begin(job)
        assert worker.connection.poll(60)
    assert [result.said for result in kept] == [
        ["the GPU cannot paint: an illegal memory access was encountered"]
    ]


def no_engine() -> Painter:
    raise EngineError("there is no such backend here")


def test_an_engine_that_cannot_be_made_costs_no_process(tmp_path: Path) -> None:
    job = Job(make_video(tmp_path / "in.mkv", greys(4)), tmp_path / "out.mp4")
    with workers(replace(RECIPE, make_painter=no_engine), 1, lambda _: None) as (worker,):
        process = worker._process
        for _ in range(2):
            assert result_of(worker, job).said == ["there is no such backend here"]
        assert worker._process is process
