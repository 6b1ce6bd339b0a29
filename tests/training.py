"""What a training run needs, small: four photos, two styles, and a loss network of random weights.

As a module, `python -m train` on small pictures.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from livestyle.sinks.picture import write_picture
from tests.pictures import scene
from tests.test_loss_network import vgg_weights
from train.__main__ import main
from train.add import quick
from train.checkpoint import Checkpoint
from train.config import FitConfig
from train.distributed import team
from train.loop import fit
from train.loss_network import LossNetwork, load_loss_network
from train.losses import LossConfig
from train.photos import cache_photos, find_photos, held_out
from train.pictures import read_gallery

TINY = FitConfig(steps=4, batch=2, side=64, style_side=64, loss=LossConfig("vgg19-shallow"))


def small_pictures(patch: pytest.MonkeyPatch, side: int = 64) -> None:
    """Lets the commands of `train` work on pictures of this side: those of their own cost seconds a step."""
    config = partial(FitConfig, side=side, style_side=side)
    patch.setattr("train.commands.fit.FitConfig", config)
    patch.setattr("train.commands.throughput.FitConfig", config)
    patch.setattr("train.commands.add._QUICK", replace(quick(), side=side))
    patch.setattr("train.judge._STYLE_SIDE", side)


def make_data(folder: Path) -> Path:
    """The folder, with photos/, a.png and b.png, their gallery.toml, and vgg.safetensors."""
    (folder / "photos").mkdir()
    for i in range(4):
        write_picture(folder / "photos" / f"{i}.png", np.roll(scene(80, 72), 11 * i, axis=1))
    write_picture(folder / "a.png", scene(90, 70)[::-1].copy())
    write_picture(folder / "b.png", 255 - scene(70, 90))
    entries = [f'[[style]]\nname = "{n}"\npicture = "{n}.png"\nlicence = "MIT"\n' for n in "ab"]
    (folder / "gallery.toml").write_text("".join(entries))
    save_file(vgg_weights("vgg19", 8), folder / "vgg.safetensors")
    return folder


def command_options(data: Path) -> list[str]:
    """The options of a command of `train` that say where all of it is."""
    return [
        *("--pictures", str(data), "--photos", str(data / "photos")),
        *("--loss-network", "vgg19-shallow", "--loss-weights", str(data / "vgg.safetensors")),
    ]


def call(*arguments: object) -> None:
    """Runs a command of `train`, which must end well."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def loss_network(folder: Path) -> LossNetwork:
    """One of random weights, in float32; its file is left in the folder."""
    path = folder / "vgg.safetensors"
    save_file(vgg_weights("vgg19", 8), path)
    return load_loss_network("vgg19-shallow", path, dtype=torch.float32)


def run_fit(
    network: LossNetwork, data: Path, run: Path, config: FitConfig = TINY, **more: object
) -> Checkpoint:
    """A training run on the data of `make_data`, and its last checkpoint; there is one every 2 steps."""
    run.mkdir(exist_ok=True)
    styles = read_gallery(data / "gallery.toml", data)
    trained, judged = held_out(find_photos(data / "photos"))
    photos, command = cache_photos(trained, folder=data), f"python -m train fit --steps {config.steps}"
    with team() as alone:
        path = fit(config, styles, photos, judged, network, run, alone, command=command, every=2, **more)  # type: ignore[arg-type]
    return Checkpoint.load(path)


if __name__ == "__main__":
    small_pictures(pytest.MonkeyPatch())
    main()
