"""Trained networks side by side: how the first one's errors are to those of the others."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from livestyle.engine import load_engine
from livestyle.errors import StyleError
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from livestyle.weights import Weights, load_weights
from train.config import read_record
from train.export import export
from train.judge import Judges
from train.pictures import StylePicture


@dataclass(frozen=True, slots=True)
class Run:
    """A training run, as it is compared."""

    name: str
    weights: Weights
    """The averaged ones, as livestyle loads them."""
    record: dict[str, Any]

    @property
    def styles(self) -> list[str]:
        """What it was trained on."""
        return [style.name for style in self.weights.styles.values() if not style.own]


def read_run(checkpoint: Path) -> Run:
    """The run that a checkpoint is of. Raises StyleError where it or its record cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = export(checkpoint, Path(folder))
        weights = load_weights(path.stem, path.parent)
    return Run(checkpoint.absolute().parent.name, weights, read_record(checkpoint))


def check_comparable(first: Run, others: Sequence[Run], pictures: Sequence[StylePicture]) -> None:
    """Raises StyleError where the first run shares none of these styles with another one."""
    asked = {picture.name for picture in pictures}.intersection(first.styles)
    if not any(asked.intersection(other.styles) for other in others):
        raise StyleError("the checkpoints have no style of the gallery in common: compare others")


def judge_run(run: Run, pictures: Sequence[StylePicture], judges: Judges) -> dict[str, Any]:
    """A run's size and training, and the errors of its averaged weights in each style that is asked for."""
    engine = load_engine(run.weights, precision="f32")
    return {
        "run": run.name,
        "size": run.weights.model,
        "styles_in_all": len(run.styles),
        "training": run.record["training"],
        "batch": run.record["config"]["batch"],
        "styles": {
            picture.name: judges.judge(picture, Painter(engine, StyleMix.parse(picture.name)))
            for picture in pictures
            if picture.name in run.styles
        },
    }


def ratios(first: dict[str, Any], others: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How many times those of the others the first one's errors are: the mean over the styles in common."""
    pairs = [
        (first["styles"][name], row)
        for other in others
        for name, row in other["styles"].items()
        if name in first["styles"]
    ]
    return {term: fmean(a[term] / b[term] for a, b in pairs) for term in ("style", "content")}
