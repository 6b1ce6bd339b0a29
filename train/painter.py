"""The transform network together with the table of its styles: all that is trained."""

import torch
from torch import Tensor, nn

from livestyle.architecture import CONFIGS
from livestyle.network import TransformNet, pad_to_fit


class Painter(nn.Module):
    """Paints photos in styles that are given by number; every style begins as plain instance norm."""

    def __init__(self, size: str, styles: int) -> None:
        super().__init__()
        config = CONFIGS[size]
        self.net = TransformNet(config, trainable=True)
        row = torch.cat([torch.cat([torch.ones(c), torch.zeros(c)]) for c in config.norms])
        self.affine = nn.Parameter(row.repeat(styles, 1))

    def forward(self, photos: Tensor, styles: Tensor) -> Tensor:
        """Paints photos (B, 3, H, W), RGB in [0, 1], in the styles (B,), by number."""
        painted: Tensor = self.net(pad_to_fit(photos), self.affine[styles])
        return painted[..., : photos.shape[-2], : photos.shape[-1]]
