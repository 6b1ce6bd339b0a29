"""The training loop."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.data import DataLoader, Subset

from train.checkpoint import Checkpoint, Parameters
from train.config import FitConfig, check_resumed, describe, describe_resumed
from train.distributed import Team
from train.loss_network import CHOICES, LossNetwork
from train.losses import PerceptualLoss, Terms, total_variation
from train.metrics import Metrics, OnStep, Watch, check_finite
from train.painter import Painter
from train.photos import PhotoBatches, PhotoCache
from train.pictures import StylePicture
from train.samples import write_samples
from train.stability import make_pair, stability_loss
from train.start import read_history, read_start

logger = logging.getLogger(__name__)


def fit(
    config: FitConfig,
    styles: list[StylePicture],
    photos: PhotoCache,
    judged: list[Path],
    loss_network: LossNetwork,
    run: Path,
    team: Team,
    *,
    command: str,
    start_from: Path | None = None,
    on_step: OnStep | None = None,
    every: int = 250,
) -> Path:
    """Trains a network on the styles and gives the path of its last checkpoint.

    A run goes on from the checkpoint in its folder, if there is one of the same settings; a new one begins
    with the averaged weights of `start_from`, a checkpoint or exported weights. `command` is what the run's
    record says it was started with.
    `on_step` hears of each step done; a KeyboardInterrupt that it raises ends the run with a checkpoint.
    Every so many steps (`every`) a checkpoint, a plot of the loss and a grid of the photos `judged` are
    written. Raises StyleError where the settings or the photos are not those that the run was begun with,
    LivestyleError where the loss is not finite.
    """
    path = run / "checkpoint.pt"
    resumes = path.is_file()
    if resumes:
        check_resumed(run, config, styles, photos, start_from)
    # data
    batches = PhotoBatches(photos, len(styles), config.steps, config.batch, config.side, config.seed)
    # network and losses
    torch.manual_seed(config.seed)
    device = team.device
    painter = Painter(config.size, len(styles)).to(device)
    pictures = [style.load(config.style_side).to(device) for style in styles]
    loss = PerceptualLoss(loss_network.to(device), CHOICES[config.loss.network], pictures)
    importance = torch.tensor([style.stability for style in styles], device=device)
    # optimiser
    optimiser = torch.optim.Adam(painter.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, config.steps)
    # resume
    names = [style.name for style in styles]
    if start_from is not None and not resumes:
        read_start(start_from).warm_start(painter, names)
    averaged = {name: value.detach().clone() for name, value in painter.named_parameters()}
    first = 0
    if resumes:
        checkpoint = Checkpoint.load(path)
        averaged = checkpoint.resume(painter, optimiser, schedule)
        averaged = {name: value.to(device) for name, value in averaged.items()}
        first = checkpoint.step
    if team.leads and not resumes:
        describe(run, config, styles, photos, command, read_history(start_from) if start_from else [])
    elif team.leads and first < config.steps:
        describe_resumed(run)
    shared = team.wrap(painter)

    def save(step: int) -> None:
        Checkpoint.of(step, config.size, names, painter, averaged, optimiser, schedule).save(path)

    # loop
    watch = Watch(config.steps)
    with closing(Metrics(run / "metrics.jsonl", first, writes=team.leads)) as metrics:
        for step, (crops, chosen) in load_batches(batches, first):
            began = time.perf_counter()
            judgement = judge(
                shared, loss, config, crops.to(device), chosen.to(device), importance, step, team
            )
            optimiser.zero_grad(set_to_none=True)
            judgement.total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            gradient = nn.utils.clip_grad_norm_(painter.parameters(), config.clip_norm)
            rate = float(schedule.get_last_lr()[0])
            optimiser.step()
            schedule.step()
            decay = min(config.average, (1 + step) / (10 + step))
            with torch.no_grad():
                for name, value in painter.named_parameters():
                    averaged[name].lerp_(value, 1 - decay)
            # metrics
            values = {name: team.mean(term) for name, term in judgement.terms.items()}
            values |= {"total": team.mean(judgement.total), "saturated": team.mean(judgement.saturated)}
            values |= {"gradient": gradient.item(), "rate": rate}
            values["seconds"] = time.perf_counter() - began
            metrics.add(step + 1, values, chosen.tolist())
            check_finite(step + 1, values)
            for warning in watch.warnings(step + 1, values) if team.leads else ():
                logger.warning("%s", warning)
            try:
                if on_step is not None:
                    on_step(step + 1, values)
            except KeyboardInterrupt:
                if team.leads:
                    save(step + 1)
                raise
            # checkpoint
            if team.leads and ((step + 1) % every == 0 or step + 1 == config.steps):
                save(step + 1)
                metrics.plot(run / "loss.png", list(config.loss.weights))
                paint = _averaged_painter(painter, averaged)
                write_samples(run / "samples" / f"{step + 1:06}.png", paint, judged, names)
    return path


class Judgement(NamedTuple):
    """What is thought of the paintings of one process's share of a batch; scalars."""

    terms: Terms
    total: Tensor
    """The weighted sum of the terms."""
    saturated: Tensor
    """The share of values that are all but black or white."""


def judge(
    painter: nn.Module,
    loss: PerceptualLoss,
    config: FitConfig,
    crops: Tensor,
    styles: Tensor,
    importance: Tensor,
    step: int,
    team: Team,
) -> Judgement:
    """Paints a process's share of crops (B, 3, H, W), uint8, in styles (B,), and judges it.

    `importance` (S,) is how much the stability of each style counts.
    """
    photos = team.share(crops).float() / 255
    chosen = team.share(styles)
    mixed = torch.autocast(photos.device.type, torch.bfloat16)
    with mixed:
        painted = painter(photos, chosen)
    terms = loss(painted, photos, chosen)
    done = (step + 1) / config.steps
    if config.loss.weights["stability"] and config.loss.ramp(done) > 0:
        random = torch.Generator(photos.device).manual_seed(config.seed * 1_000_003 + step)
        pair = make_pair(crops.float() / 255, random).map(team.share)
        with mixed:
            again = painter(pair.second, chosen)
        terms["stability"] = stability_loss(painted.float(), again.float(), pair, importance[chosen])
    if config.loss.weights["tv"]:
        terms["tv"] = total_variation(painted.float())
    saturated = ((painted < 0.01) | (painted > 0.99)).float().mean()
    return Judgement(terms, config.loss.total(terms, done), saturated)


def load_batches(batches: PhotoBatches, first: int) -> Iterator[tuple[int, tuple[Tensor, Tensor]]]:
    """The batches from step `first` on, prepared by another process."""
    rest = Subset(batches, range(first, len(batches)))
    return enumerate(DataLoader(rest, batch_size=None, num_workers=1, prefetch_factor=4), start=first)


def _averaged_painter(painter: Painter, averaged: Parameters) -> Callable[[Tensor, Tensor], Tensor]:
    def paint(photos: Tensor, styles: Tensor) -> Tensor:
        with torch.no_grad():
            device = painter.affine.device
            painted: Tensor = functional_call(painter, averaged, (photos.to(device), styles.to(device)))
        return painted.cpu()

    return paint
