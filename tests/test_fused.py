"""The fused kernels, on a processor in Triton's interpreter; on a GPU test_cuda.py has them."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

MIN_PSNR = {"float32": 75.0, "float16": 48.0}
"""float32 differs by the rounding of single pixels. The tiny nets' planes are of some hundred values only, so
that half precision shows more than in real ones."""


NEEDS_TRITON = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")


@NEEDS_TRITON
def test_the_kernels_paint_what_eager_paints_and_touch_nothing_else() -> None:
    """In a process of its own: whether kernels are interpreted is settled when they are first read."""
    command = [sys.executable, "-m", "tests.run_fused"]
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    root = Path(__file__).parent.parent
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 5
    for dtype, psnr, buffers in lines:
        assert float(psnr) > MIN_PSNR[dtype], lines
        assert int(buffers) > 10  # they went through the guards


@NEEDS_TRITON
@pytest.mark.filterwarnings("ignore:AnnAssign:DeprecationWarning")  # of Triton itself, from Python 3.13 on
@pytest.mark.parametrize("capability", [75, 90])
def test_the_kernels_compile_for_gpus_that_are_not_there(
    capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down to machine code, in half precision, for the channels of the shipped sizes."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    from triton import compile as compile_kernel
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from livestyle.backends import fused

    flags = {"BORDER": 1, "SHUFFLED": False, "RESIDUAL": True}
    shuffled = {"BORDER": 0, "SHUFFLED": True, "RESIDUAL": False}
    kernels = [
        (fused._enter, {"frame": "*u8", "folded": "*fp16"}, {"TILE": 2048, "CHANNELS": 16}),
        (fused._leave, {"x": "*fp16", "bias": "*fp32", "painted": "*u8"}, {"TILE": 512, "CHANNELS": 16}),
    ]
    for channels in (16, 128):
        part = {"ROWS": 2048 // channels, "C": channels}
        pointers = {"x": "*fp16", "sums": "*fp32", "affine": "*fp16", "gains": "*fp32"}
        kernels.append((fused._sum, pointers, part))
        kernels.append((fused._finish, pointers, part | {"EPSILON": 1e-5, "PART": 8}))
        for kind in (flags, shuffled):
            kernels.append((fused._apply, pointers | {"before": "*fp16", "out": "*fp16"}, part | kind))
    for kernel, pointers, constants in kernels:
        types = {name: pointers.get(name, "i32") for name in kernel.arg_names}
        types |= dict.fromkeys(constants, "constexpr")
        source = ASTSource(fn=kernel, signature=types, constexprs=constants, attrs={})
        assert compile_kernel(source, target=GPUTarget("cuda", capability, 32)).asm["cubin"]
