"""The plot of `livestyle bench`: where a frame's time goes, and how steadily frames come."""

from pathlib import Path

from livestyle.bench_run import Run
from livestyle.errors import LivestyleError, SinkError, reason_of
from livestyle.sinks.partial import PartialFile

_STAGES = {"read": "#8ecae6", "steady": "#ffb703", "network": "#d1495b", "write": "#3d5a80"}


class Plot:
    """A picture file to draw into, as PNG, SVG or PDF, as the suffix of `path` says.

    Raises LivestyleError where it will not be possible, before anything is measured for it.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        try:
            import matplotlib as mpl

            mpl.use("Agg")  # no display is needed to write a file
            from matplotlib import pyplot
        except ImportError as error:
            raise LivestyleError("--plot needs matplotlib: pip install 'livestyle[bench]'") from error
        self._form = path.suffix.lower().lstrip(".")
        known = pyplot.figure().canvas.get_supported_filetypes()
        pyplot.close()
        if self._form not in known:
            raise SinkError(
                f"cannot draw {path}: {path.suffix or 'no suffix'} is no format here; use .png or .svg"
            )
        self._pyplot = pyplot
        self._file = PartialFile(path, overwrite=overwrite)

    def draw(self, runs: list[Run]) -> None:
        """Draws the runs, and puts the file in its place. Raises SinkError."""
        figure, (stages, pace) = self._pyplot.subplots(
            1, 2, figsize=(11, 2.2 + 0.5 * len(runs)), layout="constrained"
        )
        names = [f"{run.size[0]}x{run.size[1]}\n{run.fps:.0f} fps" for run in runs]
        left = [0.0] * len(runs)
        for stage, color in _STAGES.items():
            medians = [run.stages[stage].p50 for run in runs]
            stages.barh(names, medians, left=left, color=color, label=stage)
            left = [a + b for a, b in zip(left, medians, strict=True)]
        stages.set(xlabel="ms a frame, median; stages overlap", title=runs[0].backend)
        stages.invert_yaxis()
        stages.legend(fontsize="small")
        for run in runs:
            pace.plot(run.painted_milliseconds, linewidth=0.8, label=f"{run.size[0]}x{run.size[1]}")
        pace.set(xlabel="frame, after the warm-up", ylabel="ms since the last", ylim=(0, None))
        pace.legend(fontsize="small")
        try:
            figure.savefig(self._file.part, format=self._form, dpi=120)
        except OSError as error:
            raise SinkError(f"cannot write {self._file.path}: {reason_of(error)}") from error
        finally:
            self._pyplot.close(figure)
        self._file.commit()

    def discard(self) -> None:
        """Removes what was not finished; safe to call twice."""
        self._file.discard()
