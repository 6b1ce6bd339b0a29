"""Engines that are kept: found again, never half written, never loaded when damaged, limited in size."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from livestyle.cli import main
from livestyle.engine_cache import _FIX, EngineCache
from livestyle.errors import EngineError
from livestyle.remembered import cache_folder, recall, remember

KEY = {"network": "abc", "size": [1280, 720], "device": "NVIDIA Fake"}


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "engines")


def test_an_engine_is_found_by_all_it_depends_on(cache: EngineCache) -> None:
    cache.put(KEY, b"plan", {"psnr_db": 58.7})
    assert cache.get(dict(reversed(KEY.items()))) == b"plan"  # the order of facts is none of its facts
    for fact, other in {"network": "abd", "size": [720, 1280], "device": "NVIDIA Other"}.items():
        assert cache.get(KEY | {fact: other}) is None
    assert cache.get(KEY | {"torch": "2.12"}) is None


def test_the_note_says_what_it_is_and_how_good(cache: EngineCache) -> None:
    cache.put(KEY, b"plan", {"psnr_db": 58.7})
    (entry,) = cache.entries()
    assert entry.note["key"] == KEY
    assert entry.note["found"] == {"psnr_db": 58.7}
    assert entry.size_bytes == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a user's folders from others by itself")
def test_nobody_else_can_read_or_put_an_engine_there(cache: EngineCache) -> None:
    cache.put(KEY, b"plan", {})
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    cache.folder.chmod(0o777)
    assert cache.get(KEY) is None  # anybody may have changed it meanwhile


def test_kernels_are_kept_beside_their_engine_and_go_with_it(cache: EngineCache) -> None:
    cache.put(KEY, b"plan", {})
    assert cache.kernels(KEY) is None
    cache.keep_kernels(KEY, None)
    assert cache.kernels(KEY) is None
    cache.keep_kernels(KEY, b"kernels")
    assert cache.kernels(KEY) == b"kernels"
    assert cache.entries()[0].size_bytes == 4 + 32 + 7  # with their digest
    next(cache.folder.glob("*.kernels")).write_bytes(b"kernels of somebody else's, without their digest")
    assert cache.kernels(KEY) is None
    cache.keep_kernels(KEY, b"kernels")
    cache.put(KEY, b"newer", {})
    assert cache.kernels(KEY) is None
    cache.keep_kernels(KEY, b"kernels")
    assert cache.clear() == 1
    assert not list(cache.folder.iterdir())


def test_kernels_that_cannot_be_kept_are_not(cache: EngineCache) -> None:
    cache.keep_kernels(KEY, b"kernels")  # there is no folder
    assert cache.kernels(KEY) is None


def damage_plan(path: Path) -> None:
    path.write_bytes(b"plam")


def cut_plan(path: Path) -> None:
    path.write_bytes(b"pl")


def lose_note(path: Path) -> None:
    path.with_suffix(".json").write_text("{")


def empty_note(path: Path) -> None:
    path.with_suffix(".json").write_text("[]")


@pytest.mark.parametrize("fault", [damage_plan, cut_plan, lose_note, empty_note])
def test_a_damaged_engine_is_removed_and_said(
    fault: object, cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    cache.put(KEY, b"plan", {})
    (entry,) = cache.entries()
    fault(entry.path)
    assert cache.get(KEY) is None
    assert "removed the engine" in caplog.text
    assert not list(cache.folder.iterdir())


def refuse(*_: object, **__: object) -> None:
    """What the system does in a folder of root's."""
    raise PermissionError(13, "Permission denied", "/somewhere")


