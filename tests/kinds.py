"""Every kind of input, painted with a strength of 0 and compared.

`python -m tests.kinds` writes what is found to docs/files.md.
"""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from click.testing import CliRunner

from livestyle import colors
from livestyle.cli import main
from livestyle.frame import Image
from livestyle.sources import open_source
from tests.media import greys, make_sound, make_video, video_seconds
from tests.pictures import scene
from tests.test_shapes import hdr_clip, interlaced_clip
from tests.test_tracks import codecs, rich_clip

DOCUMENT = Path(__file__).parent.parent / "docs" / "files.md"

Make = Callable[[Path], Path]
"""Makes an input in a folder, and names it."""


@dataclass(frozen=True)
class Kind:
    """One kind of input, and the name of the output it is painted into."""

    name: str
    make: Make
    output: str = "out.mp4"
    options: tuple[str, ...] = ()


def moving(count: int = 12, width: int = 128, height: int = 96) -> list[Image]:
    big = cv2.GaussianBlur(scene(width + 4 * count, height), (0, 0), 1.2).astype(np.uint8)
    return [np.ascontiguousarray(big[:, 4 * i : 4 * i + width]) for i in range(count)]


def clip(name: str = "in.mp4", **how: object) -> Make:
    return lambda folder: make_video(folder / name, moving(), **how)  # type: ignore[arg-type]


def at(*moments: float, start: float = 0.0, name: str = "in.mp4") -> Make:
    return lambda folder: make_video(folder / name, greys(len(moments), 128, 96), pts=moments, start=start)


def rate(numerator: int, denominator: int) -> Make:
    return at(*(i * denominator / numerator for i in range(24)))


def rich(name: str, *sounds: str) -> Make:
    return lambda folder: rich_clip(folder / name, sounds)


def written(name: str, content: bytes) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def shortened(name: str) -> Make:
    def make(folder: Path) -> Path:
        path = make_video(folder / name, moving(40), sound="aac")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return path

    return make


