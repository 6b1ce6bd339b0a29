"""How long things take: a clock for each stage, frames per second, latency percentiles."""

import time
from collections import deque

_RECENT = 120  # frames that the status line looks back: a few seconds


class Clock:
    """Adds up the times one stage takes. One thread writes, others may read."""

    def __init__(self) -> None:
        self.count = 0
        self.total_seconds = 0.0
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def add(self, seconds: float) -> None:
        """Count one more round."""
        self.count += 1
        self.total_seconds += seconds
        self._recent.append(seconds)

    @property
    def mean_milliseconds(self) -> float:
        """The mean over all rounds; 0 before the first."""
        return 1000 * self.total_seconds / self.count if self.count else 0.0

    def percentile_milliseconds(self, percent: float) -> float:
        """A percentile of the most recent rounds, by nearest rank; 0 before the first."""
        ranked = sorted(self._recent.copy())
        return 1000 * ranked[round(percent / 100 * (len(ranked) - 1))] if ranked else 0.0


class Rate:
    """Frames per second over the most recent frames. For one thread."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=_RECENT)

    def tick(self) -> None:
        """Count one frame, now."""
        self._moments.append(time.perf_counter())

    @property
    def fps(self) -> float:
        """Frames per second; 0 before the second frame."""
        if len(self._moments) < 2 or self._moments[-1] == self._moments[0]:
            return 0.0
        return (len(self._moments) - 1) / (self._moments[-1] - self._moments[0])
