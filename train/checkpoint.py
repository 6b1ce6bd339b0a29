"""What a training run keeps, so that it can go on, be exported, or start another."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from livestyle.architecture import CONFIGS
from livestyle.errors import StyleError, reason_of
from livestyle.sinks.partial import PartialFile

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
        """Writes the checkpoint; an older one is replaced only when the new one is complete.

        Raises SinkError where it cannot be written.
        """
        content = io.BytesIO()  # PyTorch's own error tells of its file, and not why it was not written
        torch.save({f.name: getattr(self, f.name) for f in fields(self)}, content)
        with PartialFile(path) as file:
            file.write(content.getvalue())

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Reads a checkpoint, of tensors and plain values only. Raises StyleError for anything else."""
        try:
            found = cls(**torch.load(path, weights_only=True, map_location="cpu"))
            known = found.size in CONFIGS and len(found.averaged["affine"]) == len(found.styles)
        except OSError as error:
            raise StyleError(f"cannot read the checkpoint {path}: {reason_of(error)}") from error
        except (RuntimeError, TypeError, ValueError, LookupError, EOFError, pickle.UnpicklingError) as error:
            # PyTorch's own words fill a page, and advise to run whatever the file holds
            raise StyleError(
                f"{path} is not a checkpoint of train fit: name the checkpoint.pt of a run"
            ) from error
        if not known:
            raise StyleError(f"{path} is of a network {found.size!r} that is not known here: train it anew")
        return found

    def resume(
        self,
        painter: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> Parameters:
        """Puts everything back as it was and gives the averaged parameters."""
        self._assign(painter, self.parameters)
        optimiser.load_state_dict(self.optimiser)
        schedule.load_state_dict(self.schedule)
        return self.averaged

    def warm_start(self, painter: nn.Module, styles: list[str]) -> None:
        """Starts another run from the averaged weights; a style that is new starts from the mean row.

        Raises StyleError where the weights are those of another network.
        """
        table = self.averaged["affine"]
        rows = [table[self.styles.index(name)] if name in self.styles else table.mean(0) for name in styles]
        self._assign(painter, self.averaged | {"affine": torch.stack(rows)})

    def _assign(self, painter: nn.Module, parameters: Parameters) -> None:
        wanted = {name: value.shape for name, value in painter.named_parameters()}
        if {name: value.shape for name, value in parameters.items()} != wanted:
            raise StyleError(f"the checkpoint is of another network, of size {self.size}: choose another one")
        with torch.no_grad():
            for name, value in painter.named_parameters():
                value.copy_(parameters[name])
