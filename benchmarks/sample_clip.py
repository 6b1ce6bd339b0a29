"""Make the sample clip that the package carries: four photographs, a slow camera, a few notes.

The photographs are the free ones in the wheel of scikit-image, which is needed for this command
alone: `pip install scikit-image`.  Nothing is fetched, and all noise is seeded.

Pictures are RGB, float32 in 0..255, (H, W, 3). Positions and lengths are pixels of the photograph, times
are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import click
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from numpy.typing import NDArray

from benchmarks.sample_music import RATE, Sound, compose

Picture: TypeAlias = NDArray[np.float32]
Field: TypeAlias = NDArray[np.float32]

OUTPUT = Path(__file__).parent.parent / "livestyle" / "media" / "sample.mp4"
SIZE = (640, 360)
FPS = 30
SHOT_FRAMES = 66
FADE_FRAMES = 10
CRF = 23
SUPERSAMPLE = 2
"""Magnifying first keeps the content far below the Nyquist limit: no shimmer at any camera position."""

AUDIO_BIT_RATE = 96_000


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees: the point at its centre, and frame pixels to a pixel of the photograph."""

    x: float
    y: float
    zoom: float


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A photograph, a camera move over it, and what moves within it."""

    photograph: Picture
    begin: View
    end: View
    depth: Field
    """Nearness in 0..1, (H, W): what is near moves by `sway` against what is far."""
    sway: tuple[float, float]
    alive: Callable[[Picture, float], Picture]
    """Return the photograph as it is so many seconds into the shot."""


def ease(share: float) -> float:
    """Slow down at both ends of 0..1 but never stand still, since the ends lie within a crossfade."""
    return 0.35 * share + 0.65 * share * share * (3.0 - 2.0 * share)


def grid(picture: Picture) -> tuple[Field, Field]:
    """Return the x and y, each (H, W), of the pixels of a picture."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    return x, y


def bump(picture: Picture, x: float, y: float, width: float, height: float) -> Field:
    """Return an (H, W) Gaussian of height one with these standard deviations."""
    across, down = grid(picture)
    level = np.exp(-0.5 * (((across - x) / width) ** 2 + ((down - y) / height) ** 2))
    return np.asarray(level, np.float32)


def outline(picture: Picture, corners: list[tuple[int, int]], softness: float) -> Field:
    """Return an (H, W) mask of a polygon whose edge is blurred by `softness`."""
    mask = np.zeros(picture.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.array(corners, np.int32)], 1.0)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), softness), np.float32)


def clouds(cell: float, seed: int) -> Field:
    """Return (512, 512) noise of deviation one, with lumps about `cell` wide, that repeats at its edges."""
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal((512, 512)))
    cycles = cell * np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512))
    noise = np.fft.irfft2(spectrum * cycles * np.exp(-(cycles**2)), (512, 512))
    return np.asarray(noise / noise.std(), np.float32)


