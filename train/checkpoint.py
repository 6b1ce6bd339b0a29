"""What a training run keeps, so that it can go on, be exported, or start another."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from livestyle.errors import StyleError

Parameters = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after `step` steps."""

    step: int
    size: str
    styles: list[str]
    """Names in the order of the rows."""
    parameters: Parameters
    averaged: Parameters
    """The exponential average of the parameters: what is exported."""
    optimiser: dict[str, Any]
    schedule: dict[str, Any]

    @classmethod
    def of(
        cls,
        step: int,
        size: str,
        styles: list[str],
        painter: nn.Module,
        averaged: Parameters,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> Checkpoint:
        """The state of these parts."""
        parameters = {name: value.detach() for name, value in painter.named_parameters()}
        return cls(step, size, styles, parameters, averaged, optimiser.state_dict(), schedule.state_dict())

    def save(self, path: Path) -> None:
        """Writes the checkpoint; an older one is replaced only when the new one is complete."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        state = {f.name: getattr(self, f.name) for f in fields(self)}
        torch.save(state, part)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Reads a checkpoint, of tensors and plain values only. Raises StyleError for anything else."""
        try:
            return cls(**torch.load(path, weights_only=True, map_location="cpu"))
        except OSError as error:
            raise StyleError(f"cannot read the checkpoint {path}: {error.strerror or error}") from error
        except (RuntimeError, TypeError, EOFError, pickle.UnpicklingError) as error:
            # PyTorch's own words fill a page, and advise to run whatever the file holds
            raise StyleError(
                f"{path} is not a checkpoint of train fit: name the checkpoint.pt of a run"
            ) from error

    def resume(
        self,
        painter: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        styles: list[str],
    ) -> Parameters:
        """Puts everything back as it was and gives the averaged parameters."""
        if styles != self.styles:
            raise StyleError(
                f"the run was begun with other styles ({', '.join(self.styles)}): use a new folder"
            )
        _assign(painter, self.parameters)
        optimiser.load_state_dict(self.optimiser)
        schedule.load_state_dict(self.schedule)
        return self.averaged

    def warm_start(self, painter: nn.Module, styles: list[str]) -> None:
        """Starts another run from the averaged weights; a style that is new starts from the mean row."""
        table = self.averaged["affine"]
        rows = [table[self.styles.index(name)] if name in self.styles else table.mean(0) for name in styles]
        _assign(painter, self.averaged | {"affine": torch.stack(rows)})


def _assign(painter: nn.Module, parameters: Parameters) -> None:
    with torch.no_grad():
        for name, value in painter.named_parameters():
            value.copy_(parameters[name])
