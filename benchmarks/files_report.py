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
        rows.append(
            f"- {_SIZES[name]}: all together reach {found['share_of_the_slowest_stage']:.0%} of the slowest "
            f"stage's own rate, {allowed:.0%} of what the stages' processor time allows, and keep "
            f"{found['cores_busy']:.0%} of the cores busy; without the network they are "
            f"{found['times_faster_without_the_network']:.1f} times as fast; colours take "
            f"{found['conversion_share_of_the_time']:.0%} of the time of one core."
        )
    return rows


def memory_lines(measurements: list[dict[str, Any]]) -> list[str]:
    """A table of peak memory, a row for each container."""
    rows = ["| 640x480, in and out | a minute | an hour | growth |", "|---|---:|---:|---:|"]
    for measured in measurements:
        short, long = measured["peak_mib"].values()
        rows.append(
            f"| {measured['suffix']} | {short:.0f} MiB | {long:.0f} MiB | {measured['growth_mib']:.0f} MiB |"
        )
    return rows


_SIZES = {"vga": "640x480", "hd": "1280x720"}
