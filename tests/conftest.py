import logging
import os
import signal
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import platformdirs
import pytest

from livestyle.errors import EngineError
from tests.display import Display, require_tools


def pytest_configure() -> None:
    """Lets Ctrl-C reach the commands under test: a shell's background jobs are started with it ignored.

    PyTorch's threads wait asleep, not spinning, which on a busy machine takes several times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when PyTorch is loaded
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what needs a GPU where there is none; LIVESTYLE_REQUIRE_CUDA=1 makes that a failure."""
    if item.get_closest_marker("needs_cuda") and (reason := no_cuda()):
        if os.environ.get("LIVESTYLE_REQUIRE_CUDA") == "1":
            pytest.fail(f"LIVESTYLE_REQUIRE_CUDA=1, but {reason}")
        pytest.skip(reason)


@cache
def no_cuda() -> str:
    """Why PyTorch cannot use a GPU here; empty where it can."""
    from livestyle.backends.cuda import require_cuda  # loads PyTorch

    try:
        require_cuda()
    except EngineError as error:
        return str(error)
    return ""


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("livestyle")]
    assert not left


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Commands that run within a test set how much is logged, for the rest of their process."""
    level = logging.getLogger("livestyle").level
    yield
    logging.getLogger("livestyle").setLevel(level)


@pytest.fixture(autouse=True)
def user_data(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's data folder of the test's own, empty."""
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: folder)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: folder / "cache")
    return folder


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """A screen of the tests' own."""
    require_tools()
    with Display(tmp_path_factory.mktemp("screen")) as screen:
        yield screen
