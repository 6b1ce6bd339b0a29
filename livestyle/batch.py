"""Many files painted, several at a time, each by a process of its own that cannot take the others down."""

from __future__ import annotations

import hashlib
import stat
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path

from livestyle import __version__
from livestyle.batch_report import BatchReport, absolute, state_of
from livestyle.errors import LivestyleError, SinkError, SourceError, reason_of
from livestyle.job import Job
from livestyle.workers import Progress, Recipe, Result, Worker, workers


def fingerprint(source: Path, options: str) -> str:
    """What an output follows from: the content of its input, the options and the version.

    Raises SourceError, also for a pipe: what it brings would be gone.
    """
    digest = hashlib.blake2b(f"{__version__}\n{options}\n".encode(), digest_size=16)
    try:
        if not stat.S_ISREG(source.stat().st_mode) and not source.is_dir():
            raise SourceError(
                f"cannot open {source}: it is a pipe or a device, not a file; use livestyle video"
            )
        with source.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise SourceError(f"cannot open {source}: {reason_of(error)}; check the name") from error
    return digest.hexdigest()


def run_batch(
    jobs: Sequence[Job],
    recipe: Recipe,
    report: Path,
    *,
    at_once: int = 1,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_result: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Paint all files, `at_once` at a time; one that fails does not stop the others.

    `report` is a JSON file of the results, written after each. With `resume`, what it says was painted from
    the same content with the same options is skipped, and what was interrupted goes on at its last complete
    segment. On KeyboardInterrupt the processes stop, and what they have completed stays.
    """
    kept = BatchReport(report, [path for job in jobs for path in (job.source, job.target)])
    results: list[Result] = []

    def finish(result: Result) -> None:
        kept.add(result)
        results.append(result)
        on_result(result)

    waiting = deque(jobs)
    next_job = partial(_next, waiting, recipe, kept if resume else None, finish)
    try:
        with workers(recipe, min(at_once, len(jobs)), finish) as idle:
            _share_out(next_job, idle, on_progress, finish)
    except KeyboardInterrupt:
        kept.write()  # it may have come while that was done
        raise
    return results


def _share_out(
    next_job: Callable[[], Job | None],
    idle: list[Worker],
    on_progress: Callable[[Progress], None],
    finish: Callable[[Result], None],
) -> None:
    """Give each worker a job, and the next when it is done, until there are none."""
    busy = [worker for worker in idle if worker.begin(next_job())]
    while busy:
        ready = wait([worker.connection for worker in busy])
        for worker in [w for w in busy if w.connection in ready]:
            message = worker.receive()
            if isinstance(message, Progress):
                on_progress(message)
                continue
            finish(message)
            if not worker.begin(next_job()):
                busy.remove(worker)


def _next(
    waiting: deque[Job], recipe: Recipe, before: BatchReport | None, finish: Callable[[Result], None]
) -> Job | None:
    """The first job that there is something to do for; None where there is none."""
    while waiting:
        job = waiting.popleft()
        names = str(job.source), str(job.target)
        try:
            how = f"{recipe.options} {job.encoding} {job.fps} {job.steady} {job.target.suffix}"
            mark = fingerprint(job.source, how)
            known = before.maker(job.target) if before else None
            if before and (done := _done(job, mark, known, before)):
                finish(done)
                continue
            return replace(job, fingerprint=mark, overwrite=job.overwrite or _is_ours(job, known))
        except LivestyleError as error:
            finish(Result(*names, "failed", said=[str(error)]))
    return None


def _done(job: Job, mark: str, known: Result | None, before: BatchReport) -> Result | None:
    """What an earlier run made of the same, as skipped; by another name, if others were painted with it."""
    if known and known.fingerprint == mark:
        done, target = known, job.target
    elif found := before.painting(job.source, mark, job.target.parent):
        done, target = found, job.target.with_name(Path(found.target).name)
    else:
        return None
    said = [] if done.status == "failed" else done.said
    return replace(done, source=str(job.source), target=str(target), status="skipped", said=said)


def _is_ours(job: Job, known: Result | None) -> bool:
    """Whether an earlier run made what is there from the same file. Raises SinkError: from another one."""
    if known and known.source != absolute(job.source) and not job.overwrite:
        raise SinkError(
            f"cannot write {job.target}: it is painted from {known.source}; choose another folder, "
            "or add --overwrite"
        )
    if known and known.state not in ("", state_of(job.target)) and not job.overwrite:
        raise SinkError(
            f"cannot write {job.target}: it was changed since it was painted; choose another folder, "
            "or add --overwrite"
        )
    return known is not None
