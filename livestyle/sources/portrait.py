"""Somebody who looks around, blinks and smiles: the foreground of the pattern camera."""

import math

import cv2
import numpy as np

from livestyle.frame import Image
from livestyle.sources.scenery import disc

_SKIN, _SHADE, _BLUSH = (232, 184, 150), (206, 150, 118), (228, 150, 128)
_HAIR, _LIPS, _EYE = (70, 44, 30), (178, 62, 62), (60, 90, 70)
_SHIRT, _STRIPE = (36, 66, 120), (232, 226, 208)
_BLINK_SECONDS, _BLINK_EVERY_SECONDS = 0.16, 3.1


class Portrait:
    """Head and shoulders, drawn into pictures of `size` (width, height). `seed` shifts when things happen."""

    def __init__(self, size: tuple[int, int], seed: int = 0) -> None:
        self._width, self._height = size
        self._phase = float(np.random.default_rng(seed).uniform(0, 60))

    def draw(self, image: Image, seconds: float) -> None:
        """Draw the person as they are at that time."""
        t = seconds + self._phase
        unit = self._height / 100
        x = self._width / 2 + 9 * unit * math.sin(0.7 * t)
        y = 52 * unit + 1.5 * unit * math.sin(1.9 * t)
        turn = math.sin(0.53 * t + 1)
        self._shoulders(image, self._width / 2 + 5 * unit * math.sin(0.7 * t - 0.4), unit)
        self._head(image, x, y, unit, turn)
        self._eyes(image, x, y, unit, turn, t)
        self._mouth(image, x + 2.5 * turn * unit, y + 9.5 * unit, unit, 0.5 + 0.5 * math.sin(0.9 * t))

    def _shoulders(self, image: Image, x: float, unit: float) -> None:
        disc(image, (x, 106 * unit), 36 * unit, _SHIRT, 0.82)
        for stripe in range(-2, 3):
            _line(
                image,
                [(x + 9 * stripe * unit, 81 * unit), (x + 11 * stripe * unit, 101 * unit)],
                1.6 * unit,
                _STRIPE,
            )
        disc(image, (x, 77 * unit), 8 * unit, _SHADE, 1.2)

    def _head(self, image: Image, x: float, y: float, unit: float, turn: float) -> None:
        disc(image, (x - turn * unit, y - 3 * unit), 20 * unit, _HAIR, 1.2)
        for side in (-1, 1):
            disc(image, (x + side * 16.6 * unit, y + unit), 3 * unit, _SHADE, 1.5)
        disc(image, (x, y), 16.5 * unit, _SKIN, 1.32)
        for side in (-1, 1):
            disc(image, (x + (9 * side + 2 * turn) * unit, y + 5.5 * unit), 3.6 * unit, _BLUSH, 0.7)
        disc(image, (x - 3 * turn * unit, y - 18.5 * unit), 15 * unit, _HAIR, 0.5)
        _line(
            image,
            [
                (x + 2.6 * turn * unit, y - 3 * unit),
                (x + (3.4 * turn + 1.6) * unit, y + 4 * unit),
                (x + 2.6 * turn * unit, y + 4.6 * unit),
            ],
            0.9 * unit,
            _SHADE,
        )

    def _eyes(self, image: Image, x: float, y: float, unit: float, turn: float, t: float) -> None:
        blinking = t % _BLINK_EVERY_SECONDS < _BLINK_SECONDS
        for side in (-1, 1):
            at = x + (6.6 * side + 2 * turn) * unit, y - 3 * unit
            _line(
                image,
                [
                    (at[0] - 3.6 * unit, at[1] - 4 * unit),
                    (at[0], at[1] - 5.4 * unit),
                    (at[0] + 3.6 * unit, at[1] - 4 * unit),
                ],
                1.1 * unit,
                _HAIR,
            )
            if blinking:
                _line(image, [(at[0] - 3.2 * unit, at[1]), (at[0] + 3.2 * unit, at[1])], 0.9 * unit, _SHADE)
                continue
            disc(image, at, 3.3 * unit, (250, 248, 244), 0.72)
            disc(image, (at[0] + 1.1 * turn * unit, at[1]), 1.9 * unit, _EYE)
            disc(image, (at[0] + 1.1 * turn * unit, at[1]), 0.9 * unit, (20, 18, 16))

    def _mouth(self, image: Image, x: float, y: float, unit: float, smile: float) -> None:
        points = [
            (x + 6 * across * unit, y + (1 + 3 * smile) * (1 - across * across) * unit)
            for across in np.linspace(-1, 1, 13)
        ]
        _line(image, points, 1.5 * unit, _LIPS)


def _line(
    image: Image, points: list[tuple[float, float]], thickness: float, colour: tuple[int, int, int]
) -> None:
    path = np.array(points) * 16
    cv2.polylines(
        image, [path.round().astype(np.int32)], False, colour, max(1, round(thickness)), cv2.LINE_AA, shift=4
    )
