import pytest
import torch
import torch.nn.functional as F

from train.stability import Pair, make_pair, stability_loss


def photos(batch: int = 64, side: int = 48) -> torch.Tensor:
    noise = torch.rand(batch, 3, side // 8, side // 8, generator=torch.manual_seed(3))
    return F.interpolate(noise, side, mode="bicubic").clamp(0.1, 0.9)


def pair_of(x: torch.Tensor, seed: int = 0) -> Pair:
    return make_pair(x, torch.Generator().manual_seed(seed))


def test_the_same_seed_makes_the_same_pair() -> None:
    x = photos(4)
    assert torch.equal(pair_of(x).second, pair_of(x).second)
    assert not torch.equal(pair_of(x, 1).second, pair_of(x).second)


def test_a_network_that_only_brightens_along_is_perfectly_steady() -> None:
    """A painting that follows motion and exposure exactly has no error: the loss asks for no more."""
    x = photos()
    pair = pair_of(x)
    moved = F.grid_sample(x, pair.places, mode="nearest", padding_mode="border", align_corners=False)
    assert stability_loss(x, moved + pair.brightening, pair) < 1e-6


def test_flicker_and_lag_are_errors() -> None:
    x = photos()
    pair = pair_of(x)
    flickering = torch.rand(x.shape, generator=torch.manual_seed(1))
    steady = stability_loss(x, pair.second, pair)
    assert stability_loss(x, flickering, pair) > 3 * steady
    assert stability_loss(x, x, pair) > steady


def test_motion_stays_within_its_bounds() -> None:
    """10 pixels of shift, 3 degrees and 3 % over half a side of 24 pixels, or 3 deviations of the bend."""
    x = photos(256)
    side = x.shape[3]
    still = F.affine_grid(torch.eye(2, 3).expand(256, 2, 3), [256, 1, side, side], align_corners=False)
    pixels = (pair_of(x).places - still).flatten(1).abs().amax(1) * side / 2
    resting = (pixels < 1e-3).float().mean().item()
    assert resting == pytest.approx(0.2, abs=0.08)  # three deviations of a fifth of 256 draws
    assert pixels.max() < 45
    assert pixels.median() > 3


def test_pixels_from_outside_do_not_count() -> None:
    x = photos(1)
    pair = pair_of(x)
    outside = Pair(pair.second, pair.brightening, pair.places, torch.zeros_like(pair.valid))
    outside.valid[..., 0, 0] = True
    wrong = pair.second.clone()
    wrong[..., 5:, 5:] += 1
    assert stability_loss(x, wrong, outside) == stability_loss(x, pair.second, outside)


def test_both_paintings_learn() -> None:
    x = photos(2)
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    stability_loss(first, second, pair_of(x)).backward()  # type: ignore[no-untyped-call]
    assert first.grad is not None
    assert second.grad is not None
    assert first.grad.abs().sum() > 0
    assert second.grad.abs().sum() > 0


def test_a_style_that_counts_less_is_less_of_the_loss() -> None:
    x = photos()
    pair = pair_of(x)
    flickering = pair.second + 0.1 * torch.randn_like(pair.second)
    one = torch.zeros(len(x))
    one[0] = 1
    whole = stability_loss(x, flickering, pair)
    parts = [stability_loss(x, flickering, pair, one.roll(i)) for i in range(len(x))]
    assert sum(parts) == pytest.approx(float(whole), rel=1e-5)
    assert stability_loss(x, flickering, pair, torch.full((len(x),), 0.5)) == pytest.approx(float(whole) / 2)