def spoilt(name: str) -> Make:
    def make(folder: Path) -> Path:
        path = make_video(folder / name, moving(60), gop=10)
        content = bytearray(path.read_bytes())
        middle = round(0.4 * len(content))
        content[middle : middle + len(content) // 20] = np.random.default_rng(0).bytes(len(content) // 20)
        path.write_bytes(content)
        return path

    return make


def existing(folder: Path) -> Path:
    (folder / "out.mp4").write_bytes(b"precious")
    return make_video(folder / "in.mp4", moving())


def picture(folder: Path) -> Path:
    (folder / "in.png").write_bytes(cv2.imencode(".png", scene(64, 48))[1].tobytes())
    return folder / "in.png"


def pictures(folder: Path) -> Path:
    for number, image in enumerate(moving()):
        (folder / f"{number:03d}.png").write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    return folder / "%03d.png"


KINDS: dict[str, list[Kind]] = {
    "Time": [
        Kind("23.976 frames a second", rate(24_000, 1001)),
        Kind("29.97 frames a second", rate(30_000, 1001)),
        Kind("59.94 frames a second", rate(60_000, 1001)),
        Kind("varying frame rate", at(0, 0.02, 0.04, 0.1, 0.5, 0.51, 0.9, 1.5)),
        Kind("a gap of ten seconds", at(0, 0.1, 0.2, 10.2, 10.3)),
        Kind("times from 5 s on", at(0, 0.1, 0.2, start=5, name="in.mkv")),
        Kind("times below zero", at(0, 0.1, 0.2, 0.3, start=-0.2, name="in.nut")),
        Kind("varying rate, to AVI", at(0, 0.02, 0.1, 0.5), "out.avi"),
        Kind("120 frames a second, to GIF", rate(120, 1), "out.gif"),
    ],
    "Shape": [
        Kind("turned by 90 degrees", clip(rotation=90)),
        Kind("turned by 180 degrees", clip(rotation=180)),
        Kind("turned by 270 degrees", clip(rotation=-90)),
        Kind("pixels of 16:15", clip(aspect=Fraction(16, 15))),
        Kind(
            "odd size, to H.264",
            lambda folder: make_video(folder / "in.mkv", moving(3, 127, 95), codec="ffv1", pix_fmt="bgr0"),
        ),
        Kind(
            "odd size, to VP9",
            lambda folder: make_video(folder / "in.mkv", moving(3, 127, 95), codec="ffv1", pix_fmt="bgr0"),
            "out.webm",
        ),
        Kind("interlaced", lambda folder: interlaced_clip(folder / "in.ts")),
        Kind("4:2:2", clip(pix_fmt="yuv422p")),
        Kind("4:4:4", clip(pix_fmt="yuv444p")),
        Kind("10 bits", clip(pix_fmt="yuv420p10le")),
        Kind("full range", clip(matrix=1, full_range=True)),
        Kind("BT.601", clip(matrix=6)),
        Kind("BT.709", clip(matrix=1)),
        Kind("BT.2020", clip(matrix=9)),
        Kind("HDR: PQ", lambda folder: hdr_clip(folder / "in.mkv", colors.PQ, [0.1, 0.3, 0.5, 0.7])),
        Kind("HDR: HLG", lambda folder: hdr_clip(folder / "in.mkv", colors.HLG, [0.1, 0.3, 0.5, 0.7])),
    ],
    "Streams": [
        Kind("no sound", clip()),
        Kind("two sounds, subtitles, chapters, font, cover", rich("in.mkv", "aac", "libopus"), "out.mkv"),
        Kind("the same", rich("in.mkv", "aac", "libopus"), "out.mp4"),
        Kind("the same", rich("in.mkv", "aac", "libopus"), "out.mov"),
        Kind("the same", rich("in.mkv", "aac", "libopus"), "out.webm"),
        Kind("the same", rich("in.mkv", "aac", "libopus"), "out.ts"),
        Kind("the same", rich("in.mkv", "aac", "libopus"), "out.avi"),
        Kind("the same", rich("in.mkv", "aac", "libopus"), "out.gif"),
        Kind("sound as PCM", rich("in.mkv", "pcm_s16le"), "out.mp4"),
    ],
    "Containers": [
        Kind("MP4", clip("in.mp4", sound="aac")),
        Kind("MOV", clip("in.mov", sound="aac"), "out.mov"),
        Kind("MKV", clip("in.mkv", sound="flac"), "out.mkv"),
        Kind("WebM", clip("in.webm", codec="libvpx-vp9", sound="libopus"), "out.webm"),
        Kind("AVI", clip("in.avi", codec="mpeg4", sound="libmp3lame"), "out.avi"),
        Kind("MPEG-TS", clip("in.ts", sound="aac"), "out.ts"),
        Kind("GIF", clip("in.gif", codec="gif", pix_fmt="rgb8", rate=10), "out.gif"),
        Kind("animated PNG", clip("in.apng", codec="apng", pix_fmt="rgb24")),
        Kind("numbered pictures", pictures),
        Kind("MP4, to numbered pictures", clip("in.mp4"), "%03d.jpg"),
    ],
    "Faults": [
        Kind("cut short", shortened("in.mkv")),
        Kind("garbage in the middle", spoilt("in.ts")),
        Kind("index missing", written("in.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(500))),
        Kind("no bytes", written("in.mp4", b"")),
        Kind("text", written("in.mp4", b"these are only words\n" * 50)),
        Kind("a picture", picture),
        Kind("sound alone", lambda folder: make_sound(folder / "in.m4a")),
        Kind("a folder", lambda folder: folder),
        Kind("missing", lambda folder: folder / "in.mp4"),
        Kind("output exists", existing),
        Kind("output is the input", clip("out.mp4")),
    ],
}


def row(kind: Kind, folder: Path) -> str:
    """A row of the table: what became of that kind, as it was seen here."""
    source, target = kind.make(folder), folder / kind.output
    before = target.read_bytes() if target.exists() else None
    logging.getLogger().handlers.clear()
    result = CliRunner().invoke(main, ["video", str(source), str(target), "--strength", "0", *kind.options])
    said = result.stderr.replace(f"{folder}/", "").replace(str(folder), "a folder").strip().splitlines()
    told = "<br>".join(line.removeprefix("Error: ") for line in said)
    if result.exit_code and (not target.exists() or target.read_bytes() == before):
        return f"| {kind.name} | {kind.output} | refused | | {told} |"
    status = "painted as far as it goes" if result.exit_code else "painted, with a notice" if said else "kept"
    return f"| {kind.name} | {kind.output} | {status} | {seen(source, target)} | {told} |"


def seen(source: Path, target: Path) -> str:
    """What of the input is found in the output."""
    shown, written = frames(source), frames(target)
    facts = [f"{len(written)} of {len(shown)} frames"]
    if "%" not in target.name and len(shown) == len(written):
        apart = max(abs(a - b) for a, b in zip(*map(moments, (source, target)), strict=True))
        facts.append("times within 1 ms" if apart <= 0.001 else f"times within {1000 * apart:.0f} ms")
    if shown[0].shape == written[0].shape and len(shown) == len(written):
        error = np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in zip(shown, written, strict=True)])
        facts.append("pictures within 38 dB" if error <= 255**2 / 10**3.8 else "pictures in fewer colours")
    elif shown[0].shape != written[0].shape:
        facts.append("{1}x{0} became {3}x{2}".format(*shown[0].shape[:2], *written[0].shape[:2]))
    if "%" not in f"{source.name}{target.name}" and codecs(source, "audio"):
        facts.append(f"sound: {', '.join(codecs(target, 'audio')) or 'none'}")
    return "; ".join(facts)


def frames(path: Path) -> list[Image]:
    if "%" in path.name and not (path.parent / (path.name % 0)).exists():
        return [cv2.imread(str(p))[..., ::-1] for p in sorted(path.parent.glob(f"*{path.suffix}"))]
    source = open_source(path)
    images = [frame.image for frame in source]
    source.close()
    return images


def moments(path: Path) -> list[float]:
    if "%" in path.name:
        return [i / 30 for i in range(len(frames(path)))]
    times = video_seconds(path)
    return [time - times[0] for time in times]


def document() -> str:
    """The whole of docs/files.md."""
    parts = [_INTRODUCTION]
    for title, kinds in KINDS.items():
        parts.append(
            f"\n## {title}\n\n| input | output | result | found in the output | what livestyle says |"
        )
        parts.append("|---|---|---|---|---|")
        for kind in kinds:
            with tempfile.TemporaryDirectory() as folder:
                parts.append(row(kind, Path(folder)))
    return "\n".join(parts) + "\n"


_INTRODUCTION = """# What becomes of which file

Made by `python -m tests.kinds`, which makes each input, paints it by `livestyle video` with a strength of 0
and compares; the tests check that this page is what they find. Each frame keeps its time, counted from the
first; sound is copied packet by packet where players can play it in such a file. Pictures are *kept* as far
as one sees: livestyle paints in 8 bits a channel, and writes 4:2:0 in limited range (4:2:2 in ProRes),
whatever came in."""


if __name__ == "__main__":
    av.logging.set_level(None)
    logging.disable(logging.NOTSET)
    DOCUMENT.write_text(document(), encoding="utf-8")
