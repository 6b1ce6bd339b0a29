"""What the processor has, and what a user lets oneDNN use of it, which OpenVINO and PyTorch compute with."""

import os
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"}


def bfloat16_allowed() -> bool:
    """Whether ONEDNN_MAX_CPU_ISA leaves oneDNN its kernels in bfloat16; the libraries do not look there."""
    return _limit() not in _WITHOUT_BFLOAT16


def multiplies_tiles() -> bool:
    """Whether the processor has AMX, and may use it; known on Linux alone, which such servers run."""
    if _limit() not in ("", "DEFAULT", "ALL") and "AMX" not in _limit():
        return False
    return "amx_bf16" in processor_flags()


def processor_flags() -> set[str]:
    """What the processor can do, by Linux's names; empty where the system does not tell so."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    told = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return set(next(told, "").split())


def _limit() -> str:
    return os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
