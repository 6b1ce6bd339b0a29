"""What a training run is told, and the record of it beside its results."""

import json
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from livestyle.errors import StyleError
from train.losses import LossConfig
from train.pictures import StylePicture

_RECORD = "config.json"


@dataclass(frozen=True, slots=True)
class FitConfig:
    """All that decides the outcome of a run, beside the pictures and the photos."""

    size: str = "small"
    steps: int = 4000
    batch: int = 4
    side: int = 256
    """Side of the crops in pixels."""
    style_side: int = 512
    """Short side of the style pictures in pixels: it sets the size of the strokes."""
    learning_rate: float = 2e-3
    """The peak of the one cycle."""
    clip_norm: float = 10.0
    """The largest norm of the gradient that a step may take."""
    average: float = 0.995
    """Decay per step of the exponential average of the weights, which is what is exported."""
    seed: int = 0
    loss: LossConfig = field(default_factory=LossConfig)


def as_json(config: FitConfig, styles: list[StylePicture]) -> str:
    """All that decides the outcome of a run."""
    return json.dumps({"config": asdict(config), "styles": [s.provenance() for s in styles]}, indent=2)


def describe(
    run: Path, config: FitConfig, styles: list[StylePicture], command: str, start_from: Path | None
) -> None:
    """Writes the record of a run into its folder; that of the run it started from is kept in it."""
    earlier = read_record(start_from)["training"] if start_from is not None else []
    record = {
        "training": [*earlier, {"command": command, "steps": config.steps}],
        "commit": _commit(),
        "config": asdict(config),
        "styles": [style.provenance() for style in styles],
    }
    (run / _RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _commit() -> str:
    """The commit that is checked out, with a + where files differ; "unknown" outside of a checkout."""
    describe = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(describe, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def read_record(checkpoint: Path) -> dict[str, Any]:
    """The record of the run that a checkpoint is of. Raises StyleError where there is none."""
    path = checkpoint.with_name(_RECORD)
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StyleError(f"cannot read the record of the run, {path}: {error}") from error
    return record
