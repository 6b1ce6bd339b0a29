"""What a run says about itself while it goes on."""

import json
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from livestyle.errors import LivestyleError, SinkError, reason_of
from livestyle.sinks.partial import PartialFile
from train.plots import plot_losses

Values = dict[str, float]
OnStep = Callable[[int, Values], None]
"""Hears of a step that is done, counted from 1: the terms of its loss by name."""


class Metrics:
    """The lines of `metrics.jsonl`: the step, the styles of its batch, and each term of the loss by name."""

    def __init__(self, path: Path, first: int, *, writes: bool = True) -> None:
        """Goes on with a run that did `first` steps; what the file says of later ones is forgotten.

        Raises SinkError where the file cannot be written, as what writes to it does.
        """
        self._path = path
        self._rows = [row for row in _read(path) if row["step"] <= first]
        self._file = None
        if writes:
            with PartialFile(path) as file:
                file.write("".join(json.dumps(row) + "\n" for row in self._rows))
            with _writing(path):
                self._file = path.open("a", encoding="utf-8")

    def add(self, step: int, values: Values, styles: list[int]) -> None:
        """Notes a step, counted from 1."""
        self._rows.append({"step": step, **values})
        self._write({"step": step, "styles": styles, **values})

    def plot(self, path: Path, terms: list[str]) -> None:
        """Draws the terms so far."""
        if self._file is not None:
            with _writing(self._path):
                self._file.flush()
        with _writing(path):
            plot_losses(path, path.parent.name, self._rows, terms)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            with _writing(self._path):
                self._file.close()

    def _write(self, row: Mapping[str, object]) -> None:
        if self._file is not None:
            with _writing(self._path):
                self._file.write(json.dumps(row) + "\n")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SinkError(
            f"cannot write {path}: {reason_of(error)}; make room, or choose another place"
        ) from error


def _read(path: Path) -> Iterator[dict[str, float]]:
    """The rows of the file, without a last one that is only half written."""
    lines = path.read_bytes().splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            if number < len(lines):
                raise LivestyleError(
                    f"line {number} of {path} is damaged: remove that line, or use a new folder"
                ) from error


def check_finite(step: int, values: Values) -> None:
    """Raises LivestyleError where the loss of a step, or its gradient, is not a number any more."""
    for term, value in values.items():
        if not math.isfinite(value):
            raise LivestyleError(
                f"step {step}: {term} is {value}: lower the learning rate or the weights; "
                "what was kept before stays"
            )


class Watch:
    """Notices early, and says in words, when a run goes wrong. Each warning comes once."""

    def __init__(self, steps: int, window: int = 150) -> None:
        """Compares the means of two windows of so many steps, one after the other."""
        self._steps = steps
        self._window = window
        self._recent: deque[Values] = deque(maxlen=2 * window)
        self._said: set[str] = set()

    def warnings(self, step: int, values: Values) -> Iterator[str]:
        """What is worrying after a step, counted from 1."""
        self._recent.append(values)
        if len(self._recent) < 2 * self._window:
            return
        for kind, text in self._worries(step):
            if kind not in self._said:
                self._said.add(kind)
                yield f"step {step}: {text}"

    def _worries(self, step: int) -> Iterator[tuple[str, str]]:
        before, now = self._means("content")
        if step > 0.4 * self._steps and now > 1.2 * before:
            yield (
                "content",
                f"the content loss rises ({before:.2f} to {now:.2f}): the style weight is probably too high",
            )
        before, now = self._means("style")
        if now > 0.3 and now > 0.97 * before:
            yield "style", f"the style loss is stuck at {now:.2f}: the style weight is probably too low"
        _, now = self._means("saturated")
        if now > 0.3:
            yield (
                "saturated",
                f"{now:.0%} of the output is black or white: the style weight is probably too high",
            )

    def _means(self, term: str) -> tuple[float, float]:
        values = [row.get(term, 0.0) for row in self._recent]
        return sum(values[: self._window]) / self._window, sum(values[self._window :]) / self._window
