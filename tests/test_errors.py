from errno import ENOSPC

import pytest

from livestyle.engine import as_engine_error
from livestyle.errors import EngineError, NoMemoryError, in_one_line, reason_of

OPENVINO_SAID = (
    "Exception from src/infer_request.cpp:224:\nCheck 'data' failed at src/runtime/allocator.cpp:35:\n{}"
)
TORCHSCRIPT_SAID = """The following operation failed in the TorchScript interpreter.
Traceback of TorchScript, serialized code (most recent call last):
  File "code/__torch__.py", line 9, in forward
    raise Error: none
    ~~~~~~~~~~~~ <--- HERE

Traceback of TorchScript (most recent call last):
/livestyle/network.py(171): forward
def broken(x, y):
    return torch.mm(x, y)
           ~~~~~~~~ <--- HERE
RuntimeError: {}
"""


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
        (TORCHSCRIPT_SAID.format("shapes do not fit\nmore"), "shapes do not fit"),
        (
            TORCHSCRIPT_SAID.format("it says:\nRuntimeError: no kernel\nmore"),
            "it says: RuntimeError: no kernel",
        ),
        ("no memory\nTraceback (most recent call last):\n  nothing more", "no memory"),
    ],
)
def test_a_librarys_error_is_told_in_one_line(said: str, told: str) -> None:
    assert in_one_line(RuntimeError(said)) == told


class OutOfMemoryError(RuntimeError):
    """As PyTorch's, without its words."""


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("Allocation on device 0"),
        MemoryError("Unable to get 9 GiB"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has"),
        RuntimeError(TORCHSCRIPT_SAID.format("[enforce fail] DefaultCPUAllocator: can't allocate memory: y")),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
        RuntimeError(OPENVINO_SAID.format("std::bad_alloc")),
        RuntimeError(OPENVINO_SAID.format("bad allocation")),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("Failed to allocate 9 bytes"),
    ],
    ids=str,
)
def test_want_of_memory_is_told_as_such(error: Exception) -> None:
    with (
        pytest.raises(
            NoMemoryError, match=r"^the GPU cannot paint 64x48: there is not enough memory for it; "
        ),
        as_engine_error("the GPU", 48, 64),
    ):
        raise error


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (OPENVINO_SAID.format("wrong device"), "allocator.cpp:35: wrong device$"),
        ("Expected a tensor allocated on cuda:0", "Expected a tensor allocated on cuda:0$"),
        (TORCHSCRIPT_SAID.format("shapes do not fit"), "48: shapes do not fit$"),
    ],
)
def test_what_is_not_for_want_of_memory_keeps_its_reason(
    said: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="livestyle")
    with pytest.raises(EngineError, match=told) as raised, as_engine_error("the GPU", 48, 64):
        raise RuntimeError(said)
    assert not isinstance(raised.value, NoMemoryError)
    assert f"the GPU cannot paint 64x48: RuntimeError: {said}" in caplog.messages
