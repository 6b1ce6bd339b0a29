"""A short bench of ratios for CI: has something become much slower than it was?

Only ratios of one process are looked at, with bounds far below what is measured on an idle machine: a busy
one must not fail, a lost optimisation should.
"""

from dataclasses import dataclass

from benchmarks.peers.compare import Contender, compare, contenders

LEAST = {"openvino": 25.0, "torchscript": 6.0}
"""Times the reference that a backend of `small` must be at the least, in its own choice of precision.

An idle machine of two cores with AVX-512 gives four times as much; one with AVX2 alone about 35 and 15.
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


def guard(size: tuple[int, int] = (320, 240), rounds: int = 3) -> list[Verdict]:
    """Measures ours against Johnson's network in eager PyTorch, in turns."""
    those = [one for one in contenders(runtimes=False) if _counts(one)]
    rows = compare(those, (size,), rounds)["rows"]
    ours = [row for row in rows if row["runtime"].split()[0] in LEAST]
    label = f"{size[0]}x{size[1]}"
    return [
        Verdict(row["runtime"], row["times_reference"][label], LEAST[row["runtime"].split()[0]])
        for row in ours
    ]


def _counts(one: Contender) -> bool:
    ours = one.network == "livestyle small" and not one.runtime.endswith("int8")
    return ours or (one.network == "Johnson 2016" and one.runtime == "PyTorch eager f32")
