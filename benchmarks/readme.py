"""README's numbers, out of `benchmarks/results`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livestyle.controls import KEYS

Results = dict[str, Any]


def fill(text: str, results: Path) -> str:
    """README's text with each part between `<!-- name -->` and `<!-- end -->` made anew from the results."""
    measured = json.loads((results / "cpu.json").read_text(encoding="utf-8"))
    for name, make in _PARTS.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + make(measured) + end + after
    return text


def _machine(results: Results) -> str:
    machine = results["machine"]
    return (
        f"Measured on {machine['cores']} cores of an {machine['processor']} with {machine['system']}, "
        f"torch {machine['torch']}, openvino {machine['openvino']}, by `{results['command']}`.\n"
    )


def _networks(results: Results) -> str:
    rows = ["| network at 640x480 | ms a frame | times the reference |", "|---|---:|---:|"]
    for name, row in results["networks"].items():
        label = "Johnson 2016, eager float32" if name == "reference" else f"livestyle `small`, {name}"
        rows.append(f"| {label} | {row['milliseconds']:.1f} | {row['times_faster']:.0f} |")
    return "\n".join(rows) + "\n"


def _video(results: Results) -> str:
    video = results["video"]
    rows = ["| whole command | fps | peak memory |", "|---|---:|---:|"]
    rows.append(f"| reference loop, 640x480, without sound | {video['reference']['fps']:.2f} | |")
    labels = {"vga": "640x480", "vga_long": "640x480", "hd": "1280x720"}
    for name, size in labels.items():
        row = video[name]
        label = f"`livestyle video`, {size}, {row['frames']} frames"
        rows.append(f"| {label} | {row['fps']:.0f} | {row['peak_mib']:.0f} MiB |")
    vga = video["vga"]
    return "\n".join(rows) + (
        f"\n\nAt 640x480 that is {vga['times_faster']:.0f} times the reference loop, start-up, sound "
        f"and encoding included; the first frame is painted {vga['first_painted_seconds']:.1f} s after the "
        "command.\n"
    )


def _keys(_: Results) -> str:
    numbers = [key for key in KEYS if key.name.isdigit()]
    rows = [(f"`{numbers[0].name}` … `{numbers[-1].name}`", f"styles 1 to {len(numbers)}")]
    rows += [(f"`{key.name}`", key.does) for key in KEYS if key not in numbers]
    half = (len(rows) + 1) // 2
    left, right = rows[:half], [*rows[half:], ("", "")]
    lines = ["| key | | key | |", "|---|---|---|---|"]
    lines += [f"| {a} | {does} | {b} | {too} |" for (a, does), (b, too) in zip(left, right, strict=False)]
    return "\n".join(lines) + "\n"


_PARTS: dict[str, Callable[[Results], str]] = {
    "machine": _machine,
    "networks": _networks,
    "video": _video,
    "keys": _keys,
}
