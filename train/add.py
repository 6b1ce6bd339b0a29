"""A new style for a network that is trained already: only its row of `affine` is learnt.

Dumoulin et al. 2017, section 4.2 ("N-styles ... may be extended"): the convolutions hold what painting is,
the scales and shifts of the norms which painting it is.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from livestyle.network import TransformNet, pad_to_fit
from livestyle.styles import Style
from livestyle.weights import Weights
from train.config import FitConfig
from train.distributed import Team
from train.loop import judge, load_batches
from train.loss_network import CHOICES, LossNetwork
from train.losses import PerceptualLoss
from train.metrics import OnStep, check_finite
from train.photos import PhotoBatches, PhotoCache
from train.pictures import StylePicture


class RowPainter(nn.Module):
    """A frozen network whose one style is learnt: `row` (affine_length,)."""

    def __init__(self, weights: Weights, row: Tensor) -> None:
        super().__init__()
        self.net = TransformNet(weights.config)
        self.net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.tensors.items()})
        self.net.requires_grad_(False)
        self.row = nn.Parameter(row)

    def forward(self, photos: Tensor, styles: Tensor) -> Tensor:
        """Paints photos (B, 3, H, W), RGB in [0, 1], all in the one style, whatever `styles` (B,) says."""
        painted: Tensor = self.net(pad_to_fit(photos), self.row.expand(len(styles), -1))
        return painted[..., : photos.shape[-2], : photos.shape[-1]]


def learn_row(
    picture: StylePicture,
    weights: Weights,
    photos: PhotoCache,
    loss_network: LossNetwork,
    config: FitConfig,
    team: Team,
    on_step: OnStep,
) -> Style:
    """Learns the style of a picture, starting from the style of the network that comes nearest to it."""
    device = team.device
    batches = PhotoBatches(photos, 1, config.steps, config.batch, config.side, config.seed)
    target = picture.load(config.style_side).to(device)
    loss = PerceptualLoss(loss_network.to(device), CHOICES[config.loss.network], [target])
    start = torch.from_numpy(nearest(weights, batches, loss, device).row.copy())
    painter = RowPainter(weights, start).to(device)
    optimiser = torch.optim.Adam([painter.row], lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, config.steps)
    alike = torch.ones(1, device=device)
    for step, (crops, chosen) in load_batches(batches, 0):
        judgement = judge(painter, loss, config, crops.to(device), chosen.to(device), alike, step, team)
        optimiser.zero_grad(set_to_none=True)
        judgement.total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        schedule.step()
        values = {name: term.item() for name, term in judgement.terms.items()}
        check_finite(step + 1, values)
        on_step(step + 1, values)
    row = painter.row.detach().cpu().numpy()
    return Style(picture.name, row, picture.title, picture.artist, picture.year, picture.licence)


def nearest(weights: Weights, batches: PhotoBatches, loss: PerceptualLoss, device: torch.device) -> Style:
    """The shipped style whose paintings of a few photos come nearest to the picture of `loss`."""
    photos = batches[0][0].to(device).float() / 255
    painter = RowPainter(weights, torch.zeros(weights.config.affine_length)).to(device)

    def error(style: Style) -> float:
        with torch.no_grad():
            painter.row.copy_(torch.from_numpy(style.row))
            only = torch.zeros(len(photos), dtype=torch.long, device=device)
            return loss(painter(photos, only), photos, only)["style"].item()

    return min((style for style in weights.styles.values() if not style.own), key=error)


def quick() -> FitConfig:
    """Few steps at a high rate: a row has few parameters, and each is worth much."""
    return replace(FitConfig(), steps=300, learning_rate=2e-2)
