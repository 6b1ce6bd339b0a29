"""Trained networks side by side: how the first one's errors are to those of the others."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from livestyle.engine import load_engine
from livestyle.errors import StyleError
from livestyle.frame import Image
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from train.checkpoint import Checkpoint
from train.config import read_record
from train.evaluate import sintel_errors
from train.export import export
from train.judge import errors, gatys_iterations
from train.loss_network import CHOICES, LossNetwork
from train.losses import PerceptualLoss
from train.pictures import StylePicture

_STYLE_SIDE = 512


@dataclass(frozen=True, slots=True)
class Judges:
    """What paintings are judged by."""

    photos: Sequence[Image]
    loss_network: str
    fast: LossNetwork
    """For many photos."""
    exact: LossNetwork | None = None
    """In float32, to count Gatys iterations on the first photo; None: they are not counted."""
    sintel: Path | None = None
    """Pairs of frames with their flow."""

    def judge(self, picture: StylePicture, painter: Painter) -> dict[str, Any]:
        """The errors of a painter that paints in the style of a picture."""
        target, choice = [picture.load(_STYLE_SIDE)], CHOICES[self.loss_network]
        row: dict[str, Any] = dict(errors(self.photos, painter, PerceptualLoss(self.fast, choice, target), 0))
        if self.exact is not None:  # L-BFGS needs exact gradients
            loss = PerceptualLoss(self.exact, choice, target)
            row["gatys_iterations"] = gatys_iterations(self.photos[0], painter(self.photos[0]), loss)
        if self.sintel is not None:
            row["sintel"] = sintel_errors(self.sintel, painter)
        return row


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
