"""The doctor's checks of everything that an NVIDIA GPU needs."""

from importlib.util import find_spec

from livestyle.errors import EngineError, UnavailableError
from livestyle.findings import Finding, State, installed
from livestyle.gpu import driver_version, find_driver


def check_gpu() -> Finding:
    """The GPUs that the driver shows."""
    try:
        gpus = find_driver().gpus
    except UnavailableError as error:
        return Finding("gpu", State.NOTE, f"none: {error}", "for one from NVIDIA, install its driver")
    named = (
        f"{g.name} ({g.capability[0]}.{g.capability[1]}, {g.memory_bytes / 2**30:.0f} GiB)" for g in gpus
    )
    return Finding("gpu", State.OK, ", ".join(named))


def check_driver() -> Finding:
    """The driver, and the newest CUDA that it runs."""
    try:
        driver = find_driver()
    except UnavailableError:
        return Finding("driver", State.NOTE, "none")
    return Finding(
        "driver", State.OK, f"{driver_version() or 'of unknown version'}, runs CUDA {_dotted(driver.cuda)}"
    )


def check_torch() -> Finding:
    """PyTorch, and whether it can use the GPU; where there is none it is not loaded, which takes a second."""
    ours = installed("torch")
    if ours is None:
        return Finding("torch", State.FAULT, "not installed", "pip install torch")
    try:
        capability = find_driver().gpus[0].capability
    except UnavailableError:
        return Finding("torch", State.OK, ours)
    from livestyle.backends.cuda import require_cuda

    try:
        require_cuda()
    except EngineError as error:
        cuda = "12.6" if capability < (7, 5) else "13.0"  # 13 has dropped Maxwell, Pascal and Volta
        wheels = f"https://download.pytorch.org/whl/cu{cuda.replace('.', '')}"
        fix = f"pip install torch --index-url {wheels}, and a driver for CUDA {cuda}"
        return Finding("torch", State.FAULT, str(error), fix)
    return Finding("torch", State.OK, f"{ours}, uses the GPU")


def check_torch_tensorrt() -> Finding:
    """torch_tensorrt, and whether it is for the torch that is installed."""
    theirs, ours = installed("torch_tensorrt"), installed("torch")
    if theirs is None:
        return Finding("torch_tensorrt", State.NOTE, "not installed; the onnx route does without")
    if ours is None or _minor(theirs) != _minor(ours):
        fix = f"pip install 'torch-tensorrt=={_minor(ours or '?')}.*'"
        return Finding("torch_tensorrt", State.FAULT, f"{theirs} does not belong to torch {ours}", fix)
    return Finding("torch_tensorrt", State.OK, f"{theirs}, belongs to torch {ours}")


def check_tensorrt() -> Finding:
    """The flavour of TensorRT that the GPU can use."""
    try:
        capability = find_driver().gpus[0].capability
    except UnavailableError:
        return Finding("tensorrt", State.NOTE, "of no use without an NVIDIA GPU")
    from livestyle.tensorrt_builder import find_flavour, rtx_knows

    try:
        flavour = find_flavour(capability)
    except UnavailableError as error:
        extra = "tensorrt-rtx" if rtx_knows(capability) else "tensorrt"
        return Finding("tensorrt", State.NOTE, str(error), f"pip install 'livestyle[{extra}]'")
    routes = ("onnx", "torch_tensorrt") if flavour.name == "tensorrt" else ("onnx",)
    if not any(map(find_spec, routes)):
        fix = "pip install 'livestyle[export]'"
        return Finding("tensorrt", State.FAULT, f"{flavour.name} {flavour.version}, but no onnx", fix)
    return Finding("tensorrt", State.OK, f"{flavour.name} {flavour.version}")


def _minor(text: str) -> str:
    return ".".join(text.split(".")[:2])


def _dotted(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}.{numbers[1]}"
