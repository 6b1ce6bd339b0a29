"""What this machine has for livestyle, what it lacks, and what to do about each.

Every check is a function of its own that looks at one thing and says what it found, quickly: all of them
together take less than three seconds.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from livestyle import defaults
from livestyle.backends.instruction_sets import processor_flags
from livestyle.engine import BACKENDS, choose_engine
from livestyle.errors import LivestyleError, in_one_line
from livestyle.findings import Finding, State, installed
from livestyle.gpu_checks import check_driver, check_gpu, check_tensorrt, check_torch, check_torch_tensorrt

_FEATURES = {
    "AVX2": "avx2",
    "AVX-512": "avx512f",
    "VNNI": "avx512_vnni",
    "AVX-VNNI": "avx_vnni",
    "AMX": "amx_tile",
    "bfloat16": "avx512_bf16",
    "NEON": "asimd",
}
"""What makes a network fast on a processor, by Linux's names."""


def examine() -> list[Finding]:
    """All findings, in the order in which they are best read. A check that fails is a finding too."""
    return [_safely(name, check) for name, check in CHECKS.items()]


def _safely(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # a doctor must not fall ill: libraries break in ways of their own
        return Finding(name, State.FAULT, in_one_line(error), "reinstall livestyle in a fresh environment")


def check_python() -> Finding:
    """Python's version."""
    return Finding("python", State.OK, f"{platform.python_version()} in {sys.prefix}")


def check_system() -> Finding:
    """The operating system."""
    return Finding("system", State.OK, platform.platform(terse=True) + f" {platform.machine()}")


def check_processor() -> Finding:
    """The processor, with what makes networks fast on it."""
    from livestyle.bench import machine

    cores = f"{machine()['processor']}, {machine()['cores']} cores"
    flags = processor_flags()
    if not flags:
        return Finding("processor", State.OK, cores)
    has = [name for name, flag in _FEATURES.items() if flag in flags]
    value = f"{cores}: {', '.join(has) or 'no vector units that are known here'}"
    if "AVX2" in has or "NEON" in has:
        return Finding("processor", State.OK, value)
    return Finding(
        "processor", State.NOTE, value, "without AVX2 painting is slow: take a newer computer, or a GPU"
    )


def check_openvino() -> Finding:
    """OpenVINO, which paints on processors."""
    found = installed("openvino")
    if found is None:
        return Finding("openvino", State.FAULT, "not installed: a processor is slow", "pip install openvino")
    import_module("livestyle.backends.openvino")  # raises where it does not load
    return Finding("openvino", State.OK, found)


def check_codecs() -> Finding:
    """FFmpeg in PyAV: the encoder that is needed, and what there is of hardware."""
    from livestyle.sinks.hwaccel import X264, codecs

    known, devices = codecs()
    av = f"av {installed('av')}"
    if X264 not in known:
        fix = "pip install --force-reinstall av"
        return Finding("video codecs", State.FAULT, f"{av} without {X264}", fix)
    reads = ", ".join(name for name in ("h264", "hevc", "vp9", "av1") if name in known)
    hardware = ", ".join(devices) or "none"
    return Finding("video codecs", State.OK, f"{av}: {reads}; {X264}; for hardware: {hardware}")


def check_hardware_video() -> Finding:
    """Whether files are decoded and encoded on the GPU."""
    from livestyle.sinks.hwaccel import nvenc_problem
    from livestyle.sources.hwaccel import decoder

    decodes, problem = decoder("auto") is not None, nvenc_problem()
    value = f"decoding {'on the GPU' if decodes else 'in software'}, encoding "
    value += "on the GPU" if problem is None else f"in software ({problem})"
    return Finding("hardware video", State.OK if decodes and problem is None else State.NOTE, value)


def check_cameras() -> Finding:
    """The cameras that the system knows."""
    from livestyle.sources.devices import find_cameras

    cameras = find_cameras()
    if not cameras:
        fix = "plug one in; livestyle cam --camera pattern does without"
        return Finding("cameras", State.NOTE, "none", fix)
    refused = next((camera for camera in cameras if camera.problem), None)
    value = ", ".join(f"{camera.number} ({camera.name})" for camera in cameras)
    if refused is not None:
        fix = f"is another program using it? may you read {refused.path}? (group video on Linux)"
        return Finding("cameras", State.FAULT, f"{value}; {refused.number}: {refused.problem}", fix)
    return Finding("cameras", State.OK, value)


def check_virtual_camera() -> Finding:
    """What offers the painting to other programs as a camera."""
    name = "virtual camera"
    if find_spec("pyvirtualcam") is None:
        return Finding(name, State.NOTE, "not installed", "pip install 'livestyle[virtual-camera]'")
    if sys.platform == "linux" and not Path("/sys/module/v4l2loopback").is_dir():
        fix = "sudo apt install v4l2loopback-dkms; sudo modprobe v4l2loopback"
        return Finding(name, State.NOTE, "the kernel module v4l2loopback is not loaded", fix)
    needs = "" if sys.platform == "linux" else ", with OBS's virtual camera"
    return Finding(name, State.OK, f"pyvirtualcam {installed('pyvirtualcam')}{needs}")


def check_display() -> Finding:
    """Whether a window can be opened."""
    from livestyle.sinks.display import display_problem

    problem = display_problem(os.environ)
    if problem is not None:
        return Finding(
            "display", State.NOTE, problem, "livestyle cam --no-window writes to files and streams"
        )
    return Finding(
        "display", State.OK, os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or "there is one"
    )


def check_cache() -> Finding:
    """The folder for engines: whether it can be written, and how full it is."""
    from livestyle.engine_cache import EngineCache
    from livestyle.remembered import cache_folder

    folder, engines = cache_folder(), EngineCache().folder
    nearest = next(path for path in (engines, *engines.parents) if _exists(path))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        fix = f"make {nearest} writable, or set XDG_CACHE_HOME to a folder that is"
        return Finding("cache", State.FAULT, f"{folder} cannot be written", fix)
    entries = EngineCache().entries()
    size = sum(entry.size_bytes for entry in entries)
    return Finding("cache", State.OK, f"{folder}: {len(entries)} engines, {size / 1e6:.0f} MB")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be looked into
        return False


def check_models() -> Finding:
    """The trained networks, and how many styles they hold."""
    from livestyle.architecture import CONFIGS
    from livestyle.weights import load_weights, read_manifest

    trained = [f"{model} ({len(load_weights(model).styles)} styles)" for model in read_manifest()]
    missing = [model for model in CONFIGS if model not in read_manifest()]
    value = ", ".join(trained) + "".join(f"; {model} has no trained weights yet" for model in missing)
    return Finding("models", State.OK, value)


def check_backend() -> Finding:
    """What --backend auto takes, and why not each better one."""
    from livestyle.weights import load_weights

    try:
        choice = choose_engine(load_weights(defaults.MODEL))
    except LivestyleError as error:
        return Finding("backend", State.FAULT, str(error), "reinstall livestyle")
    backends: dict[str, list[str]] = {}
    for name, reason in choice.skipped.items():
        backends.setdefault(reason.removeprefix(f"backend {name!r} "), []).append(name)
    why_not = "".join(f"; not {' or '.join(names)}: {reason}" for reason, names in backends.items())
    name, runs = next(name for name in BACKENDS if name not in choice.skipped), choice.engine.backend
    then = "" if runs.startswith(name) else f", and {name} where its engine is built"
    return Finding("backend", State.OK, f"auto takes {runs}{then}{why_not}")


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": check_python,
    "system": check_system,
    "processor": check_processor,
    "gpu": check_gpu,
    "driver": check_driver,
    "torch": check_torch,
    "torch_tensorrt": check_torch_tensorrt,
    "tensorrt": check_tensorrt,
    "openvino": check_openvino,
    "video codecs": check_codecs,
    "hardware video": check_hardware_video,
    "cameras": check_cameras,
    "virtual camera": check_virtual_camera,
    "display": check_display,
    "cache": check_cache,
    "models": check_models,
    "backend": check_backend,
}
"""Every check by the name of what it looks at."""
