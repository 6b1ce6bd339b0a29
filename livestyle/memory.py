"""What the C library keeps of memory that was freed."""

import ctypes
import sys


def return_freed() -> None:
    """Give it back to the system, where the C library is one that can (glibc)."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
