"""The training loop."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.data import DataLoader, Subset

from train.checkpoint import Checkpoint, Parameters
from train.config import FitConfig, describe
from train.loss_network import CHOICES, LossNetwork
from train.losses import PerceptualLoss, Terms, total_variation
from train.painter import Painter
from train.photos import PhotoBatches, find_photos, held_out
from train.pictures import StylePicture
from train.samples import write_samples
from train.stability import make_pair, stability_loss


def fit(
    config: FitConfig,
    styles: list[StylePicture],
    photos: Path,
    loss_network: LossNetwork,
    run: Path,
    *,
    command: str,
    start_from: Path | None = None,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
    every: int = 250,
) -> Path:
    """Trains a network on the styles and gives the path of its last checkpoint.

    A run goes on from the checkpoint in its folder, if there is one; a new one begins with the averaged
    weights of `start_from`. `command` is what the run's record says it was started with. `on_step` hears of
    each step done. Every so many steps (`every`) a checkpoint and a grid of samples are written.
    """
    # data
    paths, judged = held_out(find_photos(photos))
    batches = PhotoBatches(paths, len(styles), config.steps, config.batch, config.side, config.seed)
    # network and losses
    torch.manual_seed(config.seed)
    device = best_device()
    painter = Painter(config.size, len(styles)).to(device)
    pictures = [style.load(config.style_side).to(device) for style in styles]
    loss = PerceptualLoss(loss_network.to(device), CHOICES[config.loss.network], pictures)
    # optimiser
    optimiser = torch.optim.Adam(painter.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, config.steps)
    # resume
    names = [style.name for style in styles]
    path = run / "checkpoint.pt"
    if start_from is not None:
        Checkpoint.load(start_from).warm_start(painter, names)
    averaged = {name: value.detach().clone() for name, value in painter.named_parameters()}
    first = 0
    if path.is_file():
        checkpoint = Checkpoint.load(path)
        averaged = checkpoint.resume(painter, optimiser, schedule, names)
        averaged = {name: value.to(device) for name, value in averaged.items()}
        first = checkpoint.step
    describe(run, config, styles, command, start_from)
    # loop
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
        for step, (crops, chosen) in load_batches(batches, first):
            began = time.perf_counter()
            x, chosen = crops.to(device).float() / 255, chosen.to(device)
            terms, total = judge(painter, loss, config, x, chosen, step)
            optimiser.zero_grad(set_to_none=True)
            total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            gradient = nn.utils.clip_grad_norm_(painter.parameters(), config.clip_norm)
            optimiser.step()
            schedule.step()
            decay = min(config.average, (1 + step) / (10 + step))
            with torch.no_grad():
                for name, value in painter.named_parameters():
                    averaged[name].lerp_(value, 1 - decay)
            # metrics
            row = {name: term.item() for name, term in terms.items()}
            row |= {"total": total.item(), "gradient": gradient.item()}
            row["rate"] = float(schedule.get_last_lr()[0])
            row["seconds"] = time.perf_counter() - began
            metrics.write(json.dumps({"step": step + 1, "styles": chosen.tolist(), **row}) + "\n")
            if on_step is not None:
                on_step(step + 1, row)
            # checkpoint
            if (step + 1) % every == 0 or step + 1 == config.steps:
                metrics.flush()
                Checkpoint.of(step + 1, config.size, names, painter, averaged, optimiser, schedule).save(path)
                paint = _averaged_painter(painter, averaged)
                write_samples(run / "samples" / f"{step + 1:06}.png", paint, judged, names)
    return path


def judge(
    painter: nn.Module, loss: PerceptualLoss, config: FitConfig, photos: Tensor, styles: Tensor, step: int
) -> tuple[Terms, Tensor]:
    """The terms of the loss of photos (B, 3, H, W) painted in styles (B,), and their weighted sum."""
    mixed = torch.autocast(photos.device.type, torch.bfloat16)
    with mixed:
        painted = painter(photos, styles)
    terms = loss(painted, photos, styles)
    done = (step + 1) / config.steps
    if config.loss.ramp(done) > 0:
        pair = make_pair(photos, torch.Generator(photos.device).manual_seed(config.seed * 1_000_003 + step))
        with mixed:
            again = painter(pair.second, styles)
        terms["stability"] = stability_loss(painted.float(), again.float(), pair)
    if config.loss.weights["tv"]:
        terms["tv"] = total_variation(painted.float())
    return terms, config.loss.total(terms, done)


def best_device() -> torch.device:
    """A GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _averaged_painter(painter: Painter, averaged: Parameters) -> Callable[[Tensor, Tensor], Tensor]:
    def paint(photos: Tensor, styles: Tensor) -> Tensor:
        with torch.no_grad():
            device = painter.affine.device
            painted: Tensor = functional_call(painter, averaged, (photos.to(device), styles.to(device)))
        return painted.cpu()

    return paint


def load_batches(batches: PhotoBatches, first: int) -> Iterator[tuple[int, tuple[Tensor, Tensor]]]:
    """The batches from step `first` on, prepared by another process."""
    rest = Subset(batches, range(first, len(batches)))
    return enumerate(DataLoader(rest, batch_size=None, num_workers=1, prefetch_factor=4), start=first)
