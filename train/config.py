"""What a training run is told, and the record of it beside its results."""

import json
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from livestyle.errors import StyleError
from livestyle.sinks.partial import PartialFile
from train.losses import LossConfig
from train.photos import PhotoCache
from train.pictures import StylePicture

_RECORD = "config.json"
_OF_STYLES = ("picture_sha256", "crop", "stability")
"""What a style is told that decides the outcome; the rest is for people."""


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
    run: Path,
    config: FitConfig,
    styles: list[StylePicture],
    photos: PhotoCache,
    command: str,
    earlier: list[dict[str, Any]],
) -> None:
    """Writes the record of a run into its folder, after that of the `earlier` ones it goes on from.

    Raises SinkError.
    """
    record = {
        "training": [*earlier, {"command": command, "steps": config.steps}],
        "commit": _commit(),
        "config": asdict(config),
        "styles": [style.provenance() for style in styles],
        "photos": _facts(photos),
    }
    _write(run, record)


def describe_resumed(run: Path) -> None:
    """Notes in the record of a run that it goes on, perhaps with another commit checked out."""
    _write(run, read_record(run / "checkpoint.pt") | {"commit": _commit()})


def check_resumed(
    run: Path, config: FitConfig, styles: list[StylePicture], photos: PhotoCache, start_from: Path | None
) -> None:
    """Raises StyleError, which names what differs, where a run was begun with other settings or photos."""
    record = read_record(run / "checkpoint.pt")
    names = [style["name"] for style in record["styles"]]
    if names != [style.name for style in styles]:
        raise StyleError(f"the run was begun with other styles ({', '.join(names)}): use a new folder")
    if start_from is not None and len(record["training"]) == 1:
        raise StyleError(
            f"the run in {run} was begun without --start-from: leave it out, or use a new folder"
        )
    begun, now = (
        _settings(record["config"], record["styles"]),
        _settings(asdict(config), [style.provenance() for style in styles]),
    )
    for name in begun:
        if name in now and begun[name] != now[name]:
            raise StyleError(
                f"the run in {run} was begun with {name} {begun[name]}, not {now[name]}: "
                "give the same again, or go on in a new folder with --start-from"
            )
    there = _facts(photos)
    if record.get("photos", there) != there:  # older records say nothing of them
        raise StyleError(
            f"the run in {run} was begun with other photos than these {len(photos)}: "
            "give the same --photos again, or go on in a new folder with --start-from"
        )


def _facts(photos: PhotoCache) -> dict[str, Any]:
    return {"count": len(photos), "fingerprint": photos.fingerprint}


def _settings(config: dict[str, Any], styles: list[dict[str, Any]]) -> dict[str, Any]:
    """All that decides the outcome, by name: `learning_rate`, `loss weights style`, `mosaic crop`."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        inner = _settings(value, []) if isinstance(value, dict) else {"": value}
        flat |= {f"{name} {key}".strip(): each for key, each in inner.items()}
    return flat | {f"{s['name']} {fact}": s[fact] for s in styles for fact in _OF_STYLES if fact in s}


def _write(run: Path, record: dict[str, Any]) -> None:
    with PartialFile(run / _RECORD) as file:
        file.write(json.dumps(record, indent=2) + "\n")


def _commit() -> str:
    """The commit that is checked out, with a + where files differ; "unknown" outside of a checkout."""
    describe = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(describe, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def read_record(checkpoint: Path) -> dict[str, Any]:
    """The record of the run that a checkpoint is of. Raises StyleError where there is none, or not all."""
    path = checkpoint.with_name(_RECORD)
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StyleError(f"cannot read the record of the run, {path}: {error}") from error
    if not _whole(record):
        raise StyleError(
            f"{path} is not the whole record of a run: name a checkpoint.pt with its own beside it"
        )
    return record


def _whole(record: Any) -> bool:
    try:
        return bool(
            record["training"][-1]["command"] and record["config"]["batch"] and record["styles"][-1]["name"]
        )
    except (LookupError, TypeError):
        return False
