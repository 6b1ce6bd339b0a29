"""A short bench of ratios for CI: has something become much slower than it was?

Only ratios of one process are looked at, with bounds far below what is measured on an idle machine: a busy
one must not fail, a lost optimisation should.
"""

from dataclasses import dataclass

from benchmarks.peers.compare import Contender, contenders, take_turns
from benchmarks.peers.names import REFERENCE

LEAST = {
    "openvino int8": 45.0,
    "openvino bf16": 40.0,
    "openvino f32": 20.0,
    "torchscript bf16": 8.0,
    "torchscript f32": 2.5,
}
"""Times the reference that `small` must be at the least, in each way of computing.

A fifth to two thirds of what two cores gave, also while other programs took some of them.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one backend reached."""

    backend: str
    ratio: float
    least: float

    @property
    def passed(self) -> bool:
        """Whether that is enough."""
        return self.ratio >= self.least


def guard(size: tuple[int, int] = (320, 240), rounds: int = 5) -> list[Verdict]:
    """Measures ours against Johnson's network in eager PyTorch, in turns; each by its fastest turn."""
    those = [one for one in contenders(runtimes=False) if _counts(one)]
    best = [min(times) for times in take_turns([one.make(size) for one in those], size, rounds)]
    reference = next(seconds for one, seconds in zip(those, best, strict=True) if _is_reference(one))
    ours = [pair for pair in zip(those, best, strict=True) if not _is_reference(pair[0])]
    return [Verdict(one.runtime, reference / taken, LEAST[one.runtime]) for one, taken in ours]


def _is_reference(one: Contender) -> bool:
    return (one.network, one.runtime) == REFERENCE


def _counts(one: Contender) -> bool:
    return one.network == "livestyle small" or _is_reference(one)
