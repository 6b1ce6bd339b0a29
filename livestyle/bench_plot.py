"""The plot of `livestyle bench`: where a frame's time goes, and how steadily frames come."""

from pathlib import Path

from livestyle.bench_run import Run
from livestyle.errors import LivestyleError, SinkError

_STAGES = {"read": "#8ecae6", "steady": "#ffb703", "network": "#d1495b", "write": "#3d5a80"}


def plot(runs: list[Run], path: Path) -> None:
    """Writes the plot as PNG, SVG or PDF, as the name says. Raises LivestyleError where that fails."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")  # no display is needed to write a file
        from matplotlib import pyplot
    except ImportError as error:
        raise LivestyleError("--plot needs matplotlib: pip install 'livestyle[bench]'") from error
    figure, (stages, pace) = pyplot.subplots(1, 2, figsize=(11, 2.2 + 0.5 * len(runs)), layout="constrained")
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
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:  # ValueError: a suffix that matplotlib does not write
        raise SinkError(f"cannot write {path}: {str(error).lower()}; choose another name") from error
    finally:
        pyplot.close(figure)
