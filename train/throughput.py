"""How fast training is: photos a second, the loader's own, and what the loss network takes of the time."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch

from train.config import FitConfig
from train.distributed import Team
from train.loop import fit, load_batches
from train.loss_network import LossNetwork
from train.painter import Painter
from train.photos import PhotoBatches, PhotoCache
from train.pictures import StylePicture

_LOADED_BATCHES = 100
_WARM_UP = 2


def throughput(
    config: FitConfig,
    styles: list[StylePicture],
    photos: PhotoCache,
    judged: list[Path],
    loss_network: LossNetwork,
    team: Team,
) -> dict[str, Any]:
    """Photos a second: of training with and without the stability term, of the loader, of the painter alone.

    Each of `config.steps` steps is a real one. Medians of the time from step to step, the first two left out
    if there are more; the loader's is over all its batches but the first.
    """

    def training(stability_from: float) -> float:
        told = replace(config, loss=replace(config.loss, stability_from=stability_from))
        moments: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            fit(
                told,
                styles,
                photos,
                judged,
                loss_network,
                Path(folder),
                team,
                command="throughput",
                on_step=lambda *_: moments.append(time.perf_counter()),
                every=config.steps + 1,
            )
        taken = [after - before for before, after in pairwise(moments)]
        return config.batch / median(taken[_WARM_UP:] or taken)

    painter, plain = _painting(config, len(styles), team), training(1.0)
    return {
        "size": config.size,
        "batch": config.batch,
        "side": config.side,
        "loss_network": config.loss.network,
        "photos_per_second": {
            "loader": _loading(config, photos),
            "painter": painter,
            "plain": plain,
            "with_stability": training(-1.0),
        },
        "loss_network_share": 1 - plain / painter,
    }


def _painting(config: FitConfig, styles: int, team: Team) -> float:
    """Forward and backward through the transform network alone."""
    painter = Painter(config.size, styles).to(team.device)
    photos = torch.rand(config.batch, 3, config.side, config.side, device=team.device)
    chosen = torch.arange(config.batch, device=team.device) % styles

    def step() -> None:
        with torch.autocast(team.device.type, torch.bfloat16):
            painted = painter(photos, chosen)
        painted.float().mean().backward()
        if team.device.type == "cuda":
            torch.cuda.synchronize()

    return config.batch / _seconds(step, config.steps)


def _loading(config: FitConfig, photos: PhotoCache) -> float:
    batches = PhotoBatches(photos, 1, _LOADED_BATCHES, config.batch, config.side, config.seed)
    loaded = load_batches(batches, 0)
    next(loaded)
    began = time.perf_counter()
    for _ in loaded:
        pass
    return config.batch * (_LOADED_BATCHES - 1) / (time.perf_counter() - began)


def _seconds(call: Callable[[], None], times: int) -> float:
    taken = []
    for _ in range(times + _WARM_UP):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return median(taken[_WARM_UP:])