def rolled(field: Field, x: Field, y: Field) -> Field:
    """Return a field that repeats at its edges, read at the positions x and y."""
    height, width = field.shape
    read = cv2.remap(field, x % width, y % height, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(read, np.float32)


def vapour(picture: Picture, x: float, y: float, seconds: float) -> Field:
    """Return the (H, W) density, 0..1, of steam that rises from a point, frays and leans to the right."""
    across, down = grid(picture)
    climb = np.float32(75.0 * seconds)
    height = np.clip((y - down) / np.float32(170.0), -1.0, 1.0)
    bend = rolled(clouds(90.0, seed=3), across, 0.8 * down + 0.7 * climb)
    strand = rolled(clouds(58.0, seed=8), across + 12.0 * bend, 0.45 * down + 0.8 * climb)
    side = across - x - 60.0 * np.abs(height) * height - 14.0 * bend * height
    column = np.exp(-((side / (34.0 + 40.0 * np.abs(height))) ** 2))
    column *= np.clip(4.0 * height + 0.9, 0.0, 1.0) * np.clip(1.2 - height, 0.0, 1.0)
    return np.asarray(column * np.exp(-1.7 * np.abs(strand)), np.float32)


def steaming(coffee: Picture, seconds: float) -> Picture:
    """Let steam rise from the cup."""
    density = 0.62 * vapour(coffee, 285.0, 150.0, seconds)[..., None]
    return np.asarray(coffee + density * (np.array((255, 240, 220), np.float32) - coffee))


def twinkling(rocket: Picture, seconds: float) -> Picture:
    """Let the lamps of the launch pad flicker."""
    lamps = ((82, 350), (110, 415), (150, 377), (193, 396), (364, 397), (433, 393), (450, 419))
    gain = np.ones(rocket.shape[:2], np.float32)
    for order, (x, y) in enumerate(lamps):
        gain += 0.22 * np.sin(seconds * (5.0 + 0.9 * order) + 2.4 * order) * bump(rocket, x, y, 15.0, 15.0)
    return rocket * gain[..., None]


def still(picture: Picture, _: float) -> Picture:
    """Leave the photograph as it is."""
    return picture


def shoot_coffee(coffee: Picture) -> Shot:
    """Push in on the cup, which stands above its saucer."""
    depth = np.maximum(bump(coffee, 292, 110, 85, 80), 0.6 * bump(coffee, 280, 220, 150, 110))
    return Shot(coffee, View(300, 174, 1.10), View(294, 143, 1.34), depth, (7.0, -4.0), steaming)


def shoot_cat(cat: Picture) -> Shot:
    """Pan up the face while the head turns, nose first."""
    depth = 0.6 * bump(cat, 262, 240, 62, 55) + 0.4 * bump(cat, 205, 150, 120, 130)
    return Shot(cat, View(222, 172, 1.47), View(229, 132, 1.52), depth, (11.0, 3.0), still)


def shoot_astronaut(portrait: Picture) -> Shot:
    """Push in on the face; she stands before the backdrop and holds the helmet before her."""
    person = [(20, 512), (30, 330), (60, 250), (112, 200), (125, 165), (165, 150), (150, 100), (155, 50)]
    person += [(185, 18), (240, 12), (285, 30), (302, 90), (275, 135), (265, 170), (305, 215), (345, 270)]
    person += [(365, 350), (450, 345), (495, 420), (512, 512)]
    depth = outline(portrait, person, 11.0)
    return Shot(portrait, View(256, 152, 1.26), View(236, 136, 1.44), depth, (-8.0, 0.0), still)


def shoot_rocket(rocket: Picture) -> Shot:
    """Tilt up and pull back from the lamps to the rocket between its towers, of which two are near."""
    across, _ = grid(rocket)
    depth = np.clip(np.abs(across - 322.0) / 250.0 - 0.3, 0.0, 1.0).astype(np.float32)
    return Shot(rocket, View(330, 286, 1.36), View(322, 244, 1.06), depth, (5.0, 0.0), twinkling)


def photographs() -> tuple[Picture, Picture, Picture, Picture]:
    """Return coffee, cat, astronaut and rocket from the wheel of scikit-image."""
    try:
        from skimage import data
    except ImportError as error:
        raise click.ClickException(
            "the sample clip needs scikit-image's pictures: pip install scikit-image"
        ) from error
    coffee, cat, astronaut, rocket = (
        np.asarray(read(), np.float32) for read in (data.coffee, data.chelsea, data.astronaut, data.rocket)
    )
    return coffee, cat, astronaut, rocket


def render(shot: Shot, frame: int) -> Picture:
    """Return one (360, 640, 3) frame of a shot."""
    along = ease(frame / (SHOT_FRAMES - 1))
    zoom = shot.begin.zoom * (shot.end.zoom / shot.begin.zoom) ** along
    x, y = grid(np.empty((SIZE[1], SIZE[0], 0), np.float32))
    x = shot.begin.x + along * (shot.end.x - shot.begin.x) + (x - (SIZE[0] - 1) / 2) / zoom
    y = shot.begin.y + along * (shot.end.y - shot.begin.y) + (y - (SIZE[1] - 1) / 2) / zoom
    near = np.asarray(cv2.remap(shot.depth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    x -= near * shot.sway[0] * (along - 0.5)
    y -= near * shot.sway[1] * (along - 0.5)
    large = cv2.resize(
        shot.alive(shot.photograph, frame / FPS),
        None,
        fx=SUPERSAMPLE,
        fy=SUPERSAMPLE,
        interpolation=cv2.INTER_LANCZOS4,
    )
    x, y = (SUPERSAMPLE * (axis + 0.5) - 0.5 for axis in (x, y))
    seen = cv2.remap(large, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)


def film(shots: list[Shot]) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames, RGB (360, 640, 3): the shots in turn, each fading into the next."""
    step = SHOT_FRAMES - FADE_FRAMES
    for order, shot in enumerate(shots):
        last = order == len(shots) - 1
        for frame in range(FADE_FRAMES if order else 0, SHOT_FRAMES):
            picture = render(shot, frame)
            if frame >= step and not last:
                share = (frame - step + 1) / (FADE_FRAMES + 1)
                picture += share * (render(shots[order + 1], frame - step) - picture)
            yield np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def open_video(container: av.container.OutputContainer) -> av.VideoStream:
    """Add an H.264 stream, tagged as BT.709 with a limited range."""
    stream = container.add_stream("libx264", rate=FPS, options={"preset": "slow", "crf": str(CRF)})
    stream.width, stream.height = SIZE
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, FPS)
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.color_range = ColorRange.MPEG
    return stream


def encode_video(container: av.container.OutputContainer, stream: av.VideoStream, shots: list[Shot]) -> None:
    """Film the shots into the stream."""
    for count, image in enumerate(film(shots)):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.LANCZOS,
        )
        frame.pts, frame.time_base = count, Fraction(1, FPS)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def encode_audio(container: av.container.OutputContainer, stream: av.AudioStream, sound: Sound) -> None:
    """Encode the (2, samples) sound into the stream."""
    frame = av.AudioFrame.from_ndarray(sound.astype(np.float32), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    container.mux(stream.encode(frame))
    container.mux(stream.encode())


def write_clip(output: Path) -> None:
    """Write the clip as an MP4 whose index comes first, so that it plays while it loads."""
    coffee, cat, astronaut, rocket = photographs()
    shots = [shoot_coffee(coffee), shoot_cat(cat), shoot_astronaut(astronaut), shoot_rocket(rocket)]
    frames = len(shots) * (SHOT_FRAMES - FADE_FRAMES) + FADE_FRAMES
    output.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(output), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = open_video(container)
        audio = container.add_stream("aac", rate=RATE, layout="stereo", bit_rate=AUDIO_BIT_RATE)
        encode_audio(container, audio, compose(frames / FPS, bar=(SHOT_FRAMES - FADE_FRAMES) / FPS))
        encode_video(container, video, shots)


@click.command()
@click.option(
    "--output",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    default=OUTPUT,
    show_default="the clip in the package",
    help="MP4 file to write.",
)
def main(output: Path) -> None:
    """Make the sample clip, which takes some ten seconds."""
    write_clip(output)
    click.echo(f"{output}: {output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
