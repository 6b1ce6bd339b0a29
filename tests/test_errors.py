from errno import ENOSPC

import pytest

from livestyle.errors import in_one_line, reason_of


def test_a_systems_error_is_told_without_its_number_and_file() -> None:
    assert reason_of(OSError(ENOSPC, "No space left on device", "clip.mp4")) == "no space left on device"


def test_an_error_without_a_code_is_told_in_its_own_words_or_by_its_name() -> None:
    assert reason_of(OSError("Broken")) == "broken"
    assert reason_of(TimeoutError()) == "timeouterror"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("out of memory\n  at kernel 3", "out of memory"),
        ("cannot compile:\n\n  no such symbol\nmore", "cannot compile: no such symbol"),
        (
            "at core.cpp:113:\nat plugin.cpp:54:\nno such layer\n\n",
            "at core.cpp:113: at plugin.cpp:54: no such layer",
        ),
        ("cannot compile:\n", "cannot compile:"),
        (" \n", "RuntimeError"),
    ],
)
def test_a_librarys_error_is_told_in_one_line(said: str, told: str) -> None:
    assert in_one_line(RuntimeError(said)) == told
