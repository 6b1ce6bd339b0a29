"""README's numbers, out of `benchmarks/results`."""

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

from benchmarks.gpu_report import gpu_table
from benchmarks.peers.names import REFERENCE, three_digits
from livestyle.controls import KEYS

Results = dict[str, Any]


def fill(text: str, results: Path) -> str:
    """README's text with each part between `<!-- name -->` and `<!-- end -->` made anew from the results.

    What was not measured stays as it is.
    """
    for name, (source, make) in _PARTS.items():
        measured = _read(results / f"{source}.json") if source else {}
        if measured is None or f"<!-- {name} -->" not in text:
            continue
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + make(measured) + end + after
    return text


def told(machine: dict[str, str]) -> str:
    """The machine of a measurement, in words."""
    return (
        f"{machine['cores']} cores of an {machine['processor']} with {machine['system']}, "
        f"torch {machine['torch']}, openvino {machine['openvino']}"
    )


def _read(path: Path) -> Results | None:
    if not path.exists():
        return None
    measured: Results = json.loads(path.read_text(encoding="utf-8"))
    return measured


def _machine(peers: Results) -> str:
    return f"Measured on {told(peers['machine'])}, by `{peers['command']}`; all in turns, in one process.\n"


def _networks(peers: Results) -> str:
    """Ours, the reference, and the fastest of the others."""
    rows = peers["rows"]
    sizes = list(rows[0]["fps"])
    ours = [row for row in rows if row["network"].startswith("livestyle")]
    reference = next(row for row in rows if (row["network"], row["runtime"]) == REFERENCE)
    others = [row for row in rows if row not in ours and row is not reference]
    fastest = max(others, key=lambda row: row["fps"][sizes[0]])
    lines = ["| frames per second | " + " | ".join(sizes) + " | times the reference at these sizes |"]
    lines.append("|---|" + "---:|" * (len(sizes) + 1))
    for row in (*ours, reference, fastest):
        label = f"{row['network']}, {row['runtime']}" + (" (the reference)" if row is reference else "")
        cells = [three_digits(row["fps"][size]) for size in sizes]
        cells.append(", ".join(three_digits(row["times_reference"][size]) for size in sizes))
        lines.append("| " + " | ".join([label, *cells]) + " |")
    told = "\n".join(lines) + f"\n\nThe last row is the fastest of {len(others)} other networks and runtimes."
    if len(sizes) > 1:
        smallest = min(sizes, key=lambda size: prod(map(int, size.split("x"))))
        told += (
            " In large frames the reference pays for fresh memory too ([NOTES](benchmarks/NOTES.md)): "
            f"the ratios at {smallest} are the ones to go by."
        )
    return told + "\n"


def _video(cpu: Results) -> str:
    video = cpu["video"]
    rows = ["| whole command | fps | peak memory |", "|---|---:|---:|"]
    rows.append(f"| reference loop, 640x480, without sound | {video['reference']['fps']:.2f} | |")
    for row in (row for name, row in video.items() if name != "reference"):
        label = f"`livestyle video`, {row['size']}, {row['frames']} frames"
        rows.append(f"| {label} | {row['fps']:.0f} | {row['peak_mib']:.0f} MiB |")
    vga = video["vga"]
    return "\n".join(rows) + (
        f"\n\nAt 640x480 that is {vga['times_faster']:.0f} times the reference loop, start-up, sound "
        f"and encoding included; the first frame is painted {vga['first_painted_seconds']:.1f} s after the "
        "command.\n"
    )


def _precision(bits: Results) -> str:
    """What int8 costs."""
    eight = bits["psnr"]["openvino int8"]
    name = next(name for name in _FLOATING if name in bits["psnr"])
    other = bits["psnr"][name]
    far, near = (
        f"{row['mean']:.0f} dB in the mean and {row['worst']:.0f} at worst" for row in (eight, other)
    )
    return (
        "int8 is taken by itself on a processor with VNNI; with AMX, if it is a tenth faster than bf16. "
        f"Over {bits['paintings']} paintings it is {far} from float32, hard to see side by side; but dull "
        "pictures with a very bright spot are painted stronger ([NOTES](benchmarks/NOTES.md)). "
        f"{name} is {near}, and yours with `--precision {name.split()[1]}`.\n"
    )


_FLOATING = ("openvino bf16", "torchscript bf16", "openvino f32")
"""What int8 is set beside: the first of these that was measured."""


def _keys(_: Results) -> str:
    numbers = [key for key in KEYS if key.name.isdigit()]
    rows = [(f"`{numbers[0].name}` … `{numbers[-1].name}`", f"styles 1 to {len(numbers)}")]
    rows += [(f"`{key.name}`", key.does) for key in KEYS if key not in numbers]
    half = (len(rows) + 1) // 2
    left, right = rows[:half], [*rows[half:], ("", "")]
    lines = ["| key | | key | |", "|---|---|---|---|"]
    lines += [f"| {a} | {does} | {b} | {too} |" for (a, does), (b, too) in zip(left, right, strict=False)]
    return "\n".join(lines) + "\n"


def _latency(results: Results) -> str:
    rows = [
        "| live, from the camera to the window | p50 | p99 | frames | dropped |",
        "|---|---:|---:|---:|---:|",
    ]
    for run in results["latency"]:
        (width, height), told_ms = run["size"], run["percentiles"]
        fps = run.get("fps", 30)  # the pattern's, where older results do not say
        rows.append(
            f"| {width}x{height} at {fps:g} fps, {run['seconds']:.0f} s | {told_ms['p50']:.0f} ms "
            f"| {told_ms['p99']:.0f} ms | {run['frames']} | {run['dropped']} |"
        )
    return "\n".join(rows) + "\n"


_PARTS: dict[str, tuple[str, Callable[[Results], str]]] = {
    "machine": ("peers", _machine),
    "networks": ("peers", _networks),
    "precision": ("precision_small", _precision),
    "video": ("cpu", _video),
    "gpu": ("gpu", gpu_table),
    "latency": ("latency", _latency),
    "keys": ("", _keys),
}
"""Each part by name: the results it is made from, if any, and how."""
