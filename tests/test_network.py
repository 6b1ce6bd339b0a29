import pytest
import torch
import torch.nn.functional as F
from torch import nn

from livestyle.architecture import CONFIGS, MIN_SIDE, NetworkConfig, Padding
from livestyle.network import (
    BlurFold,
    ConditionalNorm,
    FrameNet,
    ResizeFold,
    StemFold,
    TransformNet,
    pad_to_fit,
)

TINY = NetworkConfig(stem=4, body=8, blocks=1)
SIZES = [(33, 47), (361, 639), (480, 640), (32, 32), (35, 34)]


def random_affine(config: NetworkConfig, rows: int = 1) -> torch.Tensor:
    return torch.randn(rows, config.affine_length, generator=torch.manual_seed(1))


def trainable(config: NetworkConfig = TINY) -> TransformNet:
    torch.manual_seed(0)
    return TransformNet(config, trainable=True)


def test_resize_convolution_equals_its_fold_exactly() -> None:
    torch.manual_seed(0)
    x, kernel = torch.randn(2, 5, 9, 12, dtype=torch.float64), torch.randn(3, 5, 3, 3, dtype=torch.float64)
    resized = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), kernel)
    folded = F.pixel_shuffle(F.conv2d(x, ResizeFold().double()(kernel)), 2)
    # the fold covers the resized picture from its second row and column on: a valid 3x3 there
    torch.testing.assert_close(
        folded, resized[..., : folded.shape[-2], : folded.shape[-1]], rtol=0, atol=1e-13
    )


def test_blurred_stride_equals_its_fold_exactly() -> None:
    torch.manual_seed(0)
    x, kernel = torch.randn(2, 5, 16, 18, dtype=torch.float64), torch.randn(3, 5, 3, 3, dtype=torch.float64)
    blur = torch.full((5, 1, 2, 2), 0.25, dtype=torch.float64)
    blurred = F.conv2d(F.conv2d(x, blur, groups=5), kernel, stride=2)
    folded = F.conv2d(x, BlurFold((1, 1)).double()(kernel), stride=2)
    torch.testing.assert_close(folded, blurred, rtol=0, atol=1e-13)


def test_stem_equals_a_blurred_strided_convolution_exactly() -> None:
    torch.manual_seed(0)
    x, kernel = torch.randn(1, 3, 20, 14, dtype=torch.float64), torch.randn(6, 3, 4, 4, dtype=torch.float64)
    row = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
    blur = torch.outer(row, row).expand(3, 1, 3, 3)
    blurred = F.conv2d(F.conv2d(x, blur, groups=3), kernel, stride=2)
    folded = F.conv2d(F.pixel_unshuffle(x, 2), StemFold((1, 2, 1)).double()(kernel))
    torch.testing.assert_close(folded, blurred, rtol=0, atol=1e-13)


def test_folding_a_network_does_not_change_its_output() -> None:
    net = trainable().double()
    x, affine = torch.rand(1, 3, 52, 60, dtype=torch.float64), random_affine(TINY).double()
    before = net(x, affine)
    torch.testing.assert_close(net.fold()(x, affine), before, rtol=0, atol=1e-13)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_folded_weights_have_the_shapes_that_backends_build_from(config: NetworkConfig) -> None:
    state = TransformNet(config, trainable=True).fold().state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == config.weight_shapes
    assert TransformNet(config).state_dict().keys() == state.keys()


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_frame_of_any_size_comes_back_in_its_size(height: int, width: int) -> None:
    frame = torch.randint(256, (height, width, 3), dtype=torch.uint8)
    painted = FrameNet(trainable())(frame, random_affine(TINY)[0])
    assert painted.shape == frame.shape
    assert painted.dtype == torch.uint8


def test_the_padding_is_just_enough_for_every_side() -> None:
    net = TransformNet(TINY)
    for side in range(MIN_SIDE, 300):
        padding = Padding.of(side)
        padded = side + padding.before + padding.after
        assert padded % 4 == 0  # the stem and the strided convolution divide it without a rest
        with torch.no_grad():
            painted = net(torch.zeros(1, 3, padded, 32), random_affine(TINY)).shape[2]
        assert side <= painted <= side + 3
    with pytest.raises(ValueError, match="32 pixels"):
        Padding.of(MIN_SIDE - 1)


def test_the_painting_lies_where_the_frame_does() -> None:
    """A bright square stays where it is: padding and cropping must not shift the picture."""
    net = trainable(CONFIGS["small"])
    flat = torch.full((1, 3, 96, 96), 0.5)
    square = flat.clone()
    square[..., 40:56, 40:56] = 1
    affine = torch.cat([torch.cat([torch.ones(c), torch.zeros(c)]) for c in net.config.norms])[None]
    with torch.no_grad():
        changed = (net(pad_to_fit(square), affine) - net(pad_to_fit(flat), affine)).abs().sum(1)[0, :96, :96]
    weight = changed / changed.sum()
    places = torch.arange(96.0)
    # a shift by the margin would be 7 pixels; a random net blurs the square unevenly by less than 3
    assert (weight.sum(1) @ places).item() == pytest.approx(47.5, abs=3)
    assert (weight.sum(0) @ places).item() == pytest.approx(47.5, abs=3)


def test_each_picture_of_a_batch_gets_its_own_style() -> None:
    net = trainable()
    x, affine = torch.rand(2, 3, 52, 52), random_affine(TINY, rows=2)
    both = net(x, affine)
    for i in range(2):
        torch.testing.assert_close(
            both[i : i + 1], net(x[i : i + 1], affine[i : i + 1]), rtol=1e-4, atol=1e-5
        )
    assert not torch.allclose(net(x, affine.flip(0)), both, atol=1e-3)


def test_norm_statistics_are_taken_in_float32() -> None:
    """Squares of values around 300 overflow float16, whose largest value is 65,504."""
    x = torch.randn(1, 2, 16, 16, generator=torch.manual_seed(0)) * 300
    one, zero = torch.ones(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)
    normed = ConditionalNorm()(x.half(), (one.half(), zero.half()))
    torch.testing.assert_close(normed.float(), F.instance_norm(x), rtol=0, atol=4e-3)  # float16's step near 4


def test_large_has_about_as_many_weights_as_johnson() -> None:
    count = sum(p.numel() for p in nn.Module.parameters(TransformNet(CONFIGS["large"])))
    assert 1.5e6 < count < 1.8e6
