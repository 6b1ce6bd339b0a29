"""What a training run needs, small: four photos, two styles, and a loss network of random weights."""

from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from livestyle.sinks.picture import write_picture
from tests.pictures import scene
from tests.test_loss_network import vgg_weights


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
