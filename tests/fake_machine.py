"""A machine with other packages, GPUs and cameras than this one, for what looks at it."""

import importlib.metadata
from collections.abc import Callable

import pytest

from livestyle import findings, gpu_checks
from livestyle.sources import devices
from livestyle.sources.devices import Camera
from tests.fake_driver import FakeDriver, install

Fake = Callable[[pytest.MonkeyPatch], None]


def versions(**fakes: str | None) -> Fake:
    """Packages of other versions; None is not installed."""
    real = importlib.metadata.version

    def version(package: str) -> str:
        found = fakes[package] if package in fakes else real(package)
        if found is None:
            raise importlib.metadata.PackageNotFoundError(package)
        return found

    return lambda monkeypatch: monkeypatch.setattr(findings, "version", version)


def gpu(**facts: object) -> Fake:
    return lambda monkeypatch: install(monkeypatch, FakeDriver(**facts))


def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)


def both(*fakes: Fake) -> Fake:
    def apply(monkeypatch: pytest.MonkeyPatch) -> None:
        for fake in fakes:
            fake(monkeypatch)

    return apply


def replaced(where: object, name: str, value: object) -> Fake:
    return lambda monkeypatch: monkeypatch.setattr(where, name, value)


def raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def cameras(*found: Camera) -> Fake:
    return replaced(devices, "find_cameras", lambda: list(found))


def only(*packages: str) -> Fake:
    """No other packages are found by the checks of a GPU."""
    return replaced(gpu_checks, "find_spec", lambda name: name if name in packages else None)
