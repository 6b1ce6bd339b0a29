"""An NVIDIA driver that is not there, for `livestyle.gpu` to ask."""

from ctypes import c_char
from typing import Any

import pytest

from livestyle import gpu


class FakeDriver:
    """libcuda and libnvidia-ml in one, with one GPU unless it is told otherwise."""

    def __init__(self, status: int = 0, count: int = 1, capability: tuple[int, int] = (9, 0)) -> None:
        self.status, self.count, self.capability = status, count, capability

    def cuInit(self, _: int) -> int:  # noqa: N802 - the driver's own names
        return self.status

    def cuDeviceGetCount(self, answer: Any) -> int:  # noqa: N802
        answer._obj.value = self.count
        return 0

    def cuDriverGetVersion(self, answer: Any) -> int:  # noqa: N802
        answer._obj.value = 13000
        return 0

    def cuDeviceGet(self, answer: Any, index: int) -> int:  # noqa: N802
        answer._obj.value = index
        return 0

    def cuDeviceGetName(self, text: Any, _: int, device: int) -> int:  # noqa: N802
        text.value = f"NVIDIA Fake {device}".encode()
        return 0

    def cuDeviceTotalMem_v2(self, answer: Any, _: int) -> int:  # noqa: N802
        answer._obj.value = 8 << 30
        return 0

    def cuDeviceGetAttribute(self, answer: Any, attribute: int, _: int) -> int:  # noqa: N802
        answer._obj.value = self.capability[attribute - 75]
        return 0

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return self.status

    def nvmlShutdown(self) -> int:  # noqa: N802
        return 0

    def nvmlSystemGetDriverVersion(self, text: "c_char", _: int) -> int:  # noqa: N802
        text.value = b"580.95.05"
        return 0


def install(monkeypatch: pytest.MonkeyPatch, driver: FakeDriver | None) -> None:
    """Makes `livestyle.gpu` find that driver; None is none."""
    monkeypatch.setattr(gpu, "_library", lambda _: driver)
    gpu.find_driver.cache_clear()
