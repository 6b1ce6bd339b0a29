"""Raw video for other programs, and how a live output is chosen."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks.live import open_live_sink
from livestyle.sinks.null import NullSink
from livestyle.sinks.raw import RawSink
from tests.media import RED_GREEN_BLUE, grey, stripe_colours, stripes
from tests.watching import Reader

SIZE = (64, 48)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with suppress(OSError):  # the test may have closed it
            os.close(end)


def through_pipe(pipe: tuple[int, int], size: tuple[int, int], given: list[Frame], rate: float) -> Reader:
    """Write frames into the pipe and close it, with a reader at its other end."""
    reader = Reader(f"pipe:{pipe[0]}")
    sink = RawSink(size, rate=rate, target=pipe[1])
    for frame in given:
        sink.write(frame)
    sink.close()
    os.close(pipe[1])
    return reader


@pytest.mark.parametrize("size", [(96, 64), (1280, 720)])
def test_raw_video_says_itself_what_it_is_and_keeps_its_colours(
    pipe: tuple[int, int], size: tuple[int, int]
) -> None:
    given = [Frame(stripes(*size), index / 25) for index in range(3)]
    seen = through_pipe(pipe, size, given, rate=25).join()
    assert [seconds for seconds, _ in seen] == pytest.approx([0, 0.04, 0.08])
    assert seen[0][1].shape == (size[1], size[0], 3)
    np.testing.assert_allclose(stripe_colours(seen[0][1]), RED_GREEN_BLUE, atol=6)


def test_raw_video_keeps_time_by_repeating_and_leaving_out(pipe: tuple[int, int]) -> None:
    moments = [5.0, 5.1, 5.11, 5.12, 5.4, 5.5]
    given = [Frame(grey(40 * index, *SIZE), pts) for index, pts in enumerate(moments)]
    seen = through_pipe(pipe, SIZE, given, rate=10).join()
    assert [round(float(image.mean()) / 40) for _, image in seen] == [0, 1, 4, 4, 4, 5]


def test_an_odd_size_grows_in_raw_video(pipe: tuple[int, int]) -> None:
    seen = through_pipe(pipe, (33, 47), [Frame(grey(90, 33, 47), 0.0)], rate=30).join()
    assert seen[0][1].shape == (48, 34, 3)


def test_a_reader_that_has_gone_is_one_clear_line(pipe: tuple[int, int]) -> None:
    sink = RawSink(SIZE, target=pipe[1])
    sink.write(Frame(grey(1), 0.0))
    os.close(pipe[0])
    with pytest.raises(SinkError, match="raw video ends here: the program that reads it has gone"):
        sink.write(Frame(grey(1), 1.0))
    sink.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot ask a pipe whether it is full")
def test_a_reader_that_does_not_read_is_given_up(pipe: tuple[int, int]) -> None:
    sink = RawSink((640, 480), target=pipe[1])
    sink._pipe.patience_seconds = 0.3
    began = time.perf_counter()
    with pytest.raises(SinkError, match=r"nobody has read it for 0\.3 s"):
        for index in range(100):
            sink.write(Frame(grey(1, 640, 480), index / 30))
    assert time.perf_counter() - began < 3


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo terminals on Windows")
def test_raw_video_is_not_poured_into_a_terminal() -> None:
    main, terminal = os.openpty()
    with pytest.raises(SinkError, match=r"--output - \| ffplay"):
        RawSink(SIZE, target=terminal)
    os.close(main)
    os.close(terminal)


def test_stdout_closed_by_its_reader_is_one_line_and_no_traceback() -> None:
    code = (
        "import sys, itertools\n"
        "from livestyle.errors import SinkError; from livestyle.sinks.live import open_live_sink\n"
        "from livestyle.sources.pattern import PatternSource\n"
        "source = PatternSource(size=(320, 240)); sink = open_live_sink('-', source.size, rate=30)\n"
        "try:\n"
        "    for index in itertools.count(): sink.write(source.at(index / 30))\n"
        "except SinkError as error: sys.exit(str(error))"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10) == b"YUV4MPEG2 "
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert said == "raw video ends here: the program that reads it has gone\n"


def test_a_live_sink_is_chosen_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livestyle.sinks.raw.RawSink", lambda *_, **__: NullSink())
    assert isinstance(open_live_sink("-", SIZE, rate=30), NullSink)
    recorder = open_live_sink(tmp_path / "out.mkv", SIZE, rate=30)
    recorder.write(Frame(grey(1), 0.0))
    recorder.close()
    assert (tmp_path / "out.mkv").exists()
