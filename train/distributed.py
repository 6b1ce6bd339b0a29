"""Training by several processes at once, as `torchrun` starts them: each takes its share of every batch."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Team:
    """The processes that train together, seen from one of them."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes files and shows progress."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch (B, ...). Raises ValueError where it cannot be divided evenly."""
        if len(batch) % self.size:
            raise ValueError(f"a batch of {len(batch)} cannot be divided among {self.size} processes")
        part = len(batch) // self.size
        return batch[self.rank * part : (self.rank + 1) * part]

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with its gradients averaged over the processes."""
        return module if self.size == 1 else DistributedDataParallel(module)

    def one_by_one(self, work: Callable[[], Result]) -> Result:
        """Does some work in the leading process first, and then, when its files are there, in the others."""
        done = work() if self.leads else None
        if self.size > 1:
            dist.barrier()
        return work() if done is None else done

    def mean(self, value: Tensor) -> float:
        """The mean of a scalar over the processes."""
        value = value.detach().clone()
        if self.size > 1:
            dist.all_reduce(value)
        return value.item() / self.size


def team_size() -> int:
    """How many processes `torchrun` started, 1 without it: known before they find each other."""
    return int(os.environ.get("WORLD_SIZE", 1))


@contextmanager
def team() -> Iterator[Team]:
    """The team that `torchrun` describes in the environment, or one of one; on GPUs where there are any."""
    rank, size = int(os.environ.get("RANK", 0)), team_size()
    gpus = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if gpus else torch.device("cpu")
    if size == 1:
        yield Team(0, 1, device)
        return
    dist.init_process_group("nccl" if gpus else "gloo")
    try:
        yield Team(rank, size, device)
    finally:
        dist.destroy_process_group()
