"""Ways of running the network in half precision on a GPU, and the choice between them: gate, then clock."""

import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from livestyle.backends.slots import Paint
from livestyle.backends.torchscript import frame_net, one_picture_at_a_time
from livestyle.errors import EngineError, NoMemoryError, in_one_line
from livestyle.weights import Weights

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way of running the network."""

    name: str
    compiled: bool
    """Whether Inductor makes its kernels, which takes a minute the first time."""
    prepare: Callable[[Weights, torch.device, torch.dtype], Paint]
    """The network on its device, for frames (H, W, 3) uint8 and rows (K,)."""


def _fused(weights: Weights, device: torch.device, dtype: torch.dtype) -> Paint:
    from livestyle.backends.fused import FusedNet  # needs Triton, which not every PyTorch brings

    return FusedNet(weights, device, dtype)


def _eager(weights: Weights, device: torch.device, dtype: torch.dtype) -> Paint:
    return frame_net(weights).to(device, dtype)


def _eager_channels_last(weights: Weights, device: torch.device, dtype: torch.dtype) -> Paint:
    net = one_picture_at_a_time(frame_net(weights)).to(device, dtype)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types
    return net


def _compiled(weights: Weights, device: torch.device, dtype: torch.dtype) -> Paint:
    return _compile(_eager(weights, device, dtype))


def _compiled_channels_last(weights: Weights, device: torch.device, dtype: torch.dtype) -> Paint:
    return _compile(_eager_channels_last(weights, device, dtype))


def _compile(net: Paint) -> Paint:
    torch.compiler.reset()  # it gives up at the eighth net that it compiles
    compiled: Paint = torch.compile(net, fullgraph=True, dynamic=False)

    def paint(frame: Tensor, row: Tensor) -> Tensor:
        with warnings.catch_warnings():  # Inductor warns of parts of PyTorch that it loads itself
            warnings.simplefilter("ignore")
            return compiled(frame, row)

    return paint


RECIPES = (
    Recipe("fused", False, _fused),
    Recipe("eager", False, _eager),
    Recipe("eager channels_last", False, _eager_channels_last),
    Recipe("compiled", True, _compiled),
    Recipe("compiled channels_last", True, _compiled_channels_last),
)
"""All of them; those that need no compiling come first."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a recipe did."""

    recipe: Recipe
    psnr_db: float
    """Against float32 eager, on a natural picture."""
    milliseconds: float
    """Median time of a frame, from host to host."""


def choose(recipes: Sequence[Recipe], try_one: Callable[[Recipe], Trial]) -> Trial:
    """The fastest recipe of those that pass the gate.

    Raises EngineError where none does, NoMemoryError where one might with more memory.

    `try_one` raises EngineError where a recipe is refused; whatever else a compiler raises counts as that.
    """
    trials: list[Trial] = []
    reasons: list[str] = []
    kind = EngineError
    for recipe in recipes:
        try:
            trial = try_one(recipe)
        except Exception as error:  # compilers fail in many ways, and none of them may stop the video
            reasons.append(f"{recipe.name}: {in_one_line(error)}")
            kind = NoMemoryError if isinstance(error, NoMemoryError) else kind
            logger.debug("skipped %s", reasons[-1])
            continue
        logger.debug("%s: %.2f ms, %.1f dB", recipe.name, trial.milliseconds, trial.psnr_db)
        trials.append(trial)
    if not trials:
        raise kind(f"the GPU cannot run the network in half precision: {'; '.join(reasons)}")
    return min(trials, key=lambda trial: trial.milliseconds)


def named(name: object, recipes: Iterable[Recipe] = RECIPES) -> Recipe | None:
    """The recipe of that name; None where there is none, as in a cache that another version wrote."""
    return next((recipe for recipe in recipes if recipe.name == name), None)


def median_milliseconds(call: Callable[[], object], rounds: int = 15) -> float:
    """The median time of a call, after one that does not count."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times[1:])
