"""Time that passes only where somebody waits: what is measured by it is the same on every machine."""

import time


class Clock:
    """Stands in for the module `time` of a module under test."""

    process_time = staticmethod(time.process_time)

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
