"""`benchmarks/SPEED.md`: all that was measured on a CPU, out of `benchmarks/results`."""

import json
from pathlib import Path
from typing import Any

from benchmarks import files_report, precision
from benchmarks.peers.compare import table
from benchmarks.peers.networks import PEERS
from benchmarks.readme import told
from livestyle.architecture import CONFIGS

_HEAD = """# Speed on a CPU

Made by `python -m benchmarks readme` from `results/`; what was tried to get there is in [NOTES.md](NOTES.md).
"""
_PEERS = """Frames are uint8 on both sides. Peers have random weights, which do not change the time; how well
they paint is not compared. Their shapes are written anew from:
"""
_FILES = """Each stage by itself, then all of them as `livestyle video` runs them.
"""
_MEMORY = """Peak of the whole process; without the network is `--strength 0`: its buffers do not grow.
"""
_ROOFLINE = """*Of its roof*: what the operations or the bytes of these layers take at the measured peaks,
next to what they took.
"""
_SCALING = """Powers near 1 are linear growth, near 0 none.
"""


def speed(results: Path, *, draw: bool) -> str:
    """The text; with `draw` its plots are written beside the results."""
    parts = [_HEAD]
    peers = _read(results / "peers.json")
    if peers:
        sources = [f"- {peer.name}: {peer.source}" for peer in PEERS]
        parts.append(_section("Beside others", peers, [_PEERS, *sources, "", *table(peers)]))
    for model in CONFIGS:
        bits = _read(results / f"precision_{model}.json")
        if bits:
            words = f"{bits['paintings']} paintings: frames of the sample clip in every style.\n"
            parts.append(_section(f"What fewer bits cost: {model}", bits, [words, *precision.lines(bits)]))
    files, memory = _read(results / "files.json"), sorted(results.glob("memory*.json"))
    if files:
        parts.append(_section("Whole files, stage by stage", files, [_FILES, *files_report.lines(files)]))
    if memory:
        found = [json.loads(path.read_text(encoding="utf-8")) for path in memory]
        commands = "`, `".join(dict.fromkeys(one["command"] for one in found))
        rows = files_report.memory_lines(found)
        parts.append(_section("Memory of long files", found[0] | {"command": commands}, [_MEMORY, *rows]))
    for name, title, words in (
        ("roofline", "Where the time goes", _ROOFLINE),
        ("scaling", "How it scales", _SCALING),
    ):
        measured = _read(results / f"{name}.json")
        if measured:
            plot = results / f"{name}.png"
            lines = _report(name, measured, plot if draw else None)
            parts.append(_section(title, measured, [words, *lines, "", f"![{title}](results/{plot.name})"]))
    return "\n".join(parts)


def _section(title: str, measured: dict[str, Any], lines: list[str]) -> str:
    head = [f"## {title}", "", f"Measured on {told(measured['machine'])}, by `{measured['command']}`.", ""]
    return "\n".join([*head, *lines, ""])


def _report(name: str, measured: dict[str, Any], plot: Path | None) -> list[str]:
    if name == "roofline":
        from benchmarks.roofline import draw, lines
    else:
        from benchmarks.scaling import draw, lines
    if plot is not None:
        draw(measured, plot)
    return lines(measured)


def _read(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return measured
