"""Trained networks side by side: how the first one's errors are to those of the others."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from livestyle.engine import load_engine
from livestyle.errors import StyleError
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from train.checkpoint import Checkpoint
from train.config import read_record
from train.export import export
from train.judge import Judges
from train.pictures import StylePicture


def judge_run(checkpoint: Path, pictures: Sequence[StylePicture], judges: Judges) -> dict[str, Any]:
    """A run's size and training, and the errors of its averaged weights in each style that is asked for."""
    state, record = Checkpoint.load(checkpoint), read_record(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        export(checkpoint, Path(folder))
        engine = load_engine(load_weights(state.size, Path(folder)), precision="f32")
    return {
        "run": checkpoint.parent.name,
        "size": state.size,
        "styles_in_all": len(state.styles),
        "training": record["training"],
        "batch": record["config"]["batch"],
        "styles": {
            picture.name: judges.judge(picture, Painter(engine, StyleMix.parse(picture.name)))
            for picture in pictures
            if picture.name in state.styles
        },
    }


def ratios(first: dict[str, Any], others: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How many times those of the others the first one's errors are: the mean over the styles in common.

    Raises StyleError where there are none.
    """
    pairs = [
        (first["styles"][name], row)
        for other in others
        for name, row in other["styles"].items()
        if name in first["styles"]
    ]
    if not pairs:
        raise StyleError("the checkpoints have no style of the gallery in common: compare others")
    return {term: fmean(a[term] / b[term] for a, b in pairs) for term in ("style", "content")}
