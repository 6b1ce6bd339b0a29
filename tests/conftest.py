import threading
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from tests.display import Display, require_tools


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("livestyle")]
    assert not left


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
