"""What `python -m benchmarks files` and `memory` measured, in Markdown."""

from typing import Any

_STAGES = {
    "decode": "decoding, to RGB",
    "encode": "encoding, from RGB",
    "paint": "painting: the stabiliser and the network, two frames at a time",
    "paint_in_the_pipeline": "the same between threads that only hand frames on",
    "all_but_the_network": "all together, without the network",
    "all": "all together",
}


def lines(measured: dict[str, Any]) -> list[str]:
    """A table of frames a second for each stage and size, and what follows from it."""
    sizes = measured["stages"]
    rows = ["| frames per second | " + " | ".join(_SIZES[name] for name in sizes) + " |"]
    rows.append("|---|" + "---:|" * len(sizes))
    for stage, title in _STAGES.items():
        cells = [f"{found['fps'][stage]:.0f}" for found in sizes.values()]
        rows.append(f"| {title} | " + " | ".join(cells) + " |")
    rows.append("")
    for name, found in sizes.items():
        allowed = found["fps"]["all"] / found["fps_if_no_core_ever_waited"]
        beside, alone = (found[f"share_of_the_slowest_stage{how}"] for how in ("_beside_the_others", ""))
        rows.append(
            f"- {_SIZES[name]}: all together reach {beside:.0%} of the rate that their slowest stage has "
            f"beside the others, {alone:.0%} of what it has with all cores to itself, and {allowed:.0%} of "
            f"what the stages' processor time allows; {found['cores_busy']:.0%} of the cores are busy. "
            f"Without the network they are {found['times_faster_without_the_network']:.1f} times as fast; "
            f"colours take {found['conversion_share_of_the_time']:.0%} of the time of one core."
        )
    return rows


def memory_lines(measurements: list[dict[str, Any]]) -> list[str]:
    """A table of peak memory, a row for each measurement."""
    rows = ["| 640x480, in and out | a short clip | a long one | growth |", "|---|---:|---:|---:|"]
    for measured in measurements:
        network = "with" if measured["strength"] else "without"
        cells = [f"{measured['suffix']}, {network} the network"]
        cells += [f"{peak:.0f} MiB, {int(s) / 60:g} min" for s, peak in measured["peak_mib"].items()]
        rows.append("| " + " | ".join([*cells, f"{measured['growth_mib']:.0f} MiB"]) + " |")
    return rows


_SIZES = {"vga": "640x480", "hd": "1280x720"}