def test_a_cache_that_can_only_be_read_is_read(
    cache: EngineCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache.put(KEY, b"plan", {})
    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    assert cache.get(KEY) == b"plan"
    assert not caplog.messages
    damage_plan(cache.entries()[0].path)
    assert cache.get(KEY) is None
    assert "cannot use the engine" in caplog.text
    assert "removed the engine" not in caplog.text


def test_an_engine_that_cannot_be_removed_makes_no_room(
    cache: EngineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = EngineCache(cache.folder, limit_gb=0)
    small.put(KEY, b"plan", {})
    remove = Path.unlink
    monkeypatch.setattr(
        Path, "unlink", lambda path, **_: refuse() if path.suffix == ".plan" else remove(path, **_)
    )
    small.put(KEY | {"n": 1}, b"plan", {})
    assert len(small.entries()) == 2


@pytest.mark.usefixtures("user_data")
def test_engines_that_cannot_be_removed_are_one_line_of_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EngineCache()
    cache.put(KEY, b"plan", {})
    for fault, name in (("cannot remove the engines in", "unlink"), ("cannot read", "iterdir")):
        with monkeypatch.context() as locked:
            locked.setattr(Path, name, refuse)
            result = CliRunner().invoke(main, ["build", "--clear"])
        assert result.exit_code == 1
        assert result.stderr == f"Error: {fault} {cache.folder}: permission denied; {_FIX}\n"
    assert cache.get(KEY) == b"plan"


@pytest.mark.parametrize("work", [EngineCache.entries, EngineCache.clear])
def test_a_folder_that_can_be_listed_and_no_more_is_one_line(
    work: Callable[[EngineCache], object], cache: EngineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(KEY, b"plan", {})
    with monkeypatch.context() as locked:
        locked.setattr(Path, "stat", refuse)
        with pytest.raises(EngineError, match=rf"^cannot read .*engines: permission denied; {_FIX}$"):
            work(cache)
    assert cache.get(KEY) == b"plan"


def test_a_write_that_fails_leaves_the_old_engine(
    cache: EngineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(KEY, b"plan", {})

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EngineError, match=r"cannot keep the engine in .*: no space left"):
        cache.put(KEY, b"newer", {})
    monkeypatch.undo()
    assert cache.get(KEY) == b"plan"
    assert len(list(cache.folder.iterdir())) == 2


def test_what_was_not_used_for_longest_goes_first(cache: EngineCache) -> None:
    small = EngineCache(cache.folder, limit_gb=25e-9)
    for number in range(2):
        small.put(KEY | {"n": number}, b"x" * 10, {})
        (plan,) = [e.path for e in small.entries() if e.note["key"]["n"] == number]
        os.utime(plan, (number, number))
    assert small.get(KEY | {"n": 0}) is not None  # used just now: 1 is the oldest
    small.put(KEY | {"n": 2}, b"x" * 10, {})
    assert sorted(entry.note["key"]["n"] for entry in small.entries()) == [0, 2]


def test_an_engine_larger_than_the_limit_is_kept_while_it_is_the_newest(cache: EngineCache) -> None:
    tiny = EngineCache(cache.folder, limit_gb=0)
    tiny.put(KEY, b"plan", {})
    tiny.put(KEY | {"n": 1}, b"plan", {})
    assert [entry.note["key"].get("n") for entry in tiny.entries()] == [1]


def test_clearing_forgets_all(cache: EngineCache) -> None:
    assert cache.clear() == 0
    for number in range(3):
        cache.put(KEY | {"n": number}, b"plan", {})
    assert cache.clear() == 3
    assert not list(cache.folder.iterdir())


def test_two_processes_that_write_at_once_leave_a_whole_engine(cache: EngineCache) -> None:
    code = (
        "import sys; from pathlib import Path; from livestyle.engine_cache import EngineCache\n"
        "for _ in range(40): EngineCache(Path(sys.argv[1])).put({'k': 1}, sys.argv[2].encode() * 50_000, {})"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(cache.folder), letter]) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        for path in cache.folder.glob("*.plan"):
            assert len(set(path.read_bytes())) == 1
        time.sleep(0.002)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert not list(cache.folder.glob(".*"))


def test_measurements_are_remembered(user_data: Path) -> None:
    assert recall(KEY) is None
    remember(KEY, {"fps": 60})
    remember(KEY | {"n": 1}, {"fps": 30})
    assert recall(KEY) == {"fps": 60}
    (cache_folder() / "measured.json").write_text("damaged")
    assert recall(KEY) is None
    remember(KEY, 1)
    assert json.loads((cache_folder() / "measured.json").read_text())


def test_a_cache_that_cannot_be_written_does_no_harm(user_data: Path) -> None:
    cache_folder().parent.mkdir(parents=True, exist_ok=True)
    cache_folder().write_text("a file where the folder should be")
    remember(KEY, 1)
    assert recall(KEY) is None


@pytest.mark.parametrize("note", ["[]", "{", '"words"'])
def test_a_note_that_says_nothing_hides_no_engine(note: str, cache: EngineCache) -> None:
    cache.put({"size": 1}, b"plan", {})
    next(cache.folder.glob("*.json")).write_text(note)
    (entry,) = cache.entries()
    assert entry.note == {}
