"""The network on an NVIDIA GPU in half precision, as one CUDA graph for each size of frame.

Frames go up and come down as uint8; everything else is done on the GPU.
"""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray

from livestyle.backends.recipes import RECIPES, Recipe, Trial, choose, median_milliseconds, named
from livestyle.backends.slots import CudaLane, Lane, Ring, Slot, as_many_as_fit, free_cached_memory
from livestyle.backends.torchscript import frame_net
from livestyle.engine import as_engine_error
from livestyle.errors import EngineError, in_one_line
from livestyle.frame import Image, as_image
from livestyle.gate import check, natural_frame
from livestyle.gpu import find_driver
from livestyle.remembered import recall, remember
from livestyle.styles import StyleMix
from livestyle.weights import Weights

logger = logging.getLogger(__name__)

_SIZES_KEPT = 4
_INSTANT = tuple(recipe for recipe in RECIPES if not recipe.compiled)
_PRECISIONS = {torch.float16: "f16", torch.bfloat16: "bf16", torch.float32: "f32"}


class CudaEngine:
    """Runs the network in a CUDA graph.

    With more than one stream two frames are under way at a time, so that transfers and network overlap.
    `make_lane` and `dtype` say where and how, for tests without a GPU.
    """

    def __init__(
        self,
        weights: Weights,
        streams: int = 1,
        *,
        make_lane: Callable[[], Lane] | None = None,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        self._weights = weights
        self._slots = min(streams, 2)
        self._make_lane = make_lane or (lambda: CudaLane(polite=streams > 1))
        self._dtype = dtype
        self._rings = lru_cache(_SIZES_KEPT)(self._open)
        self._row = lru_cache(_SIZES_KEPT)(lambda style: style.row(weights.styles))

    @property
    def backend(self) -> str:
        """`cuda f16`."""
        return f"cuda {_PRECISIONS[self._dtype]}"

    @property
    def in_flight(self) -> int:
        """2 where frames overlap, else 1."""
        return self._slots

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        """Begins to paint an image, on the GPU."""
        image = as_image(image)
        height, width, _ = image.shape
        return self._rings(height, width).start(image, self._row(style))

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image; the result is the caller's to keep."""
        return self.start(image, style)()

    def measure(self, height: int, width: int, recipes: Sequence[Recipe] = RECIPES) -> Trial:
        """Tries recipes at that size and remembers the fastest sound one, for this GPU and these weights.

        Compiled ones take a minute the first time. Raises EngineError where none is sound.
        """
        image, row = natural_frame(height, width), next(iter(self._weights.styles.values())).row
        right = reference(self._weights, image, row)

        def try_one(recipe: Recipe) -> Trial:
            (slot,) = self._make_slots(recipe, height, width, 1)
            psnr = check(f"{self.backend} {recipe.name}", slot.start(image, row)(), right)
            return Trial(recipe, psnr, median_milliseconds(lambda: slot.start(image, row)()))

        best = choose(recipes, try_one)
        found = {"recipe": best.recipe.name, "psnr_db": best.psnr_db, "milliseconds": best.milliseconds}
        remember(self._facts(height, width), found)
        logger.debug(
            "%s at %dx%d: %s, %.2f ms a frame", self.backend, width, height, *list(found.values())[::2]
        )
        return best

    def _open(self, height: int, width: int) -> Ring:
        remembered = recall(self._facts(height, width)) or {}
        recipe = named(remembered.get("recipe"))
        if recipe is not None:
            try:
                return self._ring(recipe, height, width)
            except Exception as error:  # a compiler that worked then, for instance
                logger.debug("%s does not run any more: %s", recipe.name, error)
        return self._ring(self.measure(height, width, _INSTANT).recipe, height, width)

    def _ring(self, recipe: Recipe, height: int, width: int) -> Ring:
        make = partial(self._make_slots, recipe, height, width)
        return Ring(as_many_as_fit(self._slots, make))

    def _make_slots(self, recipe: Recipe, height: int, width: int, count: int) -> list[Slot]:
        length = self._weights.config.affine_length
        with as_engine_error("the GPU", height, width):
            lanes = [self._make_lane() for _ in range(count)]
            paint = recipe.prepare(self._weights, lanes[0].device, self._dtype)  # once: it may be compiled
            return [Slot(lane, height, width, length, self._dtype, paint) for lane in lanes]

    def _facts(self, height: int, width: int) -> dict[str, object]:
        return {
            "what": "recipe of the cuda backend",
            "network": self._weights.network,
            "size": [width, height],
            "precision": _PRECISIONS[self._dtype],
        } | device_facts()


def reference(weights: Weights, image: Image, row: NDArray[np.float32], device: str | None = None) -> Image:
    """What float32 eager paints, which whatever runs on a GPU is held against.

    The GPU itself paints it, if there is one with the memory for it: a processor takes seconds. None of that
    memory is kept: TensorRT has to find its own. Raises EngineError.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return _eager_float32(weights, image, row, device)
    except RuntimeError as error:
        logger.debug("float32 eager is painted by the processor: %s", in_one_line(error))
    finally:
        free_cached_memory()
    with as_engine_error("float32 eager", *image.shape[:2]):
        return _eager_float32(weights, image, row, "cpu")


@torch.inference_mode()
def _eager_float32(weights: Weights, image: Image, row: NDArray[np.float32], device: str) -> Image:
    net = frame_net(weights).to(device)
    with _all_bits():
        painted = net(torch.from_numpy(image).to(device), torch.from_numpy(row).to(device)).cpu()
    return np.asarray(painted.numpy(), np.uint8)


@contextmanager
def _all_bits() -> Iterator[None]:
    """No TensorFloat-32, which has 10 of float32's 23 bits: cuDNN convolves in it unless told not to."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32
    cudnn.allow_tf32 = matmul.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32 = before


def load(weights: Weights, streams: int, precision: str = "auto") -> CudaEngine:
    """The engine of this backend. Raises EngineError where PyTorch cannot use the GPU."""
    require_half("cuda", precision)
    require_cuda()
    return CudaEngine(weights, streams)


def require_half(backend: str, precision: str) -> None:
    """Raises EngineError where something else is asked for than a GPU's engines compute in."""
    if precision != "auto":
        raise EngineError(f"backend {backend!r} computes in half precision, not in {precision}: choose auto")


def require_cuda() -> None:
    """Raises EngineError, with what to do, where PyTorch cannot use the GPU that the driver shows."""
    driver = find_driver()
    if torch.version.cuda is None:
        raise EngineError(
            f"torch {torch.__version__} is built without CUDA: install one with it, from https://pytorch.org"
        )
    gpu = driver.gpus[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        usable = torch.cuda.is_available()
        fault = _fault_of_a_kernel() if usable else None
    if not usable:
        said = str(caught[0].message).splitlines()[0] if caught else "it does not say why"
        raise EngineError(
            f"torch {torch.__version__} cannot use the {gpu.name}: {said}; its driver runs CUDA "
            f"{driver.cuda[0]}.{driver.cuda[1]}, torch wants {torch.version.cuda}"
        )
    if fault is not None:
        known = ", ".join(torch.cuda.get_arch_list()) or "no GPU"
        raise EngineError(
            f"torch {torch.__version__} does not run on the {gpu.name}, of compute capability "
            f"{gpu.capability[0]}.{gpu.capability[1]}: {fault}; free its memory, or choose a torch for it at "
            f"https://pytorch.org: this one is made for {known}"
        )


def _fault_of_a_kernel() -> str | None:
    """Why a small convolution fails on the GPU; None where it does not.

    A PyTorch without kernels for a GPU, or a cuDNN that has given it up, is not known before.
    """
    try:
        x = torch.zeros((1, 8, 8, 8), dtype=torch.float16, device="cuda")
        torch.nn.functional.conv2d(x, x)
        torch.cuda.synchronize()
    except Exception as error:  # of a driver too, which raises what it likes
        return in_one_line(error)
    return None


def device_facts() -> dict[str, object]:
    """What measurements and engines of this device depend on."""
    if not torch.cuda.is_available():
        return {"device": "cpu", "torch": torch.__version__}
    return {
        "device": torch.cuda.get_device_name(),
        "capability": list(torch.cuda.get_device_capability()),
        "torch": torch.__version__,
    }
