"""Damaged clips by the thousand: python -m tests.fuzz --count 2000

Each run of `livestyle video` on one of them must end in time, with exit code 0 or 1, without a traceback, in
bounded memory, and leave either nothing or a file that plays. The runs are forks of one process that has all
libraries loaded, so that each takes a few hundredths of a second.
"""

import json
import os
import random
import resource
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import click
import cv2

os.environ["SVT_LOG"] = "1"  # errors alone

from livestyle.cli import main as livestyle
from livestyle.sources import open_source
from tests.media import make_video
from tests.pictures import scene

CLIPS = {
    "a.mp4": "libx264",
    "b.mkv": "libx264",
    "c.mov": "mpeg4",
    "d.webm": "libvpx-vp9",
    "e.avi": "mpeg4",
    "f.ts": "mpeg2video",
    "g.gif": "gif",
    "h.mkv": "libx265",
    "i.mp4": "libsvtav1",
    "j.flv": "flv",
}
DEADLINE_SECONDS = 30
MEMORY_MIB = 600

Mutation = Callable[[bytearray, random.Random], bytearray]


def flip_bits(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 8, 64, 512))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def cut(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data))]


def cut_out(data: bytearray, chance: random.Random) -> bytearray:
    begin = chance.randrange(len(data))
    return data[:begin] + data[begin + chance.choice((1, 100, 5000)) :]


def swap_blocks(data: bytearray, chance: random.Random) -> bytearray:
    size = chance.choice((4, 64, 2000))
    a, b = sorted(chance.randrange(max(1, len(data) - size)) for _ in range(2))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    return data


def lie_in_the_header(data: bytearray, chance: random.Random) -> bytearray:
    """Sizes, counts and lengths of the extreme kind, where headers are."""
    for _ in range(chance.choice((1, 3, 10))):
        place = chance.randrange(min(len(data), 1500))
        if chance.random() < 0.3:  # the index of an mp4 may be at its end
            place = len(data) - 1 - place
        data[place : place + 4] = chance.choice(
            (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1")
        )
    return data


def overwrite(data: bytearray, chance: random.Random) -> bytearray:
    begin, length = chance.randrange(len(data)), chance.choice((16, 500, 8000))
    data[begin : begin + length] = chance.choice((bytes(length), chance.randbytes(length)))
    return data


MUTATIONS: tuple[Mutation, ...] = (flip_bits, cut, cut_out, swap_blocks, lie_in_the_header, overwrite)


@dataclass(frozen=True)
class Ended:
    """How one run ended."""

    status: int | None
    """The exit code; negative for a signal, None past the deadline."""
    said: str
    peak_mib: float
    seconds: float


def make_clips(folder: Path) -> list[Path]:
    """A valid clip of each container, with sound where there may be some."""
    images = [scene(128 + 4 * i, 96)[:, 4 * i :] for i in range(20)]
    silent = {"g.gif", "j.flv"}
    clips = []
    for name, codec in CLIPS.items():
        sound = None if name in silent else "libopus" if name.endswith("webm") else "aac"
        sound = "libmp3lame" if name.endswith("avi") else sound
        pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        clips.append(make_video(folder / name, images, codec=codec, sound=sound, pix_fmt=pix_fmt, gop=8))
    return clips


def run(arguments: list[str], log: Path) -> Ended:
    """The command in a fork of this process."""
    before = time.monotonic()
    child = os.fork()
    if child == 0:
        _become_the_command(arguments, log)
    watch = os.pidfd_open(child)
    late = not select.select([watch], [], [], DEADLINE_SECONDS)[0]
    os.close(watch)
    if late:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    code = None if late else os.waitstatus_to_exitcode(status)
    return Ended(code, log.read_text(errors="replace"), usage.ru_maxrss / 1024, time.monotonic() - before)


def _become_the_command(arguments: list[str], log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 70
    try:
        livestyle(arguments)
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def judge(ended: Ended, folder: Path, base_mib: float) -> str:
    """What is wrong with how a run ended; empty where nothing is."""
    if ended.status is None:
        return f"still running after {DEADLINE_SECONDS} s"
    if ended.status not in (0, 1):
        return f"exit code {ended.status}"
    if "Traceback" in ended.said or "exception being dropped" in ended.said:
        return "a traceback"
    if ended.peak_mib > base_mib + MEMORY_MIB:
        return f"{ended.peak_mib:.0f} MiB"
    left = sorted(path.name for path in folder.iterdir() if path.name not in ("in", "log"))
    errors = [line for line in ended.said.splitlines() if line.startswith("Error: ")]
    if left not in ([], ["out.mp4"]):
        return f"left {left}"
    if ended.status == 0 and not left:
        return "no output"
    if not left and len(errors) != 1:
        return f"{len(errors)} lines of error"
    return _unplayable(folder / "out.mp4") if left else ""


def _unplayable(path: Path) -> str:
    source = open_source(path)
    try:
        count = sum(1 for _ in source)
        return "" if count and not source.faults else f"the output is damaged: {source.faults}"
    finally:
        source.close()


def fuzz(count: int, seed: int, keep: Path | None = None) -> dict[str, object]:
    """`count` mutations; what went wrong, and how they ended."""
    cv2.setNumThreads(0)  # a fork has none of its parent's threads
    av.logging.set_level(None)
    wrong: list[dict[str, object]] = []
    tally: Counter[str] = Counter()
    slowest = peak = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clips").mkdir()
        clips = [path.read_bytes() for path in make_clips(folder / "clips")]
        names = list(CLIPS)
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for number in range(count):
            chance = random.Random(f"{seed}/{number}")
            clip, mutation = number % len(clips), chance.choice(MUTATIONS)
            data = mutation(bytearray(clips[clip]), chance)
            work = folder / "work"
            (work / "in").mkdir(parents=True)
            source = work / "in" / names[clip]
            source.write_bytes(data)
            options = chance.choice(([], [], ["--start", "0.3"], ["--fps", "24"], ["--end", "0.4"]))
            arguments = ["video", str(source), str(work / "out.mp4"), "--strength", "0", *options]
            ended = run(arguments, work / "log")
            fault = judge(ended, work, base)
            tally[f"exit {ended.status}"] += 1
            slowest, peak = max(slowest, ended.seconds), max(peak, ended.peak_mib)
            if fault:
                wrong.append(
                    {"number": number, "clip": names[clip], "how": mutation.__name__} | {"fault": fault}
                )
                wrong[-1]["said"] = ended.said[-2000:]
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{seed}-{number}-{names[clip]}").write_bytes(data)
            for path in sorted(work.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            work.rmdir()
    return {
        "count": count,
        "seed": seed,
        "ended": dict(tally),
        "slowest_seconds": slowest,
        "peak_mib": peak,
        "base_mib": base,
        "wrong": wrong,
    }


@click.command()
@click.option("--count", type=click.IntRange(min=1), default=2000, show_default=True, help="Mutations.")
@click.option("--seed", type=int, default=0, show_default=True, help="Others, with another one.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for the clips that went wrong.")
def main(count: int, seed: int, keep: Path | None) -> None:
    """Paint mutations of valid clips; the exit code is 1 where one ended as it must not."""
    result = fuzz(count, seed, keep)
    click.echo(json.dumps(result, indent=2))
    sys.exit(bool(result["wrong"]))


if __name__ == "__main__":
    main()
