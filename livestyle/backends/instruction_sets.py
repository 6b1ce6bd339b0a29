"""The limit that a user may set on the instructions of oneDNN, which OpenVINO and PyTorch compute with."""

import os

_WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI"}


def bfloat16_allowed() -> bool:
    """Whether ONEDNN_MAX_CPU_ISA leaves oneDNN its kernels in bfloat16; the libraries do not look there."""
    return os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() not in _WITHOUT_BFLOAT16
