"""Pictures made up for tests."""

import numpy as np

from livestyle.frame import Image


def scene(width: int, height: int) -> Image:
    """Something like a photo: a gradient sky, a disc, stripes and a little noise, (height, width, 3) RGB."""
    y, x = np.mgrid[:height, :width].astype(float)
    sky = np.stack([90 + 60 * y / height, 130 + 40 * x / width, 210 - 90 * y / height], axis=2)
    disc = np.hypot(x - 0.3 * width, y - 0.35 * height) < 0.2 * min(width, height)
    sky[disc] = (240, 190, 60)
    ground = (y > 0.65 * height) & ((x // 9) % 2 == 0)
    sky[ground] = (60, 90, 40)
    noise = np.random.default_rng(0).normal(0, 4, sky.shape)
    return (sky + noise).clip(0, 255).astype(np.uint8)
