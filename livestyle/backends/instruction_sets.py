"""The limit that a user may set on the instructions of oneDNN, which OpenVINO and PyTorch compute with."""

import os
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI"}


def bfloat16_allowed() -> bool:
    """Whether ONEDNN_MAX_CPU_ISA leaves oneDNN its kernels in bfloat16; the libraries do not look there."""
    return _limit() not in _WITHOUT_BFLOAT16


def multiplies_tiles() -> bool:
    """Whether the processor has AMX, and may use it; known on Linux alone, which such servers run."""
    if _limit() not in ("", "DEFAULT", "ALL") and "AMX" not in _limit():
        return False
    return _CPUINFO.is_file() and "amx_bf16" in _CPUINFO.read_text(encoding="utf-8").split()


def _limit() -> str:
    return os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
